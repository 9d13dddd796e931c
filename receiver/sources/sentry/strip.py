"""What of Sentry's bodies is stored nowhere: not in the database, not in quarantine, not in the spool."""

from typing import Any

from receiver.sources.context import SourceContext
from receiver.sources.sentry.event import LEFT_OUT, SENSITIVE

_READ = frozenset({"exception", "stacktrace", "threads", "request"})
"""Those of them that something is read of."""


def strip(document: Any, source: SourceContext) -> Any:
    """The body without the parts of events in which secrets travel, whatever they look like, and what is never kept.

    Also without the code that installs an integration: it is a credential (Sentry's documentation: do not store it).
    """
    if not isinstance(document, dict):
        return document
    told = {**document, "event": _event(document["event"], source.keep)} if "event" in document else document
    data = document.get("data")
    if not isinstance(data, dict):
        return told
    inside = {name: _event(part, source.keep) if name in ("event", "error") else part for name, part in data.items()}
    if isinstance(data.get("installation"), dict):
        inside["installation"] = {name: part for name, part in data["installation"].items() if name != "code"}
    return {**told, "data": inside}


def _event(event: Any, keep: frozenset[str]) -> Any:
    """The event without what is never kept of it; what is read of it is as before."""
    if not isinstance(event, dict):
        return event
    unread, secret = LEFT_OUT - _READ, SENSITIVE - keep
    left = {name: value for name, value in event.items() if name not in unread and name not in secret}
    return {name: _without(value, secret) if name in _READ else value for name, value in left.items()}


def _without(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {name: _without(inner, names) for name, inner in value.items() if name not in names}
    return [_without(inner, names) for inner in value] if isinstance(value, list) else value
