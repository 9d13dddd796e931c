"""API tokens in use: made, listed, revoked; and known without asking the database at each request."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from receiver.domain import times
from receiver.domain.times import Instant, Span, rfc3339
from receiver.domain.tokens import PREFIX, RANDOM_BYTES, Known, Token, Unfit, digest, in_order, misnamed
from receiver.errors import Refused, StoreAway
from receiver.store import Connection, Store
from receiver.store import tokens as rows

log = logging.getLogger("alertsage.tokens")
T = TypeVar("T")

LOOK_SECONDS = 1.0
"""How often the tokens are read again: what another replica revoked is refused here within two seconds."""
PATIENCE_SECONDS = 0.5
"""How long to wait for a reader before the writer's connection is asked: reads must not keep a revoked token alive."""
NOTE_EVERY: Span = times.MINUTE
"""How exactly it is known when a token was last used."""
LAST_SECONDS = 1.0
"""For noting the last uses at the end."""


def new_token(name: str, scopes: Iterable[str], lasts: Span | None, by: str, now: Instant) -> tuple[Token, str]:
    """A new token, not stored yet, and the secret itself, which is kept nowhere. Raises Unfit for a bad name."""
    if problem := misnamed(name):
        raise Unfit(problem)
    secret = PREFIX + secrets.token_hex(RANDOM_BYTES)
    expires_at = None if lasts is None else now + lasts
    return Token(0, name, digest(secret), in_order(scopes), by, now, expires_at), secret


def shape(token: Token, now: Instant) -> dict[str, Any]:
    """A token in API form: all there is to tell of it."""
    return {
        "name": token.name,
        "state": token.state(now),
        "scopes": [str(scope) for scope in token.scopes],
        "created_by": token.created_by,
        "created_at": rfc3339(token.created_at),
        "expires_at": _moment(token.expires_at),
        "last_used_at": _moment(token.last_used_at),
        "revoked_at": _moment(token.revoked_at),
    }


def _moment(at: Instant | None) -> str | None:
    return None if at is None else rfc3339(at)


class Keeper:
    """Holds the tokens of one process, as they were at most a second or two ago."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._one_by_one = asyncio.Lock()
        self._used: dict[int, Instant] = {}
        """Last uses that are not written down yet."""
        self._known: Known | None = None

    async def known(self) -> Known:
        """The tokens; from memory except before the first look. Raises StoreAway until there was one.

        While the database is away they stay as they were last seen.
        """
        return self._known if self._known is not None else await self._look()

    def use(self, token: Token, now: Instant) -> None:
        """Note that it is being used. Costs nothing: what is noted is written later, together."""
        self._used[token.id] = now

    async def every(self) -> list[Token]:
        """All tokens as they are now, by name, with their last use as far as this process knows. Raises StoreAway."""
        async with self._one_by_one:
            return await self._read()

    def last_used(self, token: Token) -> Instant | None:
        """When it was last used: as stored, or by this process since then."""
        return max(filter(None, (token.last_used_at, self._used.get(token.id))), default=None)

    async def make(self, name: str, scopes: Iterable[str], lasts: Span | None, by: str) -> tuple[Token, str]:
        """Make a token; it and its secret. Raises Refused (409, 422) when it cannot be had, and StoreAway."""
        now = times.now()
        try:
            token, secret = new_token(name, scopes, lasts, by, now)
        except Unfit as unfit:
            raise Refused(str(unfit), status=422) from None
        try:
            made = await self._write(lambda connection: rows.add(connection, token))
        except Unfit as unfit:
            raise Refused(str(unfit), status=409) from None
        log.info("%s made the token %s (%s)", by, made.name, ", ".join(made.scopes))
        return made, secret

    async def revoke(self, name: str, by: str) -> Token:
        """Revoke a token: here at once, on other replicas within two seconds. Raises Refused (404), StoreAway."""
        now = times.now()
        try:
            token = await self._write(lambda connection: rows.revoke(connection, name, now))
        except LookupError as error:
            raise Refused(str(error), status=404) from None
        if token.revoked_at == now:
            log.info("%s revoked the token %s", by, name)
        return token

    async def run(self) -> None:
        """Look again every second, and write down last uses every minute, for ever; once more when cancelled."""
        noted_at = times.now()
        try:
            while True:
                try:
                    await self._look()
                    if abs(times.now() - noted_at) >= NOTE_EVERY:
                        noted_at = times.now()
                        await self._note()
                except StoreAway as away:
                    log.debug("tokens are as they were last seen: %s", away)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await self._note_at_the_end()

    # --- inside -----------------------------------------------------------------------------------------------------

    async def _look(self) -> Known:
        async with self._one_by_one:
            found = self._known = Known(await self._read())
        return found

    async def _read(self) -> list[Token]:
        try:
            return await self._store.read(rows.every, PATIENCE_SECONDS)
        except StoreAway:
            return await self._store.write(rows.every)

    async def _write(self, operation: Callable[[Connection], T]) -> T:
        """Change tokens, and know it at once: nobody reads meanwhile, so no older state can come back."""

        def both(connection: Connection) -> tuple[T, list[Token]]:
            return operation(connection), rows.every(connection)

        async with self._one_by_one:
            done, now_there = await self._store.write(both)
            self._known = Known(now_there)
        return done

    async def _note(self) -> None:
        when = dict(self._used)
        if when:
            await self._store.write(lambda connection: rows.used(connection, when))
            self._used = {number: at for number, at in self._used.items() if when.get(number) != at}

    async def _note_at_the_end(self) -> None:
        try:
            async with asyncio.timeout(LAST_SECONDS):
                await self._note()
        except (StoreAway, TimeoutError) as error:
            log.debug("when tokens were last used is not all noted: %s", error)
