"""The store: everything durable. The only home of SQLAlchemy and of SQL."""

from receiver.store.database import Database
from receiver.store.filelock import unusable
from receiver.store.plan import Content, Plan
from receiver.store.postgres import Postgres
from receiver.store.queries import AlertQuery, Gauges, Page, Receipt
from receiver.store.spool import Spool, Spooled
from receiver.store.sqlite import Sqlite
from receiver.store.store import Store

__all__ = [
    "AlertQuery",
    "Content",
    "Database",
    "Gauges",
    "Page",
    "Plan",
    "Postgres",
    "Receipt",
    "Spool",
    "Spooled",
    "Sqlite",
    "Store",
    "unusable",
]
