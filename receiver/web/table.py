"""A line of the URL table: what it serves, which credential it asks for, its part of the API document."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, to_json

from receiver.errors import Refused
from receiver.sources.text import decode, readable
from receiver.web import misfits
from receiver.web.body import IN_A_THREAD, read_body
from receiver.web.keys import CONFIGURATION, UNDERWAY
from receiver.web.underway import Held

Handle = Callable[..., Awaitable[web.StreamResponse]]
M = TypeVar("M", bound="Body")

LARGEST = 2**20
"""Bytes of a posted form, inflated: nothing that people say of alerts is longer."""


LONGEST_NUMBER = 18
"""Digits that every database's whole numbers hold."""


class Asks(StrEnum):
    """Which credential a route asks for: nothing, a source's own secret, or a token with that scope."""

    NOTHING = "nothing"
    """Health: it tells nothing of any alert."""
    SOURCE = "source"
    """The source's own secret, checked by the handler, which knows the source."""
    INTAKE = "intake"
    """To tell of alerts."""
    READ = "read"
    """To look."""
    ACT = "act"
    """To change what alerts are: acknowledge, resolve, silence."""
    ADMIN = "admin"
    """To change alertsage itself: reload, tokens."""


def _whole(told: Any) -> Any:
    return int(told) if isinstance(told, float) and told.is_integer() else told


WHOLE = BeforeValidator(_whole)
"""Marks a posted integer, behind its bounds: 5.0 is one, too, as JSON has but one kind of number."""


class Body(BaseModel):
    """What is posted to a route: nothing besides its fields is taken, and no text is taken for a number.

    What stands below a field tells readers of the document what it means.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True, defer_build=True)
    tolerant: ClassVar[bool] = False
    """Whether it tells of trouble: then it may be as large as a webhook and have half characters, for U+FFFD.

    An alert with a hole is worth more than none; what people ask for is done as they say it, or not at all.
    """


class Answer(BaseModel):
    """What a route answers with, as the document tells it."""

    model_config = ConfigDict(use_attribute_docstrings=True, defer_build=True)


class Query(BaseModel):
    """A route's URL parameters, as the document tells them."""

    model_config = ConfigDict(use_attribute_docstrings=True, defer_build=True)


@dataclass(frozen=True, slots=True)
class Operation:
    """A route's part of the API's document (`/api/openapi.json`)."""

    id: str
    tag: str
    answers: Any
    """The type of its answer: whatever pydantic can make a schema of."""
    takes: type[Body] | None = None
    query: type[BaseModel] | None = None
    """Its URL parameters."""
    status: int = 200
    problems: tuple[int, ...] = ()
    """Besides 400, 401, 403 and 503, which any can have."""
    about: str = ""
    """A paragraph for readers."""
    example: Mapping[str, Any] = field(default_factory=dict)
    """A body that works as it stands; without `takes`, URL parameters."""
    place: Mapping[str, Any] = field(default_factory=dict)
    """Values of the path's blanks that the example works with, where they are not the usual ones."""
    besides: Mapping[int, str] = field(default_factory=dict)
    """Other good answers of the same shape: their status and what it means."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers that it looks at, and what they mean."""
    media: tuple[str, ...] = ("application/json",)
    """Types of its answer, the usual one first."""


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table."""

    method: str
    path: str
    handle: Handle
    asks: Asks
    says: str
    operation: Operation | None = None
    """None for what is no part of the API."""


def number_in(request: web.Request, what: str) -> int:
    """The `{id}` of the path, which the URL table lets be digits only. Raises Refused (404) for too many of them."""
    told = request.match_info["id"]
    if len(told) > LONGEST_NUMBER:
        raise Refused(f"there is no {what} {told[:40]}", status=404)
    return int(told)


async def taken(request: web.Request, form: type[M]) -> M:
    """The posted JSON as that form, its texts safe to store (U+FFFD for NUL); an empty body is an empty form.

    Raises Refused: 415 for another type, 400 for no JSON, 422 for another form.
    """
    if request.content_type != "application/json":
        raise Refused(f"send JSON, with Content-Type: application/json (not {request.content_type[:80]})", status=415)
    underway, limits = request.app[UNDERWAY], request.app[CONFIGURATION].setup.settings.limits
    held = Held(underway, limits.in_flight)
    try:
        body = await read_body(request, limits, underway, held)
        if len(body) > LARGEST and not form.tolerant:
            raise Refused(f"the body is larger than {LARGEST} bytes", status=413, reason="too_large")
        if len(body) > IN_A_THREAD:
            return await asyncio.to_thread(_read, body, form, limits.values)
        return _read(body, form, limits.values)
    except ValidationError as error:
        raise _misfit(error) from None
    finally:
        held.give_back()


def _read(body: bytes, form: type[M], values: int) -> M:
    body = readable(body, values) or b"{}"
    try:
        # Judged as it was sent, so that a form can refuse what would be replaced: a name is another one then.
        told = form.model_validate_json(body)
    except ValidationError as error:
        if not (form.tolerant and _first(error)["type"] == "json_invalid"):
            raise
    else:
        if b"\\u0000" not in body:
            return told
    return form.model_validate_json(to_json(decode(body, values)))


def _first(error: ValidationError) -> ErrorDetails:
    return error.errors(include_url=False, include_context=False, include_input=False)[0]


def _misfit(error: ValidationError) -> Refused:
    first = _first(error)
    if first["type"] == "json_invalid":
        return Refused(f"the body is not JSON: {first['msg'].removeprefix('Invalid JSON: ')}")
    return Refused(misfits.told(error), status=422)
