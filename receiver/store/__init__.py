"""The store: everything durable. The only home of SQLAlchemy and of SQL."""

from sqlalchemy import Connection

from receiver.store.batch import BATCH_PART
from receiver.store.database import Database
from receiver.store.filelock import unusable
from receiver.store.opening import open_database
from receiver.store.plan import Content, Plan
from receiver.store.postgres import Postgres
from receiver.store.queries import AlertQuery, Gauges, Page, Position, Receipt
from receiver.store.spool import Spool, Spooled
from receiver.store.sqlite import Sqlite
from receiver.store.store import Store

__all__ = [
    "BATCH_PART",
    "AlertQuery",
    "Connection",
    "Content",
    "Database",
    "Gauges",
    "Page",
    "Plan",
    "Position",
    "Postgres",
    "Receipt",
    "Spool",
    "Spooled",
    "Sqlite",
    "Store",
    "open_database",
    "unusable",
]
