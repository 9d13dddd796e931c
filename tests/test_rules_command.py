"""`alertsage rules`: the book to look at, and tried on alerts."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from receiver.__main__ import main
from tests.servers import firing, webhook

ADJUST = """# our own
- id: staging
  because: nobody is woken for staging
  when: [ 'label.env = "staging"', {none: [ 'metric =~ "pg_.*"' ]}, value > 3 ]
  set: {priority: low}
  examples:
    matches: [ {name: Down, labels: {env: staging}, annotations: {description: value 5}} ]
    ignores: [ {name: Down} ]

# the last one
- {id: other, when: name = X, set: {category: system}}
"""
MINE = """- {id: look-around, enabled: false}
- id: heartbeat
  rank: 300
  when: name =~ "Beat.*"
  say:
    - {text: 'Ask {owner}.', command: 'echo {host}', link: 'https://x.example.org/{host}', careful: true}
    - text: Never {said}.
  examples:
    matches: [ {name: BeatMissing, labels: {owner: "Ann\\e[1mB", host: h1}} ]
    ignores: [ {name: BeatMissing2} ]
"""


@pytest.fixture(autouse=True)
def _mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine/recommendations").mkdir(parents=True)
    Path("mine/adjust.yaml").write_text(ADJUST)
    Path("mine/recommendations/a.yaml").write_text(MINE)
    Path("config.yaml").write_text("rules: {folder: mine}\n")


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(main, ["rules", *arguments], input=given)


def test_the_list_is_in_the_order_in_which_rules_speak() -> None:
    done = run("list")
    assert (done.exit_code, done.stderr) == (0, "")
    staging, other, heartbeat, *more = done.stdout.splitlines()
    assert staging.split() == ["-", "staging", "sets", "priority", "low", "mine/adjust.yaml:2"]
    assert other.split()[:2] == ["-", "other"]
    assert heartbeat.startswith(" 300  heartbeat")
    assert "2 recommendations" in heartbeat
    assert "mine/recommendations/a.yaml:2  (in place of " in heartbeat
    assert "general.yaml:" in heartbeat
    ranks = [int(line.split()[0]) for line in more[:-2]]
    assert ranks == sorted(ranks, reverse=True)
    assert more[-2].endswith("(switched off by mine/recommendations/a.yaml:1)")
    assert more[-1] == f"{len(more) + 2} rules"


def test_the_list_is_narrowed_by_words_and_read_by_programs() -> None:
    assert [line.split()[1] for line in run("list", "STAGING", "woken").stdout.splitlines()[:-1]] == ["staging"]
    assert run("list", "nobody has this").stdout.startswith("0 of ")
    told = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    by_id = {one["id"]: one for one in told}
    assert by_id["staging"] == {
        "id": "staging", "kind": "adjustment", "rank": None, "recommendations": 0, "sets": "priority low",
        "file": str(Path("mine/adjust.yaml").absolute()), "line": 2, "replaces": None, "switched_off_by": None,
    }  # fmt: skip
    assert by_id["heartbeat"]["replaces"].partition("general.yaml:")[2].isdigit()
    assert by_id["look-around"]["switched_off_by"].endswith("a.yaml:1")


def test_a_rule_is_shown_as_written_with_what_it_makes_of_its_examples() -> None:
    lines = run("show", "staging").stdout.splitlines()
    assert lines[0] == "mine/adjust.yaml:2"
    assert lines[2:9] == ADJUST.splitlines()[1:8]  # without the comment of the next one
    assert lines[10] == 'does not apply to Down {env="staging"}  WRONG: its example says otherwise'
    assert run("show", "other").stdout.splitlines()[2:] == [ADJUST.splitlines()[-1], ""]
    done = run("show", "heartbeat").stdout
    assert "    1. CAREFUL: Ask Ann [1mB:\n       $ echo h1\n       https://x.example.org/h1\n" in done
    assert "    2. is not said: a blank is not filled\n" in done
    assert "applies to BeatMissing2 {}  WRONG" in done
    off = run("show", "look-around").stdout
    assert "(switched off by mine/recommendations/a.yaml:1)" in off
    assert "\n- id: look-around\n" in off


def test_a_rule_that_is_not_there_is_told_with_one_that_is() -> None:
    done = run("show", "stagin")
    assert (done.exit_code, done.stderr) == (2, "rules: there is no rule stagin; did you mean staging?\n")
    assert run("test", "-", "--rule", "stagin", given="{}").exit_code == 2
    done = run("test", "-", "--rule", "look-around", given="{}")
    assert (done.exit_code, "switched off here" in done.stderr) == (2, True)
    Path("mine/adjust.yaml").write_text("- {id: a}")
    for arguments in (["list"], ["show", "a"], ["test", "-"]):
        done = run(*arguments, given="{}")
        assert (done.exit_code, "adjust.yaml:1: a: has no when" in done.stderr) == (2, True)


BODY = json.dumps(
    webhook(
        firing("BeatMissing", annotations={"summary": "No\nbeat"}, owner="Ann", host="h1", env="staging"), firing("X")
    )
)


def test_which_rules_apply_to_the_alerts_of_a_body() -> None:
    done = run("test", "-", given=BODY + "\n{}")
    assert done.exit_code == 1
    assert "this is the form of none" in done.stderr
    first, second = done.stdout.strip().split("\n\n")
    assert first.splitlines()[0] == "BeatMissing: No beat"
    assert "   300  heartbeat  1 of 2 recommendations  mine/recommendations/a.yaml:2" in first
    assert "staging" not in first
    assert "     -  other  sets category system  mine/adjust.yaml:11" in second


def test_why_a_rule_does_not_apply_is_told_test_by_test() -> None:
    done = run("test", "-", "--rule", "staging", given=BODY)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[:8] == [
        "BeatMissing: No beat",
        "  staging does not apply  (mine/adjust.yaml:2)",
        "    no   all of",
        '      yes  label.env = "staging"   it is "staging"',
        "      yes  none of",
        '        no   metric =~ "pg_.*"   it is ""',
        "      no   value > 3   it is no number",
        "",
    ]
    assert "heartbeat applies" in run("test", "-", "--rule", "heartbeat", given=BODY).stdout


@pytest.mark.parametrize("command", ["list", "show", "test"])
def test_every_command_has_help(command: str) -> None:
    assert run(command, "--help").exit_code == 0
