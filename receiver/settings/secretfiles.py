"""Secrets from files: `token_file` in place of `token`."""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import SecretStr

from receiver.errors import Mistake
from receiver.secretfile import read_secret
from receiver.settings.origin import Origin
from receiver.settings.schema import ANY_NAME, secrets
from receiver.yamlfile import Path_

_UNREADABLE = SecretStr("unreadable")
"""Stands for a secret whose file is a mistake, so that nothing else complains of its absence; never used."""


def fill_all(data: dict[str, Any], origin: Origin) -> list[Mistake]:
    """Replace each `<secret>_file` of the built-in sections in `data` by the secret it holds. Returns mistakes."""
    mistakes = []
    for pattern in secrets():
        for path, section in list(_sections(data, pattern[:-1], ())):
            mistakes.extend(fill(section, pattern[-1:], path, origin))
    return mistakes


def fill(section: dict[str, Any], keys: Iterable[str], path: Path_, origin: Origin) -> list[Mistake]:
    """Replace `<key>_file` in the section at `path` by `<key>` for each of the keys. Returns mistakes."""
    mistakes = []
    for key in keys:
        name = f"{key}_file"
        if name not in section:
            continue
        both, at = key in section, origin.mistake((*path, name), "")
        try:
            section[key] = _UNREADABLE if both else SecretStr(read_secret(section.pop(name), origin.folder))
            problem = f'is given beside "{key}"; keep one of them' if both else ""
        except ValueError as error:
            section[key], problem = _UNREADABLE, str(error)
        section.pop(name, None)
        if problem:
            mistakes.append(Mistake(at.file, at.line, at.path, problem))
    return mistakes


def _sections(data: Any, pattern: tuple[str, ...], path: Path_) -> Iterator[tuple[Path_, dict[str, Any]]]:
    if not isinstance(data, dict):
        return
    if not pattern:
        yield path, data
        return
    for key in data if pattern[0] == ANY_NAME else pattern[:1]:
        yield from _sections(data.get(key), pattern[1:], (*path, key))
