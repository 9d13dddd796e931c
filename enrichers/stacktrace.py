"""Makes an error's chain of exceptions readable: where it was raised, what caused it, the way there."""

from collections.abc import Mapping, Sequence
from typing import Any

from enrichers.api import Context
from receiver.domain.enrichment import AlertView, Enrichment

EXCEPTIONS = 5
FRAMES = 20
"""Of each exception, the crash first."""
LONGEST = 4000
"""Characters of the trace."""
_LINE = 200


def stacktrace(alert: AlertView, _context: Context) -> Enrichment | None:
    """The facts `frame`, `frame_file`, `frame_line`, `code`, `caused_by` and `stacktrace`; None without a stack.

    The useful frame is the last one of the application's own code in the exception that was raised (of Sentry's
    `in_app`), else the last frame of all.
    """
    told = alert.raw.get("exceptions")
    chain = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    raised = next((one for one in reversed(chain) if _frames(one)), None)
    if raised is None:
        return None
    frame = useful(_frames(raised))
    causes = [f"{_what(one)} at {_where(useful(_frames(one)))}" for one in reversed(chain[:-1]) if _frames(one)]
    facts: dict[str, Any] = {
        "frame": _where(frame),
        "frame_file": _in_repository(frame.get("file")),
        "frame_line": frame.get("line"),
        "code": frame.get("code"),
        "caused_by": causes[:EXCEPTIONS],
        "stacktrace": trace(chain),
    }
    facts = {name: fact for name, fact in facts.items() if fact}
    said = f"{alert.message} Raised at {_where(frame)}." if alert.message else f"Raised at {_where(frame)}."
    return Enrichment(message=said, facts=facts)


def _in_repository(file: Any) -> Any:
    """The file as a repository may know it; None for `<anonymous>`, a web address and the runtime's own."""
    named = isinstance(file, str) and not file.startswith(("<", "node:", "http://", "https://"))
    return file.removeprefix("file://") if named else None


def useful(frames: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The frame to look at: the last of the application's own, else the last."""
    return next((frame for frame in reversed(frames) if frame.get("in_app")), frames[-1])


def trace(chain: Sequence[Mapping[str, Any]]) -> str:
    """The raised exception first, each with its crash first; `>` marks the application's own code. Bounded."""
    lines = []
    for number, one in enumerate(list(reversed(chain))[:EXCEPTIONS]):
        lines.append(f"{'caused by ' if number else ''}{_what(one)}")
        frames = list(reversed(_frames(one)))
        for frame in frames[:FRAMES]:
            code = f"    {frame['code']}" if frame.get("code") else ""
            lines.append(f"  {'>' if frame.get('in_app') else ' '} {_where(frame)}{code}"[:_LINE])
        if len(frames) > FRAMES:
            lines.append(f"    and {len(frames) - FRAMES} more")
    text = "\n".join(lines)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _frames(exception: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    frames = exception.get("frames")
    return [frame for frame in frames if isinstance(frame, dict)] if isinstance(frames, list) else []


def _what(exception: Mapping[str, Any]) -> str:
    parts = (str(exception.get(name) or "").split("\n", maxsplit=1)[0] for name in ("type", "value"))
    return ": ".join(part for part in parts if part)[:_LINE] or "a message"


def _where(frame: Mapping[str, Any]) -> str:
    line = f":{frame['line']}" if frame.get("line") else ""
    function = f" in {frame['function']}" if frame.get("function") else ""
    return f"{frame.get('file') or '?'}{line}{function}"
