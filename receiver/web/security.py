"""Who may ask what: credentials, and without them only loopback Host names and no other site's pages."""

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from aiohttp import encode_basic_auth, hdrs
from pydantic import SecretStr

from receiver.domain import times
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


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, once that is proven."""

    name: str
    """Of the token; `local` without one."""


def caller(headers: Mapping[str, str], settings: Settings, scope: str) -> Caller:
    """Who asks for something of that scope. Raises Refused (401, 403)."""
    del scope
    token = settings.server.token
    if token is None:
        check_local(headers, settings)
        return Caller("local")
    if not _equal(_sent(headers), f"bearer {token.get_secret_value()}"):
        raise Unauthorized("this needs the header `Authorization: Bearer <server.token>`")
    return Caller("server.token")


def check_source(headers: Mapping[str, str], url_token: str, settings: Settings, source: str) -> bool:
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


def check_signature(headers: Mapping[str, str], body: bytes, settings: Settings, source: str) -> None:
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


def _signed(headers: Mapping[str, str], signature: Signature, kind: str) -> str:
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


def check_local(headers: Mapping[str, str], settings: Settings) -> None:
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


def _proves(headers: Mapping[str, str], url_token: str, auth: Auth) -> bool:
    proofs = [
        auth.url_token is not None and _equal(url_token, _text(auth.url_token)),
        auth.bearer is not None and _equal(_sent(headers), f"bearer {_text(auth.bearer)}"),
        auth.header is not None and _equal(headers.get(auth.header.name, ""), _text(auth.header.value)),
    ]
    if auth.basic is not None:
        right = encode_basic_auth(auth.basic.username, _text(auth.basic.password)).removeprefix("Basic ")
        proofs.append(_equal(_sent(headers), f"basic {right}"))
    return any(proofs)


def _sent(headers: Mapping[str, str]) -> str:
    """The Authorization header with its scheme in lower case: schemes have no case (RFC 9110)."""
    scheme, _, credential = headers.get(hdrs.AUTHORIZATION, "").partition(" ")
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
