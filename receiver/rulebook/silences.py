"""`silences.yaml`: silences and maintenance windows that stand in a file."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from receiver.domain import times
from receiver.domain.silences import Draft, SilenceRule
from receiver.domain.times import Instant, Span, instant, span
from receiver.errors import Mistake
from receiver.rulebook.form import Form
from receiver.settings.units import parse_duration
from receiver.silencing import Misfit, drafted
from receiver.yamlfile import Document

FILE = "silences.yaml"
KEYS = ("id", "matchers", "comment", "starts_at", "ends_at", "lasts", "schedule", "zone", "by", "enabled")
_TEXTS = ("comment", "starts_at", "ends_at", "schedule", "zone", "by")


def _problems(document: Document, number: int, written: Mapping[str, Any]) -> Iterator[Mistake]:
    """What is wrong with a silence."""
    wrong = False
    for key in _TEXTS:
        if not isinstance(written.get(key, ""), str):
            wrong = True
            yield document.mistake((number, key), "is not a text")
    given = written.get("matchers", "")
    if not isinstance(given, str) and not (isinstance(given, list) and all(isinstance(one, str) for one in given)):
        wrong = True
        yield document.mistake((number, "matchers"), 'is not a list of texts like alertname="Down"')
    if wrong or "matchers" not in written or "comment" not in written:
        return
    try:
        _proved(_draft(written))
    except Misfit as misfit:
        place = (number, misfit.field) if misfit.field in written else (number,)
        sentence = misfit.sentence if misfit.field in written else f"{misfit.field} {misfit.sentence}"
        yield document.mistake(place, sentence)


def _proved(draft: Draft) -> None:
    """Raises Misfit. One that is over may stay in the file."""
    if draft.lasts and draft.starts_at is None and not draft.schedule:
        raise Misfit("lasts", "needs starts_at (or a schedule): a file is read more than once")
    now = times.now()
    drafted(draft, now if draft.ends_at is None else min(now, draft.ends_at - 1))


def _draft(written: Mapping[str, Any]) -> Draft:
    given = written["matchers"]
    return Draft(
        matchers=(given,) if isinstance(given, str) else tuple(given),
        comment=written["comment"],
        starts_at=_moment(written, "starts_at"),
        ends_at=_moment(written, "ends_at"),
        lasts=_length(written.get("lasts")),
        schedule=written.get("schedule", ""),
        zone=written.get("zone", ""),
    )


def _moment(written: Mapping[str, Any], key: str) -> Instant | None:
    if key not in written:
        return None
    try:
        moment = datetime.fromisoformat(written[key])
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.year == 1:
        raise Misfit(key, "is not a moment with its offset, e.g. 2026-12-24T20:00:00+01:00")
    return instant(moment)


def _length(told: Any) -> Span:
    if told is None:
        return 0
    try:
        return span(parse_duration(told))
    except ValueError as error:
        raise Misfit("lasts", str(error)) from None


def _make(document: Document, number: int, written: Mapping[str, Any]) -> SilenceRule:
    by = written.get("by", "").strip() or FILE
    return SilenceRule(written["id"], _draft(written), by, document.file, document.line((number,)))


SILENCING = Form(keys=KEYS, needed=("matchers", "comment"), problems=_problems, make=_make)
