"""Tokens over HTTP: listed, made and revoked by whoever may do everything."""

from datetime import timedelta
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BeforeValidator, Field

from receiver.domain import times
from receiver.domain.times import span
from receiver.domain.tokens import NAME, Scope, Token, misnamed
from receiver.errors import Refused
from receiver.flow.tokens import shape
from receiver.settings.units import parse_duration
from receiver.web.answers import answer
from receiver.web.keys import CALLER, TOKENS
from receiver.web.table import Answer, Asks, Body, Operation, Route, taken


def _length(told: object) -> timedelta:
    length = parse_duration(told)
    if not length:
        raise ValueError("must be longer than 0s")
    return length


class NewToken(Body):
    """A token to be made."""

    name: Annotated[str, Field(json_schema_extra={"pattern": NAME})]
    """What it is for: `grafana-prod`, `ada@laptop`."""
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=len(Scope))]
    expires: Annotated[
        timedelta | None,
        BeforeValidator(
            lambda told: None if told is None else _length(told),
            json_schema_input_type=Annotated[str, Field(json_schema_extra={"format": "length"})] | None,
        ),
    ] = None
    """How long it lasts, like `90d`; for ever without it."""


class TokenForm(Answer):
    """A token, without itself: only whoever made it ever saw that."""

    name: str
    state: Literal["active", "expired", "revoked"]
    scopes: list[Scope]
    created_by: str
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    """A minute or so behind."""
    revoked_at: str | None


class MadeToken(TokenForm):
    """A new token, with the secret that is told only this once."""

    token: str


class TokenList(Answer):
    """All tokens, by name."""

    tokens: list[TokenForm]
    next: None


async def tokens(request: web.Request) -> web.Response:
    """All tokens, by name."""
    keeper, now = request.app[TOKENS], times.now()
    listed = [shape(token, now) | _last_used(request, token) for token in await keeper.every()]
    return answer({"tokens": listed, "next": None})


async def create(request: web.Request) -> web.Response:
    """Make a token: the only answer that ever holds one."""
    form = await taken(request, NewToken)
    lasts = None if form.expires is None else span(form.expires)
    made, secret = await request.app[TOKENS].make(form.name, form.scopes, lasts, request[CALLER].name)
    return answer(shape(made, times.now()) | {"token": secret}, 201)


async def revoke(request: web.Request) -> web.Response:
    """Revoke a token; again is no mistake."""
    name = request.match_info["name"]
    if misnamed(name):
        raise Refused("there is no token of that name", status=404)  # it may be a token itself: not repeated
    token = await request.app[TOKENS].revoke(name, request[CALLER].name)
    return answer(shape(token, times.now()) | _last_used(request, token))


def _last_used(request: web.Request, token: Token) -> dict[str, str | None]:
    at = request.app[TOKENS].last_used(token)
    return {"last_used_at": None if at is None else times.rfc3339(at)}


ROUTES = (
    Route(
        "GET",
        "/api/v1/tokens",
        tokens,
        Asks.ADMIN,
        "API tokens, by name",
        Operation(id="list_tokens", tag="tokens", answers=TokenList, about=tokens.__doc__ or ""),
    ),
    Route(
        "POST",
        "/api/v1/tokens",
        create,
        Asks.ADMIN,
        "make an API token",
        Operation(
            id="create_token",
            tag="tokens",
            answers=MadeToken,
            takes=NewToken,
            status=201,
            problems=(409, 413, 415, 422),
            about="The answer holds the token in `token`. It is told only this once: what is stored is a checksum."
            " Once a token was made, requests without one are refused, webhooks and health excepted.",
            example={"name": "grafana-prod", "scopes": ["read"], "expires": "90d"},
        ),
    ),
    Route(
        "DELETE",
        "/api/v1/tokens/{name}",
        revoke,
        Asks.ADMIN,
        "revoke an API token",
        Operation(
            id="revoke_token",
            tag="tokens",
            answers=TokenForm,
            problems=(404,),
            about="It is refused at once by the process that answers, by other replicas within two seconds.",
        ),
    ),
)
