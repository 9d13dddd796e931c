"""When alerts began and what became of it each time, as SQL.

An opening is found in the row of its alert. So is what became of the last time that the alert began; that of others is
searched among its Changes.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, func, literal, or_, select, text

from receiver.domain.changes import ACTS, ANSWERS
from receiver.domain.patterns import ANEW, EXPIRED, HUSHED, LOST
from receiver.domain.vocabulary import Kind, Status
from receiver.store.tables import REOPENED, alert, change

_ANSWERS = tuple(sorted(kind.value for kind in ANSWERS))
_ACTS = tuple(sorted(kind.value for kind in ACTS))
_again = change.alias("begun_again")
_opening, _earlier, _after = (change.alias(name) for name in ("opening", "earlier", "after"))


@dataclass(frozen=True, slots=True)
class Beginnings:
    """Those `rows` that are beginnings of one kind, each with its alert."""

    rows: FromClause
    which: ColumnElement[bool]
    at: ColumnElement[int]
    alert_id: ColumnElement[int]
    seq: ColumnElement[int]
    status: ColumnElement[Any]
    """Where it left the alert."""
    before: ColumnElement[Any]
    """When the same alert began the time before."""

    def told(self) -> Select[Any]:
        """The columns of a Times, by short names, and `seq`."""
        return select(
            self.alert_id.label("alert_id"),
            self.at.label("at"),
            self.before.label("before"),
            self._traits().label("traits"),
            alert.c.name,
            (alert.c.source + " " + alert.c.category + " " + alert.c.priority).label("kind"),
            alert.c.subject,
            self._ended().label("ended"),
            self._acted().label("acted"),
            self.seq.label("seq"),
        ).select_from(self.rows)

    def _row_knows(self) -> ColumnElement[bool]:
        """What became of it stands in the row."""
        return and_(alert.c.began_seq == self.seq, alert.c.fate_seq == alert.c.change_count)

    def _traits(self) -> ColumnElement[int]:
        later = change.alias("later")
        following = and_(later.c.alert_id == self.alert_id, later.c.seq > self.seq)
        again = select(later.c.seq).where(following, _kind(later) == Kind.REOPENED.value)
        last = case((self._row_knows(), EXPIRED), (_found(again, later), 0), else_=EXPIRED)
        expired = case((alert.c.status == Status.EXPIRED.value, last), else_=0)
        return case((self.status == Status.SUPPRESSED.value, HUSHED), else_=0) + expired

    def _ended(self) -> ColumnElement[Any]:
        a, lost = _after.c, change.alias("lost")
        between = and_(lost.c.alert_id == a.alert_id, lost.c.seq > self.seq, lost.c.seq < a.seq)
        expired = select(lost.c.seq).where(between, _kind(lost) == Kind.EXPIRED.value).correlate_except(lost)
        end = case((_kind(_after) == Kind.RESOLVED.value, a.at), (expired.exists(), LOST), else_=ANEW)
        found = self._first_after(end, _kind(_after).in_((Kind.RESOLVED.value, Kind.REOPENED.value)))
        return case((self._row_knows(), func.nullif(alert.c.over_at, 0)), else_=found)

    def _acted(self) -> ColumnElement[Any]:
        a, answer, again = _after.c, change.alias("answer"), change.alias("again")
        anew = and_(again.c.alert_id == answer.c.alert_id, _kind(again) == Kind.REOPENED.value)
        between = select(again.c.seq).where(anew, again.c.seq > a.seq, again.c.seq < answer.c.seq)
        before = between.correlate_except(again).exists()
        later = select(-answer.c.at).where(answer.c.alert_id == a.alert_id, answer.c.seq > a.seq, ~before)
        later = later.where(_kind(answer).in_(_ANSWERS), _by_a_person(answer))
        later = later.order_by(answer.c.seq).limit(1).correlate_except(answer)
        done = case(
            (_kind(_after) == Kind.REOPENED.value, None),
            (_kind(_after).in_(_ANSWERS), a.at),
            else_=func.coalesce(later.scalar_subquery(), -1),
        )
        sought = or_(_kind(_after) == Kind.REOPENED.value, and_(_kind(_after).in_(_ACTS), _by_a_person(_after)))
        return case((self._row_knows(), alert.c.heeded), else_=self._first_after(done, sought))

    def _first_after(self, shown: ColumnElement[Any], sought: ColumnElement[bool]) -> ColumnElement[Any]:
        """Of the first Change after it that is sought."""
        wanted = select(shown).where(_after.c.alert_id == self.alert_id, _after.c.seq > self.seq, sought)
        return wanted.order_by(_after.c.seq).limit(1).correlate_except(_after).scalar_subquery()


def _found(sought: Select[Any], among: FromClause) -> ColumnElement[bool]:
    """There is one, looked up for each row: PostgreSQL would answer `EXISTS` by reading all Changes first."""
    return sought.limit(1).correlate_except(among).scalar_subquery().is_not(None)


def _kind(of: FromClause) -> ColumnElement[str]:
    """The kind as no index knows it: PostgreSQL would go through a whole one of them for the Changes of one alert."""
    return func.coalesce(of.c.kind, "")


def _by_a_person(of: FromClause) -> ColumnElement[bool]:
    """As `changes.by_a_person` decides it."""
    return case((func.substr(of.c.who, 1, 7) == "source:", of.c.who.like("%)")), else_=of.c.who != "alertsage")


def _openings() -> Beginnings:
    opening = select(_opening.c.status).where(
        _opening.c.alert_id == alert.c.id, _opening.c.seq == 1, _kind(_opening) == Kind.OPENED.value
    )
    return Beginnings(
        alert,
        or_(alert.c.opened_as != "", _found(opening, _opening)),
        at=alert.c.created_at,
        alert_id=alert.c.id,
        seq=literal(1),
        status=func.coalesce(func.nullif(alert.c.opened_as, ""), opening.correlate_except(_opening).scalar_subquery()),
        before=literal(None),
    )


def _reopenings() -> Beginnings:
    earlier = select(_earlier.c.at).where(
        _earlier.c.alert_id == _again.c.alert_id,
        _earlier.c.seq < _again.c.seq,
        _kind(_earlier).in_((Kind.OPENED.value, Kind.REOPENED.value)),
    )
    last = earlier.order_by(_earlier.c.seq.desc()).limit(1).correlate_except(_earlier).scalar_subquery()
    return Beginnings(
        _again.join(alert, alert.c.id == _again.c.alert_id),
        text(f"begun_again.{REOPENED}"),  # type: ignore[arg-type]
        at=_again.c.at,
        alert_id=_again.c.alert_id,
        seq=_again.c.seq,
        status=_again.c.status,
        before=func.coalesce(last, 0),
    )


OPENINGS, REOPENINGS = _openings(), _reopenings()
BEGINNINGS = (OPENINGS, REOPENINGS)
