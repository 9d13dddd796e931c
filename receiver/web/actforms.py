"""What is posted to act on alerts, as forms that turn into acts."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, ValidationError, model_validator

from receiver.domain.acting import Acknowledge, Act, Amend, Assign, Note, Reopen, Resolve, Suppress, Unsuppress
from receiver.domain.times import Instant, instant, span
from receiver.errors import Refused
from receiver.flow.act import MOST_AT_ONCE
from receiver.settings.units import parse_duration
from receiver.sources.text import LATEST, clean, scrub
from receiver.web import misfits
from receiver.web.table import WHOLE, Body

LONGEST_NAME, LONGEST_TEXT, LONGEST_QUERY = 200, 10_000, 2_000
"""Characters of who somebody is, of a note, of a search."""
OWN_NAMES = ("alertsage", "source:")
"""How names begin that the audit trail keeps for what no person did."""


def _name(told: str) -> str:
    name = told.strip()
    if not name:
        raise ValueError("is empty: say who, or leave it out")
    if not name.isprintable():
        raise ValueError("has a character that cannot be seen (a control character, a line break)")
    return name


def _person(told: str) -> str:
    name = _name(told)
    if name.casefold() == OWN_NAMES[0] or name.casefold().startswith(OWN_NAMES[1]):
        raise ValueError(f'"{name}" is a name that alertsage keeps for what no person did')
    return name


def _metadata(told: dict[str, Any]) -> dict[str, Any]:
    if not told:
        raise ValueError("is empty: give at least one name")
    odd = next((name for name in told if not name.strip() or len(name) > LONGEST_NAME), None)
    if odd is not None:
        raise ValueError(f'the name "{odd[:40]}" is empty or longer than {LONGEST_NAME} characters')
    return {clean(name): scrub(held, 1) for name, held in told.items()}


def _length(told: object) -> timedelta:
    length = parse_duration(told)
    if not length:
        raise ValueError("must be longer than 0s")
    return length


def _said(told: str) -> str:
    return clean(told).strip()


_NAMED = {"format": "person"}
Person = Annotated[str, Field(max_length=LONGEST_NAME, json_schema_extra=_NAMED), AfterValidator(_person)]
Text = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(_said)]
Assignee = Annotated[str, Field(max_length=LONGEST_NAME, json_schema_extra=_NAMED), AfterValidator(_name)]
Lasting = Annotated[
    timedelta,
    BeforeValidator(_length, json_schema_input_type=Annotated[str, Field(json_schema_extra={"format": "length"})]),
]
_FACTS = {"minProperties": 1, "propertyNames": {"pattern": r"\S", "maxLength": LONGEST_NAME}}
Metadata = Annotated[dict[str, Any], Field(json_schema_extra=_FACTS), AfterValidator(_metadata)]


class ByWhom(Body):
    """Who acts, as far as the token does not say it, and on which version of the alert."""

    who: Person | None = None
    """The person whose act it is; without it the token's name is told."""
    version: Annotated[int, Field(ge=0, le=2**31 - 1), WHOLE] | None = None
    """The alert's version that the act is meant for: 409 when it has another by now."""

    makes: ClassVar[Callable[..., Act]]

    def act(self, who: str, at: Instant, via: str) -> Act:
        """The act. Raises Refused for what is not possible now."""
        return type(self).makes(who=who, at=at, via=via, **self.said(at))

    def said(self, at: Instant) -> dict[str, Any]:
        """What the act says."""
        del at
        return {"why": getattr(self, "note", "") or getattr(self, "reason", "")}


class AcknowledgeForm(ByWhom):
    """You are working on it."""

    note: Text = ""
    makes = Acknowledge


class ResolveForm(ByWhom):
    """It is over; the note says what fixed it and is told when it happens again."""

    note: Text = ""
    makes = Resolve


class SuppressForm(ByWhom):
    """Nobody is told of it for so long, or until then, whatever resolves and fires again meanwhile."""

    reason: Text = ""
    duration: Lasting | None = None
    until: AwareDatetime | None = None
    makes = Suppress

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.duration is None) == (self.until is None):
            raise ValueError("give either duration (2h) or until (2026-11-23T08:00:00Z)")
        return self

    def said(self, at: Instant) -> dict[str, Any]:
        until = at + span(self.duration or timedelta()) if self.until is None else instant(self.until)
        if until <= at:
            raise Refused(f"until: {self.until} is over already", status=422)
        if until > LATEST:
            raise Refused("the suppression would end after the year 2200: give a nearer end", status=422)
        return {"why": self.reason, "until": until}


class UnsuppressForm(ByWhom):
    """People are told of it again."""

    reason: Text = ""
    makes = Unsuppress


class ReopenForm(ByWhom):
    """It is not over."""

    reason: Text = ""
    makes = Reopen


class NoteForm(ByWhom):
    """Something to remember about it."""

    note: Text = Field(json_schema_extra={"pattern": r"\S"})
    makes = Note

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.note:
            raise ValueError("note: is empty")
        return self


class AssignForm(ByWhom):
    """Whose it is to look after; null for nobody."""

    assignee: Assignee | None
    note: Text = ""
    makes = Assign

    def said(self, at: Instant) -> dict[str, Any]:
        return ByWhom.said(self, at) | {"to": self.assignee or ""}


class MetadataForm(ByWhom):
    """Facts of your own: each name replaces what it held before, null takes it away."""

    metadata: Metadata
    note: Text = ""
    makes = Amend

    def said(self, at: Instant) -> dict[str, Any]:
        return ByWhom.said(self, at) | {"metadata": self.metadata}


Action = Literal["acknowledge", "resolve", "suppress", "unsuppress", "reopen", "note", "assign", "metadata"]
FORMS: dict[Action, type[ByWhom]] = {
    "acknowledge": AcknowledgeForm,
    "resolve": ResolveForm,
    "suppress": SuppressForm,
    "unsuppress": UnsuppressForm,
    "reopen": ReopenForm,
    "note": NoteForm,
    "assign": AssignForm,
    "metadata": MetadataForm,
}
_OF_ALL = frozenset({"action", "ids", "query", "dry_run"})


class BulkForm(Body):
    """One action on many alerts, given by their ids or by a search; its other fields are those of the action alone."""

    action: Action
    ids: Annotated[list[Annotated[int, Field(ge=1, lt=2**63)]], Field(min_length=1, max_length=MOST_AT_ONCE)] | None = (
        None
    )
    query: Annotated[str, Field(max_length=LONGEST_QUERY)] | None = None
    """A search as in the list of alerts (docs/search.md)."""
    dry_run: bool = False
    """Only say what would be done."""
    who: Person | None = None
    note: Text = ""
    reason: Text = ""
    duration: Lasting | None = None
    until: AwareDatetime | None = None
    assignee: Assignee | None = None
    metadata: Metadata | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.ids is None) == (self.query is None):
            raise ValueError("give either ids or query")
        if self.query is not None and not self.query.strip():
            raise ValueError("query: is empty, which would be all alerts there are: say which")
        self.form()
        return self

    def form(self) -> ByWhom:
        """What the action alone would be asked with. Raises ValueError."""
        form = FORMS[self.action]
        given = self.model_fields_set - _OF_ALL
        if odd := sorted(given - form.model_fields.keys()):
            raise ValueError(f"{odd[0]} does not go with {self.action}")
        try:
            return form.model_validate({name: getattr(self, name) for name in given})
        except ValidationError as error:
            raise ValueError(misfits.told(error)) from None
