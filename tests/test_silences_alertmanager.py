"""Matchers and silences mean what they mean in a real Alertmanager, over a table of texts, values and label sets."""

import itertools
import json
import subprocess
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from receiver.domain.matchers import Unreadable, all_wide, fit, made
from receiver.silencing import Misfit, compiled, matchers, matchers_in
from tests.monitoring import alertmanager
from tests.servers import ask

VALUES = ["", "a", "A", "ab", "b", "a.b", "a b", "a\nb", "größe", '"', "\\", "a,b", "{a}", "5xx", "~a", "=", "日本"]
LABELS: list[dict[str, str]] = [
    {"alertname": f"N{number}", "n": str(number)} | ({"x": value} if value else {})
    for number, value in enumerate(VALUES)
] + [{"alertname": "Two", "x": "a", "y": "b"}, {"alertname": "Three", "x": "b", "y": "a"}, {"y": "ab"}]
PATTERNS = [
    "",
    "a",
    "a.*",
    ".*",
    ".+",
    "a|b",
    "(?i)a",
    "a.b",
    "(?s)a.b",
    "[^a]*",
    "gr.*e",
    r"\w+",
    r"\d+xx",
    "a|",
    "^a$",
    r"\\",
    "日.",
    "[[:alpha:]]+",
    r"\pL+",
    "a{1,2}",
    "(a|b)+",
    "(?m)^a$",
    r"\Qa.b\E",
]
BAD_PATTERNS = ["(", "a)|(b", "[", "*", r"\C", "a{2000}", "(?=a)", r"\1", "(?P<n", "a**"]
TEXTS = [
    "x=a", "x = a", ' x="a" ', "x=", 'x=""', 'x="a b"', "x=a b", 'x="a,b"', r'x="a\nb"', r'x="\""', r'x="\\"',
    r"x=\\", r"x=a\b", r'x="a\tb"', 'x=~"a|b"', "x=~a|b", "x!~a", "x!=a", "x!=", "x=~", "x==a", "x=~~a", "x=!a", 'x="a',
    'x=a"', 'x="a"b', "x", "=a", "", "x-y=a", "9x=a", "_x=a", "x:y=a", "x=größe",
    "x=日本", 'x="{a}"', "x=~(", r"x=~\d+xx",
    "x =~ 'a'", "x=\ta", "x=a\n", "x\n=a", r'x="a\"', r'x=\"', 'x="="', "x=~=", "x!~", 'x!~""', "alertname=Two", "y=",
    "x= \x0ba", "größe=a", '"x"="a"',
]  # fmt: skip
"""One matcher each, as `amtool` and `filter=` take them: there a comma is a part of the value, here it needs quotes, as
in `matchers:` of Alertmanager's own configuration."""
NEWER = ("größe=a", '"x"="a"', "x-y=a", "9x=a")
"""What only the parser of 0.27 and later reads."""
LISTS = [
    "{}", "{x=a}", '{x="a",y="b"}', '{x="a", y=~"a|b",}', "x=a,y=b", "{x=a", "x=a}", "{x=a,,y=b}", '{x="a,b"}',
    "{ x=a }",
    r'{x="\",",y="b"}', '{x=~"a|b",y!=""}', "{x=a y=b}", "{{x=a}}", "x=a, y!~b ,", r'x="a\\",y=b', r'x=a\",y=b', ",x=a",
    "x={a}", "x=a\u00a0",
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real one that has all of LABELS firing."""
    with alertmanager(tmp_path_factory.mktemp("alertmanager"), "http://127.0.0.1:9/") as port:
        url = f"http://127.0.0.1:{port}"
        assert ask(f"{url}/api/v2/alerts", json.dumps([{"labels": labels} for labels in LABELS]).encode())[0] == 200
        yield url


def told(url: str, query: str) -> tuple[int, Any]:
    """The alerts that it lists."""
    return ask(f"{url}/api/v2/alerts?{query}")


def listed(alerts: list[dict[str, Any]]) -> list[str]:
    """Label sets, to compare."""
    return sorted(json.dumps(alert["labels"], sort_keys=True) for alert in alerts)


def fitting(wanted: Any) -> list[str]:
    """Those of LABELS that fit, to compare."""
    return sorted(json.dumps(labels, sort_keys=True) for labels in LABELS if fit(wanted, labels))


def test_a_matcher_as_text_means_the_same(server: str) -> None:
    compared = 0
    for text in TEXTS:
        status, answer = told(server, f"filter={urllib.parse.quote(text)}")
        try:
            ours = matchers(text)
            assert len(ours) == 1
        except (Unreadable, AssertionError):
            assert status == 400, f"{text!r}: {answer}"
            continue
        if status != 200:
            assert text in NEWER, f"{text!r}: {answer}"
            continue
        assert listed(answer) == fitting(ours), text
        compared += len(LABELS)
    assert compared >= 600


def test_every_operator_with_every_value_means_the_same(server: str) -> None:
    compared = 0
    for operator, value in itertools.product(("=", "!=", "=~", "!~"), {*VALUES, *PATTERNS, *BAD_PATTERNS}):
        quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        status, answer = told(server, "filter=" + urllib.parse.quote(f'x{operator}"{quoted}"'))
        try:
            ours = [made("x", operator, value, compiled)]
        except Unreadable:
            assert status == 400 or value == "a)|(b", (operator, value, answer)
            continue
        assert status == 200, (operator, value, answer)
        assert listed(answer) == fitting(ours), (operator, value)
        assert matchers(ours[0].text) == tuple(ours), "its text means itself"
        compared += len(LABELS)
    assert compared >= 2000


def test_silences_hold_the_same_alerts_and_the_same_are_refused(server: str) -> None:
    """By two matchers each, over the silences themselves: what they hold, not what a filter lists."""
    singles = [("x", "=", "a"), ("x", "!=", "a"), ("x", "=~", "a|"), ("x", "!~", "b"), ("x", "=", ""),
               ("x", "=~", ".*"),
               ("y", "=~", "(a|b)+"), ("y", "!=", ""), ("x", "=~", "a)|(b"), ("alertname", "=~", "T.*")]  # fmt: skip
    for number, pair in enumerate(itertools.combinations_with_replacement(singles, 2)):
        posted = [
            {"name": name, "value": value, "isRegex": "~" in operator, "isEqual": not operator.startswith("!")}
            for name, operator, value in pair
        ]
        times = {"startsAt": "2026-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z"}
        body = {"matchers": posted, **times, "createdBy": "t", "comment": str(number)}
        status, answer = ask(f"{server}/api/v2/silences", json.dumps(body).encode())
        try:
            ours = [made(*parts, compiled) for parts in pair]
            refused = all_wide(ours)
        except Unreadable:
            refused = True
        assert (status == 400) is refused, (pair, answer)
        if status == 200:
            held = [alert for alert in told(server, "")[1] if answer["silenceID"] in alert["status"]["silencedBy"]]
            assert listed(held) == fitting(ours), pair


def test_lists_of_matchers_are_read_the_same(tmp_path: Path) -> None:
    """By amtool, as a route of a configuration."""
    for text in LISTS:
        routes = {"routes": [{"receiver": "held", "matchers": [text]}], "receiver": "other"}
        file = tmp_path / "alertmanager.yaml"
        file.write_text(json.dumps({"route": routes, "receivers": [{"name": "held"}, {"name": "other"}]}))
        checked = subprocess.run(["amtool", "check-config", file], capture_output=True, text=True, check=False)
        try:
            ours = matchers(text)
        except Unreadable:
            assert checked.returncode != 0, f"{text}: {checked.stdout}"
            continue
        assert checked.returncode == 0, f"{text}: {checked.stderr}"
        for labels in (
            {"x": "a", "y": "b"},
            {"x": "a,b", "y": "b"},
            {"x": '",', "y": "b"},
            {"x": "c", "y": "a"},
            {"y": ""},
            {"x": "{a"},
            {"x": 'a"', "y": "b"},
            {"x": "a"},
        ):
            pairs = [f"{name}={json.dumps(value)}" for name, value in labels.items() if value] or ["z=1"]
            tried = subprocess.run(
                ["amtool", "config", "routes", "test", f"--config.file={file}", *pairs],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            assert (tried.stdout.strip() == "held") is fit(ours, labels), (text, labels)


def test_amtool_makes_silences_of_the_same_texts(server: str) -> None:
    for text in filter(None, TEXTS):
        # the first argument without an operator would be the name of an alert
        command = [
            "amtool",
            f"--alertmanager.url={server}",
            "silence",
            "add",
            "-a",
            "t",
            "-c",
            "c",
            "-d",
            "1h",
            'alertname=~".*"',
            text,
        ]
        added = subprocess.run(command, capture_output=True, text=True, check=False)
        try:
            ours = matchers_in((text,))
        except Misfit:
            assert added.returncode != 0, f"{text!r}: {added.stdout}"
            continue
        if added.returncode == 0:
            held = [a for a in told(server, "")[1] if added.stdout.strip() in a["status"]["silencedBy"]]
            assert listed(held) == fitting(ours), text
        else:
            assert text in (*NEWER, "x:y=a"), f"{text!r}: {added.stderr}"
