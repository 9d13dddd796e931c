"""The store: everything durable. The only home of SQLAlchemy and of SQL."""

from receiver.store.engine import unusable
from receiver.store.plan import Content, Plan
from receiver.store.queries import AlertQuery, Gauges, Page, Receipt
from receiver.store.spool import Spool, Spooled
from receiver.store.store import Store

__all__ = ["AlertQuery", "Content", "Gauges", "Page", "Plan", "Receipt", "Spool", "Spooled", "Store", "unusable"]
