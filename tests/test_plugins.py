"""Enrichers: found, given their settings, refused by file and line."""

import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from enrichers.shipped import SHIPPED as SHIPPED_CALLABLES
from receiver.errors import Mistakes
from receiver.plugins import LoadedEnricher, load_enrichers
from receiver.settings import SHIPPED, load

PLUGIN = """
from __future__ import annotations
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from pydantic import SecretStr

@dataclass(frozen=True)
class Deploys:
    url: str
    within: timedelta = timedelta(minutes=5)
    token: SecretStr | None = None
    retries: int = 3
    teams: dict[str, timedelta] = field(default_factory=dict)
    cache: Path | None = None
    unset: Exception | None = None

    def __post_init__(self) -> None:
        if self.retries > 9:
            raise ValueError("retries is more than 9")

    def __call__(self, alert, context):
        return {"facts": {"within": self.within.total_seconds()}}

@dataclass
class Quiet:
    x: int = 1

@dataclass
class Clash:
    timeout: int = 1
    def __call__(self, alert, context): ...

class Plain: ...

def owner(alert, context): return {"facts": {"owner": "ops"}}
async def later(alert, context): return None
def one(alert): ...
def more(alert, context, other): ...
number = 5
"""


def loaded(folder: Path, enrichers: str, environ: Mapping[str, str] | None = None) -> dict[str, LoadedEnricher]:
    (folder / "config.yaml").write_text(f"enrichers:\n{enrichers}")
    settings = load(folder / "config.yaml", environ or {})
    return {enricher.name: enricher for enricher in load_enrichers(settings)}


def refused(folder: Path, enrichers: str) -> list[str]:
    with pytest.raises(Mistakes) as found:
        loaded(folder, enrichers)
    return [str(mistake).replace(f"{folder}/", "") for mistake in found.value.mistakes]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my.py").write_text(PLUGIN)
    return tmp_path


def test_the_shipped_enrichers_run_inline_in_their_order(folder: Path) -> None:
    found = loaded(folder, "  owner: {use: ./my.py:owner, timeout: 2s}\n  runbook: {enabled: false}\n")
    assert list(found) == [*(name for name in SHIPPED if name != "runbook"), "owner"]
    assert {name for name, enricher in found.items() if enricher.stage != "deferred"} == set(SHIPPED) - {"runbook"}
    assert found["owner"].timeout == timedelta(seconds=2)


def test_the_settings_know_every_shipped_enricher() -> None:
    assert set(SHIPPED) == set(SHIPPED_CALLABLES)


def test_a_shipped_one_with_a_use_of_its_own_is_replaced_and_deferred(folder: Path) -> None:
    found = loaded(folder, "  runbook: {use: ./my.py:owner}\n")["runbook"]
    assert found.stage == "deferred"
    assert found.call(None, None) == {"facts": {"owner": "ops"}}


def test_live_ones_run_deferred_and_only_when_they_are_named(folder: Path) -> None:
    assert not {"prometheus", "http", "table", "extract"} & set(loaded(folder, "  owner: {use: ./my.py:owner}\n"))
    text = """
  prometheus: {url: http://127.0.0.1:1}
  cell: {use: extract, patterns: ['(?P<cell>x)']}
  shard: {use: extract, patterns: ['(?P<shard>x)']}
  runbook: {use: extract, patterns: ['(?P<book>x)']}
  http: {enabled: false}
"""
    found = loaded(folder, text)
    named = [name for name, one in found.items() if one.stage == "deferred"]
    assert sorted(named) == ["cell", "prometheus", "runbook", "shard"]


def test_functions_async_functions_and_installed_modules_are_found(folder: Path) -> None:
    found = loaded(folder, "  a: {use: my.py:owner}\n  b: {use: my.py:later}\n  c: {use: operator:eq}\n")
    assert found["a"].call(None, None) == {"facts": {"owner": "ops"}}
    assert found["c"].call(1, 1) is True


def test_a_dataclass_gets_its_settings_by_their_types(folder: Path) -> None:
    (folder / "secret").write_text("geheim\n")
    text = """
  deploys:
    use: ./my.py:Deploys
    url: https://example.org
    within: 1h30m
    token_file: secret
    teams: {a: 5m}
    cache: here
"""
    made: Any = loaded(folder, text, {"ALERTSAGE__ENRICHERS__DEPLOYS__RETRIES": "7"})["deploys"].call
    assert (made.within, made.retries, made.teams) == (timedelta(minutes=90), 7, {"a": timedelta(minutes=5)})
    assert made.token.get_secret_value() == "geheim"
    assert made.cache == folder / "here"
    assert made(None, None) == {"facts": {"within": 5400.0}}


def test_mistakes_in_settings_are_told_by_their_lines_all_at_once(folder: Path) -> None:
    text = """
  a:
    use: ./my.py:Deploys
    within: 45x
    retires: 3
    teams: {x: 5}
    token_file: nowhere
    unset: 1
  b: {use: ./my.py:Deploys, url: x, retries: 10}
  c: {use: ./my.py:owner, team: x}
  d: {use: ./my.py:Clash}
"""
    assert refused(folder, text) == [
        "config.yaml:3: enrichers.a.url: is missing",
        'config.yaml:5: enrichers.a.within: "45x" is not a duration, e.g. 45m',
        'config.yaml:6: enrichers.a.retires: is not a setting; did you mean "retries"?',
        "config.yaml:7: enrichers.a.teams.x: 5 says no unit; write a duration, e.g. 5s or 45m",
        "config.yaml:8: enrichers.a.token_file: nowhere cannot be read: No such file or directory",
        "config.yaml:9: enrichers.a.unset: cannot be set: its type is not one that a file can hold",
        "config.yaml:10: enrichers.b: Deploys: ValueError: retries is more than 9",
        "config.yaml:11: enrichers.c.team: is not a setting: ./my.py:owner is no dataclass and has none of its own",
        'config.yaml:12: enrichers.d: Clash has a field "timeout", which every enricher has already; rename it',
    ]


@pytest.mark.parametrize(
    ("use", "told"),
    [
        ("./no.py:owner", "there is no file no.py"),
        ("./my.py:ownr", './my.py has no "ownr"; did you mean "owner"?'),
        (
            "./my.py",
            '"./my.py" is not a place; write ./file.py:name or package.module:name, or one of prometheus, http, ',
        ),
        ("htpp", '"htpp" is not a place; write ./file.py:name or package.module:name, or one of prometheus, http, '),
        ("expression", '"expression" is not a place; write ./file.py:name or package.module:name, or one of '),
        ("no.such.module:x", 'there is no module "no"; is its package installed here?'),
        ("json.nothing:x", 'there is no module "json.nothing"; is its package installed here?'),
        ("./my.py:number", "./my.py:number cannot be called; name a function or a dataclass with __call__"),
        ("./my.py:Plain", "./my.py:Plain is a class but not a dataclass; put @dataclass above it"),
        ("./my.py:Quiet", "./my.py:Quiet has no __call__(self, alert, context); name a function"),
        ("./my.py:one", "./my.py:one takes (alert); it is called with two values, (alert, context)"),
        ("./my.py:more", "./my.py:more takes (alert, context, other); it is called with two values"),
        ("./syntax.py:x", "./syntax.py:2: SyntaxError: "),
        ("./raises.py:x", "./raises.py:3: ZeroDivisionError: division by zero"),
        ("./leaves.py:x", "./leaves.py:2: SystemExit: 3"),
        ("./lacks.py:x", "./lacks.py:1: ModuleNotFoundError: No module named 'nothing_of_that_name'"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_sentence(folder: Path, use: str, told: str) -> None:
    (folder / "syntax.py").write_text("x = 1\ndef broken(:\n")
    (folder / "raises.py").write_text("def f():\n    g = 0\n    return 1 / g\nf()\n")
    (folder / "leaves.py").write_text("import sys\nsys.exit(3)\n")
    (folder / "lacks.py").write_text("import nothing_of_that_name\n")
    (only,) = refused(folder, f"  mine:\n    use: {use}\n")
    assert only.startswith(f"config.yaml:3: enrichers.mine.use: {told}")


def test_an_unknown_name_needs_a_use(folder: Path) -> None:
    (only,) = refused(folder, "  runbok: {}\n")
    assert only == (
        "config.yaml:2: enrichers.runbok: does not come with alertsage; say where it is, e.g. use: ./my.py:owner; "
        'did you mean "runbook"?'
    )


def test_a_disabled_enricher_is_not_even_imported(folder: Path) -> None:
    assert "mine" not in loaded(folder, "  mine: {use: ./no.py:x, enabled: false}\n")


def test_each_load_reads_the_file_anew_and_leaves_what_was_loaded_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file = folder / "my.py"
    file.write_text("word = 1\ndef say(alert, context): return word\n")
    first = loaded(folder, "  mine: {use: ./my.py:say}\n")["mine"]
    file.write_text("word = 2\ndef say(alert, context): return word\n")
    second = loaded(folder, "  mine: {use: ./my.py:say}\n")["mine"]
    file.write_text("word = \n")
    refused(folder, "  mine: {use: ./my.py:say}\n")
    assert (first.call(None, None), second.call(None, None)) == (1, 2)
    assert not list(folder.glob("__pycache__"))
