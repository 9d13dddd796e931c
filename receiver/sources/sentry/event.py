"""What is kept of an event: bounded, without what holds secrets, its exceptions in a form that senders share."""

from collections.abc import Mapping
from typing import Any

from receiver.sources.sentry.fields import fields, items, text
from receiver.sources.text import bounded

EVENT_SIZE = 16 * 2**10
"""Bytes kept of an event besides its exceptions."""
EXCEPTIONS = 10
"""Of a chain, the raised one last."""
FIRST_FRAMES, LAST_FRAMES = 10, 50
"""Of a stack, the crash last."""
SENSITIVE = frozenset({"vars", "headers", "cookies", "data", "env"})
"""Parts in which passwords and tokens travel, wherever in an event: not kept, unless the source's `keep` names them."""
LEFT_OUT = frozenset(
    {"exception", "stacktrace", "threads", "breadcrumbs", "modules", "extra", "request", "debug_meta", "hashes"}
    | {"grouping_config", "sdk", "_meta", "_metrics", "_ref", "_ref_version", "key_id", "version", "time_spent"}
)
"""Parts of an event that are not kept as they are."""


def kept(event: Mapping[str, Any], keep: frozenset[str]) -> dict[str, Any]:
    """The event without its exceptions and without what is large or secret."""
    left = {name: value for name, value in event.items() if name not in LEFT_OUT}
    request = without_sensitive(fields(event, "request"), keep)
    return bounded(without_sensitive(left, keep) | ({"request": request} if request else {}), EVENT_SIZE)


def without_sensitive(event: Mapping[str, Any], keep: frozenset[str]) -> dict[str, Any]:
    """The event without its sensitive parts, however deep they are, but for those that `keep` names."""
    names = SENSITIVE - keep
    left = {name: value for name, value in event.items() if name.lower() not in names}
    # The names of tags are the application's own: a tag `env` is an environment, not a process's variables.
    return {name: value if name == "tags" else _without(value, names) for name, value in left.items()}


def _without(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {name: _without(inner, names) for name, inner in value.items() if name.lower() not in names}
    return [_without(inner, names) for inner in value] if isinstance(value, list) else value


def exceptions(event: Mapping[str, Any], keep: frozenset[str]) -> list[dict[str, Any]]:
    """The chain, oldest first, the raised one last: `{type, value, module, handled, frames}`.

    An event without an exception but with a stack (a message) gives one without a type. Frames are oldest first:
    `{file, line, function, in_app, code}`, and `vars` when those are kept.
    """
    chain = event.get("exception")
    values = items(chain.get("values") if isinstance(chain, dict) else chain)
    found = [_exception(value, keep) for value in values[-EXCEPTIONS:] if isinstance(value, dict)]
    if any(one["frames"] or one["type"] for one in found):
        return found
    frames = _frames(_stack(event), keep)
    return [{"type": "", "value": "", "module": "", "handled": None, "frames": frames}] if frames else []


def _stack(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The stack of an event without an exception: its own, or that of the thread that crashed or spoke."""
    if event.get("stacktrace"):
        return fields(event, "stacktrace")
    threads = event.get("threads")
    told = items(threads.get("values") if isinstance(threads, dict) else threads)
    speaking = [thread for thread in told if fields(thread).get("crashed") or fields(thread).get("current")]
    return fields((speaking or told or [None])[0], "stacktrace")


def _exception(value: Mapping[str, Any], keep: frozenset[str]) -> dict[str, Any]:
    handled = fields(value, "mechanism").get("handled")
    return {
        "type": text(value.get("type"), longest=200),
        "value": text(value.get("value")),
        "module": text(value.get("module"), longest=200),
        "handled": handled if isinstance(handled, bool) else None,
        "frames": _frames(fields(value, "stacktrace"), keep),
    }


def _frames(stack: Mapping[str, Any], keep: frozenset[str]) -> list[dict[str, Any]]:
    frames = [frame for frame in items(stack.get("frames")) if isinstance(frame, dict)]
    if len(frames) > FIRST_FRAMES + LAST_FRAMES:
        frames = frames[:FIRST_FRAMES] + frames[-LAST_FRAMES:]
    return [_frame(frame, keep) for frame in frames]


def _frame(frame: Mapping[str, Any], keep: frozenset[str]) -> dict[str, Any]:
    line = frame.get("lineno")
    told: dict[str, Any] = {
        "file": text(frame.get("filename"), frame.get("abs_path"), frame.get("module"), longest=300),
        "line": line if isinstance(line, int) and 0 < line < 2**31 else None,
        "function": text(frame.get("function"), longest=200),
        "in_app": frame.get("in_app") is True,
        "code": text(frame.get("context_line"), longest=200),
    }
    if "vars" in keep and (values := fields(frame, "vars")):
        told["vars"] = bounded(values, 2048)
    return told
