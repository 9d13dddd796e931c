"""How commands end: exit codes, and one plain sentence for what went wrong."""

from enum import IntEnum
from typing import IO, Any

import click


class Code(IntEnum):
    """What the exit code of a command that talks to a server says."""

    DONE = 0
    NOTHING = 1
    """Nothing was found, or the act does not fit what the alert is by now."""
    MISUSE = 2
    """The command, the query or a file is written wrongly."""
    AWAY = 3
    """The server cannot be reached, is busy, or is no alertsage."""
    FORBIDDEN = 4
    """The token is missing or wrong, or may not do this."""


class Failed(click.ClickException):
    """The command ends here, with that code and one sentence on standard error."""

    def __init__(self, code: Code, sentence: str) -> None:
        super().__init__("".join(c if c.isprintable() else " " for c in sentence[:2000]))
        self.exit_code = int(code)  # type: ignore[misc]  # click reads it of the exception that was raised

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence."""
        click.echo(self.message, file=file, err=file is None)
