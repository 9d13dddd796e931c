"""What of Sentry's bodies is stored nowhere: not in the database, not in quarantine, not in the spool."""

from typing import Any

from receiver.sources.context import SourceContext
from receiver.sources.sentry.event import LEFT_OUT, without_sensitive

_STACKS = frozenset({"exception", "stacktrace", "threads"})
_OF_STACKS = frozenset(
    {"values", "type", "value", "module", "mechanism", "handled", "stacktrace", "crashed", "current", "frames"}
    | {"filename", "abs_path", "lineno", "function", "in_app", "context_line", "vars"}
)
"""What is read of them; the code around a line, for one, is not."""


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
    left = {name: value for name, value in event.items() if name not in LEFT_OUT - _STACKS - {"request"}}
    read = {name: _only(value, _OF_STACKS) if name in _STACKS else value for name, value in left.items()}
    return without_sensitive(read, keep)


def _only(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, dict):
        read = {name: inner for name, inner in value.items() if name in names}
        return {name: inner if name == "vars" else _only(inner, names) for name, inner in read.items()}
    return [_only(inner, names) for inner in value] if isinstance(value, list) else value
