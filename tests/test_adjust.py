"""Adjustments: category, priority and expiry set outright by rules of the user's own."""

from pathlib import Path
from typing import Any

import pytest

from receiver.domain.enrichment import History
from receiver.errors import Mistakes
from receiver.flow.rehearse import Rehearsal
from receiver.flow.setup import build
from receiver.meters import Meters
from receiver.rulebook import load_book, prove, rule_files
from receiver.settings import load
from tests.views import sighting

SLOW = 'histogram_quantile(0.95, rate(http_seconds_bucket{job="api"}[5m])) > 1'


def adjusted(folder: Path, rules: str) -> Path:
    """A user's folder with these adjustments."""
    folder.mkdir(exist_ok=True)
    (folder / "adjust.yaml").write_text(rules)
    return folder


def explained(tmp_path: Path, rules: str, *told: Any) -> dict[str, Any]:
    """The alert in the form of `explain --json`, with these adjustments in force."""
    adjusted(tmp_path / "mine", rules)
    (tmp_path / "config.yaml").write_text("rules: {folder: mine}\n")
    with Rehearsal(load(tmp_path / "config.yaml", {})) as rehearsal:
        return rehearsal.explain(told[0] if told else sighting("Down", severity="critical", env="staging"), History())


@pytest.mark.parametrize(
    ("rules", "category", "priority", "terms"),
    [
        ("[]", "availability", "critical", ["severity"]),
        (
            "- {id: a, because: nobody is\n    woken, when: 'label.env = staging', set: {priority: low}}",
            "availability",
            "low",
            ["severity", ("rule:a", "nobody is woken", "set to low")],
        ),
        ("- {id: a, when: name = Up, set: {priority: low}}", "availability", "critical", ["severity"]),
        # the category is set before the priority is judged by it: business is at most high
        ("- {id: a, when: name = Down, set: {category: business}}", "business", "high", ["severity", "category"]),
        # of two that set the same the first one does; what it leaves alone the next one may set
        (
            (
                "- {id: a, when: name = Down, set: {priority: info}}\n"
                "- {id: b, when: name = Down, set: {priority: high, category: system}}"
            ),
            "system",
            "info",
            ["severity", "rule:a"],
        ),
        # one that sets the category has looked before it did
        (
            "- {id: a, when: category = availability, set: {category: business, priority: low}}",
            "business",
            "low",
            ["severity", "category", "rule:a"],
        ),
        # the others look after it
        (
            (
                "- {id: a, when: [category = business, priority = high], set: {priority: low}}\n"
                "- {id: b, when: name = Down, set: {category: business}}"
            ),
            "business",
            "low",
            ["severity", "category", "rule:a"],
        ),
    ],
)
def test_what_is_set(tmp_path: Path, rules: str, category: str, priority: str, terms: list[Any]) -> None:
    told = explained(tmp_path, rules)
    assert (told["category"], told["priority"]) == (category, priority)
    said = [(term["rule"], term["input"], term["effect"]) for term in told["priority_terms"]]
    assert [one if isinstance(of, tuple) else one[0] for one, of in zip(said, terms, strict=True)] == terms


def test_who_set_it_is_told_and_advice_goes_by_it(tmp_path: Path) -> None:
    rule = "- {id: a, when: name = Down, set: {priority: info, category: security, expire_after: 90m}}"
    (tmp_path / "mine" / "recommendations").mkdir(parents=True)
    (tmp_path / "mine" / "recommendations" / "r.yaml").write_text(
        "- {id: r, rank: 500, when: [category = security, priority = info], say: {text: As it was set.}}"
    )
    told = explained(tmp_path, rule)
    assert (told["provenance"]["category"], told["provenance"]["priority"]) == ("rule:a", "rule:a")
    assert (told["facts"]["expire_after"], told["provenance"]["facts"]["expire_after"]) == ("90m", "rule:a")
    assert told["recommendations"][0]["text"] == "As it was set."
    term = told["priority_terms"][-1]
    assert term["input"] == f"{tmp_path}/mine/adjust.yaml:1"  # without a `because` it is told where it stands


@pytest.mark.parametrize(
    "test",
    ["words =~ '.*http seconds.*'", "functions =~ '.*rate.*'", "fact.expression =~ '.+'", "fact.promql =~ '.+'"],
)
def test_what_the_expression_tells_can_be_tested(tmp_path: Path, test: str) -> None:
    told = explained(tmp_path, f'- {{id: a, when: "{test}", set: {{priority: info}}}}', sighting("X", SLOW))
    assert told["priority"] == "info"


GOOD = """
- id: staging
  because: nobody is woken for staging
  when: 'label.env = "staging"'
  set: {priority: low, expire_after: 12h}
  examples:
    matches: [ {name: Down, labels: {env: staging, severity: critical}} ]
    ignores: [ {name: Down, labels: {env: production, severity: critical}} ]
"""


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        (
            ("priority: low", "priority: urgent"),
            '5: staging.set.priority: "urgent" is no priority; there is critical, high',
        ),
        (
            ("priority: low", "category: databse"),
            '5: staging.set.category: "databse" is no category; did you mean database?',
        ),
        (("12h", "12"), "5: staging.set.expire_after: 12 says no unit; write a duration, e.g. 12s"),
        (("12h", "0s"), "5: staging.set.expire_after: must be longer than 0s"),
        (("priority: low", "prio: low"), "5: staging.set.prio: is not known here; did you mean priority?"),
        (("{priority: low, expire_after: 12h}", "{}"), "5: staging.set: sets nothing; write one or more of priority"),
        (("{priority: low, expire_after: 12h}", "low"), "5: staging.set: sets nothing; write one or more of priority"),
        (("  set: {priority: low, expire_after: 12h}\n", ""), "2: staging: has no set"),
        (("set:", "say:"), "5: staging.say: is not known here"),
        (("because: nobody is woken for staging", "because: [x]"), "3: staging.because: is not a text"),
        (("label.env", "lable.env"), "4: staging.when: 'lable.env' cannot be tested with =; did you mean label."),
        (("label.env", "fact.runbook"), "4: staging.when: fact.runbook is found only when an alert is looked at"),
        (("priority: low", "category: system"), None),
    ],
)
def test_every_mistake_by_line(tmp_path: Path, change: tuple[str, str], mistake: str | None) -> None:
    folder = adjusted(tmp_path, GOOD.replace(*change))
    if mistake is None:
        assert len(load_book(folder).adjustments.rules) == 1
        return
    with pytest.raises(Mistakes) as caught:
        load_book(folder)
    assert f"adjust.yaml:{mistake}" in "\n".join(map(str, caught.value.mistakes))


def test_the_category_cannot_hang_on_the_priority_that_hangs_on_it(tmp_path: Path) -> None:
    folder = adjusted(tmp_path, "- id: a\n  set: {category: system}\n  when: [name = X, {any: [priority = high]}]\n")
    with pytest.raises(Mistakes, match=r"adjust.yaml:3: a.when: tests the priority.* make two rules of it"):
        load_book(folder)


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        (("env: staging", "env: test"), "adjust.yaml:7: staging: does not match its example Down"),
        (("env: production", "env: staging"), "adjust.yaml:8: staging: matches its example Down"),
        (("    ignores", "#"), "adjust.yaml:2: staging: has no example that it ignores"),
        (("", ""), ""),
    ],
)
def test_adjustments_prove_themselves(tmp_path: Path, change: tuple[str, str], mistake: str) -> None:
    told = "\n".join(map(str, prove(load_book(adjusted(tmp_path, GOOD.replace(*change))))))
    assert mistake in told if mistake else told == ""


def test_a_file_of_nearly_that_name_is_no_silent_nothing(tmp_path: Path) -> None:
    (tmp_path / "adjust.yml").write_text(GOOD)
    with pytest.raises(Mistakes, match=r"adjust.yml: is not read here; name it adjust.yaml"):
        load_book(tmp_path)


def test_the_file_is_one_of_those_that_are_watched(tmp_path: Path) -> None:
    assert rule_files(adjusted(tmp_path, GOOD)) == [tmp_path / "adjust.yaml"]


def test_a_rule_can_be_dropped(tmp_path: Path) -> None:
    assert load_book(adjusted(tmp_path, GOOD)).adjustments.rules
    with pytest.raises(Mistakes, match="staging is switched off but there is no such rule"):
        load_book(adjusted(tmp_path, "- {id: staging, enabled: false}"))


def test_only_a_change_of_adjustments_describes_repeats_anew(tmp_path: Path) -> None:
    folder, told = tmp_path / "mine", sighting("Down", env="staging")
    (folder / "recommendations").mkdir(parents=True)
    (tmp_path / "config.yaml").write_text("rules: {folder: mine}\n")

    def digest() -> bytes:
        return build(load(tmp_path / "config.yaml", {}), Meters()).plans["alertmanager"].digest(told)

    before = digest()
    (folder / "recommendations" / "r.yaml").write_text("- {id: r, when: name = x, say: {text: t}}")
    assert digest() == before
    adjusted(folder, GOOD)
    with_rule = digest()
    adjusted(folder, GOOD.replace("low", "info"))
    assert len({before, with_rule, digest()}) == 3
