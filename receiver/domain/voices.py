"""What a sender never says, from the kinds of webhook it has spoken with."""

from collections.abc import Mapping

TROUBLES = ("event_alert", "error", "legacy")
"""Sentry's webhooks that tell of troubles but not of their ends."""
ENDS = "issue"
"""The one that tells both."""
ENOUGH = 3
"""So many of the former without one of the latter are no accident: each new issue sends one of it as well."""


def never_resolves(heard: Mapping[str, int]) -> bool:
    """True when the sender tells of troubles but is not set up to tell of their ends (sentry#117586)."""
    return sum(heard.get(voice, 0) for voice in TROUBLES) >= ENOUGH and not heard.get(ENDS)
