"""The settings of alertsage: read, checked, frozen. The only place that reads the environment."""

from receiver.settings.load import load
from receiver.settings.model import SHIPPED, Settings

__all__ = ["SHIPPED", "Settings", "load"]
