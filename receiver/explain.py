"""`alertsage explain`: what alertsage makes of webhook bodies, without server or store."""

from collections.abc import Sequence

import click

from receiver.bodies import Unread, sightings
from receiver.domain import times
from receiver.domain.enrichment import History
from receiver.explained import printer
from receiver.flow.rehearse import Rehearsal
from receiver.settings import Settings


def explain(paths: Sequence[str], settings: Settings, as_json: bool, source: str | None = None) -> int:
    """Print every alert of the files (`-` is standard input), explained; returns the exit code.

    Each body is read as one of the named source, else by its form. 0 when all was read, 1 when a body or an alert
    could not be. Raises Mistakes for a file that cannot be read and for a source that is not configured.
    """
    show, unread = printer(as_json), Unread()
    with Rehearsal(settings) as rehearsal:
        for sighting in sightings(paths, settings, source, unread):
            explained = rehearsal.explain(sighting, History(episodes=(times.now(),), notification_count=1))
            click.echo(show(explained))
    return unread.tell()
