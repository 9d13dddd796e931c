"""The settings as a tree: which paths exist, and which of them are secrets."""

from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from receiver.settings.model import Settings

ANY_NAME = "NAME"
"""Stands for any key of a mapping by name: `sources.NAME.kind`."""


def settings(model: type[BaseModel] = Settings, under: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every setting that holds a value, as its path and its bare type. Sections are not settings."""
    for key, field in model.model_fields.items():
        yield from _settings_of(field, (*under, key))


def secrets() -> tuple[tuple[str, ...], ...]:
    """The paths of all secrets of the built-in sections."""
    return tuple(path for path, kind in settings() if is_secret(kind))


def is_secret(kind: Any) -> bool:
    """True for a secret and for a list of them."""
    return kind is SecretStr or (get_origin(kind) is tuple and bare(get_args(kind)[0]) is SecretStr)


def keys_at(path: Sequence[str | int]) -> tuple[str, ...]:
    """The keys that the section at `path` knows (each secret's `_file` too); none where any name may stand."""
    current: Any = Settings
    for part in path:
        if get_origin(current) is Mapping:
            current = bare(get_args(current)[1])
        elif _is_section(current) and part in current.model_fields:
            current = bare(current.model_fields[part].annotation)
        else:
            return ()
    if not _is_section(current):
        return ()
    files = (f"{key}_file" for key, field in current.model_fields.items() if is_secret(bare(field.annotation)))
    return (*current.model_fields, *files)


def bare(annotation: Any) -> Any:
    """The type without Annotated and without `| None`."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in {Union, UnionType} and type(None) in get_args(annotation):
            annotation = next(arg for arg in get_args(annotation) if arg is not type(None))
        else:
            return annotation


def _settings_of(field: FieldInfo, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    kind = bare(field.annotation)
    if get_origin(kind) is Mapping:
        kind, path = bare(get_args(kind)[1]), (*path, ANY_NAME)
    if _is_section(kind):
        yield from settings(kind, path)
    else:
        yield path, kind


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
