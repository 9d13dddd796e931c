"""Who asks: what a request proves itself by."""

from aiohttp import web

from receiver.domain import times
from receiver.domain.tokens import Scope
from receiver.errors import Refused, StoreAway
from receiver.web import security
from receiver.web.keys import ATTEMPTS, CALLER, CONFIGURATION, TOKENS


async def caller(request: web.Request, scope: str, what: str) -> security.Caller:
    """Who asks for something of that scope. Raises Refused (401, 403), and StoreAway before tokens were first read.

    `what` names the route in the log: a path may hold anything.
    """
    settings, now = request.app[CONFIGURATION].setup.settings, times.now()
    try:
        found = security.by_server_token(request.headers, settings)
        if found is None:
            known = await request.app[TOKENS].known()
            found = security.by_token(request.headers, settings, known, scope, now)
    except Refused as refused:
        request.app[ATTEMPTS].failed(_reason(refused), what, request.remote)
        raise
    if found.token is not None:
        request.app[TOKENS].use(found.token, now)
    return found


def on_behalf(request: web.Request, who: str | None) -> tuple[str, str]:
    """Who acts, and over which interface: for who was only told of, the token vouches."""
    caller = request[CALLER].name
    return who or caller, "api" if who in (None, caller) else f"api:{caller}"


async def closed(request: web.Request) -> bool:
    """True when those who have no credentials are to learn nothing here."""
    if request.app[CONFIGURATION].setup.settings.server.token is not None:
        return True
    try:
        return (await request.app[TOKENS].known()).closed
    except StoreAway:
        return True


async def let_in(request: web.Request, refused: Refused) -> None:
    """Let in a webhook that its source's own secret does not: by a token. Raises what it was refused with, or 403."""
    if not security.sends_token(request.headers):
        raise refused
    keeper, now = request.app[TOKENS], times.now()
    token = security.in_force(request.headers, await keeper.known(), now)
    if token is None:
        raise refused
    if not token.may(Scope.INTAKE):
        raise security.out_of_scope(token, Scope.INTAKE)
    keeper.use(token, now)


def _reason(refused: Refused) -> str:
    if isinstance(refused, security.Missing):
        return "missing"
    return "wrong" if isinstance(refused, security.Unauthorized) else refused.reason
