"""Valid payloads made hostile: any value at any place."""

from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=40)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value inside."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(inner, (*path, key))


def mutated(valid: Any, changes: list[tuple[tuple[Any, ...], Any]]) -> Any:
    """The valid payload with these values at these places, where the places still exist."""
    document = deepcopy(valid)
    for path, value in changes:
        inner: Any = document
        with suppress(KeyError, IndexError, TypeError):
            for step in path[:-1]:
                inner = inner[step]
            inner[path[-1]] = value
    return document
