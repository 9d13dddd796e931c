"""Recorded traffic of a real Alertmanager gives the alerts that its bodies say."""

from pathlib import Path

from tests.conformance import check

RECORDINGS = Path(__file__).parent / "recordings" / "alertmanager"


def test_all_recordings_of_alertmanager():
    assert check(RECORDINGS) == []
