"""`alertsage patterns`."""

import click


@click.group()
def patterns() -> None:
    """Tell."""
