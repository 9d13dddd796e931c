"""`alertsage silence`: matchers and a time in which nobody is told."""

import click

from receiver.commands.options import ID, JSON, WHO, Place, asks


@click.group()
def silence() -> None:
    """Look after silences: add, list, expire, preview.

    A silence suppresses the alerts that all of its matchers fit, while it is active: 'alertname="DiskFull"',
    'instance=~"db-.*"', 'severity!="critical"', as Alertmanager reads them.
    """


@silence.command()
@asks
@JSON
@WHO
@click.option("--comment", "-m", required=True, metavar="TEXT", help="Why nobody is to be told.")
@click.option("--for", "lasts", metavar="DURATION", help="How long it is active, e.g. 2h; with --schedule each time.")
@click.option("--from", "starts_at", metavar="MOMENT", help="When it begins, e.g. 2026-11-28T06:00:00Z. Default: now.")
@click.option("--until", "ends_at", metavar="MOMENT", help="When it ends; with --schedule: for good.")
@click.option("--schedule", metavar="CRON", help='Begin again and again, e.g. "0 2 * * SUN"; goes with --for.')
@click.option("--zone", metavar="ZONE", help="Time zone of --schedule, e.g. Europe/Berlin. Default: this machine's.")
@click.argument("matchers", nargs=-1, required=True, metavar="MATCHERS...")
def add(place: Place, matchers: tuple[str, ...], as_json: bool, **fields: str | None) -> None:
    """Add a silence, from now on or in a window that recurs. Put each of the MATCHERS in single quotes."""
    if not fields["lasts"] and (fields["schedule"] or not fields["ends_at"]):
        raise click.UsageError("say how long: --for DURATION" + ("" if fields["schedule"] else " or --until MOMENT"))
    from receiver.commands.silencing import add

    add(place, matchers, fields, as_json=as_json)


@silence.command("list")
@asks
@JSON
@click.option(
    "--state",
    metavar="STATE",
    default="active,pending",
    show_default=True,
    help="Which: active, pending, expired, with commas between.",
)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, metavar="N", help="At most N.")
@click.option("--all", "everything", is_flag=True, help="All of them, however many.")
def list_(place: Place, state: str, limit: int, everything: bool, as_json: bool) -> None:
    """List silences, the newest first."""
    from receiver.commands.silencing import listing

    listing(place, state, None if everything else limit, as_json=as_json)


@silence.command()
@asks
@JSON
@WHO
@click.argument("ids", nargs=-1, required=True, type=ID, metavar="ID...")
def expire(place: Place, ids: tuple[int, ...], who: str | None, as_json: bool) -> None:
    """End silences now. Their alerts are told again."""
    from receiver.commands.silencing import expire

    expire(place, ids, who, as_json=as_json)


@silence.command()
@asks
@JSON
@click.argument("matchers", nargs=-1, required=True, metavar="MATCHERS...")
def preview(place: Place, matchers: tuple[str, ...], as_json: bool) -> None:
    """Show which open alerts a silence would hold. Exits with 1 when there are none."""
    from receiver.commands.silencing import preview

    preview(place, matchers, as_json=as_json)
