"""The database that the settings name."""

from receiver.settings.model import Database as Settings
from receiver.store.database import Database
from receiver.store.postgres import Postgres
from receiver.store.sqlite import Sqlite


def open_database(settings: Settings) -> Database:
    """The database, not yet opened."""
    if settings.path is not None:
        busy = settings.busy_timeout.total_seconds()
        return Sqlite(settings.path, busy_timeout=busy, read_connections=settings.read_connections)
    password = settings.password.get_secret_value() if settings.password else None
    seconds = settings.timeout.total_seconds()
    return Postgres(settings.url, password, timeout=seconds, read_connections=settings.read_connections)
