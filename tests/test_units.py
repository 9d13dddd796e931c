"""Lengths of time and sizes as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.settings.units import format_duration, format_size, parse_duration, parse_size


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=36_500)))
def test_durations_are_read_as_they_are_written(length: timedelta) -> None:
    whole = length - timedelta(microseconds=length.microseconds % 1000)
    assert parse_duration(format_duration(length)) == whole


@given(st.integers(min_value=0, max_value=2**45))
def test_sizes_are_read_as_they_are_written(size: int) -> None:
    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize(
    ("text", "length"),
    [("500ms", 0.5), ("10s", 10), ("45m", 2700), ("1h30m", 5400), ("3d", 259_200), ("1m1ms", 60.001), ("0s", 0)],
)
def test_durations(text: str, length: float) -> None:
    assert parse_duration(text) == timedelta(seconds=length)


@pytest.mark.parametrize(
    "text", ["", "45x", "m", "30m1h", "1.5h", "-1s", " 1s", "1s ", "99999999d", True, None, [], "٣s"]
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"duration|longer"):
        parse_duration(text)


@pytest.mark.parametrize(("text", "size"), [("16MiB", 2**24), ("64 KiB", 2**16), ("500kB", 500_000), ("5", 5), (5, 5)])
def test_sizes(text: object, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "16mib", "1.5MiB", "-1", -1, True, 1.0, None])
def test_what_is_no_size_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)
