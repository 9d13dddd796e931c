"""Environment variables over the file: `ALERTSAGE__SERVER__LISTEN` sets `server.listen`."""

import json
from collections.abc import Mapping
from typing import Any

from receiver.errors import Mistake
from receiver.settings.schema import ANY_NAME, secrets
from receiver.yamlfile import Path_

PREFIX = "ALERTSAGE__"


def overlay(data: dict[str, Any], environ: Mapping[str, str]) -> tuple[dict[Path_, str], list[Mistake]]:
    """Set in `data` what the ALERTSAGE__ variables say. Returns the variable of each path that was set, and mistakes.

    A name is matched to the keys that the file has without regard to case and with `-` as `_`. Values are text that
    the settings decode; text that is a JSON list or mapping (`["a", "b"]`) is one.
    """
    variables: dict[Path_, str] = {}
    mistakes = []
    # in order of their names a variable for a whole section comes before those for its keys
    for name in sorted(key for key in environ if key.startswith(PREFIX)):
        if not environ[name].isascii() and "\udc80" <= max(environ[name]) <= "\udcff":
            mistakes.append(Mistake(name, 0, "", "is not UTF-8 text"))
            continue
        path = _set(data, name.removeprefix(PREFIX).split("__"), environ[name])
        if path is None:
            mistakes.append(Mistake(name, 0, "", "is not a setting"))
        else:
            variables[path] = name
    return variables, mistakes


def _set(data: dict[str, Any], parts: list[str], text: str) -> Path_ | None:
    if not all(parts):
        return None
    path: list[str] = []
    current = data
    for part in parts[:-1]:
        path.append(_key(current, part))
        if current.get(path[-1]) is None:
            current[path[-1]] = {}
        current = current[path[-1]]
        if not isinstance(current, dict):
            return None
    path.append(_key(current, parts[-1]))
    current[path[-1]] = text if _secret(path) else _decoded(text)
    return tuple(path)


def _key(current: Mapping[str, Any], part: str) -> str:
    plain = part.lower()
    return next((key for key in current if key.lower().replace("-", "_") == plain.replace("-", "_")), plain)


def _secret(path: list[str]) -> bool:
    return any(
        len(pattern) == len(path) and all(a in {b, ANY_NAME} for a, b in zip(pattern, path, strict=True))
        for pattern in secrets()
    )


def _decoded(text: str) -> Any:
    if not text.lstrip().startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
