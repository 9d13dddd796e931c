"""API tokens as rows. Reads all of them at once: they are few (`tokens.MOST`)."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection, delete, insert, or_, select, update

from receiver.domain.times import Instant
from receiver.domain.tokens import MOST, Token, Unfit, in_order
from receiver.store.tables import token as table

_COLUMNS = ("id", "name", "digest", "created_by", "created_at", "expires_at", "last_used_at", "revoked_at")


def every(connection: Connection) -> list[Token]:
    """All tokens ever made that are still remembered, by name."""
    rows = connection.execute(select(table).order_by(table.c.name)).mappings()
    return [Token(**{name: row[name] for name in _COLUMNS}, scopes=in_order(row["scopes"].split())) for row in rows]


def add(connection: Connection, new: Token) -> Token:
    """Store a new token; one of its name that is over makes room for it. Raises Unfit when it cannot be had."""
    now, present = new.created_at, every(connection)
    in_force = [token for token in present if token.state(now) == "active"]
    if any(token.name == new.name for token in in_force):
        raise Unfit(f"there is a token {new.name} already: revoke it first, or choose another name")
    if len(in_force) >= MOST:
        raise Unfit(f"there are {MOST} tokens in force already: revoke some first")
    over = sorted((token for token in present if token.state(now) != "active"), key=lambda token: token.created_at)
    gone = {token.id for token in over if token.name == new.name} | {token.id for token in over[:-MOST]}
    if gone:
        connection.execute(delete(table).where(table.c.id.in_(gone)))
    values = {name: getattr(new, name) for name in _COLUMNS if name != "id"} | {"scopes": " ".join(new.scopes)}
    number = connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one()
    return replace(new, id=number)


def revoke(connection: Connection, name: str, now: Instant) -> Token:
    """End the token of that name, from now on; one that is revoked already stays so. Raises LookupError without one."""
    for token in every(connection):
        if token.name == name:
            if token.revoked_at is not None:
                return token
            connection.execute(update(table).where(table.c.id == token.id).values(revoked_at=now))
            return replace(token, revoked_at=now)
    raise LookupError(f"there is no token {name[:80]}")


def forget(connection: Connection, now: Instant) -> int:
    """Delete the tokens that are revoked or expired; how many."""
    over = [token.id for token in every(connection) if token.state(now) != "active"]
    return connection.execute(delete(table).where(table.c.id.in_(over))).rowcount if over else 0


def used(connection: Connection, when: Mapping[int, Instant]) -> None:
    """Note when these tokens, by id, were last used; a later moment that stands there already stays."""
    for number, at in sorted(when.items()):
        earlier = or_(table.c.last_used_at.is_(None), table.c.last_used_at < at)
        connection.execute(update(table).where(table.c.id == number, earlier).values(last_used_at=at))
