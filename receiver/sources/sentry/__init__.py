"""Sentry's webhooks: the integration platform's, and the legacy plugin's (reference: getsentry/sentry, sentry_apps).

What arrives, and what it does to an alert, is in `hooks`; what is said of an issue, in `issue` and `metric`; what is
kept of an event, in `event`.
"""

from receiver.sources.sentry.hooks import HEADERS, join, parse
from receiver.sources.sentry.strip import strip

__all__ = ["HEADERS", "join", "parse", "strip"]
