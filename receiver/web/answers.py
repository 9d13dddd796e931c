"""Answers as JSON."""

from collections.abc import Mapping

from aiohttp import web
from pydantic_core import to_json

COMPRESSED_FROM = 4 * 2**10
"""Bytes: less than that fits a few packets anyway."""
IN_A_THREAD = 64 * 2**10
"""Bytes at once that are compressed beside the event loop."""


def answer(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """The document as JSON, compressed when it is large and the client takes that."""
    body = to_json(document, inf_nan_mode="null") + b"\n"
    made = web.Response(
        status=status, body=body, content_type="application/json", headers=headers, zlib_executor_size=IN_A_THREAD
    )
    if len(body) >= COMPRESSED_FROM:
        made.enable_compression()
    return made
