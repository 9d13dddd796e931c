"""Webhook bodies in files and on standard input: what cannot be read is told, and the rest goes on."""

import codecs
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from receiver.domain.sighting import Sighting
from receiver.errors import Mistake, Mistakes, Refused
from receiver.flow.book import sightings as sightings_of
from receiver.settings import Settings
from receiver.settings.sentences import unknown
from receiver.terminal import one_line, visible

TOLD = 10
"""Mistakes in the input that are told one by one."""


def sightings(paths: Sequence[str], settings: Settings, source: str | None, unread: "Unread") -> Iterator[Sighting]:
    """Every alert of the files (`-` is standard input), each body read as the named source's, else by its form.

    Raises Mistakes for a file that cannot be read and for a source that is not configured.
    """
    if source is not None and source not in settings.sources:
        sentence = unknown(f"has no source {source}", source, settings.sources)
        raise Mistakes([settings.origin.mistake(("sources",), sentence)])
    for place, body in _bodies(paths):
        try:
            told = sightings_of(body, settings, source, "--source NAME")
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
            click.echo(one_line(visible(f"{place}: about {said.fingerprint}: {said.why}")), err=True)
        yield from told.alerts


class Unread:
    """What could not be read: the first few are told one by one, the rest as a number."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, place: str, why: str) -> None:
        """One body or alert."""
        self._count += 1
        if self._count <= TOLD:
            click.echo(one_line(visible(f"{place}: {why}")), err=True)

    def tell(self) -> int:
        """The exit code, after the last word."""
        if self._count > TOLD:
            click.echo(f"... and {self._count - TOLD} more that could not be read", err=True)
        return 1 if self._count else 0


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
