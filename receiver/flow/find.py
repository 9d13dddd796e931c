"""Searches as queries to the store."""

import re2

from receiver.domain.search import Search, Unreadable, parse
from receiver.domain.searchterms import Label
from receiver.domain.times import Instant
from receiver.sources.text import clean
from receiver.store import AlertQuery


def query(text: str, now: Instant) -> AlertQuery:
    """What the search asks of the store, newest first. Raises Unreadable."""
    return AlertQuery(search=search(text, now))


def search(text: str, now: Instant) -> Search:
    """Read a search (docs/search.md) and try its regular expressions. Raises Unreadable."""
    found = parse(clean(text), now)
    for term in found.terms:
        if isinstance(term, Label) and term.pattern:
            _try(term)
    return found


def _try(term: Label) -> None:
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(term.value, options)
    except re2.error as error:
        why = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise Unreadable(f"{term.value[:80]!r} is no regular expression (RE2): {why[:100]}", term.at) from None
