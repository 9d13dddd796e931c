"""Acts of people on alerts: one, several, or all that a query finds."""

import getpass
from dataclasses import dataclass
from typing import Any

import click

from receiver.commands.options import Place
from receiver.commands.outcome import Code, Failed
from receiver.commands.remote import Remote, stranger
from receiver.commands.table import plain
from receiver.commands.where import client, find
from receiver.terminal import json_line

PATHS = {"note": "notes"}
"""Where an act is posted, when that is not its name."""
DONE = {
    "acknowledge": "acknowledged",
    "resolve": "resolved",
    "suppress": "suppressed",
    "unsuppress": "unsuppressed",
    "reopen": "reopened",
    "note": "noted",
    "assign": "assigned",
}


@dataclass(frozen=True, slots=True)
class Doing:
    """An act, as it was said."""

    action: str
    fields: dict[str, Any]
    who: str | None
    ids: tuple[int, ...]
    query: str | None
    """Instead of ids: all that this finds."""


def act(place: Place, doing: Doing, *, sure: bool, as_json: bool) -> None:
    """Do it to all of the alerts or none; those of a query are counted and confirmed first, unless one is sure.

    Raises Failed, click.Abort for a no.
    """
    remote = Remote(find(place))
    who = doing.who or myself()
    body = {"who": who} | doing.fields
    if doing.action == "assign" and "to" not in doing.fields:
        body["to"] = who
    if len(doing.ids) == 1:
        path = f"/api/v1/alerts/{doing.ids[0]}/{PATHS.get(doing.action, doing.action)}"
        _tell(remote.post(path, body), remote, doing, as_json)
        return
    body |= {"action": doing.action}
    if doing.query is None:
        body["ids"] = list(doing.ids)
    else:
        body["query"] = doing.query
        if not sure:
            _ask(remote, body, doing.query, doing)
    told = remote.post("/api/v1/alerts/bulk", body)
    _tell_all(told, remote, doing, as_json)


def myself() -> str:
    """Who acts: what client.yaml says, else the login name. Raises Failed when there is neither."""
    told = client().get("who")
    if told:
        return told
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        raise Failed(Code.MISUSE, "who does this is not known: say it by --who NAME or ALERTSAGE_WHO") from None


def _ask(remote: Remote, body: dict[str, Any], query: str, doing: Doing) -> None:
    """Let the person confirm how many it will be. Raises Failed when there are none, click.Abort for a no."""
    count = _count(remote.post("/api/v1/alerts/bulk", body | {"dry_run": True}), remote)
    if not count:
        raise Failed(Code.NOTHING, f"no alert is found by {query}")
    what = f"{count} alert{'' if count == 1 else 's'}"
    click.confirm(f"{doing.action.capitalize()} {what} found by {plain(query)}?", abort=True, err=True)


def _tell_all(told: dict[str, Any], remote: Remote, doing: Doing, as_json: bool) -> None:
    count = _count(told, remote)
    if as_json:
        click.echo(json_line(told))
    elif count:
        click.echo(f"{DONE[doing.action]} {count} alert{'' if count == 1 else 's'}")
    if not count:
        raise Failed(Code.NOTHING, "no alert is found by that query")


def _count(told: dict[str, Any], remote: Remote) -> int:
    count = told.get("count")
    if not isinstance(count, int):
        raise stranger(remote.url)
    return count


def _tell(alert: dict[str, Any], remote: Remote, doing: Doing, as_json: bool) -> None:
    if "id" not in alert or "title" not in alert:
        raise stranger(remote.url)
    click.echo(json_line(alert) if as_json else f"{DONE[doing.action]} {alert['id']}  {plain(str(alert['title']))}")
