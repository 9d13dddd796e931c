"""`alertsage explain`."""

import sys

import click

from receiver.commands.options import JSON, Place, asks


@click.command()
@asks
@JSON
@click.option("--source", metavar="NAME", help="Read the bodies as this source's. Default: by their form.")
@click.option("--alert", type=click.IntRange(min=1), metavar="ID", help="Ask a running server for this alert instead.")
@click.argument("files", nargs=-1, metavar="FILES...|-")
def explain(place: Place, files: tuple[str, ...], as_json: bool, source: str | None, alert: int | None) -> None:
    """Say what alertsage makes of an alert: without server or database, or with its history from a running server.

    FILES hold webhook bodies as senders post them: one, a JSON array of them, or one a line; - reads standard input.
    Bodies of a generic source need its --source. With --alert a server is asked for one of its alerts.
    """
    if alert is not None:
        from receiver.commands.listing import one

        if files or source:
            raise click.UsageError("--alert asks a server: it takes neither FILES nor --source")
        one(place, alert, as_json=as_json)
        return
    from receiver.explain import explain
    from receiver.settings import load

    if place.named:
        raise click.UsageError("--server and --token-file go with --alert ID")
    if not files:
        raise click.UsageError("name FILES with webhook bodies, - for standard input, or --alert ID")
    sys.exit(explain(files, load(place.config), as_json, source))
