"""The command line: `alertsage check` tells everything at once; mistakes are sentences, never stack traces."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from receiver.__main__ import main


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_defaults_are_right_and_the_summary_counts_what_there_is() -> None:
    done = run("check")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("defaults: ok: 3 sources, 8 enrichers, ")
    assert done.stdout.endswith(" examples)\n")


def test_a_configuration_is_named_in_the_summary() -> None:
    Path("mine.yaml").write_text("sources: {a: {}, b: {}}\nenrichers: {runbook: {enabled: false}}")
    done = run("check", "mine.yaml")
    assert done.stdout.startswith("mine.yaml: ok: 2 sources, 7 enrichers, ")


def test_mistakes_go_to_stderr_one_a_line_with_exit_code_2() -> None:
    Path("config.yaml").write_text("limits: {alrts: 5}\nlog: {level: loud}\n")
    done = run("check")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        'config.yaml:1: limits.alrts: is not a setting; did you mean "alerts"?',
        'config.yaml:2: log.level: must be one of debug, info, warning or error, not "loud"',
    ]


def test_a_mistake_in_the_settings_hides_no_mistake_elsewhere() -> None:
    Path("config.yaml").write_text(
        "limits: {alerts: 0}\nrules: {folder: nowhere}\nenrichers: {a: {use: './no.py:b'}}\n"
    )
    done = run("check")
    assert done.exit_code == 2
    for part in ("limits.alerts", "nowhere", "no.py"):
        assert part in done.stderr


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite:///sub/dir/x.db", "the folder {here}/sub/dir is not there"),
        ("sqlite:///folder", "{here}/folder is a folder"),
        ("sqlite:///other", "{here}/other is not an SQLite database"),
    ],
)
def test_a_database_that_can_never_work_is_a_mistake(url: str, sentence: str) -> None:
    Path("folder").mkdir()
    Path("other").write_text("holiday pictures of last year")
    Path("config.yaml").write_text(f"database: {{url: '{url}'}}\n")
    for command in (["check"], ["serve"]):
        done = run(*command)
        assert done.exit_code == 2
        assert done.stderr == f"config.yaml:1: database.url: {sentence.format(here=Path.cwd())}\n"


RULES = """
- {id: cpu-bussy, enabled: false}
- {id: a, enabled: nope}
- id: b
  when: name = "x"
  say: [{text: ' '}, {text: t, link: 'javascript:x'}]
"""


def test_mistakes_of_rules_that_would_pass_in_silence_are_told() -> None:
    Path("rules/recommendations").mkdir(parents=True)
    Path("rules/recommendations/mine.yaml").write_text(RULES)
    Path("config.yaml").write_text("rules: {folder: rules}\n")
    done = run("check")
    assert "cpu-bussy is switched off but there is no such rule; did you mean cpu-busy?" in done.stderr
    for part in ("enabled: is not true or false", "text: is empty", "link: is not an address"):
        assert part in done.stderr
    Path("rules/recommendations").rename("rules/recs")
    assert "holds no folder recommendations" in run("check").stderr


def test_an_unreadable_folder_of_rules_is_a_sentence_with_the_place_that_names_it() -> None:
    Path("rules").symlink_to("rules")
    Path("config.yaml").write_text("rules: {folder: rules}\n")
    for command in ("check", "serve"):
        done = run(command)
        assert done.exit_code == 2
        assert done.stderr == (
            f"config.yaml:1: rules.folder: {Path.cwd()}/rules cannot be read: Too many levels of symbolic links\n"
        )


def test_adjustments_are_proven_and_counted_like_all_rules() -> None:
    rules = int(run("check").stdout.partition(" rules")[0].rpartition(" ")[2])
    Path("rules").mkdir()
    Path("config.yaml").write_text("rules: {folder: rules}\n")
    rule = "- id: a\n  when: name = X\n  set: {priority: low}\n"
    Path("rules/adjust.yaml").write_text(rule + "  examples: {matches: [{name: X}], ignores: [{name: Y}]}\n")
    assert f" {rules + 1} rules " in run("check").stdout
    Path("rules/adjust.yaml").write_text(rule + "  examples: {matches: [{name: X}], ignores: [{name: X}]}\n")
    done = run("check")
    assert (done.exit_code, "adjust.yaml:4: a: matches its example X" in done.stderr) == (2, True)


def test_mistakes_of_enrichers_and_rules_are_told_together() -> None:
    Path("rules").mkdir()
    Path("rules/mine.yaml").write_text("- id: [\n")
    Path("config.yaml").write_text("rules: {folder: rules}\nenrichers:\n  mine:\n    use: ./my.py:owner\n")
    Path("my.py").write_text("\nimport nothing_of_that_name\n")
    done = run("check")
    assert done.exit_code == 2
    assert "config.yaml:4: enrichers.mine.use: ./my.py:2: ModuleNotFoundError: " in done.stderr
    assert "mine.yaml:" in done.stderr


@pytest.mark.parametrize("arguments", [("serve", "--config", "no.yaml"), ("explain", "--config", "no.yaml", "-")])
def test_every_command_tells_mistakes_the_same_way(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert (done.exit_code, done.stderr) == (2, "no.yaml: cannot be read: No such file or directory\n")


def test_mistakes_in_the_environment_are_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTSAGE__LIMITS__ALRTS", "5")
    done = run("check")
    assert done.exit_code == 2
    assert done.stderr == 'ALERTSAGE__LIMITS__ALRTS: limits.alrts: is not a setting; did you mean "alerts"?\n'


def test_the_version_is_told() -> None:
    assert run("version").stdout.startswith("alertsage 0.")


@pytest.mark.parametrize("command", ["serve", "check", "explain", "version"])
def test_every_command_has_help(command: str) -> None:
    done = run(command, "--help")
    assert done.exit_code == 0
    assert done.stdout.startswith(f"Usage: main {command}")
