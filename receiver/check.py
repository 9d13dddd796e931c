"""`alertsage check`: everything that can be wrong before anything runs, all of it at once."""

from pathlib import Path

from receiver.errors import Mistakes, gathered
from receiver.flow.setup import book_of
from receiver.plugins import load_enrichers
from receiver.rulebook import prove
from receiver.settings import Settings, attempt
from receiver.store import unusable


def check(config: Path | None) -> str:
    """Check the settings, import the enrichers, read the rules and try their own examples.

    Returns one line that says what there is. Raises Mistakes with every mistake of every kind.
    """
    settings, mistakes = attempt(config)
    if settings.database.path and (problem := unusable(settings.database.path)):
        mistakes.append(settings.mistake(("database", "url"), problem))
    enrichers = rules = examples = silences = 0
    with gathered(mistakes):
        enrichers = len(load_enrichers(settings))
    with gathered(mistakes):
        book = book_of(settings)
        mistakes += prove(book)
        proven = [rule.examples for rule in book.rules] + [rule.examples for rule in book.adjustments.rules]
        rules, examples = len(proven), sum(map(len, proven))
        silences = len(book.silences)
    if mistakes:
        raise Mistakes(mistakes)
    counts = [_count(len(settings.sources), "source"), _count(enrichers, "enricher"), _count(rules, "rule")]
    if silences:
        counts.insert(2, _count(silences, "silence"))
    return f"{_name(settings)}: ok: {', '.join(counts)} ({_count(examples, 'example')})"


def _name(settings: Settings) -> str:
    document = settings.origin.document
    return document.file if document.lines else "defaults"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
