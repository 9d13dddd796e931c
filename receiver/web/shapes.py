"""Other forms, for the API's document: problems, webhooks and what they are answered, the quarantine, a reload."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict

from receiver.web.forms import Id
from receiver.web.table import Answer, Body


class Problem(Answer):
    """A problem document (RFC 9457): what is wrong, in one plain sentence."""

    type: Literal["about:blank"]
    title: str
    """The name of the status."""
    status: int
    detail: str
    """The sentence: what is wrong and what to do instead."""


class Kept(Answer):
    """An alert that could not be read."""

    id: Id
    at: datetime
    source: str
    reason: str
    excerpt: str
    """The start of what was sent."""


class Quarantine(Answer):
    """What was kept aside."""

    quarantined: list[Kept]


class SendersOwn(Body):
    """A webhook in its sender's own form: each kind of sender has a page that shows it."""

    model_config = ConfigDict(extra="allow")


class Unreadable(Answer):
    """An alert of the webhook that could not be read."""

    index: int
    """Its place in the body, from 0."""
    reason: str


class Taken(Answer):
    """What became of a webhook."""

    received: int
    """Alerts in it."""
    truncated: int
    """Alerts that its sender left out."""
    quarantined: list[Unreadable]
    outcomes: dict[str, int]
    """How many were `opened`, `repeated`, `resolved`, ..."""
    ignored: str
    """What it was when it concerns no alert."""
    spooled: bool
    """True (with 202) when it is safe on the disk but not in the database yet."""


class ToSentry(Answer):
    """What Sentry shows to somebody who saves an alert rule with alertsage as its action."""

    message: str


class Reloaded(Answer):
    """What a reload did."""

    reloaded: Literal[True]
    needs_restart: list[str]
    """Settings that changed, but only a restart puts in force."""
