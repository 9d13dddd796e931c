"""Alerts as enrichers see them, made for tests."""

from typing import Any
from urllib.parse import urlencode

from enrichers import AlertView, Context
from enrichers.chain import Described, describe
from enrichers.shipped import SHIPPED
from receiver.domain.rules import Book
from receiver.domain.sighting import Sighting
from receiver.rulebook import load_book

BOOK = load_book()


class Shipped:
    """A shipped enricher with its default settings."""

    def __init__(self, name: str, made: Any) -> None:
        self.name = name
        self.call = made() if isinstance(made, type) else made


CHAIN = [Shipped(name, made) for name, made in SHIPPED.items()]


def graph(expr: str) -> str:
    """Prometheus' generatorURL for an expression."""
    return f"http://prometheus.example.org/graph?{urlencode({'g0.expr': expr, 'g0.tab': 1})}"


def sighting(
    called: str = "Down", /, expr: str = "", annotations: dict[str, str] | None = None, **labels: str
) -> Sighting:
    """A firing alert."""
    named = {"alertname": called} if called else {}
    url = graph(expr) if expr else ""
    return Sighting("am", "alertmanager", "f", True, named | labels, annotations or {}, 0, generator_url=url)


def explained(told: Sighting, book: Book = BOOK, **context: Any) -> Described:
    """The alert after the whole shipped chain."""
    return describe(CHAIN, told, Context(now=context.pop("now", 0), rules=book, **context))


def view(
    called: str = "Down", /, expr: str = "", annotations: dict[str, str] | None = None, **labels: str
) -> AlertView:
    """The alert after the whole shipped chain."""
    return explained(sighting(called, expr, annotations, **labels)).view
