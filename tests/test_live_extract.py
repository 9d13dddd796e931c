"""The enricher `extract`: named groups of RE2 patterns into facts."""

import json
from pathlib import Path

import pytest

from tests.live import refused, run
from tests.views import view


def config(*patterns: str, texts: list[str] | None = None) -> str:
    """The enricher with these patterns."""
    where = f"    texts: {json.dumps(texts)}\n" if texts else ""
    return f"  extract:\n    patterns: {json.dumps(patterns)}\n{where}"


TOLD = {"summary": "Order 4711 failed", "description": "shard=3 of orders-eu\nsee order 99, code E42"}


@pytest.mark.parametrize(
    ("patterns", "texts", "facts"),
    [
        ((r"(?i)order (?P<order>\d+)",), None, {"order": "4711"}),
        ((r"shard=(?P<shard>\d+) of (?P<table>[\w-]+)",), None, {"shard": "3", "table": "orders-eu"}),
        ((r"order (?P<order>\d+)", r"code (?P<code>\w+)"), ["message"], {"order": "99", "code": "E42"}),
        ((r"order (?P<order>\d+)",), ["annotation.description"], {"order": "99"}),
        ((r"order (?P<order>\d+)",), ["annotation.nothing"], {}),
        ((r"(?P<cell>cell-\d+)",), ["label.instance"], {"cell": "cell-7"}),
        ((r"(?P<cell>cell-\d+)",), ["labels"], {"cell": "cell-7"}),
        ((r"(?s)(?P<both>two.*three)",), ["fact.log"], {"both": "two three"}),
        ((r"n=(?P<n>\d+)",), ["facts"], {"n": "5"}),
        ((r"(?P<a>nothing)|(?P<b>Order)",), None, {"b": "Order"}),
        ((r"(?P<order>\d+)", r"(?P<order>E\d+)"), None, {"order": "4711"}),
        ((r"(?P<first>4711)|(?P<later>E42)",), ["annotations"], {"first": "4711"}),
        ((r"(?P<none>zzz)",), None, {}),
    ],
)
def test_what_becomes_a_fact(tmp_path: Path, patterns: tuple, texts: list | None, facts: dict[str, str]) -> None:
    alert = view("Failed", annotations=TOLD, instance="cell-7:9100")
    alert.facts |= {"log": ["one", "two", "three"], "count": "n=5", "number": 3}
    added, outcome = run(tmp_path, config(*patterns, texts=texts), alert)
    assert added.facts == facts
    assert outcome.outcome == ("ok" if facts else "nothing")


def test_a_pattern_made_to_be_slow_is_not(tmp_path: Path) -> None:
    alert = view("x", annotations={"description": "a" * 60_000 + "!"})
    _, outcome = run(tmp_path, config(r"(?P<all>(a+)+b)") + "    timeout: 5s\n", alert)
    assert outcome.outcome == "nothing"


def test_values_are_on_one_line_and_bounded(tmp_path: Path) -> None:
    alert = view("x", annotations={"description": "from:\x1b[31m a\n\tb " + "c" * 500})
    added, _ = run(tmp_path, config(r"(?s)from:(?P<all>.*)"), alert)
    assert len(added.facts["all"]) == 300
    assert "\n" not in added.facts["all"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", ".patterns: is missing"),
        ("{patterns: []}", ".patterns: has fewer items than 1"),
        ("{patterns: ['(']}", ".patterns.0: is not an RE2 pattern: missing )"),
        ("{patterns: ['(?P<a>x)(?=y)']}", ".patterns.0: is not an RE2 pattern: invalid perl operator: (?="),
        ("{patterns: ['abc']}", ".patterns.0: names no group: write (?P<order>[0-9]+) for what is to become"),
        ("{patterns: ['(?P<a>((x{100}){100}){100})']}", ".patterns.0: is not an RE2 pattern: "),
        (f"{{patterns: ['(?P<a>{'x' * 2000})']}}", ".patterns.0: must be a text of 1 to 2000 characters"),
        ("{patterns: ['(?P<a>x)(?P<promql>y)']}", '.patterns.0: "promql" is a fact that alertsage reads from the rule'),
        ("{patterns: ['(?P<a>x)'], texts: [messages]}", ".texts.0: is none of title, message, name, subject"),
        ("{patterns: ['(?P<a>x)'], texts: [fact.]}", ".texts.0: is none of title, message, name, subject"),
    ],
)
def test_a_wrong_setting_is_told_by_its_line(tmp_path: Path, text: str, told: str) -> None:
    first = refused(tmp_path, f"  extract: {text}\n")[0]
    assert first.startswith(f"config.yaml:2: enrichers.extract{told}"), first
