"""What helped last time, over HTTP; and `alertsage explain --alert`, which asks a running server."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from receiver.domain import acts, times
from receiver.web.keys import STORE
from tests.servers import ALERTSAGE, firing, webhook
from tests.support import Site, serving

NOTE = 'Failed over to db-2, then restarted "the pool".'


def begun(ago: timedelta = timedelta(), **labels: str) -> dict[str, Any]:
    """DiskFull on db-1, firing since then."""
    at = (datetime.now(UTC) - ago).isoformat().replace("+00:00", "Z")
    return webhook(firing("DiskFull", at, **({"instance": "db-1:9100", "severity": "critical"} | labels)))


async def resolved(site: Site, number: int, note: str, who: str = "anna@example.org") -> None:
    """A person resolves it with a note."""
    await site.app[STORE].act(number, lambda state: acts.resolve(state, who, times.now(), note))


async def again(site: Site, note: str = NOTE) -> dict[str, Any]:
    """It fired, was resolved with that note, and fires again: the alert as the API tells it."""
    await site.post("/webhook", begun(timedelta(minutes=5)))
    await resolved(site, 1, note)
    assert (await site.post("/webhook", begun())).json["outcomes"] == {"reopened": 1}
    return (await site.get("/api/v1/alerts/1")).json


async def test_fire_resolve_with_a_note_fire_again(tmp_path):
    async with serving(tmp_path) as site:
        alert = await again(site)
        listed = (await site.get("/api/v1/alerts")).json["alerts"][0]
    first = alert["recommendations"][0]
    assert first["text"].startswith("Last time (just now, ")
    assert first["text"].endswith(
        """anna@example.org resolved it: "Failed over to db-2, then restarted 'the pool'.\""""
    )
    assert (first["command"], first["link"], first["rule"], first["careful"]) == (None, None, None, False)
    said = alert["provenance"]["recommendations"]
    assert (said[0], len(said)) == ("history", len(alert["recommendations"]))
    history = alert["history"]
    assert history["fixes"] == [
        {
            "alert": 1,
            "match": "exact",
            "subject": None,
            "at": alert["changes"][1]["at"],
            "who": "anna@example.org",
            "note": NOTE,
            "seconds": history["fixes"][0]["seconds"],
        }
    ]
    assert history["summary"] == alert["facts"]["recurrence"]
    assert history["summary"].startswith("2nd time in 24 hours, once resolved in ")
    assert (history["count"], history["days"], history["flapping"], history["usual_hour"]) == (2, 1, None, None)
    assert [e["ended_by"] for e in history["episodes"]] == ["anna@example.org"]
    assert alert["provenance"]["facts"]["recurrence"] == "history"
    assert "history" not in listed
    assert listed["recommendations"] == alert["recommendations"][1:]
    assert listed["facts"]["recurrence"] == "2nd time in 24 hours"


async def test_an_alert_without_a_past(tmp_path):
    async with serving(tmp_path) as site:
        await site.post("/webhook", begun())
        alert = (await site.get("/api/v1/alerts/1")).json
    assert alert["history"] == {
        "summary": None,
        "count": 1,
        "days": 30,
        "usual_hour": None,
        "median_seconds": None,
        "flapping": None,
        "episodes": [],
        "fixes": [],
    }
    assert "history" not in alert["provenance"]["recommendations"]


async def test_what_helped_elsewhere_comes_after_what_helped_here(tmp_path):
    async with serving(tmp_path) as site:
        await again(site)
        await site.post("/webhook", begun(instance="db-2:9100"))
        other = (await site.get("/api/v1/alerts?limit=1")).json["alerts"][0]["id"]
        alert = (await site.get(f"/api/v1/alerts/{other}")).json
        assert [fix["match"] for fix in alert["history"]["fixes"]] == ["similar"]
        assert alert["recommendations"][0]["text"].startswith('A similar alert about "db-1:9100" (just now, ')
        await resolved(site, other, "newer, but of another")
        fixes = (await site.get("/api/v1/alerts/1")).json["history"]["fixes"]
    assert [(fix["match"], fix["alert"]) for fix in fixes] == [("exact", 1), ("similar", other)]


async def test_flapping_is_told(tmp_path):
    async with serving(tmp_path) as site:
        for _ in range(5):
            await site.post("/webhook", begun())
            await resolved(site, 1, "")
        alert = (await site.get("/api/v1/alerts/1")).json
    assert alert["history"]["flapping"]["times"] == 5
    assert alert["facts"]["flapping"].startswith("flapping (5 times within ")
    assert alert["facts"]["recurrence"].startswith("5th time in 24 hours, flapping (5 times within ")
    assert alert["history"]["fixes"] == []


async def test_turned_off_it_counts_but_says_nothing_among_the_facts(tmp_path):
    async with serving(tmp_path, "enrichers: {recurrence: {enabled: false}}\n") as site:
        alert = await again(site)
    assert "recurrence" not in alert["facts"]
    assert alert["history"]["count"] == 2


async def test_a_note_is_data(tmp_path):
    nasty = '"; rm -rf / #\x1b[31m\r\n\u202e{instance} <script>alert(1)</script> {{ 7*7 }} ' + "long " * 2000
    async with serving(tmp_path) as site:
        alert = await again(site, nasty)
        shown = await explain(tmp_path, "--alert", "1", "--server", f"http://127.0.0.1:{site.port}")
    text = alert["recommendations"][0]["text"]
    assert text.isprintable()
    assert text.count('"') == 2
    assert text.endswith('…"')
    assert "{instance} <script>alert(1)</script> {{ 7*7 }}" in text
    assert len(text) < 400
    assert len(alert["history"]["fixes"][0]["note"]) == 2000
    assert not {"\x1b", "\r", "\u202e"} & set(shown.out)


# --- explain --alert ------------------------------------------------------------------------------------------------


class Done:
    """A command that ended."""

    def __init__(self, code: int | None, out: bytes, err: bytes) -> None:
        self.code, self.out, self.err = code, out.decode(), err.decode()


async def explain(folder: Path, *arguments: str, **environment: str) -> Done:
    """Run it in that folder, beside what the test serves."""
    process = await asyncio.create_subprocess_exec(
        *(ALERTSAGE, "explain", *arguments),
        cwd=folder,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return Done(process.returncode, out, err)


async def test_explain_shows_an_alert_of_a_running_server_with_its_history(tmp_path):
    async with serving(tmp_path) as site:
        alert = await again(site)
        listen = {"ALERTSAGE__SERVER__LISTEN": f"0.0.0.0:{site.port}", "ALERTSAGE__SERVER__ALLOW_ANONYMOUS": "true"}
        shown = await explain(tmp_path, "--alert", "1", **listen)
        as_json = await explain(tmp_path, "--json", "--alert", "1", "--server", f"http://localhost:{site.port}/")
    assert (shown.code, shown.err, as_json.code, as_json.err) == (0, "", 0, "")
    assert shown.out.startswith("CRITICAL  ")
    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    assert lines[lines.index("what to do") + 1].startswith("1. Last time (just now, ")
    assert any(line.startswith("alert 1, active; fires since ") for line in lines)
    assert any(line.startswith("again 2nd time in 24 hours, once resolved in ") for line in lines)
    before = " ".join(lines[lines.index("before") + 1 :])
    assert f"anna@example.org: {NOTE} (it took " in before
    assert ", ended by anna@example.org" in before
    timed = {"recommendations", "enrichers"}  # "just now", and how long each run took
    again_told = json.loads(as_json.out)
    assert again_told.keys() == alert.keys()
    assert {name: again_told[name] for name in alert.keys() - timed} == {n: alert[n] for n in alert.keys() - timed}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--alert", "7"), "{url}: there is no alert 7\n"),
        (("--alert", "1" * 40), "{url}: there is no alert 1111"),
    ],
)
async def test_an_alert_that_is_not_there(tmp_path, arguments, sentence):
    async with serving(tmp_path) as site:
        url = f"http://127.0.0.1:{site.port}"
        done = await explain(tmp_path, *arguments, "--server", url)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(sentence.format(url=url))


async def test_the_token_of_a_file_of_the_environment_or_of_the_configuration(tmp_path):
    (tmp_path / "right").write_text("s3cret-token\n")
    (tmp_path / "wrong").write_text("another\n")
    async with serving(tmp_path, "server: {token_file: right}\n") as site:
        await site.post("/webhook", begun())
        to = ("--alert", "1", "--server", f"http://127.0.0.1:{site.port}")
        elsewhere, beside = tmp_path / "elsewhere", tmp_path / "beside"
        elsewhere.mkdir()
        beside.mkdir()
        own = f"server: {{listen: '127.0.0.1:{site.port}', token_file: ../right}}\n"
        (beside / "config.yaml").write_text(own)
        good = [
            await explain(elsewhere, *to, "--token-file", "../right", ALERTSAGE_TOKEN="another"),
            await explain(elsewhere, *to, ALERTSAGE_TOKEN="s3cret-token"),
            await explain(beside, "--alert", "1"),
        ]
        bad = [
            await explain(elsewhere, *to),
            await explain(tmp_path, *to),  # the configuration's token is for its own server alone
            await explain(tmp_path, *to, ALERTSAGE_TOKEN="another"),
            await explain(tmp_path, *to, "--token-file", "wrong"),
        ]
    assert [done.err for done in good] == ["", "", ""]
    for done in bad:
        assert (done.code, done.out) == (4, "")
        assert done.err == f"{to[-1]}: {UNPROVEN}\n"


UNPROVEN = "the token is missing or wrong: give it by --token-file FILE, ALERTSAGE_TOKEN or client.yaml"


@pytest.mark.only("sqlite")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--alert", "1"), "http://127.0.0.1:1: cannot be reached (Connection refused): is alertsage running there?"),
        (("--alert", "1", "--server", "http://[::1]:1"), "http://[::1]:1: cannot be reached ("),
        (("--alert", "1", "--server", "localhost:9911"), '--server: "localhost:9911" is not the address of a server'),
        (("--alert", "1", "--server", "ftp://x"), '--server: "ftp://x" is not the address of a server'),
        (("--alert", "1", "--server", "http://x:99999"), '--server: "http://x:99999" is not the address'),
        (("--alert", "1", "--server", "http://a b"), '--server: "http://a b" is not the address'),
        (("--alert", "1", "--server", "http://a:b@x"), "--server: "),
        (("--alert", "1", "--token-file", "no"), "--token-file: no cannot be read: No such file or directory"),
        (("--alert", "1", "--token-file", "config.yaml"), "the token: holds characters that no header can"),
        (("--alert", "0"), "Usage: "),
        (("--alert", "x"), "Usage: "),
        (("--alert", "1", "x.json"), "Usage: "),
        (("--server", "http://x", "x.json"), "Usage: "),
        ((), "Usage: "),
    ],
)
async def test_mistakes_are_told_in_one_sentence(tmp_path, arguments, sentence):
    (tmp_path / "config.yaml").write_text("# zwölf\nlog: {level: info}\n")
    done = await explain(tmp_path, *arguments, ALERTSAGE__SERVER__LISTEN="127.0.0.1:1")
    assert (done.code, done.out) == (3 if "cannot be reached" in sentence else 2, "")
    assert done.err.startswith(sentence)
    assert len(done.err.splitlines()) == 1 or sentence == "Usage: "


@asynccontextmanager
async def standing_in(answer: web.Response) -> AsyncIterator[str]:
    """A server that is not alertsage and always answers that; its address."""

    async def answers(_request: web.Request) -> web.Response:
        return answer

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answers)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{site.port}"
    finally:
        await runner.cleanup()


@pytest.mark.only("sqlite")
@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"text": "<html>hello</html>"}, "answered 200 and not as alertsage does: is this its address?"),
        ({"text": "[1]"}, "answered 200 and not as alertsage does: is this its address?"),
        ({"text": "[" * 100_000}, "answered 200 and not as alertsage does: is this its address?"),
        ({"text": '{"id": 1}'}, "answered with something that is no alert: is it alertsage, and of this version?"),
        ({"text": '{"id": 1, "impact": 3, "facts": 4}'}, "answered with something that is no alert: "),
        ({"text": "x", "status": 404}, "answered 404 and not as alertsage does: is this its address?"),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, "answered 302 and not as alertsage does"),
        ({"text": '{"status": 503, "detail": "the database\x1b is away"}', "status": 503}, "answered 503 and not"),
        ({"text": '{"status": 503, "detail": "the database\\u001b is away"}', "status": 503}, "the database  is away"),
        ({"body": b"x" * (33 * 2**20)}, "answered with more than 32 MiB"),
    ],
)
async def test_a_server_that_is_not_alertsage(tmp_path, answer, sentence):
    async with standing_in(web.Response(**answer)) as url:
        done = await explain(tmp_path, "--alert", "1", "--server", url)
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith(f"{url}: {sentence}")
    assert len(done.err.splitlines()) == 1
