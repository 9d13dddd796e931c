"""`alertsage silence`."""

import click


@click.group()
def silence() -> None:
    """Look after silences: add, list, expire, preview."""
