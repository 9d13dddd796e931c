"""Options that several commands have."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

F = TypeVar("F", bound=Callable[..., Any])
FILE = click.Path(path_type=Path)
CONFIG = click.option(
    "--config", type=FILE, metavar="FILE", help="The configuration file. Default: config.yaml here, if there is one."
)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a line, as the API gives it.")
WHO = click.option(
    "--who",
    envvar="ALERTSAGE_WHO",
    show_envvar=True,
    metavar="NAME",
    help="Who does it. Default: `who` of client.yaml, else the login name.",
)
ID = click.IntRange(min=1, max=2**63 - 1)


_OF_ANY_STATUS = re.compile(r"(?:^|\s)-?(?:status|id):")


@dataclass(frozen=True, slots=True)
class Place:
    """What was said of where the server is."""

    server: str | None
    token_file: Path | None
    config: Path | None
    named: bool
    """True when a server or a token was named on the command line."""
    own: bool
    """True when the command line names a configuration and no server: that one's server is meant."""


def asks(command: F) -> F:
    """Give a command that talks to a server the options that say which; it gets them as its argument `place`."""

    @click.option(
        "--server", envvar="ALERTSAGE_URL", show_envvar=True, metavar="URL", help="The server. Default: see --help."
    )
    @click.option(
        "--token-file",
        type=FILE,
        envvar="ALERTSAGE_TOKEN_FILE",
        show_envvar=True,
        metavar="FILE",
        help="Holds its token. Default: what ALERTSAGE_TOKEN holds.",
    )
    @CONFIG
    @wraps(command)
    def asking(server: str | None, token_file: Path | None, config: Path | None, **others: Any) -> Any:
        source = click.get_current_context().get_parameter_source
        line = [name for name in ("server", "token_file", "config") if source(name) is ParameterSource.COMMANDLINE]
        if "token_file" not in line and token_file is not None:
            from receiver.commands.surroundings import own_token

            token_file = None if own_token() else token_file
        own = "config" in line and "server" not in line
        named = "server" in line or "token_file" in line
        return command(place=Place(None if own else server, token_file, config, named, own), **others)

    return asking  # type: ignore[return-value]  # the same command with more options


def length(told: str, option: str) -> timedelta:
    """The length of time that the option tells. Raises click.BadParameter."""
    from receiver.settings.units import parse_duration

    try:
        return parse_duration(told)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def searched(query: str, statuses: str) -> str:
    """The query that is meant: of these statuses, unless it says itself of which, or names alerts by their number."""
    query = query.strip()
    return (
        query if _OF_ANY_STATUS.search(query) else f"{query} status:{statuses}".strip()
    )  # behind it, so that the places of mistakes in it are right
