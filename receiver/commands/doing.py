"""Acts of people on alerts: one, several, or all that a query finds."""

import getpass
from dataclasses import dataclass
from typing import Any

import click

from receiver.commands.options import Place, searched
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


FITTING = {"acknowledge": "active,acknowledged", "unsuppress": "suppressed", "reopen": "closed"}
"""Which alerts a query that does not say their status is about; for other acts the open ones."""


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
    if doing.action == "assign":
        body["assignee"] = doing.fields.get("assignee", who) or None
    if len(doing.ids) == 1:
        path = f"/api/v1/alerts/{doing.ids[0]}/{PATHS.get(doing.action, doing.action)}"
        _tell(remote.post(path, body), remote, doing, as_json)
        return
    body |= {"action": doing.action}
    if doing.query is None:
        body["ids"] = list(doing.ids)
    else:
        body["query"] = searched(doing.query, FITTING.get(doing.action, "open"))
        if not sure:
            _ask(remote, body, doing)
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


def _ask(remote: Remote, body: dict[str, Any], doing: Doing) -> None:
    """Let the person confirm how many it will be. Raises Failed when there are none, click.Abort for a no."""
    told = remote.post("/api/v1/alerts/bulk", body | {"dry_run": True})
    changed, skipped = _counts(told, remote)
    if not changed:
        raise Failed(Code.NOTHING, _nothing(skipped, doing))
    click.confirm(
        f"{doing.action.capitalize()} {_alerts(changed)} found by {plain(body['query'])}?", abort=True, err=True
    )


def _tell_all(told: dict[str, Any], remote: Remote, doing: Doing, as_json: bool) -> None:
    changed, skipped = _counts(told, remote)
    if as_json:
        click.echo(json_line(told))
    elif changed or doing.ids:
        rest = f"; {_alerts(skipped)} {'was' if skipped == 1 else 'were'} so already" if skipped else ""
        click.echo(f"{DONE[doing.action]} {_alerts(changed)}{rest}")
    if not changed and not doing.ids:
        raise Failed(Code.NOTHING, _nothing(skipped, doing))


def _nothing(skipped: int, doing: Doing) -> str:
    if skipped:
        found = "the only alert found by it is" if skipped == 1 else f"all {skipped} alerts found by it are"
        return f"{found} {DONE[doing.action]} already"
    return f"no alert is found by {doing.query}"


def _alerts(count: int) -> str:
    return f"{count} alert{'' if count == 1 else 's'}"


def _counts(told: dict[str, Any], remote: Remote) -> tuple[int, int]:
    changed, skipped = told.get("changed"), told.get("skipped")
    if not isinstance(changed, int) or not isinstance(skipped, int):
        raise stranger(remote.url)
    return changed, skipped


def _tell(alert: dict[str, Any], remote: Remote, doing: Doing, as_json: bool) -> None:
    if "id" not in alert or "title" not in alert:
        raise stranger(remote.url)
    click.echo(json_line(alert) if as_json else f"{DONE[doing.action]} {alert['id']}  {plain(str(alert['title']))}")
