"""Log lines: structured, one event a line, with nothing from outside that could forge another line."""

import logging
import sys
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from receiver.domain.tokens import masked

_VISIBLE = {code: f"\\x{code:02x}" for code in [*range(32), *range(127, 160), 0x2028, 0x2029]}


def set_up(level: str, form: Literal["console", "json"]) -> None:
    """Send every logger's lines to standard error in the given form. Local variables are never printed."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if form == "json":
        traces = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        rendering: list[Processor] = [
            structlog.processors.ExceptionRenderer(traces),
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ]
    else:
        rendering = [
            _one_line,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering, _without_tokens],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(_unread)
    logging.getLogger("alertsage").setLevel(level.upper())


def _one_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Show control characters instead of obeying them: an alert's text may hold newlines and escape sequences."""
    event["event"] = str(event["event"]).translate(_VISIBLE)
    return event


def _unread(record: logging.LogRecord) -> bool:
    """A request that is no HTTP: aiohttp would show the very header that it stumbled over, credentials as well."""
    error = record.exc_info[1] if record.exc_info else None
    if type(error).__module__ == "aiohttp.http_exceptions":
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg, record.args = "a request that is no HTTP was refused (%s)", (type(error).__name__,)
        record.exc_info = record.exc_text = None
    return True


def _without_tokens(_logger: WrappedLogger, _method: str, line: Any) -> str:
    """Last of all: whoever puts a token where none belongs (an address, a header's name) must not find it here."""
    return masked(str(line))
