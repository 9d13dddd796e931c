"""The enricher `http`: what it asks, what it takes out of the answer, and what it says when there is none."""

import asyncio
import base64
import json
from pathlib import Path

import pytest

from enrichers import Link
from tests.live import each, loaded, refused, run
from tests.stub import Reply, stub
from tests.views import view

LOKI = {
    "status": "success",
    "data": {
        "resultType": "streams",
        "result": [{"stream": {"app": "a"}, "values": [["3", "third"], ["2", "second"]]}, {"values": [["1", "first"]]}],
    },
}


def config(url: str, more: str = "facts: {told: '@'}", path: str = "/look") -> str:
    """The enricher `http` with that address."""
    return f"  http:\n    url: '{url}{path}'\n    " + more.replace("\n", "\n    ") + "\n"


def test_the_last_lines_of_a_log_with_the_alerts_own_labels_encoded(tmp_path: Path) -> None:
    more = """
params:
  query: '{namespace="{namespace}", pod="{pod}"} |= "error"'
  limit: 20
  start: '{from.ns}'
facts: {log: 'data.result[].values[][1]', streams: length(data.result), none: data.nothing}
pages: {Logs: 'https://logs.example.org/explore?pod={pod}'}
lines: 2
headers: {X-Scope-OrgID: shop}"""
    with stub(look=Reply(json.dumps(LOKI))) as service:
        alert = view(namespace="shop", pod='a"} or {x="1\\')
        added, outcome = run(tmp_path, config(service.url, more.strip()), alert, now=1_000_000_000_000_000)
    assert outcome.outcome == "ok", outcome
    assert added.facts == {"log": ["third", "second"], "streams": 2}
    assert added.links == (Link("Logs", "https://logs.example.org/explore?pod=a%22%7D%20or%20%7Bx%3D%221%5C"),)
    (asked,) = service.asked
    assert asked.params["query"] == '{namespace="shop", pod="a\\"} or {x=\\"1\\\\"} |= "error"'
    assert asked.params["limit"] == "20"
    assert int(asked.params["start"]) % 30_000_000_000 == 0
    assert asked.headers["X-Scope-OrgID"] == "shop"


@pytest.mark.parametrize(
    ("query", "value", "sent"),
    [
        ('{a="{x}"}', 'q"\\n', '{a="q\\"\\\\n"}'),
        ('{a=~"{x}.*"}', "a.b|c", '{a=~"a\\\\.b\\\\|c.*"}'),
        ('x |~ "{x}"', ".*", 'x |~ "\\\\.\\\\*"'),
        ("{x}", "any (thing) or \"other'", "any (thing) or \"other'"),
        ("service:{x}", "checkout_2", "service:checkout_2"),
        ("service:{x}", "a OR b", None),
        ("service:{x}", "OR", None),
        ("service:{x}", "*", None),
        ("name = '{x}'", "o'brien", None),
        ("`{x}`", "a`b", None),
        ('"a" {x}', "a-b", None),
        ('"\\"{x}"', "a b", '"\\"a b"'),
        ('{y|"else"}', "x", "else"),
    ],
)
def test_no_value_becomes_syntax(tmp_path: Path, query: str, value: str, sent: str | None) -> None:
    with stub(any=Reply("{}")) as service:
        more = f"params: {{q: {json.dumps(query)}}}\nfacts: {{told: '@'}}"
        _, outcome = run(tmp_path, config(service.url, more), view(x=value))
    if sent is None:
        assert (outcome.outcome, service.asked) == ("failed", [])
        assert outcome.detail == '{x} holds more than letters, digits and _ here: put it into "double quotes"'
    else:
        assert [asked.params["q"] for asked in service.asked] == [sent]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("a/b?c#d&e", "/things/a%2Fb%3Fc%23d%26e/log"),
        ("ä %2e", "/things/%C3%A4%20%252e/log"),
        ("http://elsewhere.example.org/", "/things/http%3A%2F%2Felsewhere.example.org%2F/log"),
        ("@elsewhere", "/things/%40elsewhere/log"),
        ("..", None),
        ("../../admin", None),
        ("a/..\\b", None),
        (".", None),
    ],
)
def test_a_value_stays_one_part_of_the_path(tmp_path: Path, value: str, path: str | None) -> None:
    with stub(any=Reply('"x"')) as service:
        _, outcome = run(tmp_path, config(service.url, path="/things/{x}/log"), view(x=value))
    assert service.paths == ([path] if path else [])
    if path is None:
        assert outcome.detail == (
            f"a value of this alert would lead out of {service.url}/things/{{x}}/log; it is not asked for"
        )


def test_an_alert_without_the_value_asks_nothing(tmp_path: Path) -> None:
    with stub(any=Reply('"x"')) as service:
        _, outcome = run(tmp_path, config(service.url, path="/{pod}"), view(host="a"))
    assert (outcome.outcome, service.asked) == ("nothing", [])


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply("x" * 300, 404), f"answered 404 Not Found: {'x' * 120}…"),
        (Reply("", 503), "answered 503 Service Unavailable"),
        (Reply("", 599), "answered 599"),
        (Reply("who?", 401), "answered 401 Unauthorized, its credentials are not accepted: who?"),
        (Reply("<html>\n<b>hi</b>\x1b[31m"), "answered what is not JSON: <html> <b>hi</b>[31m"),
        (Reply(""), "answered nothing"),
        (Reply(b'{"a": "\xff"}'), "answered what is not UTF-8 text (byte 7)"),
        (Reply("[" * 900), f"answered what is not JSON: {'[' * 120}…"),
        (Reply('{"a": NaN}'), 'answered what is not JSON: {"a": NaN}'),
        (Reply("x" * 2000), "answered more than 1000 bytes (answer_size)"),
        (Reply("x" * 10_000, endless=True), "answered more than 1000 bytes (answer_size)"),
        (
            Reply("", 302, {"Location": "/other"}),
            "answered 302 Found; redirects are not followed: write its final address",
        ),
        (Reply("", 308), "answered 308 Permanent Redirect; redirects are not followed: write its final address"),
        (Reply('"a"', headers={"Content-Encoding": "gzip"}), "answered packed ('gzip'), unasked"),
        (Reply('"a"', wait=3), "did not answer within 0.3 s"),
        (Reply('"a"', length=10), "ended in the middle of its answer"),
    ],
)
def test_what_is_no_good_answer_is_one_plain_sentence(tmp_path: Path, reply: Reply, told: str) -> None:
    more = "params: {key: geheim}\nfacts: {told: '@'}\npatience: 300ms\nanswer_size: 1000"
    with stub(look=reply, other=Reply('"secret"')) as service:
        _, outcome = run(tmp_path, config(service.url, more), view())
    assert (outcome.outcome, outcome.detail) == ("failed", f"{service.url}/look {told}")
    assert set(service.paths) == {"/look"}


def test_a_server_that_is_away_is_told_and_not_asked_again_by_a_storm(tmp_path: Path) -> None:
    with stub() as service:
        url = service.url
    chain = loaded(tmp_path, config(url, path="/{host}"))
    first, second = asyncio.run(_in_turn(chain, "ab"))
    assert first == f"{url}/a cannot be reached: Connection refused"
    assert second == f"{url}/a cannot be reached: Connection refused; not asked again for 10 s"


def test_a_server_that_answers_nothing_is_left_alone_but_one_slow_answer_is_not_its_end(tmp_path: Path) -> None:
    slow, quick = Reply('"x"', wait=1), Reply('"x"')
    with stub(a=slow, b=slow, c=quick, d=slow, e=slow, f=slow, g=quick) as service:
        chain = loaded(tmp_path, config(service.url, "facts: {a: '@'}\npatience: 200ms", path="/{host}"))
        told = asyncio.run(_in_turn(chain, "abcdefg"))
    late = "did not answer within 0.2 s"
    assert [detail and detail.rpartition("/")[2] for detail in told] == [
        f"a {late}", f"b {late}", None, f"d {late}", f"e {late}", f"f {late}", f"f {late}; not asked again for 10 s",
    ]  # fmt: skip
    assert service.paths == ["/a", "/b", "/c", "/d", "/e", "/f"]


async def _in_turn(chain, hosts: str) -> list[str | None]:
    return [(await each(chain, view(host=host)))[0][0][1].detail for host in hosts]


def test_the_same_is_asked_once_at_a_time_and_remembered(tmp_path: Path) -> None:
    with stub(a=Reply('"A"', wait=0.3), b=Reply('"B"', wait=0.3)) as service:
        chain = loaded(tmp_path, config(service.url, path="/{host}"))
        alerts = [view(host=host) for host in "abababab"]
        said = asyncio.run(_twice(chain, alerts))
    assert sorted(service.paths) == ["/a", "/b"]
    assert [added.facts["told"] for (added, _), *_ in said] == list("ABABABAB") * 2


async def _twice(chain, alerts) -> list:
    first = await each(chain, *alerts)
    return first + await each(chain, *alerts)  # on another event loop


def test_failures_are_remembered_like_answers_and_nothing_with_0s(tmp_path: Path) -> None:
    with stub(look=Reply("", 500)) as service:
        chain = loaded(tmp_path, config(service.url))
        asyncio.run(each(chain, view(), view()))
        asyncio.run(each(chain, view()))
        assert len(service.asked) == 1
        chain = loaded(tmp_path, config(service.url, "facts: {a: '@'}\nremember: 0s"))
        asyncio.run(each(chain, view()))
        asyncio.run(each(chain, view()))
        assert len(service.asked) == 3


def test_who_waits_no_longer_takes_nothing_away_from_the_others(tmp_path: Path) -> None:
    with stub(look=Reply('"A"', wait=0.6)) as service:
        quick, patient = loaded(tmp_path, config(service.url) + "    timeout: 200ms\n"), None
        patient = [type(quick[0])(quick[0].name, quick[0].call, "deferred", quick[0].timeout * 20)]

        async def both() -> list:
            return await _on_one_runner([quick[0], patient[0]])

        hasty, lasting = asyncio.run(both())
    assert (hasty[1].outcome, lasting[1].outcome) == ("timed out", "ok")
    assert len(service.asked) == 1


async def _on_one_runner(chain) -> list:
    from enrichers import Context
    from receiver.domain.rules import Book
    from receiver.flow.runner import Runner

    runner = Runner()
    try:
        runs = [runner.run(one, view(), Context(0, Book()), one.timeout.total_seconds()) for one in chain]
        return await asyncio.gather(*runs)
    finally:
        await runner.close()


def test_lines_of_text_are_a_list_whatever_their_encoding(tmp_path: Path) -> None:
    body = b"one\ntwo \xff\nERROR three\n" + b"x" * 600
    more = "format: text\nfacts: {last: '[-1]', errors: '[?contains(@, ''ERROR'')]', all: '[-4:]'}"
    with stub(look=Reply(body)) as service:
        added, outcome = run(tmp_path, config(service.url, more), view())
    assert outcome.outcome == "ok"
    assert added.facts["errors"] == ["ERROR three"]
    assert added.facts["all"][1] == "two \ufffd"
    assert added.facts["last"] == "x" * 500 + "…"


def test_links_out_of_an_answer_and_secrets_in_it(tmp_path: Path) -> None:
    answer = {"trace": "https://traces.example.org/1", "log": "password=hunter2hunter2 given", "none": None}
    more = "facts: {log: log}\nlinks: {Trace: trace, Gone: none}"
    with stub(look=Reply(json.dumps(answer))) as service:
        added, _ = run(tmp_path, config(service.url, more), view())
        assert added.links == (Link("Trace", "https://traces.example.org/1"),)
        assert added.facts == {"log": "password=[redacted] given"}
        service.replies["/look"] = Reply('{"trace": "javascript:alert(1)"}')
        _, outcome = run(tmp_path, config(service.url, more), view())
        assert outcome.detail == "links.Trace is not an http, https or mailto address of at most 2048 characters"
        service.replies["/look"] = Reply('{"trace": {"a": 1}}')
        _, outcome = run(tmp_path, config(service.url, more), view())
        assert outcome.detail == "links.Trace: (trace) finds what is no address"


@pytest.mark.parametrize(
    ("trace", "told"),
    [
        ("javascript:alert(1)", "links.Trace is not an http, https or mailto address of at most 2048 characters"),
        ("https://a b", "links.Trace is not an http, https or mailto address of at most 2048 characters"),
        (f"https://a.example.org/{'x' * 2100}", "links.Trace is not an http, https or mailto address of at most 2048"),
        ("https://[", "links.Trace is not an http, https or mailto address of at most 2048 characters"),
        ({"password": "hunter2"}, "links.Trace: (trace) finds what is no address"),
    ],
)
def test_a_link_that_cannot_be_one_takes_nothing_from_the_rest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, trace: object, told: str
) -> None:
    more = "facts: {log: log}\nlinks: {Trace: trace, Ticket: ticket}\npages: {Way: 'https://a.example.org/{x}/'}"
    answer = {"log": "line", "trace": trace, "ticket": "https://tickets.example.org/1"}
    with stub(look=Reply(json.dumps(answer))) as service:
        added, outcome = run(tmp_path, config(service.url, more), view(x=".."))
    assert (outcome.outcome, added.facts) == ("ok", {"log": "line"})
    assert added.links == (Link("Ticket", "https://tickets.example.org/1"),)
    first, second = (record.getMessage() for record in caplog.records if "left out" in record.getMessage())
    assert first.startswith(f"{service.url}/look: {told}")
    assert "hunter2" not in first
    assert second.startswith(f"{service.url}/look: pages.Way: a value of this alert would lead out of https://")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("cannot log in: password=hunter2 at db-1", "cannot log in: password=[redacted] at db-1"),
        ('{"error": "refused", "password": "hunter2"}', '{"error": "refused", "password": "[redacted]"}'),
        (f"{'x' * 104} password=hunter2hunter2 at db-1", f"{'x' * 104}…"),
        (f"{'x ' * 50} password: hunter2 hunter2 hunter2", f"{'x ' * 50}password: [redacted]"),
    ],
)
def test_secrets_in_a_refusal_are_not_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, body: str, told: str
) -> None:
    with stub(look=Reply(body, 500)) as service:
        _, outcome = run(tmp_path, config(service.url), view())
    assert outcome.detail == f"{service.url}/look answered 500 Internal Server Error: {told}"
    assert "hunter2hunter2" not in caplog.text


def test_an_expression_that_does_not_fit_the_answer_is_told(tmp_path: Path) -> None:
    with stub(look=Reply('{"a": "text"}')) as service:
        _, outcome = run(tmp_path, config(service.url, "facts: {total: sum(a)}"), view())
    assert outcome.detail is not None
    assert outcome.detail.startswith("facts.total (sum(a)) does not fit the answer: In function sum(), invalid type")


@pytest.mark.parametrize(
    ("settings", "header", "sent"),
    [
        ("token_file: secret", "Authorization", "Bearer geheim"),
        ("token: abc\ntoken_header: X-Api-Key", "X-Api-Key", "abc"),
        ("token: abc\ntoken_header: 'Authorization: ApiKey'", "Authorization", "ApiKey abc"),
        ("username: me\npassword_file: secret", "Authorization", f"Basic {base64.b64encode(b'me:geheim').decode()}"),
    ],
)
def test_credentials(tmp_path: Path, settings: str, header: str, sent: str) -> None:
    (tmp_path / "secret").write_text("geheim\n")
    with stub(look=Reply("1")) as service:
        chain = loaded(tmp_path, config(service.url, settings + "\nfacts: {a: '@'}"))
        asyncio.run(each(chain, view()))
    assert service.asked[0].headers[header] == sent
    assert "geheim" not in repr(chain)


def test_several_under_names_of_their_own(tmp_path: Path) -> None:
    with stub(one=Reply("1"), two=Reply("2")) as service:
        text = "".join(
            f"  {name}: {{use: http, url: '{service.url}/{name}', facts: {{{name}: '@'}}}}\n" for name in ("one", "two")
        )
        ((first, second),) = asyncio.run(each(loaded(tmp_path, text), view()))
    assert (first[0].facts, second[0].facts) == ({"one": 1}, {"two": 2})
    assert (first[1].enricher, second[1].enricher) == ("one", "two")


U = "http://127.0.0.1:1"
PAGES = ", ".join(f"p{number}: '{U}/'" for number in range(20))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"  http: {{url: {U}/a}}", ": takes nothing out of the answer: set facts, or links"),
        (
            "  http: {url: 'http://{host}/a', facts: {a: b}}",
            ".url: must begin with http:// or https://, a server and a /;",
        ),
        (
            "  http: {url: 'http://a{host}/a', facts: {a: b}}",
            ".url: must begin with http:// or https://, a server and a /;",
        ),
        ("  http: {url: '{address}', facts: {a: b}}", ".url: must begin with http:// or https://, a server and a /;"),
        ("  http: {url: 'file:///etc/passwd', facts: {a: b}}", ".url: must begin with http:// or https://, a server"),
        (f"  http: {{url: '{U}/a/../b', facts: {{a: b}}}}", ".url: must not hold . or .. as a part of its path"),
        (
            f"  http: {{url: '{U}/a?b={{c}}', facts: {{a: b}}}}",
            ".url: has a blank behind the ?; write what stands there",
        ),
        (f"  http: {{url: '{U}/a#b', facts: {{a: b}}}}", ".url: has a part behind #, which no server ever sees"),
        (f"  http: {{url: '{U}/a b', facts: {{a: b}}}}", ".url: holds a character that addresses do not have"),
        ("  http: {url: 'http://me:pw@x/', facts: {a: b}}", ".url: must not hold a name or password; write them as"),
        (f"  http: {{url: {U}/, facts: {{a: 'b['}}}}", '.facts.a: "b[" is not a JMESPath: '),
        (
            f"  http: {{url: {U}/, facts: {{a: 'foo(b)'}}}}",
            '.facts.a: "foo(b)" is not a JMESPath: there is no function foo',
        ),
        (
            f"  http: {{url: {U}/, facts: {{functions: b}}}}",
            '.facts.functions: "functions" is a fact that alertsage reads',
        ),
        (
            f"  http: {{url: {U}/, facts: {{a: b}}, links: {{metrics: b}}, pages: {{{PAGES}}}}}",
            ": links and pages are more than 20 together",
        ),
        (f"  http: {{url: {U}/, facts: {{a: b}}, lines: 1000}}", ".lines: must be at most 100"),
        (f"  http: {{url: {U}/, facts: {{a: b}}, answer_size: 1GiB}}", ".answer_size: must be at most 8388608"),
        (f"  http: {{url: {U}/, facts: {{a: b}}, token: x, username: a, password: b}}", ": token and password are two"),
        (f"  http: {{url: {U}/, facts: {{a: b}}, username: a}}", ": username and password come together; set both"),
        (f"  http: {{url: {U}/, facts: {{a: b}}, headers: {{'a b': c}}}}", ".headers.a b: is not the name of a header"),
        (f'  http: {{url: {U}/, facts: {{a: b}}, headers: {{a: "b\\nc"}}}}', ".headers.a: must be on one line"),
        (f"  http: {{url: {U}/, facts: {{a: b}}, patience: 0s}}", ".patience: must be longer than 0s"),
        (f"  http: {{url: {U}/, facts: {{a: b}}, params: {{q: [1]}}}}", ".params.q: must be text or a number"),
        (f"  http: {{url: {U}/, fact: {{a: b}}}}", '.fact: is not a setting; did you mean "facts"?'),
        ("  http: {facts: {a: b}}", ".url: is missing"),
    ],
)
def test_a_wrong_setting_is_told_by_its_line(tmp_path: Path, text: str, told: str) -> None:
    (only,) = refused(tmp_path, text + "\n")
    assert only.startswith(f"config.yaml:2: enrichers.http{told}")
