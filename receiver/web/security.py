"""Who may ask what: credentials, and without them only loopback Host names and no other site's pages."""

import hmac
import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from aiohttp import encode_basic_auth, hdrs
from multidict import MultiMapping
from pydantic import SecretStr

from receiver.domain import times
from receiver.domain.times import Instant
from receiver.domain.tokens import LOCAL, PREFIX, SERVER, Known, Token
from receiver.errors import Refused
from receiver.settings import Settings
from receiver.settings.sources import Auth, Signature
from receiver.sources import KINDS


class Unauthorized(Refused):
    """The credentials are missing or wrong."""

    status = 401
    reason = "unauthorized"
    schemes = "Bearer"
    """What the answer's WWW-Authenticate offers."""


class Missing(Unauthorized):
    """There are none."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, once that is proven."""

    name: str
    """Of the token; `server.token` for that one, `local` without any."""
    token: Token | None = None
    """None for the latter two, who may do everything."""


def by_server_token(headers: MultiMapping[str], settings: Settings) -> Caller | None:
    """Who asks, when `server.token` proves it; None when something else may. Raises Missing when nothing is sent."""
    root = settings.server.token
    if root is None:
        return None
    if hdrs.AUTHORIZATION not in headers:
        raise _missing()
    return Caller(SERVER) if _equal(_sent(headers), f"bearer {_text(root)}") else None


def by_token(headers: MultiMapping[str], settings: Settings, known: Known, scope: str, now: Instant) -> Caller:
    """Who asks for something of that scope, when `server.token` does not prove it. Raises Refused (401, 403).

    Once there is `server.token` or any token was ever made, nobody is let in without.
    """
    if not known.closed and settings.server.token is None:
        check_local(headers, settings)
        return Caller(LOCAL)
    if hdrs.AUTHORIZATION not in headers:
        raise _missing()
    token = in_force(headers, known, now)
    if token is None:
        raise Unauthorized(
            "this token is not one that is in force, or is not sent as `Authorization: Bearer TOKEN` (docs/tokens.md)"
        )
    if not token.may(scope):
        raise out_of_scope(token, scope)
    return Caller(token.name, token)


def in_force(headers: MultiMapping[str], known: Known, now: Instant) -> Token | None:
    """The token that is sent, if it is one of ours and neither expired nor revoked."""
    scheme, _, secret = _sent(headers).partition(" ")
    token = known.find(secret) if scheme == "bearer" else None
    return token if token is not None and token.state(now) == "active" else None


def sends_token(headers: MultiMapping[str]) -> bool:
    """True when what is sent looks like a token of ours."""
    return _sent(headers).startswith(f"bearer {PREFIX}")


def out_of_scope(token: Token, scope: str) -> Refused:
    """What to tell the holder of a token that may not do this."""
    held = " and ".join(token.scopes) or "nothing"
    return Refused(f"this needs a token of scope {scope}; {token.name} has {held}", status=403, reason="scope")


def _missing() -> Missing:
    return Missing(
        "this needs a token: send it as `Authorization: Bearer TOKEN`; `alertsage tokens create` makes one"
        " (docs/tokens.md)"
    )


def check_source(headers: MultiMapping[str], url_token: str, settings: Settings, source: str) -> bool:
    """A source's secret; any configured way suffices. False when the body's signature has yet to prove it.

    Raises Refused (401, 403) for what no body could mend.
    """
    auth = settings.sources[source].auth
    if not auth.configured:
        check_local(headers, settings)
        return True
    if _proves(headers, url_token, auth):
        return True
    if auth.signature is not None and _signed(headers, auth.signature, settings.sources[source].kind):
        return False
    raise _unproven(source, basic=auth.basic is not None)


def check_signature(headers: MultiMapping[str], body: bytes, settings: Settings, source: str) -> None:
    """The HMAC over the raw bytes, by any of the source's secrets. Raises Refused (401)."""
    configured = settings.sources[source]
    signature = configured.auth.signature
    if signature is None:
        raise _unproven(source)
    message = body
    if signature.timestamp_header is not None:
        stamp = headers.get(signature.timestamp_header, "")
        _check_age(stamp, signature, source)
        message = stamp.encode() + b":" + body
    sent = _signed(headers, signature, configured.kind).strip().removeprefix("sha256=")
    right = [hmac.new(_text(secret).encode(), message, "sha256").hexdigest() for secret in signature.secrets]
    if not any([_equal(sent.lower(), one) for one in right]):  # noqa: C419 - all are compared, whichever is right
        raise _unproven(source)


def _signed(headers: MultiMapping[str], signature: Signature, kind: str) -> str:
    names = (signature.header,) if signature.header else KINDS[kind].proofs
    return next((headers[name] for name in names if name in headers), "")


def _check_age(stamp: str, signature: Signature, source: str) -> None:
    """A signature with a time in it cannot be used again much later."""
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 14):
        raise Unauthorized(f"the header {signature.timestamp_header} of source {source} holds no time")
    off = abs(times.now() / times.SECOND - int(stamp))
    if off > signature.max_age.total_seconds():
        raise Unauthorized(
            f"this was signed {off:.0f} s away from now: set the clocks right, or raise"
            f" sources.{source}.auth.signature.max_age"
        )


def _unproven(source: str, *, basic: bool = False) -> Unauthorized:
    unproven = Unauthorized(f"the credentials of source {source} are missing or wrong (sources.{source}.auth)")
    unproven.schemes = "Bearer Basic" if basic else "Bearer"
    return unproven


def check_local(headers: MultiMapping[str], settings: Settings) -> None:
    """Without credentials: no other site's page may ask, and none that made its name point here (DNS rebinding)."""
    host = headers.get(hdrs.HOST, "")
    site = headers.get("Sec-Fetch-Site", "none")
    origin = headers.get(hdrs.ORIGIN)
    if site not in ("none", "same-origin") or (origin is not None and _site(origin) != host.lower()):
        raise Refused("a page of another site may not ask here", status=403, reason="cross_site")
    server = settings.server
    if server.allow_anonymous and not server.listen.loopback:
        return
    name = _name(host)
    if not _loopback(name) and name not in server.hosts:
        raise Refused(
            f"without credentials only loopback names are answered, not Host {host[:80]!r}:"
            " set server.token and the source's auth, or add the name to server.hosts",
            status=403,
            reason="host",
        )


def challenge(refused: Refused) -> dict[str, str]:
    """The headers that go with a 401."""
    if not isinstance(refused, Unauthorized):
        return {}
    return {hdrs.WWW_AUTHENTICATE: ", ".join(f'{scheme} realm="alertsage"' for scheme in refused.schemes.split())}


def _proves(headers: MultiMapping[str], url_token: str, auth: Auth) -> bool:
    proofs = [
        auth.url_token is not None and _equal(url_token, _text(auth.url_token)),
        auth.bearer is not None and _equal(_sent(headers), f"bearer {_text(auth.bearer)}"),
        auth.header is not None and _equal(headers.get(auth.header.name, ""), _text(auth.header.value)),
    ]
    if auth.basic is not None:
        right = encode_basic_auth(auth.basic.username, _text(auth.basic.password)).removeprefix("Basic ")
        proofs.append(_equal(_sent(headers), f"basic {right}"))
    return any(proofs)


def _sent(headers: MultiMapping[str]) -> str:
    """The Authorization header with its scheme in lower case: schemes have no case (RFC 9110). Two prove nothing."""
    told = headers.getall(hdrs.AUTHORIZATION, ())
    scheme, _, credential = told[0].partition(" ") if len(told) == 1 else ("", "", "")
    return f"{scheme.lower()} {credential.strip()}"


def _text(secret: SecretStr) -> str:
    return secret.get_secret_value()


def _equal(sent: str, right: str) -> bool:
    """In constant time; over bytes, because a header may hold any of them."""
    return hmac.compare_digest(sent.encode("utf-8", "surrogateescape"), right.encode())


def _site(origin: str) -> str:
    """Host and port of an Origin header; "" for one that has none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _name(host: str) -> str:
    """The host without its port, lower case."""
    if host.startswith("["):
        name, closed, _ = host[1:].partition("]")
        return name.lower() if closed else ""
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()


@lru_cache(256)
def _loopback(name: str) -> bool:
    if name in ("localhost", "localhost."):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
