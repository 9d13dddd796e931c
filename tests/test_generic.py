"""Any JSON by a mapping: what is picked, what makes the same alert, what does not fit, what is wrong in the file."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from receiver.__main__ import main
from receiver.errors import Mistakes
from receiver.settings import load
from tests.support import Site, serving


def config(**mapping: Any) -> str:
    """A generic source `any` with this mapping."""
    return json.dumps({"sources": {"any": {"kind": "generic", "mapping": {"name": "name"} | mapping}}})


async def alerts(site: Site) -> list[dict[str, Any]]:
    """All alerts, oldest first."""
    return list(reversed((await site.get("/api/v1/alerts?limit=500")).json["alerts"]))


async def post(site: Site, body: Any, **headers: str) -> Any:
    """Post to the source."""
    return await site.post("/webhook/generic/any", body, **{key.replace("_", "-"): v for key, v in headers.items()})


async def test_one_body_is_one_alert_a_list_is_many(tmp_path: Path) -> None:
    async with serving(tmp_path, config()) as site:
        assert (await post(site, {"name": "A"})).json["outcomes"] == {"opened": 1}
        assert (await post(site, [{"name": "B"}, {"name": "C"}])).json["outcomes"] == {"opened": 2}
        assert [alert["name"] for alert in await alerts(site)] == ["A", "B", "C"]


async def test_alerts_are_found_at_a_path_and_share_what_the_body_says(tmp_path: Path) -> None:
    mapping = config(alerts="groups[].alerts[]", labels={"region": {"body": "region"}, "host": "host"})
    body = {"region": "eu", "groups": [{"alerts": [{"name": "A", "host": "h-1"}]}, {"alerts": [{"name": "B"}]}]}
    async with serving(tmp_path, mapping) as site:
        await post(site, body)
        assert [alert["labels"] for alert in await alerts(site)] == [
            {"alertname": "A", "region": "eu", "host": "h-1"},
            {"alertname": "B", "region": "eu"},
        ]


async def test_values_are_mapped_and_defaults_stand_in(tmp_path: Path) -> None:
    severity = {"path": "level", "map": {"1": "critical", True: "info"}, "default": "warning"}
    async with serving(tmp_path, config(severity=severity)) as site:
        for number, level in enumerate([1, True, None, "error", "1"]):
            await post(site, {"name": f"A{number}", "level": level})
        assert [alert["labels"]["severity"] for alert in await alerts(site)] == [
            "critical",
            "info",
            "warning",
            "error",
            "critical",
        ]


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (1_795_161_600, "2026-11-20T08:00:00.000Z"),
        (1_795_161_600_500, "2026-11-20T08:00:00.500Z"),
        ("1795161600", "2026-11-20T08:00:00.000Z"),
        ("2026-11-20T09:00:00+01:00", "2026-11-20T08:00:00.000Z"),
        ("2026-11-20 08:00:00.25", "2026-11-20T08:00:00.250Z"),
    ],
)
async def test_times_are_read_as_senders_write_them(tmp_path: Path, told: Any, shown: str) -> None:
    async with serving(tmp_path, config(starts_at="since")) as site:
        await post(site, {"name": "A", "since": told})
        assert (await alerts(site))[0]["started_at"] == shown


NO_TIMES = ["", " ", 0, "0.0", False, None, "0001-01-01T00:00:00Z", "1900-01-01", "1970-01-01T00:00:00Z", "2999-01-01"]
"""Beside those that say "none": dates that only stand for none, before 1970 and after 2200."""


@pytest.mark.parametrize("told", NO_TIMES)
async def test_a_time_that_is_not_told_is_now(tmp_path: Path, told: Any) -> None:
    mapping = config(starts_at="since", ends_at="until", resolved={"path": "state", "in": "ok"}, fingerprint=["name"])
    async with serving(tmp_path, mapping) as site:
        before = datetime.now(UTC) - timedelta(seconds=1)
        answer = await post(site, {"name": "A", "since": told, "until": told})
        assert answer.status == 200, answer.body
        assert (await alerts(site))[0]["ended_at"] is None
        await post(site, {"name": "A", "since": told, "until": told, "state": "ok"})
        (alert,) = await alerts(site)
        assert before < datetime.fromisoformat(alert["started_at"]) <= datetime.fromisoformat(alert["ended_at"])


@pytest.mark.parametrize(
    ("since", "until"), [("2026-11-20T09:00:00Z", "2026-11-20T08:00:00Z"), (None, "2099-01-01T00:00:00Z")]
)
async def test_an_end_is_neither_before_its_start_nor_in_the_future(
    tmp_path: Path, since: str | None, until: str
) -> None:
    mapping = config(starts_at="since", ends_at="until", resolved={"path": "state", "in": "ok"}, fingerprint=["name"])
    async with serving(tmp_path, mapping) as site:
        await post(site, {"name": "A", "since": since, "until": until, "state": "ok"})
        (alert,) = await alerts(site)
        assert alert["status"] == "resolved"
        assert alert["started_at"] <= alert["ended_at"] <= datetime.now(UTC).isoformat()


async def test_the_fingerprint_decides_what_is_the_same_alert(tmp_path: Path) -> None:
    async with serving(tmp_path, config(fingerprint=["id"], labels={"text": "text"}, severity="level")) as site:
        await post(site, {"name": "A", "id": 1, "text": "x", "level": "warning"})
        again = await post(site, {"name": "A", "id": 1, "text": "y", "level": "critical"})
        await post(site, {"name": "A", "id": 2})
        assert again.json["outcomes"] == {"escalated": 1}
        first, second = await alerts(site)
        assert (first["notification_count"], first["labels"]["text"], second["id"]) == (2, "y", 2)


async def test_without_one_the_labels_but_not_the_severity_do(tmp_path: Path) -> None:
    async with serving(tmp_path, config(labels={"host": "host"}, severity="level")) as site:
        for host, level in (("a", "warning"), ("a", "critical"), ("b", "warning")):
            await post(site, {"name": "A", "host": host, "level": level})
        assert [alert["notification_count"] for alert in await alerts(site)] == [2, 1]


async def test_posts_count_every_time_unless_their_key_repeats(tmp_path: Path) -> None:
    async with serving(tmp_path, config()) as site:
        for key in ("k1", "k2", "k2", "k1"):
            await post(site, {"name": "A"}, Idempotency_Key=key)
        await post(site, {"name": "A"})
        assert (await alerts(site))[0]["notification_count"] == 3


async def test_what_was_refused_may_come_again_under_its_key_when_it_has_been_mended(tmp_path: Path) -> None:
    async with serving(tmp_path, config()) as site:
        assert (await post(site, {"x": 1}, Idempotency_Key="k1")).status == 400
        assert (await post(site, {"name": "A"}, Idempotency_Key="k1")).json["outcomes"] == {"opened": 1}


async def test_it_ends_when_the_sender_says_so_and_pings_are_ignored(tmp_path: Path) -> None:
    rules = {"resolved": {"path": "state", "in": ["ok", 1]}, "ignore": {"path": "type", "in": "ping"}}
    async with serving(tmp_path, config(**rules, fingerprint=["name"])) as site:
        assert (await post(site, {"type": "ping"})).json["ignored"] == "ignore"
        await post(site, {"name": "A", "state": "bad"})
        await post(site, {"name": "A", "state": 1})
        assert [alert["status"] for alert in await alerts(site)] == ["resolved"]


@pytest.mark.parametrize(
    ("mapping", "body", "sentence"),
    [
        ({}, {"x": 1}, "sources.any.mapping.name (name) finds nothing in this body"),
        ({}, "text", "sources.any.mapping: an alert is a JSON string, not an object"),
        ({}, [1], "sources.any.mapping: an alert is a JSON number, not an object"),
        ({"alerts": "a"}, {"a": 1}, "sources.any.mapping.alerts (a): an alert is a JSON number, not an object"),
        ({"alerts": "a.b"}, {"a": 1}, "sources.any.mapping.alerts (a.b) finds nothing in this body"),
        ({"fingerprint": ["id", "key"]}, {"name": "A"}, "mapping.fingerprint (id, key) finds nothing"),
        ({"starts_at": "t"}, {"name": "A", "t": "soon"}, 'mapping.starts_at (t) is "soon", not a time'),
        (
            {"starts_at": "t"},
            {"name": "A", "t": 1_795_161_600_000_000},
            "starts_at (t) is a JSON number, out of range: sec",
        ),
        ({"title": "join(' ', n)"}, {"name": "A", "n": 1}, "mapping.title (join(' ', n)) cannot be read"),
        ({"alerts": "e[?n > `3`]"}, {"e": [{"n": "x"}]}, "alerts (e[?n > `3`]) cannot be read from this body: a value"),
        ({"title": "max_by(e, &n).n"}, {"name": "A", "e": [{"n": 1}, {"n": "x"}]}, "title (max_by(e, &n).n) cannot be"),
        ({"ignore": {"path": "contains(n, `1`)", "in": "x"}}, {"n": "a"}, "ignore (contains(n, `1`)) cannot be read"),
        ({"fingerprint": ["avg(n)"]}, {"name": "A", "n": [10**400]}, "fingerprint.0 (avg(n)) cannot be read from this"),
        ({"users": "ceil(to_number(n))"}, {"name": "A", "n": "9" * 400 + ".5"}, "users (ceil(to_number(n))) cannot be"),
        ({"facts": {"f": "{a: sum(n)}"}}, {"name": "A", "n": [10**4299] * 10}, "facts.f ({a: sum(n)}) cannot be read"),
    ],
)
async def test_a_body_that_does_not_fit_is_400_and_names_the_path(
    tmp_path: Path, mapping: dict[str, Any], body: Any, sentence: str
) -> None:
    async with serving(tmp_path, config(**mapping)) as site:
        answer = await post(site, json.dumps(body).encode())
        assert answer.status == 400
        assert sentence in answer.json["detail"]


async def test_one_alert_that_does_not_fit_is_kept_aside_and_the_others_taken(tmp_path: Path) -> None:
    async with serving(tmp_path, config()) as site:
        answer = await post(site, [{"name": "A"}, {"x": 1}, {"name": "C"}])
        assert answer.json["outcomes"] == {"opened": 2}
        assert answer.json["quarantined"][0]["index"] == 1


WRONG = """
sources:
  none: {kind: generic}
  one:
    kind: generic
    mapping:
      nam: x
      title: 'join('
      severity: {path: a, mapp: {}}
      resolved: {path: state}
      message: {path: a, body: b}
      starts_at: {}
      labels: {'9x': a}
      fingerprint: ['id', '[']
      users: {path: a, map: [1]}
  two: {kind: sentry, mapping: {name: x}}
  three: {kind: alertmanager, keep: [vars], auth: {signature: {secrets: [a]}}}
  four: {kind: generic, mapping: {name: a}, auth: {signature: {secrets: [a]}}}
  five: {kind: sentry, auth: {signature: {secrets: []}}}
redact: {patterns: ['(', 'x*']}
"""
TOLD = [
    "config.yaml:3: sources.none.mapping: is missing: a generic source needs to know what is where (docs/senders/",
    "config.yaml:6: sources.one.mapping.name: is missing",
    'config.yaml:7: sources.one.mapping.nam: is not a setting; did you mean "name"?',
    'config.yaml:8: sources.one.mapping.title: "join(" is not a JMESPath',
    'config.yaml:9: sources.one.mapping.severity: has no key "mapp"; did you mean "map"?',
    "config.yaml:10: sources.one.mapping.resolved: must be a mapping with path (or body) and in",
    "config.yaml:11: sources.one.mapping.message: has both path and body",
    "config.yaml:12: sources.one.mapping.starts_at: has neither path nor body nor default",
    "config.yaml:13: sources.one.mapping.labels.9x: is not a name; begin with a letter",
    'config.yaml:14: sources.one.mapping.fingerprint.1: "[" is not a JMESPath',
    "config.yaml:15: sources.one.mapping.users: has a map that is no mapping",
    "config.yaml:16: sources.two.mapping: is for kind generic; sentry is read without one",
    "config.yaml:17: sources.three.auth: has a signature, which Alertmanager cannot make",
    "config.yaml:17: sources.three.keep: is for kind sentry",
    "config.yaml:18: sources.four.auth: has a signature without header",
    "config.yaml:19: sources.five.auth.signature.secrets: is empty",
    'config.yaml:20: redact.patterns.0: "(" is not a pattern',
    'config.yaml:20: redact.patterns.1: "x*" is not a pattern to take secrets out by: it matches the empty text',
]


def test_every_mistake_of_a_mapping_is_told_by_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(WRONG)
    with pytest.raises(Mistakes) as caught:
        load(None, {})
    told = [str(mistake) for mistake in caught.value.mistakes]
    assert len(told) == len(TOLD), told
    for found, wanted in zip(told, TOLD, strict=True):
        assert found.startswith(wanted)


@pytest.mark.only("sqlite")
@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ({"title": "lenght(a)"}, '"lenght(a)" is not a JMESPath: there is no function lenght; did you mean "length"?'),
        ({"title": "a[?uper(b)]"}, '"a[?uper(b)]" is not a JMESPath: there is no function uper; there is abs, avg, '),
        ({"alerts": "a[] | abs(b, c)"}, "abs takes 1 argument, not 2"),
        ({"fingerprint": ["a", "not_null()"]}, "not_null takes at least 1 argument, not 0"),
        ({"ignore": {"path": "a[::0]", "in": "x"}}, '"a[::0]" is not a JMESPath: the step of a slice cannot be 0'),
        ({"title": "sort_by(a, b)"}, "sort_by takes an expression as argument 2; write & before it"),
        ({"title": "merge(a, &b)"}, "merge takes a value as argument 2; leave out the & before it"),
        ({"facts": {"f": "[&a]"}}, "& stands only before an argument of map, max_by, min_by, sort_by"),
        ({"title": "(" * 5000 + "a" + ")" * 5000}, "is not a JMESPath: it is nested too deeply"),
        ({"title": "a[" + "9" * 5000 + "]"}, "is not a JMESPath: it holds too large a number"),
        ({"category": {"default": "availibility"}}, 'has "availibility", which is none of system, database, '),
        ({"category": "availibility"}, 'reads a field "availibility" of the body; write {default: availability} '),
        ({"category": {"path": "a", "map": {"x": "dbs"}}}, 'category: has "dbs", which is none of system, database, '),
        ({"severity": {"path": "a", "map": {1: "critcal"}}}, '"critcal", which is none of critical, page, error, '),
        ({"severity": "p == `1` && 'critical' || 'urgnt'"}, 'severity: has "urgnt", which is none of critical, page, '),
        ({"severity": "critical"}, 'severity: reads a field "critical" of the body; write {default: critical} for '),
        ({"starts_at": {"default": "yesterday"}}, 'starts_at: has "yesterday", which is not a time: RFC 3339 or se'),
        ({"ends_at": "not_null(a, `-5`)"}, "ends_at: has a JSON number, which is out of range: seconds or milli"),
        ({"users": {"path": "a", "default": "many"}}, 'users: has "many", which is not a whole number'),
        ({"links": {"A": "'javascript:x'"}}, 'links.A: has "javascript:x", which is not an http, https or mailto addr'),
        (
            {"facts": {"query": "q", "promql": "p"}},
            'facts.promql: "promql" is a fact that alertsage reads from the rule',
        ),
        ({"facts": {"prometheus": "p"}}, 'facts.prometheus: "prometheus" is a fact that alertsage reads from the rule'),
        ({"labels": {"alertname": "y"}}, "labels.alertname: is the label that mapping.name makes; write its path"),
    ],
)
def test_what_can_never_work_is_told_before_any_body_comes(tmp_path: Path, mapping: dict[str, Any], told: str) -> None:
    (tmp_path / "config.yaml").write_text(config(**mapping))
    for command in (["check"], ["explain", "--source", "any", "-", "--config"]):
        done = CliRunner().invoke(main, [*command, str(tmp_path / "config.yaml")], input="{}")
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1), done.output
        assert "config.yaml:1: sources.any.mapping." in done.stderr
        assert told in done.stderr


@pytest.mark.only("sqlite")
def test_explain_says_in_a_sentence_what_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(config(alerts="events[?level > `3`]"))
    (tmp_path / "body.json").write_text('{"events": [{"level": "high"}]}')
    files = ["--config", str(tmp_path / "config.yaml"), str(tmp_path / "body.json")]
    done = CliRunner().invoke(main, ["explain", "--source", "any", *files])
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "sources.any.mapping.alerts (events[?level > `3`]) cannot be read from this body: a value" in done.stderr


async def test_what_may_work_passes_and_does(tmp_path: Path) -> None:
    mapping = {
        "name": {"path": "name", "default": "a\0b"},
        "category": "(a == 'availibility' && 'Database') || b",
        "severity": {"path": "critical", "map": {"P1": "Critical", "P9": ""}, "default": "P1"},
        "starts_at": {"path": "since", "map": {"never": 0}, "default": "1795161600"},
        "title": "join(' ', map(&@[0], values(d)))",
        "facts": {"state": {"path": "state", "map": {"1": "up"}}},
        "links": {"A": "join('', ['https://', a])"},
    }
    async with serving(tmp_path, config(**mapping)) as site:
        await post(site, {"since": "never", "a": "availibility", "d": {"x": ["y"]}, "state": 1})
        (alert,) = await alerts(site)
        told = alert["name"], alert["priority"], alert["category"], alert["title"], alert["facts"]["state"]
        assert told == ("a\ufffdb", "critical", "database", "y", "up")
        assert alert["links"] == [{"title": "A", "url": "https://availibility"}]


def test_a_list_of_secrets_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("one\ntwo\n\n")
    path = tmp_path / "config.yaml"
    path.write_text("sources: {sentry: {kind: sentry, auth: {signature: {secrets_file: secrets}}}}")

    def secrets(environment: dict[str, str]) -> list[str]:
        signature = load(path, environment).sources["sentry"].auth.signature
        assert signature is not None
        return [secret.get_secret_value() for secret in signature.secrets]

    assert secrets({}) == ["one", "two"]
    path.write_text("sources: {sentry: {kind: sentry}}")
    variable = "ALERTSAGE__SOURCES__SENTRY__AUTH__SIGNATURE__SECRETS"
    assert secrets({variable: "one"}) == ["one"]
    assert secrets({variable: '["one", "t,wo"]'}) == ["one", "t,wo"]
    assert secrets({variable + "_FILE": "secrets"}) == ["one", "two"]
