"""Reading the settings: the file, the environment over it, secret files, then every mistake at once."""

import copy
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from receiver import yamlfile
from receiver.errors import Mistake, Mistakes
from receiver.settings import environment, secretfiles
from receiver.settings.model import SHIPPED, USUAL, Settings
from receiver.settings.origin import Origin
from receiver.settings.schema import keys_at
from receiver.settings.sentences import sentence, unknown
from receiver.sources import KINDS, SENDERS

SOURCES = f"{environment.PREFIX}SOURCES__"
DEFAULT = Path("config.yaml")
"""The file that is read when none is named; it need not exist."""


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the file (./config.yaml if None, which may be absent) and the environment over it.

    `environ` defaults to the environment of the process. Raises Mistakes with every mistake found, each with its file
    and line or its variable; no message ever holds a secret.
    """
    settings, mistakes = attempt(path, environ)
    if mistakes:
        raise Mistakes(mistakes)
    return settings


def attempt(path: Path | None = None, environ: Mapping[str, str] | None = None) -> tuple[Settings, list[Mistake]]:
    """As `load`, but sections with mistakes have their defaults. Raises Mistakes for a file that cannot be read."""
    document = _document(path)
    data = copy.deepcopy(document.data)
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise Mistakes([document.mistake((), "must hold sections with keys, e.g. `server:`")])
    environ = os.environ if environ is None else environ
    if data.get("sources") is None and any(name.startswith(SOURCES) for name in environ):
        data["sources"] = {
            kind: {} for kind in USUAL
        }  # a variable changes one of them, it does not take the others away
    variables, mistakes = environment.overlay(data, environ)
    origin = Origin(document, variables, Path(document.file).absolute().parent)
    mistakes += secretfiles.fill_all(data, origin)
    settings, found = _validated(_completed(data), origin)
    mistakes += found
    settings._origin = origin  # noqa: SLF001 - the one place that makes Settings from a file
    return settings, mistakes


def _document(path: Path | None) -> yamlfile.Document:
    if path is None and not DEFAULT.exists():
        return yamlfile.Document(str(DEFAULT))
    return yamlfile.read(path or DEFAULT)


def _completed(data: Mapping[str, Any]) -> dict[str, Any]:
    """The sections that were given; the shipped enrichers stay, in their order, before the user's own."""
    given = {key: value for key, value in data.items() if value is not None}
    enrichers = given.get("enrichers", {})
    if isinstance(enrichers, dict):
        given["enrichers"] = {name: {} for name in SHIPPED} | enrichers
    sources = given.get("sources")
    if isinstance(sources, dict):
        given["sources"] = {name: _of_kind(name, source) for name, source in sources.items()}
    # the default file lies beside the configuration, so the section is always read in its context
    return {"database": {}} | given


def _of_kind(name: Any, source: Any) -> Any:
    """A source that has the name of a kind is of that kind, unless it says otherwise."""
    named = name in KINDS and (source is None or (isinstance(source, dict) and "kind" not in source))
    return {"kind": name, **(source or {})} if named else source


def _validated(data: dict[str, Any], origin: Origin) -> tuple[Settings, list[Mistake]]:
    context = {"folder": origin.folder}
    mistakes: list[Mistake] = []
    wrong: set[int | str] = set()
    try:
        settings = Settings.model_validate(data, context=context)
    except ValidationError as error:
        details = error.errors(include_url=False)
        mistakes = [_mistake(detail, origin) for detail in details]
        wrong = {detail["loc"][0] for detail in details}
        rest = {key: value for key, value in data.items() if key not in wrong}
        settings = Settings.model_validate(rest, context=context)
    if not wrong & {"server", "sources"}:
        mistakes += unprotected(settings, origin)
    return settings, mistakes


def _mistake(error: ErrorDetails, origin: Origin) -> Mistake:
    path = tuple(part for part in error["loc"] if part != "[key]")
    if error["type"] == "extra_forbidden":
        return origin.mistake(path, unknown("is not a setting", str(path[-1]), keys_at(path[:-1])))
    return origin.mistake(path, sentence(error))


def unprotected(settings: Settings, origin: Origin) -> list[Mistake]:
    """Whoever can reach an open port may post and read, unless told in so many words that this is meant."""
    server = settings.server
    if server.listen.loopback or server.allow_anonymous:
        return []
    missing = [] if server.token else ["server.token"]
    posting = [(name, source) for name, source in settings.sources.items() if source.kind in SENDERS]
    missing += [f"sources.{name}.auth" for name, source in posting if not source.auth.configured]
    if not missing:
        return []
    *others, last = missing
    needed = f"{', '.join(others)} and {last}" if others else last
    way_out = f"set {needed}, listen on 127.0.0.1, or set server.allow_anonymous to true"
    return [origin.mistake(("server", "listen"), f"{server.listen} lets other machines in without a secret: {way_out}")]
