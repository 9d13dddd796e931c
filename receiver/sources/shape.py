"""Whose webhook it is, for one that came to no source's own address: by its headers, then by its keys."""

from collections.abc import Mapping

from receiver.errors import Refused
from receiver.sources.sentry.hooks import resource_of
from receiver.sources.text import decode

_HEADERS = {
    "sentry-hook-resource": "sentry",
    "sentry-hook-signature": "sentry",
    "sentry-app-signature": "sentry",
    "x-grafana-alerting-signature": "grafana",
}
_AGENTS = (("alertmanager/", "alertmanager"), ("grafana", "grafana"), ("sentry/", "sentry"))
"""(how its User-Agent begins, in lower case; the kind)."""
NO_FORM = "this is the form of none of Alertmanager's, Grafana's or Sentry's webhooks"
LONGEST = 64 * 2**10
"""Bytes of a body that is read before it is known whose it is, and so before any secret was asked for."""


def kind_of(headers: Mapping[str, str], body: bytes, values: int) -> str:
    """The kind of sender. Raises Refused: 400 for what is no JSON or has the form of none, 413 if too large to look."""
    told = next((kind for name, kind in _HEADERS.items() if name in headers), None)
    if told is not None:
        return told
    agent = headers.get("user-agent", headers.get("User-Agent", "")).lower()
    told = next((kind for begin, kind in _AGENTS if agent.startswith(begin)), None)
    if told is not None:
        return told
    if len(body) > LONGEST:
        raise Refused(
            f"a body of more than {LONGEST} bytes is taken here only with the headers that Alertmanager, Grafana or"
            " Sentry send; post it to the address of its source, /webhook/KIND/NAME",
            status=413,
            reason="too_large",
        )
    if (told := form_of(body, values)) is not None:
        return told
    raise Refused(f"{NO_FORM}: other senders post to the address of a source of kind generic, /webhook/generic/NAME")


def form_of(body: bytes, values: int) -> str | None:
    """The kind of sender by the keys of the body, whatever its size; None for the form of none. Raises Refused: 400
    for what is no JSON.
    """
    document = decode(body, values)
    if isinstance(document, dict):
        if isinstance(document.get("alerts"), list):
            return "grafana" if document.get("version") == "1" or "orgId" in document else "alertmanager"
        if resource_of(document):
            return "sentry"
    return None
