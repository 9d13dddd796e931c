"""The configured enrichers: found, given their settings, checked; every mistake by file and line."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from enrichers.live import LIVE
from enrichers.shipped import SHIPPED, SHOWN
from receiver.errors import Mistake, Mistakes
from receiver.plugins.decode import decode
from receiver.plugins.modules import Unloadable, load_file, load_module
from receiver.settings.model import Plugin, Settings
from receiver.settings.sentences import unknown
from receiver.sources.redact import Redaction

Stage = Literal["inline", "shown", "deferred"]
"""When an enricher runs: before the alert is stored (shipped ones: pure and quick), whenever it is looked at (shipped,
too), or from a job (all others, also the shipped ones that look beyond the alert)."""


@dataclass(frozen=True, slots=True)
class LoadedEnricher:
    """One enricher, ready to run."""

    name: str
    call: Callable[[Any, Any], Any]
    """Takes (AlertView, Context); returns additions or an awaitable of them."""
    stage: Stage
    timeout: timedelta
    """For one deferred run."""
    reads: tuple[Path, ...] = ()
    """Files that it has read while it was made: a change in one asks for a reload."""
    redaction: Redaction | None = None
    """What is taken out of its facts, because it brings texts that nobody has looked through."""


class _Wrong(Exception):  # noqa: N818 - carries one mistake to where its place is known
    def __init__(self, key: str | None, sentence: str) -> None:
        super().__init__(sentence)
        self.key = key
        self.sentence = sentence


def load_enrichers(settings: Settings) -> tuple[LoadedEnricher, ...]:
    """Import and set up every enabled enricher, in the order of the settings, shipped ones first.

    Files are read anew each time; two enrichers of one file share its module. Modules by name (`package.module`) are
    imported once by Python: a change in one needs a restart. Raises Mistakes with every mistake found.
    """
    loaded, mistakes = [], []
    files: dict[str, ModuleType] = {}
    for name, plugin in settings.enrichers.items():
        if not plugin.enabled:
            continue
        at = ("enrichers", name)
        try:
            target = _target(name, plugin, settings, files)
            call = _ready(target, plugin, settings, at)
            reads = tuple(Path(path) for path in getattr(call, "reads", ()))
            redaction = _redaction(settings) if target in LIVE.values() else None
            loaded.append(LoadedEnricher(name, call, _stage(name, plugin), plugin.timeout, reads, redaction))
        except _Wrong as wrong:
            mistakes.append(settings.mistake((*at, wrong.key) if wrong.key else at, wrong.sentence))
        except Mistakes as found:
            mistakes.extend(found.mistakes)
    if mistakes:
        raise Mistakes(mistakes)
    return tuple(loaded)


def _stage(name: str, plugin: Plugin) -> Stage:
    if plugin.use is not None or name in LIVE:
        return "deferred"
    return "shown" if name in SHOWN else "inline"


def _redaction(settings: Settings) -> Redaction:
    return Redaction(settings.redact.patterns, settings.redact.keys, settings.redact.defaults)


def _target(name: str, plugin: Plugin, settings: Settings, files: dict[str, ModuleType]) -> object:
    if plugin.use in LIVE or (plugin.use is None and name in LIVE):
        return LIVE[plugin.use or name]
    if plugin.use is None:
        if name in SHIPPED:
            return SHIPPED[name]
        sentence = "does not come with alertsage; say where it is, e.g. use: ./my.py:owner"
        raise _Wrong(None, unknown(sentence, name, [*SHIPPED, *LIVE]))
    where, colon, attribute = plugin.use.rpartition(":")
    if not colon or not where or not attribute.isidentifier():
        places = f"write ./file.py:name or package.module:name, or one of {', '.join(LIVE)}"
        raise _Wrong("use", unknown(f'"{plugin.use}" is not a place; {places}', plugin.use, LIVE))
    try:
        if where not in files:
            files[where] = _module(where, settings)
    except Unloadable as problem:
        raise _Wrong("use", str(problem)) from None
    module = files[where]
    if not hasattr(module, attribute):
        names = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise _Wrong("use", unknown(f'{where} has no "{attribute}"', attribute, names))
    return getattr(module, attribute)


def _module(where: str, settings: Settings) -> ModuleType:
    if where.endswith(".py") or "/" in where:
        return load_file(where, settings.folder)
    return load_module(where)


def _ready(target: object, plugin: Plugin, settings: Settings, at: tuple[str, ...]) -> Callable[[Any, Any], Any]:
    """The target as something to call with (alert, context); a dataclass is made with its settings first."""
    shown = plugin.use or at[-1]
    if isinstance(target, type):
        if not dataclasses.is_dataclass(target):
            raise _Wrong("use", f"{shown} is a class but not a dataclass; put @dataclass above it")
        made: object = decode(target, plugin.own, settings, at)
    else:
        made = target
        _without_settings(plugin.own, settings, at, shown)
    if not callable(made):
        what = "has no __call__(self, alert, context)" if isinstance(target, type) else "cannot be called"
        raise _Wrong("use", f"{shown} {what}; name a function or a dataclass with __call__(self, alert, context)")
    _takes_two(made, shown)
    return made


def _without_settings(own: Mapping[str, Any], settings: Settings, at: tuple[str, ...], shown: str) -> None:
    text = f"is not a setting: {shown} is no dataclass and has none of its own"
    mistakes: list[Mistake] = [settings.mistake((*at, key), unknown(text, key, Plugin.model_fields)) for key in own]
    if mistakes:
        raise Mistakes(mistakes)


def _takes_two(call: Callable[..., Any], shown: str) -> None:
    try:
        signature = inspect.signature(call)
    except ValueError:  # some built-in callables do not tell their parameters: the first run will show
        return
    try:
        signature.bind(None, None)
    except TypeError:
        raise _Wrong("use", f"{shown} takes {signature}; it is called with two values, (alert, context)") from None
