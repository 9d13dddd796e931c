"""Tokens: the decisions, without a server."""

from typing import Any

import pytest

from receiver.domain.tokens import PREFIX, Known, Scope, Token, digest, in_order, masked, misnamed


def token(name: str = "a", **given: Any) -> Token:
    """A token of scope read, made at 100."""
    return Token(0, name, digest(name), (Scope.READ,), "x", 100, **given)


@pytest.mark.parametrize(
    ("held", "allowed"),
    [
        ("intake", "intake"),
        ("read", "read"),
        ("act", "act read"),
        ("admin", "intake read act admin"),
        ("intake read", "intake read"),
        ("", ""),
        ("later", ""),
    ],
)
def test_what_a_scope_includes(held: str, allowed: str) -> None:
    made = Token(1, "a", b"", in_order(held.split()), "x", 0)
    assert {str(scope) for scope in Scope if made.may(scope)} == set(allowed.split())
    assert not made.may("later")


@pytest.mark.parametrize(
    ("given", "now", "state"),
    [
        ({}, 10**18, "active"),
        ({"expires_at": 200}, 199, "active"),
        ({"expires_at": 200}, 200, "expired"),
        ({"revoked_at": 150}, 100, "revoked"),
        ({"revoked_at": 250, "expires_at": 200}, 300, "revoked"),
    ],
)
def test_how_a_token_stands(given: dict[str, int], now: int, state: str) -> None:
    assert token(**given).state(now) == state


@pytest.mark.parametrize("name", ["ci", "grafana-prod", "ada@laptop", "0", "a" * 63, "a.b_c"])
def test_names(name: str) -> None:
    assert misnamed(name) is None


@pytest.mark.parametrize(
    "name", ["", "A", "local", "server.token", "alertsage", "a" * 64, "a/b", "a b", "-a", "..", "ä", "a\n"]
)
def test_no_names(name: str) -> None:
    assert misnamed(name) is not None


def test_a_token_is_found_by_itself_only() -> None:
    known = Known([token("a"), token("b")])
    assert known.closed
    assert not Known([]).closed
    found = known.find("a")
    assert found is not None
    assert found.name == "a"
    for other in ("", "A", "ab", digest("a").hex(), "\udcff"):
        assert known.find(other) is None


def test_what_looks_like_a_token_is_masked() -> None:
    secret = PREFIX + "0123456789abcdef" * 4
    assert masked(f"/x/{secret}?") == "/x/asg_[redacted]?"
    assert masked(f"{secret[:30]} and {secret}") == "asg_[redacted] and asg_[redacted]"
    assert masked("asg_web_1") == "asg_web_1"
