"""The forms of the rule book, for the API's document."""

from typing import Literal

from receiver.web.shapes import Unreadable
from receiver.web.table import Answer, Query

RuleKind = Literal["recommendation", "adjustment"]


class RuleForm(Answer):
    """One rule."""

    id: str
    kind: RuleKind
    rank: int | None
    """The higher, the earlier it speaks; adjustments have none."""
    recommendations: int
    sets: str | None
    """What an adjustment sets."""
    file: str
    line: int
    replaces: str | None
    """`file:line` of the shipped rule that it stands in for."""
    switched_off_by: str | None
    """`file:line` of what switched it off."""


class RuleText(RuleForm):
    """One rule with its text as written."""

    text: str


class RuleList(Answer):
    """Rules in the order in which they speak; at last those that are switched off."""

    rules: list[RuleForm]
    next: None
    """There is but one page."""


class RuleTexts(Answer):
    """The rules of one id: a recommendation and an adjustment may share it."""

    rules: list[RuleText]


class TrialForm(Answer):
    """One test of a rule's condition, or a group of them."""

    depth: int
    test: str
    held: bool
    saw: str | None
    """The alert's own value; null for a group."""


class Judged(Answer):
    """What one rule says of an alert, and why."""

    id: str
    kind: RuleKind
    applies: bool
    rank: int | None
    sets: str | None
    says: list[str]
    file: str
    line: int
    why: list[TrialForm]


class TriedAlert(Answer):
    """One alert of the body as it would be described, and the rules that apply."""

    name: str
    title: str
    priority: str
    category: str
    rules: list[Judged]


class Tried(Answer):
    """A webhook's alerts before the rules in force."""

    alerts: list[TriedAlert]
    left_out: int
    """So many alerts behind the first ones were not tried."""
    unread: list[Unreadable]


class ListRules(Query):
    """Which rules are listed."""

    q: str = ""
    """Words that must all stand in the rule, its id or its place."""


class TryParameters(Query):
    """How a webhook is tried."""

    source: str = ""
    """The source that it would come to; else its kind is known by its form."""
    rule: str = ""
    """Only this rule, whether it applies or not."""
