"""The settings of alertsage: read, checked, frozen. The only place that reads the environment."""

from receiver.settings.environment import own_token
from receiver.settings.load import attempt, load, unprotected
from receiver.settings.model import SHIPPED, Settings
from receiver.settings.secretfiles import read_secret

__all__ = ["SHIPPED", "Settings", "attempt", "load", "own_token", "read_secret", "unprotected"]
