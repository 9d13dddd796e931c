"""Who may ask what: credentials, and without them only loopback Host names and no other site's pages."""

import hmac
import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from aiohttp import encode_basic_auth, hdrs
from pydantic import SecretStr

from receiver.errors import Refused
from receiver.settings.model import Auth, Settings


class Unauthorized(Refused):
    """The credentials are missing or wrong."""

    status = 401
    reason = "unauthorized"


def check_token(headers: Mapping[str, str], settings: Settings) -> None:
    """The server's own token, for everything but intake and health. Raises Refused (401, 403)."""
    token = settings.server.token
    if token is None:
        check_local(headers, settings)
    elif not _equal(_sent(headers), f"bearer {token.get_secret_value()}"):
        raise Unauthorized("this needs the header `Authorization: Bearer <server.token>`")


def check_source(headers: Mapping[str, str], settings: Settings, source: str) -> None:
    """A source's secret; any configured way suffices. Raises Refused (401, 403)."""
    auth = settings.sources[source].auth
    if not auth.configured:
        check_local(headers, settings)
    elif not _proves(headers, auth):
        raise Unauthorized(f"the credentials of source {source} are missing or wrong (sources.{source}.auth)")


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
    return {hdrs.WWW_AUTHENTICATE: 'Bearer realm="alertsage", Basic realm="alertsage"'} if refused.status == 401 else {}


def _proves(headers: Mapping[str, str], auth: Auth) -> bool:
    proofs = [
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
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()


@lru_cache(256)
def _loopback(name: str) -> bool:
    if name in ("localhost", "localhost."):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
