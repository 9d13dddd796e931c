"""What handlers find on the application."""

from aiohttp import web

from receiver.flow.accept import Into
from receiver.flow.configuration import Configuration
from receiver.flow.patterns import Patterns
from receiver.flow.tokens import Keeper
from receiver.meters import Meters
from receiver.store import Store
from receiver.web.attempts import Attempts
from receiver.web.security import Caller
from receiver.web.underway import Underway

CONFIGURATION = web.AppKey("configuration", Configuration)
STORE = web.AppKey("store", Store)
PATTERNS = web.AppKey("patterns", Patterns)
METERS = web.AppKey("meters", Meters)
TOKENS = web.AppKey("tokens", Keeper)
INTO = web.AppKey("into", Into)
ATTEMPTS = web.AppKey("attempts", Attempts)
UNDERWAY = web.AppKey("underway", Underway)
CALLER = web.RequestKey("caller", Caller)
"""Who asks, on routes that ask for a token."""
SOURCE = web.RequestKey("source", str)
"""The configured source an intake request is for, once that is known."""
