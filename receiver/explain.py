"""`alertsage explain`: what alertsage makes of webhook bodies, without server or store."""

import codecs
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from jinja2 import Environment, FileSystemLoader
from pydantic_core import to_json

from enrichers.units import figure
from receiver.data import data
from receiver.domain import times
from receiver.domain.enrichment import History
from receiver.domain.history import spoken
from receiver.domain.sighting import Sightings
from receiver.errors import Mistake, Mistakes, Refused
from receiver.flow.rehearse import Rehearsal
from receiver.flow.setup import context_of
from receiver.settings import Settings
from receiver.settings.sentences import unknown
from receiver.settings.sources import Source
from receiver.sources.reading import read
from receiver.sources.shape import kind_of

TOLD = 10
"""Mistakes in the input that are told one by one."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What a terminal obeys, or what makes it show another order than the text has; line ends and tabs are not among it."""


def explain(paths: Sequence[str], settings: Settings, as_json: bool, source: str | None = None) -> int:
    """Print every alert of the files (`-` is standard input), explained; returns the exit code.

    Each body is read as one of the named source, else by its form. 0 when all was read, 1 when a body or an alert
    could not be. Raises Mistakes for a file that cannot be read and for a source that is not configured.
    """
    if source is not None and source not in settings.sources:
        sentence = unknown(f"has no source {source}", source, settings.sources)
        raise Mistakes([settings.origin.mistake(("sources",), sentence)])
    show, unread = printer(as_json), _Unread()
    with Rehearsal(settings) as rehearsal:
        for place, body in _bodies(paths):
            try:
                told = _parse(body, settings, source)
            except Refused as refused:
                unread.add(place, refused.sentence)
                continue
            if told.ignored:
                unread.add(place, f"concerns no alert ({told.ignored})")
            if told.refusal:
                unread.add(place, told.refusal)
            for bad in () if told.refusal else told.quarantined:
                unread.add(f"{place}: alerts.{bad.index}", bad.reason)
            for said in told.remarks:
                click.echo(_one_line(_visible(f"{place}: about {said.fingerprint}: {said.why}")), err=True)
            for sighting in told.alerts:
                explained = rehearsal.explain(sighting, History(episodes=(times.now(),), notification_count=1))
                click.echo(show(explained))
    return unread.tell()


class _Unread:
    """What could not be read: the first few are told one by one, the rest as a number."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, place: str, why: str) -> None:
        """One body or alert."""
        self._count += 1
        if self._count <= TOLD:
            click.echo(_one_line(_visible(f"{place}: {why}")), err=True)

    def tell(self) -> int:
        """The exit code, after the last word."""
        if self._count > TOLD:
            click.echo(f"... and {self._count - TOLD} more that could not be read", err=True)
        return 1 if self._count else 0


def _parse(body: bytes, settings: Settings, name: str | None) -> Sightings:
    """As the named source would read it, else as the first of the kind that its form tells. Raises Refused."""
    if name is None:
        kind = kind_of({}, body, settings.limits.values)
        name = next((known for known, source in settings.sources.items() if source.kind == kind), kind)
    source = settings.sources.get(name) or Source.model_validate({"kind": name})
    return read({}, body, context_of(settings, name, source), times.now())


def _bodies(paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """(where, body) of every webhook: a file holds one, an array of them, or one a line."""
    for path in paths:
        where = "standard input" if path == "-" else path
        try:
            content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        except OSError as error:
            raise Mistakes([Mistake(path, 0, "", f"cannot be read: {error.strerror}")]) from None
        if not content.strip():
            raise Mistakes([Mistake(where, 0, "", "is empty; it should hold webhook bodies as JSON")])
        yield from _split(where, content)


def _split(where: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        whole = json.loads(content)
    except (ValueError, RecursionError):
        lines = content.splitlines()
        if len(lines) > 1 and any(_is_json(line) for line in lines):
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield from _split(f"{where}:{number}", line)
        else:
            yield where, content
        return
    if isinstance(whole, list):
        yield from ((f"{where}[{number}]", json.dumps(_bare(body)).encode()) for number, body in enumerate(whole))
    else:
        bare = _bare(whole)
        yield where, content if bare is whole else json.dumps(bare).encode()


def _is_json(line: bytes) -> bool:
    """True for a webhook body on one line; the lines of one that is laid out over several are none."""
    try:
        return isinstance(json.loads(line), dict | list) and len(line.strip()) > 2
    except (ValueError, RecursionError):
        return False


def _bare(body: Any) -> Any:
    """The webhook body itself, where a recording keeps it under `payload`."""
    if isinstance(body, dict) and isinstance(body.get("payload"), dict) and "alerts" not in body:
        return body["payload"]
    return body


def printer(as_json: bool) -> Callable[[dict[str, Any]], str]:
    """What makes an explained alert, in the form of `--json` or of the API, a text for a terminal or a line of JSON."""
    if as_json:
        return _line
    layout = _template()
    return lambda explained: str(layout.render(**_shown(explained)))


def _template() -> Any:
    # The output is a terminal's, so nothing is escaped as HTML; control characters are taken out of all values.
    environment = Environment(
        loader=FileSystemLoader(data("templates")),
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701
    )
    environment.filters |= {"figure": figure, "one_line": _one_line, "told": _told, "lasting": _lasting}
    return environment.get_template("explain.txt")


def _line(explained: dict[str, Any]) -> str:
    """The alert as JSON on one line, control characters escaped."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", to_json(explained).decode())


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _told(fact: Any) -> str:
    """A fact as people read it: a text on one line, several texts on one each, anything else as JSON."""
    if isinstance(fact, list) and any(isinstance(one, str) and " " in one for one in fact):
        return "".join(f"\n{_one_line(one) if isinstance(one, str) else json.dumps(one)}" for one in fact)
    return _one_line(fact) if isinstance(fact, str) else json.dumps(fact, ensure_ascii=False)


def _lasting(seconds: float) -> str:
    return spoken(round(seconds * times.SECOND))


def _shown(explained: dict[str, Any]) -> dict[str, Any]:
    width = max(60, min(shutil.get_terminal_size((100, 24)).columns, 120))
    return {"alert": _visible(explained), "width": width}


def _visible(value: Any) -> Any:
    """The value without characters that a terminal would obey."""
    if isinstance(value, str):
        return _CONTROL.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_visible(key): _visible(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_visible(item) for item in value]
    return value
