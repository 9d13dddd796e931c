"""Commands that look: alerts, show, tail, sources, stats."""

import click

from receiver.commands.options import ID, JSON, Place, asks, searched

SORTS = ("priority", "newest", "started_at", "last_seen_at", "notification_count")


@click.command()
@asks
@JSON
@click.option("--sort", type=click.Choice(SORTS), default=SORTS[0], show_default=True, help="What comes first.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, metavar="N", help="At most N.")
@click.option("--all", "everything", is_flag=True, help="All of them, however many.")
@click.argument("query", nargs=-1)
def alerts(place: Place, query: tuple[str, ...], sort: str, limit: int, everything: bool, as_json: bool) -> None:  # noqa: PLR0913, PLR0917 - one an option
    """List alerts: the open ones, most urgent first.

    QUERY narrows the list, e.g. 'priority:critical category:database "disk" age>1h'; one that says status:resolved,
    status:closed or the like lists those. Put it in single quotes, and -- before one that begins with -.
    """
    from receiver.commands.listing import alerts

    alerts(place, searched(" ".join(query), "open"), sort, None if everything else limit, as_json=as_json)


@click.command()
@asks
@JSON
@click.argument("alert", type=ID, metavar="ID")
def show(place: Place, alert: int, as_json: bool) -> None:
    """Show one alert: what it is, what to do, what happened to it and what helped before."""
    from receiver.commands.listing import one

    one(place, alert, as_json=as_json)


@click.command()
@asks
@JSON
@click.option("--since", metavar="DURATION", help="Begin with what happened so long ago, e.g. 10m. Default: now.")
@click.option("--interval", metavar="DURATION", default="2s", show_default=True, help="How often to ask the server.")
@click.argument("query", nargs=-1)
def tail(place: Place, since: str | None, interval: str, query: tuple[str, ...], as_json: bool) -> None:
    """Print what happens to alerts, as it happens, until Ctrl-C.

    A line for each: the time (of this machine's zone), the alert's number, its priority, what was done to it, its
    title, by whom and why. With QUERY only for alerts that it finds. When the server goes away it is told once, and
    what happened meanwhile is printed when the server is back.
    """
    from receiver.commands.options import length
    from receiver.commands.tailing import tail

    begun = None if since is None else length(since, "--since")
    tail(place, " ".join(query), begun, length(interval, "--interval"), as_json=as_json)


@click.command()
@asks
@JSON
def sources(place: Place, as_json: bool) -> None:
    """List the senders: when each was last heard, and how much it has told."""
    from receiver.commands.listing import sources

    sources(place, as_json=as_json)


@click.command()
@asks
@JSON
def stats(place: Place, as_json: bool) -> None:
    """Count the alerts by status, priority, category and source."""
    from receiver.commands.listing import stats

    stats(place, as_json=as_json)
