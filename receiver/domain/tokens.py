"""API tokens: who may do what with which, and what is kept of them. The token itself never is: its checksum is."""

import hashlib
import hmac
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from receiver.domain.times import Instant

PREFIX = "asg_"
"""What every token begins with, so that scanners for secrets, and our own redaction, know one when they see it."""
RANDOM_BYTES = 32
LOOK = re.compile(PREFIX + r"[0-9a-f]{20,64}")
"""A token, or enough of one to be worth hiding."""
MASK = f"{PREFIX}[redacted]"
MOST = 1000
"""Tokens in force at once, and as many that are over: every process holds them all in memory."""
SERVER = "server.token"
LOCAL = "local"
ITSELF = "alertsage"
RESERVED = frozenset({SERVER, LOCAL, ITSELF})
"""Names of callers who have no token of the table, and of what no person did: no token may pass for them in the audit
trail."""
NAME = r"^[a-z0-9][a-z0-9._@-]{0,62}$"
_NOBODY = bytes(32)


class Scope(StrEnum):
    """What a token may be used for."""

    INTAKE = "intake"
    """To tell of alerts: webhooks, alerts of one's own."""
    READ = "read"
    """To look at everything but tokens."""
    ACT = "act"
    """To change what alerts are, and to look."""
    ADMIN = "admin"
    """Everything: also reload, and tokens."""


INCLUDED = {
    Scope.INTAKE: frozenset({Scope.INTAKE}),
    Scope.READ: frozenset({Scope.READ}),
    # whoever acts is answered with the alert as it is then: a wall between the two would hide nothing
    Scope.ACT: frozenset({Scope.ACT, Scope.READ}),
    Scope.ADMIN: frozenset(Scope),
}


class Unfit(Exception):  # noqa: N818 - an answer to whoever asks, not a fault of ours
    """What is asked of a token does not fit what there is."""


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token."""

    id: int
    """0 until it is stored."""
    name: str
    digest: bytes
    scopes: tuple[Scope, ...]
    created_by: str
    created_at: Instant
    expires_at: Instant | None = None
    last_used_at: Instant | None = None
    """A minute or so behind."""
    revoked_at: Instant | None = None

    def state(self, now: Instant) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and now >= self.expires_at else "active"

    def may(self, scope: str) -> bool:
        """True when one of its scopes includes that one."""
        return may(self.scopes, scope)


def may(scopes: Iterable[Scope], scope: str) -> bool:
    """True when one of these includes that one."""
    return any(scope in INCLUDED[one] for one in scopes)


def digest(secret: str) -> bytes:
    """The checksum that is kept. Plain SHA-256 does: nobody guesses 256 random bits, so nothing needs to be slow."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def in_order(scopes: Iterable[str]) -> tuple[Scope, ...]:
    """These scopes once each, the weakest first; one that this version does not know gives no right."""
    told = set(scopes)
    return tuple(scope for scope in Scope if scope in told)


def misnamed(name: str) -> str | None:
    """What is wrong with a name for a token, in one sentence; None when nothing is."""
    if name in RESERVED:
        return f"{name} is no name for a token: it stands for what is done without one"
    if re.fullmatch(NAME, name, re.ASCII) is None:
        return "a token's name has up to 63 of a-z, 0-9, '.', '_', '@', '-', and begins with a letter or digit"
    return None


class Known:
    """All tokens of one moment, to be looked up without a database."""

    def __init__(self, tokens: Collection[Token]) -> None:
        self._by_digest = {token.digest: token for token in tokens}
        self.closed = bool(tokens)
        """True once any was ever made, also when none is in force any more: a door does not open by a token's end."""

    def find(self, secret: str) -> Token | None:
        """The token that this is, in force or not; None for anything else.

        The time it takes tells nothing of the tokens there are: it is found by a checksum that nobody can choose,
        and then compared as a whole.
        """
        sent = digest(secret)
        token = self._by_digest.get(sent)
        right = hmac.compare_digest(sent, _NOBODY if token is None else token.digest)
        return token if right else None


def masked(text: str) -> str:
    """The text with whatever looks like a token taken out."""
    return LOOK.sub(MASK, text) if PREFIX in text else text
