"""The enrichers that come with alertsage and look beyond the alert: deferred, and off until they are configured."""

from collections.abc import Mapping
from typing import Any

from enrichers.live.extract import Extract
from enrichers.live.prometheus import Prometheus
from enrichers.live.request import Http
from enrichers.live.table import Table

LIVE: Mapping[str, type[Any]] = {"prometheus": Prometheus, "http": Http, "table": Table, "extract": Extract}
"""By name: `enrichers: {http: ...}`, or under any other name with `use: http`."""
