"""Patterns and rule hygiene on a terminal: the numbers of the API, none of their own."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click
from wcwidth import wrap

from receiver.commands.ages import short
from receiver.commands.options import Place
from receiver.commands.outcome import Code, Failed
from receiver.commands.remote import Remote, stranger
from receiver.commands.surroundings import own_zone
from receiver.commands.table import Column, plain, say, window
from receiver.commands.where import find
from receiver.terminal import json_line

_TYPES = (
    Column("TIMES", right=True),
    Column("BEFORE", rank=3, right=True),
    Column("ACTED ON", rank=4, right=True),
    Column("ACK", rank=2, right=True),
    Column("RESOLVED", rank=1, right=True),
    Column("USUALLY", rank=5),
    Column("NAME"),
)
_RULES = (
    Column("TIMES", right=True),
    Column("ACTED ON", rank=2, right=True),
    Column("PROPOSAL"),
    Column("NAME"),
)
SHOWN = 5
"""Of each list."""
_BARS = " ▁▂▃▄▅▆▇█"


def report(place: Place, asked: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what the alerts have in common. Raises Failed, with Code.NOTHING when there were none."""
    told = _told(place, "/api/v1/patterns", asked, as_json, _report)
    if not told["total_alerts"]:
        raise Failed(Code.NOTHING, f"there were no such alerts in {told['days']} days")


def hygiene(place: Place, asked: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what to do about the rules. Raises Failed, with Code.NOTHING when none alerted."""
    told = _told(place, "/api/v1/patterns/hygiene", asked, as_json, _hygiene)
    if not told["rules"]:
        raise Failed(Code.NOTHING, f"there were no such alerts in {told['days']} days")


def _told(
    place: Place, path: str, asked: Mapping[str, Any], as_json: bool, show: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    remote = Remote(find(place))
    told: dict[str, Any] = remote.get(path, {**asked, "zone": asked.get("zone") or own_zone()})
    try:
        if as_json:
            click.echo(json_line(told))
        elif told.get("total_alerts") or told.get("rules"):
            show(told)
        return {name: told[name] for name in ("days", "total_alerts", "rules") if name in told}
    except (KeyError, TypeError, AttributeError, ValueError):
        raise stranger(remote.url) from None


def _report(told: dict[str, Any]) -> None:
    alerts = f"{told['total_alerts']} alert{'' if told['total_alerts'] == 1 else 's'}"
    _wrapped(f"{alerts} in {told['days']} days{_trend(told)}")
    for what, lengths in (("somebody acted on them", told["mtta"]), ("they were resolved", told["mttr"])):
        if lengths["count"]:
            p95 = short(lengths["p95_seconds"])
            _wrapped(f"{what} after {short(lengths['p50_seconds'])}, 95% of them within {p95} ({lengths['count']})")
    _listed("what it means", told["insights"])
    click.echo("")
    say(_TYPES, [_type(one) for one in told["by_type"]])
    _hours(told)
    _listed("noisiest", (_often(one) for one in told["noisiest"][:SHOWN] if one["times"] > 1))
    _listed("flapping", (f"{_often(one)} [alert {one['alert']}]" for one in told["flapping"][:SHOWN]))
    _listed("longest open", map(_open, told["longest_open"][:SHOWN]))
    _listed("never acted on", map(_often, told["never_acted_on"][:SHOWN]))


def _trend(told: dict[str, Any]) -> str:
    change, open_ = told["before"]["change_percent"], told["totals"]["still_open"]
    more = "" if change is None else f", {abs(change)}% {'more' if change >= 0 else 'less'} than in as many before"
    return f"{more}; {open_} {'is' if open_ == 1 else 'are'} still open"


def _often(one: dict[str, Any]) -> str:
    return f"{'once' if one['times'] == 1 else str(one['times']) + ' times'} {one['name']}{_about(one)}"


def _open(one: dict[str, Any]) -> str:
    return (
        f"{short(one['seconds'])} {one['name']}{_about(one)}, {one['priority']}, {one['status']} [alert {one['alert']}]"
    )


def _hygiene(told: dict[str, Any]) -> None:
    others = f", {told['others']} more names left out" if told["others"] else ""
    _wrapped(f"rules that alerted in {told['days']} days{others}")
    click.echo("")
    say(_RULES, [_rule(one) for one in told["rules"]])
    for one in told["rules"]:
        if one["proposal"] != "keep":
            _listed(f"{one['name']}: {_proposal(one)}", [one["why"]])


def _hours(told: dict[str, Any]) -> None:
    hours: Sequence[int] = told["hourly_distribution"]
    most = max(hours)
    bars = "".join(_BARS[-(-count * (len(_BARS) - 1) // most)] for count in hours)
    click.echo("")
    _wrapped(f"by the hour, {told['zone']}; most at {told['peak_hour']:02}:00")
    click.echo(f"  {bars}\n  0     6     12    18")


def _type(one: dict[str, Any]) -> tuple[object, ...]:
    lengths = (one[name]["p50_seconds"] for name in ("mtta", "mttr"))
    soon = ["" if seconds is None else short(seconds) for seconds in lengths]
    return (one["times"], one["before"], one["acted_on"], *soon, one["usually"], one["name"])


def _rule(one: dict[str, Any]) -> tuple[object, ...]:
    return (one["evidence"]["times"], one["evidence"]["acted_on"], _proposal(one), one["name"])


def _proposal(one: dict[str, Any]) -> str:
    what = str(one["proposal"]).replace("_", " ")
    if one["threshold"] is not None:
        return f"{what} to {one['threshold']:g}"
    return f"{what} (+{short(one['for_seconds'])})" if one["for_seconds"] is not None else what


def _about(one: dict[str, Any]) -> str:
    return f" on {one['resource']}" if one.get("resource") else ""


def _listed(head: str, sentences: Iterable[str]) -> None:
    told = list(sentences)
    if told:
        click.echo("")
        _wrapped(head)
    for sentence in told:
        _wrapped(sentence, "  ", "    ")


def _wrapped(text: str, first: str = "", further: str = "  ") -> None:
    for number, line in enumerate(wrap(plain(text), max(20, window() - len(further)))):
        click.echo(f"{further if number else first}{line}")
