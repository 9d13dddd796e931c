"""The settings of a plugin: the fields of its dataclass, read from the configuration by their types."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import reduce
from operator import or_
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, PydanticUserError, SecretStr, TypeAdapter, ValidationError

from enrichers import Bytes, JMESPath, Problem
from receiver.errors import Mistake, Mistakes
from receiver.settings import secretfiles
from receiver.settings.model import Plugin, Settings
from receiver.settings.places import LocalPath
from receiver.settings.schema import bare
from receiver.settings.sentences import sentence, unknown
from receiver.settings.units import Duration, Size
from receiver.sources.expression import mistake_in


def _jmespath(text: str) -> JMESPath:
    if problem := mistake_in(text):
        raise ValueError(f'"{text[:80]}" is not a JMESPath: {problem}')
    return JMESPath(text)


_OURS: Mapping[Any, Any] = {
    timedelta: Duration,
    Path: LocalPath,
    Bytes: Size,
    JMESPath: Annotated[str, AfterValidator(_jmespath)],
}
"""Types that are read as everywhere in the configuration: `45m`, `16MiB`, paths from the folder of the file."""
_CONTAINERS = (list, tuple, set, frozenset, dict, Mapping, Sequence)


def decode(kind: type, own: Mapping[str, Any], settings: Settings, at: tuple[str, ...]) -> object:
    """Make an instance of the dataclass from the settings written under `at`. Raises Mistakes with all of them.

    A `SecretStr` field may also be given as `<field>_file`.
    """
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    mistakes = [
        settings.mistake(at, f'{kind.__name__} has a field "{name}", which every enricher has already; rename it')
        for name in fields.keys() & Plugin.model_fields.keys()
    ]
    try:
        hints = get_type_hints(kind, include_extras=True)
    except (NameError, TypeError) as error:
        raise Mistakes([settings.mistake((*at, "use"), f"{kind.__name__}: {type(error).__name__}: {error}")]) from None
    given, secrets = dict(own), [name for name in fields if bare(hints[name]) is SecretStr]
    mistakes += secretfiles.fill(given, secrets, at, settings.origin)
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in fields:
            known = [*fields, *(f"{name}_file" for name in secrets), *Plugin.model_fields]
            mistakes.append(settings.mistake((*at, key), unknown("is not a setting", key, known)))
        else:
            values[key], found = _value(hints[key], value, settings, (*at, key))
            mistakes += found
    mistakes += [settings.mistake((*at, name), "is missing") for name in fields if _missing(fields[name], given)]
    if mistakes:
        raise Mistakes(mistakes)
    return _made(kind, values, settings, at)


def _made(kind: type, values: Mapping[str, Any], settings: Settings, at: tuple[str, ...]) -> object:
    try:
        return kind(**values)
    except Problem as problem:
        raise Mistakes([settings.mistake(at, str(problem))]) from None
    except Exception as error:  # noqa: BLE001 - a plugin's own __post_init__ may raise anything
        said = f"{kind.__name__}: {type(error).__name__}: {error}".splitlines()[0]
        raise Mistakes([settings.mistake(at, said)]) from None


def _value(hint: Any, value: object, settings: Settings, at: tuple[str, ...]) -> tuple[Any, list[Mistake]]:
    try:
        adapter = TypeAdapter(_ours(hint))
    except PydanticUserError:
        return None, [settings.mistake(at, "cannot be set: its type is not one that a file can hold")]
    try:
        return adapter.validate_python(value, context={"folder": settings.folder}), []
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        inner = tuple(part for part in first["loc"] if part != "[key]")
        return None, [settings.mistake((*at, *inner), sentence(first))]


def _missing(field: "dataclasses.Field[Any]", given: Mapping[str, Any]) -> bool:
    without = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    return without and field.name not in given


def _ours(hint: Any) -> Any:
    """The type with durations and paths read our way, inside optional types and containers too."""
    if isinstance(hint, type) and hint in _OURS:
        return _OURS[hint]
    origin, args = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return reduce(or_, map(_ours, args))
    if origin is Annotated:
        return Annotated[_ours(args[0]), *args[1:]]
    if origin in _CONTAINERS:
        return origin[tuple(map(_ours, args))]
    return hint
