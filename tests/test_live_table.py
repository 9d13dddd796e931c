"""The enricher `table`: rows found by what the alert says, into facts, links and impact."""

import asyncio
from pathlib import Path

import pytest

from enrichers import Impact, Link
from tests.live import each, loaded, refused, run
from tests.views import view

CSV = """\ufeffnamespace,service,owner,tier,runbook,contact
shop,checkout,team-pay,gold,https://wiki.example.org/{alertname}?pod={pod},"#pay, or call"
shop,*,team-shop,silver,,#shop

*,mail-*,team-mail,bronze,,
infra,mail-out,team-never,,,
infra,dns,team-dns,,,
*,*-n*,team-late,,,
"""
YAML = """
- service: [checkout, payment]
  owner: team-pay
  tier: 1
  oncall: [ann@example.org, https://chat.example.org/pay]
- {service: search, owner: team-search, paged: true}
- {service: "*", owner: nobody}
"""


def write(folder: Path, name: str, text: str | bytes) -> None:
    """A table in that folder."""
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)


def config(match: str = "[namespace, service]", more: str = "", file: str = "services.csv") -> str:
    """The enricher with that table."""
    return f"  table:\n    file: {file}\n    match: {match}\n{more}"


@pytest.mark.parametrize(
    ("labels", "owner"),
    [
        ({"namespace": "shop", "service": "checkout"}, "team-pay"),
        ({"namespace": "shop", "service": "cart"}, "team-shop"),
        ({"namespace": "shop"}, "team-shop"),
        ({"namespace": "infra", "service": "mail-relay"}, "team-mail"),
        ({"service": "mail-"}, "team-mail"),
        ({"namespace": "infra", "service": "mail-out"}, "team-mail"),
        ({"namespace": "infra", "service": "dns"}, "team-dns"),
        ({"namespace": "infra", "service": "web-node"}, "team-late"),
        ({"namespace": "infra", "service": "Mail-relay"}, None),
        ({"namespace": "infra", "service": "gmail-relay"}, None),
        ({"namespace": "sho"}, None),
        ({}, None),
    ],
)
def test_the_first_row_that_fits(tmp_path: Path, labels: dict[str, str], owner: str | None) -> None:
    write(tmp_path, "services.csv", CSV)
    added, outcome = run(tmp_path, config(), view(**labels))
    assert added.facts.get("owner") == owner
    assert outcome.outcome == ("ok" if owner else "nothing")


def test_facts_links_and_what_is_empty(tmp_path: Path) -> None:
    write(tmp_path, "services.csv", CSV)
    alert = view("Down", namespace="shop", service="checkout", pod="a/b")
    added, _ = run(tmp_path, config(), alert)
    runbook = "https://wiki.example.org/Down?pod=a%2Fb"
    assert added.facts == {"owner": "team-pay", "tier": "gold", "runbook": runbook, "contact": "#pay, or call"}
    assert added.links == (Link("Runbook", runbook),)
    added, _ = run(tmp_path, config(more="    facts: [tier]\n"), view(namespace="shop"))
    assert added.facts == {"tier": "silver"}
    without_pod, _ = run(tmp_path, config(), view(namespace="shop", service="checkout"))
    assert without_pod.links == ()


def test_yaml_with_lists_and_other_names_than_the_columns(tmp_path: Path) -> None:
    write(tmp_path, "services.yaml", YAML)
    text = config("{service: fact.app}", file="services.yaml")
    for app, owner in (("payment", "team-pay"), ("search", "team-search"), ("x", "nobody")):
        alert = view()
        alert.facts["app"] = app
        added, _ = run(tmp_path, text, alert)
        assert added.facts["owner"] == owner
    alert.facts["app"] = "checkout"
    added, _ = run(tmp_path, text, alert)
    assert added.facts["oncall"] == ["ann@example.org", "https://chat.example.org/pay"]
    assert added.links == (Link("Oncall", "https://chat.example.org/pay"),)
    assert added.facts["tier"] == "1"


@pytest.mark.parametrize(
    ("before", "labels", "impact"),
    [
        (None, {"service": "checkout"}, Impact(50_000, "tier gold in services.csv")),
        (None, {"service": "cart"}, None),
        (Impact("unknown"), {"service": "checkout"}, Impact(50_000, "tier gold in services.csv")),
        (Impact(3, "Sentry"), {"service": "checkout"}, None),
    ],
)
def test_impact_by_tier(tmp_path: Path, before: Impact | None, labels: dict[str, str], impact: Impact | None) -> None:
    write(tmp_path, "services.csv", CSV)
    alert = view(namespace="shop", **labels)
    alert.impact = before
    added, _ = run(tmp_path, config(more="    users: {gold: 50000}\n"), alert)
    assert added.impact == impact


@pytest.mark.parametrize(
    ("users", "impact"),
    [("1200", Impact(1200, "column users of services.csv")), ("", None), ("many", None), ("-1", None), ("1.5", None)],
)
def test_impact_by_row(tmp_path: Path, users: str, impact: Impact | None) -> None:
    write(tmp_path, "services.csv", f"service;users;owner\ncart;{users};a\n")
    added, _ = run(tmp_path, config("[service]"), view(service="cart"))
    assert added.impact == impact


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        ("services.csv", None, "services.csv cannot be read: No such file or directory"),
        ("services.csv", b"", "services.csv is empty; its first line names the columns"),
        ("services.csv", b"namespace,service\n\xff,b\n", "services.csv is not UTF-8 text (byte 18)"),
        ("services.csv", b"namespace,service\na,b\na,b,c\n", "services.csv:3: has 3 cells, the header names 2"),
        (
            "services.csv",
            b"namespace,,service\n",
            "services.csv:1: the header has a column without a name, or one twice",
        ),
        ("services.csv", b"namespace,service,service\n", "services.csv:1: the header has a column without a name, or"),
        ("services.csv", b'namespace,service\na,"b\n', "services.csv:2: is not CSV: unexpected end of data"),
        ("services.csv", b"namespace,owner\na,b\n", "services.csv has no column 'service' with anything in it; it has"),
        (
            "services.csv",
            b"namespace,service\na," + b"x" * 3000,
            "services.csv:2: service has more than 2000 characters",
        ),
        ("services.csv", b"namespace,service\n" + b"a,b\n" * 50_001, "services.csv:50002: more than 50000 rows"),
        ("services.csv", b"x" * (8 * 2**20 + 1), "services.csv has more than 8388608 bytes"),
        (
            "services.csv",
            b"namespace,service,wiki\na,b,https://w.example.org/{pod}\na,c,https://w .example.org/\n",
            "services.csv:3: wiki is an address that can never work: https://w .example.org/",
        ),
        ("services.csv", b"namespace,service,wiki\na,b,http:///x\n", "services.csv:2: wiki is an address that can"),
        ("services.csv", b"namespace,service,wiki\na,b,http://a:b/\n", "services.csv:2: wiki is an address that can"),
        ("services.csv", b"namespace,service,wiki\na,b,http://[{pod}/\n", "services.csv:2: wiki is an address that"),
        (
            "services.yaml",
            b"- namespace: a\n  service: b\n- service: c\n  wiki: [x, 'https://']\n",
            "services.yaml:3: wiki is an address that can never work: https://",
        ),
        (
            "services.csv",
            b"namespace,service,metrics\na,b,\na,c,x\n",
            'services.csv:3: the column "metrics" is a fact that alertsage reads from the rule behind an alert; take',
        ),
        ("services.txt", b"a", "services.txt must end in .csv, .yaml or .yml"),
        ("services.yaml", b"- a: [\n", "services.yaml:2: is not YAML: "),
        ("services.yaml", b"- {a: 1, a: 2}\n", "services.yaml:1: has a twice"),
        ("services.yaml", b"a: 1\n", "services.yaml must hold a list of rows, each a mapping: - service: checkout"),
        ("services.yaml", b"- a\n", "services.yaml:1: is not a mapping of columns"),
        ("services.yaml", b"- a: {b: c}\n", "services.yaml:1: a must be a text, a number or a list of them"),
        ("services.yaml", b"- a: [[b]]\n", "services.yaml:1: a must be a text, a number or a list of them"),
    ],
)
def test_a_broken_table_is_told_by_its_line(tmp_path: Path, name: str, body: bytes | None, told: str) -> None:
    if body is not None:
        write(tmp_path, name, body)
    (only,) = refused(tmp_path, config(file=name))
    assert only.startswith(f"config.yaml:2: enrichers.table: {told}")


def test_a_link_that_a_value_makes_unusable_takes_nothing_from_the_row(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    long = f"https://w.example.org/{'x' * 1900}?pod={{pod}}"
    write(tmp_path, "services.csv", f"service,owner,wiki,chat\ncart,a,{long},https://c.example.org/\n")
    added, outcome = run(tmp_path, config("[service]"), view(service="cart", pod="ä" * 200))
    assert (outcome.outcome, added.facts["owner"], added.facts["wiki"]) == ("ok", "a", long)
    assert added.links == (Link("Chat", "https://c.example.org/"),)
    (said,) = (record.getMessage() for record in caplog.records if "left out" in record.getMessage())
    assert "services.csv:2: wiki is not an http, https or mailto address of at most 2048 characters: https://w" in said


def test_a_fact_read_from_the_rule_is_none_of_the_tables(tmp_path: Path) -> None:
    write(tmp_path, "services.csv", "service,prometheus,query\ncart,http://evil.example.org,SELECT 1\n")
    (told,) = refused(tmp_path, config("[service]", "    facts: [prometheus]\n"))
    assert told.startswith('config.yaml:5: enrichers.table.facts.0: "prometheus" is a fact that alertsage reads from')
    added, _ = run(tmp_path, config("[service]", "    facts: [query]\n"), view(service="cart"))
    assert added.facts == {"query": "SELECT 1"}


def test_a_large_table_is_looked_up_quickly_enough_for_a_storm(tmp_path: Path) -> None:
    rows = "".join(f"ns-{number},app-{number},team-{number}\n" for number in range(49_000))
    write(tmp_path, "services.csv", "namespace,service,owner\n" + rows)
    chain = loaded(tmp_path, config())
    alerts = [view(namespace=f"ns-{number}", service=f"app-{number}") for number in range(0, 49_000, 1000)]
    said = asyncio.run(each(chain, *alerts))
    assert [added.facts["owner"] for ((added, _),) in said] == [f"team-{number}" for number in range(0, 49_000, 1000)]


def test_the_table_is_among_the_files_whose_change_reloads(tmp_path: Path) -> None:
    from receiver.flow.configuration import Configuration
    from receiver.meters import Meters
    from receiver.settings import load

    write(tmp_path, "services.csv", CSV)
    (tmp_path / "config.yaml").write_text(f"enrichers:\n{config()}")
    configuration = Configuration(lambda: load(tmp_path / "config.yaml", {}), Meters())
    assert tmp_path / "services.csv" in configuration.files()
