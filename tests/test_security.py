"""Who may ask what, as a table: credentials per source, the server's token, and what holds without any of them."""

from typing import Any

import pytest
from aiohttp import encode_basic_auth
from multidict import CIMultiDict

from receiver.domain.tokens import Known
from receiver.errors import Refused
from receiver.settings import Settings
from receiver.web.security import by_server_token, by_token, challenge, check_signature, check_source

AUTH: dict[str, dict[str, Any]] = {
    "bearer": {"bearer": "s3cret"},
    "basic": {"basic": {"username": "am", "password": "pässword"}},
    "header": {"header": {"name": "X-Alert-Token", "value": "t0ken"}},
}
AUTH["all"] = AUTH["bearer"] | AUTH["basic"] | AUTH["header"]


def settings(auth: dict[str, Any] | None = None, **server: Any) -> Settings:
    """Settings with one source, `am`."""
    return Settings.model_validate({"server": server, "sources": {"am": {"auth": auth or {}}}})


def headers(**given: str) -> CIMultiDict[str]:
    """Headers of a request to a loopback name; `sec_fetch_site` is written Sec-Fetch-Site."""
    return CIMultiDict({"Host": "127.0.0.1:9911"} | {name.replace("_", "-"): value for name, value in given.items()})


def source_answer(sent: CIMultiDict[str], current: Settings) -> int:
    """200 or the status of the refusal of a webhook."""
    try:
        if not check_source(sent, "", current, "am"):
            check_signature(sent, b"", current, "am")
    except Refused as refused:
        return refused.status
    return 200


def ask(sent: CIMultiDict[str], current: Settings) -> None:
    """As whoever asks to read; no token was ever made. Raises Refused."""
    if by_server_token(sent, current) is None:
        by_token(sent, current, Known(()), "read", 0)


def token_answer(sent: CIMultiDict[str], current: Settings) -> int:
    """200 or the status of the refusal of anything but webhooks and health."""
    try:
        ask(sent, current)
    except Refused as refused:
        return refused.status
    return 200


@pytest.mark.parametrize(
    ("configured", "sent", "status"),
    [
        ("bearer", {"Authorization": "Bearer s3cret"}, 200),
        ("bearer", {"Authorization": "bearer s3cret"}, 200),
        ("bearer", {"Authorization": "Bearer S3cret"}, 401),
        ("bearer", {"Authorization": "Bearer s3cret2"}, 401),
        ("bearer", {"Authorization": "Bearer"}, 401),
        ("bearer", {"Authorization": "s3cret"}, 401),
        ("bearer", {"Authorization": "Token s3cret"}, 401),
        ("bearer", {"Authorization": "Bearer sécret"}, 401),
        ("bearer", {"Authorization": "Bearer s3cret\udcff"}, 401),
        ("bearer", {"Authorization": encode_basic_auth("", "s3cret")}, 401),
        ("bearer", {}, 401),
        ("basic", {"Authorization": encode_basic_auth("am", "pässword")}, 200),
        ("basic", {"Authorization": encode_basic_auth("am", "pässword").replace("Basic", "BASIC")}, 200),
        ("basic", {"Authorization": encode_basic_auth("am", "password")}, 401),
        ("basic", {"Authorization": encode_basic_auth("an", "pässword")}, 401),
        ("basic", {"Authorization": "Basic !!!"}, 401),
        ("basic", {"Authorization": "Bearer pässword"}, 401),
        ("header", {"X-Alert-Token": "t0ken"}, 200),
        ("header", {"x-alert-token": "t0ken"}, 200),
        ("header", {"X-Alert-Token": "token"}, 401),
        ("header", {"X-Alert-Token": ""}, 401),
        ("header", {}, 401),
        ("all", {"Authorization": "Bearer s3cret"}, 200),
        ("all", {"Authorization": encode_basic_auth("am", "pässword")}, 200),
        ("all", {"X-Alert-Token": "t0ken", "Authorization": "Bearer wrong"}, 200),
        ("all", {"Authorization": "Bearer t0ken"}, 401),
    ],
)
def test_a_source_is_let_in_by_any_configured_secret_and_nothing_else(
    configured: str, sent: dict[str, str], status: int
) -> None:
    current = settings(AUTH[configured])
    assert source_answer(CIMultiDict({"Host": "alerts.example.org"} | sent), current) == status


def test_a_refusal_names_the_setting_and_how_to_prove_oneself() -> None:
    with pytest.raises(Refused) as caught:
        check_source(headers(), "", settings(AUTH["bearer"]), "am")
    assert "sources.am.auth" in caught.value.sentence
    assert "s3cret" not in caught.value.sentence
    assert "WWW-Authenticate" in challenge(caught.value)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("Bearer t0p", 200),
        ("bearer t0p", 200),
        ("Bearer t0", 401),
        ("Bearer \udcff", 401),
        (encode_basic_auth("", "t0p"), 401),
        ("", 401),
    ],
)
def test_with_a_token_everything_else_asks_for_it(sent: str, status: int) -> None:
    assert token_answer(headers(Authorization=sent), settings(token="t0p")) == status


def test_a_token_makes_host_names_and_sites_not_matter() -> None:
    sent = headers(Authorization="Bearer t0p", Host="alerts.example.org", Sec_Fetch_Site="cross-site")
    assert token_answer(sent, settings(token="t0p")) == 200


def test_the_token_lets_no_sender_in_and_a_sources_secret_nobody_else() -> None:
    current = settings(AUTH["bearer"], token="t0p")
    assert source_answer(headers(Authorization="Bearer t0p"), current) == 401
    assert token_answer(headers(Authorization="Bearer s3cret"), current) == 401


LOOPBACK = [
    "localhost",
    "localhost:9911",
    "LOCALHOST:80",
    "127.0.0.1",
    "127.0.0.1:9911",
    "127.8.9.1",
    "[::1]",
    "[::1]:1",
]
OTHER = ["", "evil.example.org", "evil.example.org:9911", "127.0.0.1.evil.org", "localhost.evil.org", "10.0.0.1:9911"]
ODD = ["::1:9911:", ":9911", "[fe80::1]:80", "2130706433", "0x7f.1", "\udcff"]


@pytest.mark.parametrize("host", LOOPBACK)
def test_without_credentials_loopback_names_are_answered(host: str) -> None:
    assert source_answer(headers(Host=host), settings()) == 200
    assert token_answer(headers(Host=host), settings()) == 200


@pytest.mark.parametrize("host", OTHER + ODD)
def test_without_credentials_other_names_are_refused_with_the_way_out(host: str) -> None:
    sent = headers(Host=host)
    with pytest.raises(Refused) as asked:
        ask(sent, settings())
    with pytest.raises(Refused) as posted:
        check_source(sent, "", settings(), "am")
    for refused in (asked.value, posted.value):
        assert refused.status == 403
        assert "server.hosts" in refused.sentence


def test_names_in_server_hosts_are_answered_too() -> None:
    current = settings(hosts=["alerts.example.org", "fd00::5"])
    assert token_answer(headers(Host="Alerts.Example.org:9911"), current) == 200
    assert token_answer(headers(Host="[fd00::5]:9911"), current) == 200
    assert token_answer(headers(Host="other.example.org"), current) == 403


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:9911"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://127.0.0.1:9911"}, 200),
        ({"Origin": "http://127.0.0.1:8080"}, 403),
        ({"Origin": "https://evil.example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://["}, 403),
    ],
)
@pytest.mark.parametrize("server", [{}, {"allow_anonymous": True, "listen": "0.0.0.0:9911"}])
def test_without_credentials_no_other_sites_page_may_ask(
    server: dict[str, Any], sent: dict[str, str], status: int
) -> None:
    current = settings(**server)
    assert token_answer(headers(**sent), current) == status
    assert source_answer(headers(**sent), current) == status


def test_whoever_is_told_to_serve_everybody_answers_any_name() -> None:
    assert token_answer(headers(Host="alerts"), settings(allow_anonymous=True, listen="0.0.0.0:9911")) == 200
    assert token_answer(headers(Host="alerts"), settings(allow_anonymous=True)) == 403
