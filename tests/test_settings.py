"""Settings: defaults, the file, the environment over it, secrets, and every mistake told at once by its place."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from receiver.errors import Mistakes
from receiver.settings import SHIPPED, Settings, load

NOT_A_NAME = "is not a name; use up to 63 of a-z, 0-9, - and _, beginning with a letter or digit"


def read(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> Settings:
    file = folder / "config.yaml"
    file.write_text(text)
    return load(file, environ or {})


def mistakes(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(Mistakes) as found:
        read(folder, text, environ)
    return [str(mistake).replace(f"{folder}/", "") for mistake in found.value.mistakes]


def test_without_any_file_the_defaults_apply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load(None, {})
    assert (settings.server.listen.host, settings.server.listen.port) == ("127.0.0.1", 9911)
    assert settings.database.path == tmp_path / "alertsage.db"
    assert settings.sources["alertmanager"].expiry == timedelta(days=3)
    assert tuple(settings.enrichers) == SHIPPED


def test_the_config_yaml_of_the_current_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text("limits: {queue: 7}")
    assert load(None, {}).limits.queue == 7


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(Mistakes, match=r"nowhere\.yaml: cannot be read: No such file"):
        load(tmp_path / "nowhere.yaml", {})


@pytest.mark.parametrize("text", ["", "# nothing\n", "server:\nlimits:\n", "server: {}\n"])
def test_an_empty_file_or_section_changes_nothing(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).model_dump() == read(tmp_path, "{}").model_dump()


def test_every_mistake_is_told_at_once_by_its_line(tmp_path: Path) -> None:
    text = """
server:
  listn: 127.0.0.1:1
  listen: nine
limits:
  alerts: yes
  queue: 0
  wire_size: 4x
  body_timeout: 45
  answer_timeout: 0s
  labels: true
sources:
  Bad Name: {}
  am:
    kind: nagios
    expire_afer: 3d
    expire_after: 45x
    auth:
      bearer:
      basic: {username: a}
lifecycle: [1]
foo: 1
"""
    assert mistakes(tmp_path, text) == [
        'config.yaml:3: server.listn: is not a setting; did you mean "listen"?',
        'config.yaml:4: server.listen: "nine" is not an address; write host:port, e.g. 127.0.0.1:9911',
        'config.yaml:6: limits.alerts: must be a whole number, not "yes"',
        "config.yaml:7: limits.queue: must be at least 1",
        'config.yaml:8: limits.wire_size: "4x" is not a size, e.g. 16MiB, 500kB or a number of bytes',
        "config.yaml:9: limits.body_timeout: 45 says no unit; write a duration, e.g. 45s or 45m",
        "config.yaml:10: limits.answer_timeout: must be longer than 0s",
        "config.yaml:11: limits.labels: must be a whole number, not true",
        f"config.yaml:13: sources.Bad Name: {NOT_A_NAME}",
        'config.yaml:15: sources.am.kind: must be one of alertmanager, grafana, sentry, generic or api, not "nagios"',
        'config.yaml:16: sources.am.expire_afer: is not a setting; did you mean "expire_after"?',
        'config.yaml:17: sources.am.expire_after: "45x" is not a duration, e.g. 45m',
        "config.yaml:19: sources.am.auth.bearer: is empty; give it a value or leave it out",
        "config.yaml:20: sources.am.auth.basic.password: is missing",
        "config.yaml:21: lifecycle: must be a mapping with keys of its own",
        "config.yaml:22: foo: is not a setting",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- 1", "config.yaml:1: must hold sections with keys, e.g. `server:`"),
        ("lifecycle: {late_within: 2h}", "lifecycle.reopen_within: must be longer than lifecycle.late_within (2h)"),
        ("database: {url: postgresql+psycopg://u:p@h/d}", "database.url: names a driver (+...); write postgresql://"),
        ("database: {url: postgresql://u:p@h}", "database.url: names no database; write postgresql://"),
        ("database: {url: postgresql://u:p@h:port/d}", "database.url: is not the address of a database: "),
        ("database: {url: alerts.db}", "database.url: is not the address of a database; write sqlite:///PATH"),
        ("database: {url: 'sqlite:///:memory:'}", "database.url: is not the address of a database"),
        ("database: {read_connections: 65}", "database.read_connections: must be at most 64"),
        ("server: {hosts: alerts.example.org}", "server.hosts: must be a list"),
        ("server: {hosts: ['https://x']}", 'server.hosts.0: "https://x" is not a host name; write it without scheme'),
        ("server: {token: 12345}", "server.token: must be text; put a number in quotes"),
        ("sources: alertmanager", "sources: must be a mapping with keys of its own"),
        ("enrichers: [owner]", "enrichers: must be a mapping with keys of its own"),
        ("enrichers: {owner: {timeout: 1}}", "enrichers.owner.timeout: 1 says no unit"),
        ("log: {level: loud}", 'log.level: must be one of debug, info, warning or error, not "loud"'),
    ],
)
def test_a_mistake_is_one_plain_sentence(tmp_path: Path, text: str, told: str) -> None:
    (only,) = mistakes(tmp_path, text)
    assert told in only


def test_variables_go_over_the_file_by_their_names(tmp_path: Path) -> None:
    environ = {
        "ALERTSAGE__SERVER__LISTEN": "[::1]:0",
        "ALERTSAGE__SERVER__HOSTS": '["a.example.org", "b.example.org"]',
        "ALERTSAGE__LIMITS__QUEUE": "5",
        "ALERTSAGE__LIMITS__WIRE_SIZE": "1024",
        "ALERTSAGE__SOURCES__DC_ONE__EXPIRE_AFTER": "1h30m",
        "ALERTSAGE__SOURCES__DC_ONE__AUTH__BEARER": "[1]",
        "ALERTSAGE__ENRICHERS__OWNER": '{"use": "a.py:b", "teams": ["x"]}',
        "ALERTSAGE__ENRICHERS__OWNER__ENABLED": "false",
        "ALERTSAGE__ENRICHERS__OWNER__BASEURL": "u",
        "ALERTSAGE_OTHER": "not ours",
    }
    settings = read(tmp_path, "limits: {queue: 7}\nsources:\n  dc-one: {expire_after: 3d}\n", environ)
    assert (settings.server.listen.host, settings.server.listen.port) == ("::1", 0)
    assert settings.server.hosts == ("a.example.org", "b.example.org")
    assert (settings.limits.queue, settings.limits.wire_size) == (5, 1024)
    (name, source), *others = settings.sources.items()
    assert (name, source.expire_after, others) == ("dc-one", timedelta(minutes=90), [])
    assert source.auth.bearer is not None
    assert source.auth.bearer.get_secret_value() == "[1]"
    owner = settings.enrichers["owner"]
    assert (owner.use, owner.enabled, dict(owner.own)) == ("a.py:b", False, {"teams": ["x"], "baseurl": "u"})


def test_variables_change_the_usual_sources_and_take_none_away(tmp_path: Path) -> None:
    told = read(
        tmp_path, "", {"ALERTSAGE__SOURCES__GRAFANA__AUTH__BEARER": "x", "ALERTSAGE__SOURCES__PROD__EXPIRE_AFTER": "1d"}
    )
    assert {name: source.kind for name, source in told.sources.items()} == {
        "alertmanager": "alertmanager",
        "grafana": "grafana",
        "sentry": "sentry",
        "prod": "alertmanager",
    }
    assert told.sources["grafana"].auth.bearer is not None
    signed = read(tmp_path, "", {"ALERTSAGE__SOURCES__SENTRY__AUTH__SIGNATURE__SECRETS": "abc"})
    assert signed.sources["sentry"].auth.signature is not None


def test_a_source_called_like_a_kind_is_of_that_kind(tmp_path: Path) -> None:
    told = read(tmp_path, "sources: {sentry: {}, grafana: , eu: {}, alertmanager: {kind: grafana}}")
    kinds = {name: source.kind for name, source in told.sources.items()}
    assert kinds == {"sentry": "sentry", "grafana": "grafana", "eu": "alertmanager", "alertmanager": "grafana"}


def test_mistakes_in_variables_are_told_by_the_variable(tmp_path: Path) -> None:
    environ = {
        "ALERTSAGE__LIMITS__QUEUE": "many",
        "ALERTSAGE__SERVR__LISTEN": "x",
        "ALERTSAGE__SERVER__TOKN": "geheim",
        "ALERTSAGE__SERVER__LISTEN__PORT": "1",
        "ALERTSAGE__": "x",
        "ALERTSAGE__SOURCES__AM__AUTH__BASIC__USERNAME": "a",
    }
    assert mistakes(tmp_path, "server: {listen: '127.0.0.1:0'}\nlimits: {queue: 1}", environ) == [
        "config.yaml:1: sources.am.auth.basic.password: is missing",
        "ALERTSAGE__: is not a setting",
        'ALERTSAGE__LIMITS__QUEUE: limits.queue: must be a whole number, not "many"',
        "ALERTSAGE__SERVER__LISTEN__PORT: is not a setting",
        'ALERTSAGE__SERVER__TOKN: server.tokn: is not a setting; did you mean "token"?',
        'ALERTSAGE__SERVR__LISTEN: servr: is not a setting; did you mean "server"?',
    ]


def test_a_secret_may_come_from_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(" s3cret \n")
    settings = read(
        tmp_path,
        "server: {token_file: token}\nsources:\n  am: {auth: {header: {name: X-T, value_file: ./token}}}",
        {"ALERTSAGE__SOURCES__AM__AUTH__BEARER_FILE": str(tmp_path / "token")},
    )
    auth = settings.sources["am"].auth
    assert settings.server.token is not None
    assert auth.header is not None
    assert auth.bearer is not None
    assert {s.get_secret_value() for s in (settings.server.token, auth.header.value, auth.bearer)} == {" s3cret "}


def test_a_secret_file_that_cannot_serve_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    text = """
server: {listen: "0.0.0.0:0", token_file: nowhere}
sources:
  a: {auth: {bearer_file: empty}}
  b: {auth: {bearer: x, bearer_file: empty}}
  c: {auth: {bearer_file: 5}}
  d: {auth: {basic: {username: u, password_file: binary}}}
"""
    assert mistakes(tmp_path, text) == [
        "config.yaml:2: server.token_file: nowhere cannot be read: No such file or directory",
        "config.yaml:4: sources.a.auth.bearer_file: empty is empty",
        'config.yaml:5: sources.b.auth.bearer_file: is given beside "bearer"; keep one of them',
        "config.yaml:6: sources.c.auth.bearer_file: must be the path of a file",
        "config.yaml:7: sources.d.auth.basic.password_file: binary is not UTF-8 text",
    ]


def test_no_secret_is_ever_shown(tmp_path: Path) -> None:
    text = """
server: {token: geheim}
sources:
  am: {auth: {bearer: geheim, basic: {username: u, password: geheim}}}
enrichers:
  owner: {use: a.py:b, api_key: geheim}
"""
    assert "geheim" not in repr(read(tmp_path, text))
    wrong = text.replace("api_key", "timeout: 5, key") + "database: {url: 'mysql://u:geheim@h'}\nrules: {geheim: 1}"
    wrong = wrong.replace("{bearer: geheim, basic: {username: u, password: geheim}}", "geheim").replace(
        "{geheim: 1}", "1"
    )
    assert "geheim" not in "\n".join(mistakes(tmp_path, wrong))


ALL = [f"sources.{name}.auth" for name in ("alertmanager", "grafana", "sentry")]


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("server: {listen: '0.0.0.0:9911'}", f"server.token, {ALL[0]}, {ALL[1]} and {ALL[2]}"),
        ("server: {listen: '[::]:9911', token: x}", f"{ALL[0]}, {ALL[1]} and {ALL[2]}"),
        ("server: {listen: 'box:9911'}\nsources: {a: {auth: {bearer: x}}, b: {}}", "server.token and sources.b.auth"),
    ],
)
def test_an_open_port_needs_secrets(tmp_path: Path, text: str, missing: str) -> None:
    (only,) = mistakes(tmp_path, text)
    assert only.startswith("config.yaml:1: server.listen: ")
    assert f": set {missing}, listen on 127.0.0.1, or set server.allow_anonymous to true" in only


@pytest.mark.parametrize(
    "text",
    [
        "server: {listen: '0.0.0.0:9911', allow_anonymous: true}",
        "server: {listen: '0.0.0.0:9911', token: x}\nsources: {am: {auth: {bearer: x}}}",
        "server: {listen: 'localhost:9911'}",
        "server: {listen: '127.8.0.1:9911'}",
    ],
)
def test_loopback_secrets_or_a_clear_word_are_enough(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).server.listen.port == 9911


def test_shipped_enrichers_stay_and_own_ones_follow(tmp_path: Path) -> None:
    settings = read(tmp_path, "enrichers: {owner: {use: a.py:b}, runbook: {enabled: false}}")
    assert tuple(settings.enrichers) == (*SHIPPED, "owner")
    assert not settings.enrichers["runbook"].enabled


def test_relative_paths_start_from_the_folder_of_the_file(tmp_path: Path) -> None:
    settings = read(tmp_path, "rules: {folder: ./mine}\ndatabase: {url: sqlite:///data/a.db}")
    assert settings.rules.folder == tmp_path / "mine"
    assert settings.database.path == tmp_path / "data/a.db"
    assert read(tmp_path, "database: {url: sqlite:////var/a.db}").database.path == Path("/var/a.db")


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        read(tmp_path, "").limits.queue = 5


def test_a_mistake_found_later_has_its_line(tmp_path: Path) -> None:
    settings = read(tmp_path, "enrichers:\n  owner:\n    use: a.py:b\n    team: x\n")
    assert settings.mistake(("enrichers", "owner", "team"), "is odd").line == 4
    assert settings.mistake(("enrichers", "owner", "other"), "is missing").line == 2


def test_the_source_of_ones_own_programs_is_no_webhook(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("sources: {api: {expire_after: 2h}}")
    settings = load(config, {})
    assert set(settings.sources) == {"alertmanager", "grafana", "sentry", "api"}
    assert settings.all_sources["api"].expiry == timedelta(hours=2)
    assert Settings().all_sources["api"].expiry == timedelta(hours=1)
    for wrong, sentence in (
        ("sources: {api: {auth: {bearer: x}}}", "sources.api.auth: is for webhooks"),
        ("sources: {mine: {kind: api}}", "sources: has mine of kind api"),
        ("sources: {api: {kind: sentry}}", "sources: has api of kind sentry"),
    ):
        config.write_text(wrong)
        with pytest.raises(Mistakes, match=re.escape(sentence)):
            load(config, {})
