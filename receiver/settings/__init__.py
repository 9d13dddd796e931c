"""The settings of alertsage: read, checked, frozen. The only place that reads the environment."""

from receiver.settings.load import attempt, load, unprotected
from receiver.settings.model import SHIPPED, Settings

__all__ = ["SHIPPED", "Settings", "attempt", "load", "unprotected"]
