"""What handlers find on the application."""

from aiohttp import web

from receiver.flow.accept import Into
from receiver.flow.configuration import Configuration
from receiver.meters import Meters
from receiver.store import Store
from receiver.web.underway import Underway

CONFIGURATION = web.AppKey("configuration", Configuration)
STORE = web.AppKey("store", Store)
METERS = web.AppKey("meters", Meters)
INTO = web.AppKey("into", Into)
UNDERWAY = web.AppKey("underway", Underway)
SOURCE = web.RequestKey("source", str)
"""The configured source an intake request is for, once that is known."""
