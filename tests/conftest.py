"""Every test that opens a store runs on SQLite and on PostgreSQL.

With ALERTSAGE_TESTS_NO_SKIP=1 a skipped test fails: in continuous integration everything is there to run it.
"""

import os
from collections.abc import Generator, Iterator

import pytest

from tests import engines

OPENERS = {"serving", "running", "start", "open_store"}
"""A module that uses one of these opens stores."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    only = metafunc.definition.get_closest_marker("only")
    if only or OPENERS & vars(metafunc.module).keys():
        names = only.args if only else (engines.SQLITE, engines.POSTGRES)
        metafunc.parametrize("engine", names, indirect=True)


@pytest.fixture(autouse=True)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of the database engine that this test runs on."""
    engines.Current.name = getattr(request, "param", engines.SQLITE)
    if engines.Current.name == engines.POSTGRES:
        engines.shared()
    yield engines.Current.name
    engines.Current.name = engines.SQLITE


def pytest_sessionfinish() -> None:
    engines.end()


_NO_SKIP = os.environ.get("ALERTSAGE_TESTS_NO_SKIP") == "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report)
    return report


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if _NO_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}: nothing may be skipped under ALERTSAGE_TESTS_NO_SKIP=1"
