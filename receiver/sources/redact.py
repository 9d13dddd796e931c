"""Secrets taken out of what senders write, before anything else sees it: by the names of keys, and by their look.

Patterns are RE2: linear in the length of the text, whatever it holds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from receiver.sources.secrets import ESCAPED, HINT, KEY, LOOSE_KEY, SHIPPED

MASK = "[redacted]"
_QUOTING = " \t\r\n\"'\\"

_LABELS = frozenset({"labels", "groupLabels", "commonLabels"})
"""Kubernetes' labels `token` and `secret` name a Secret, they do not hold it."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """What is taken out. Plain texts: it travels to other processes."""

    patterns: tuple[str, ...] = ()
    """The user's own, RE2: the whole match is taken out, or its group `secret`. Numbers are matched as texts."""
    keys: tuple[str, ...] = ()
    """Further names of keys, whatever their case, with or without `-` and `_`."""
    defaults: bool = True


USUAL = Redaction()


def redact(document: Any, body: bytes, rules: Redaction) -> tuple[Any, int]:
    """The document without secrets, and how many were taken out; the same object when there were none.

    `body` is the JSON text that it was decoded from: one look at it mostly shows that there is nothing to do.
    """
    machine = _machine(rules)
    if not machine.may_hold(body):
        return document, 0
    walk = _Walk(machine)
    cleaned = walk.value(document, among_labels=False)
    return (cleaned, walk.count) if walk.count else (document, 0)


def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def mistake_in(pattern: str) -> str | None:
    """What is wrong with a user's pattern, in one phrase; None when nothing is."""
    try:
        made = _compiled(pattern)
    except re2.error as error:
        said = error.args[0] if error.args else error
        return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return "it matches the empty text, so everything" if made.search("") else None


class _Rule:
    """A pattern, and what its values look like when they are no secrets; one of the user's own, or one of ours."""

    def __init__(self, pattern: str, unless: str = "^$", own: bool = False) -> None:
        self._pattern, self._unless = _compiled(pattern), _compiled(unless)
        named: Mapping[str, int] = self._pattern.groupindex
        self._group = named.get("secret", 0) if own else None
        self._open, self._pair = (None, None) if own else (named.get("open"), named.get("pair"))

    def spans(self, told: str) -> Iterator[tuple[int, int]]:
        """Where the text holds a secret."""
        for found in self._pattern.finditer(told):
            group = (found.lastindex or 0) if self._group is None else self._group
            begin, end = found.span(group)
            if group and group in (self._open, self._pair):
                begin, end = end, _closing(told, end, told[begin:end])
                if group == self._pair and told[end : end + 40].lstrip(_QUOTING)[:1] not in ("", ")", "]"):
                    continue  # a list of names
            elif end - begin > 1 and told[begin] in "\"'" and told[begin] == told[end - 1]:
                begin, end = begin + 1, end - 1
            value = told[begin:end]
            # What is left of it when it was taken out before, wholly or up to the bracket: then nothing is to be done.
            left = value.replace(MASK, "").replace(MASK[:-1], "").strip("[](){},;" + _QUOTING)
            if left and self._unless.search(value) is None:
                yield begin, end


def _closing(told: str, begin: int, opening: str) -> int:
    """Where what was quoted there ends: before the same quote of the same level; when it was cut off, with its line."""
    slashes, start = opening.count("\\"), begin
    quote = next(char for char in opening if char in "\"'")
    while (at := told.find(quote, start)) >= 0:
        before = told[start:at]
        # Each level doubles the backslashes, so those of the content come in whole rounds before the quote's own.
        if (len(before) - len(before.rstrip("\\"))) % (2 * slashes + 2) == slashes:
            return at - slashes
        start = at + 1
    if told[begin : begin + 1] in " ,;)]}":
        return begin  # that quote closed another text: `input("Password: ")`
    line = told.find("\n", begin)
    return len(told) if line < 0 else line


def _without(told: str, rules: list[_Rule]) -> tuple[str, int]:
    # All look at the text as it came: what one takes out shall hide nothing from the next.
    found = sorted(span for rule in rules for span in rule.spans(told))
    parts, end, count = [], 0, 0
    for begin, stop in found:
        if begin >= end:
            parts += [told[end:begin], MASK]
            count += 1
        end = max(end, stop)
    return ("".join((*parts, told[end:])), count) if count else (told, 0)


class _Machine:
    """A Redaction, compiled."""

    def __init__(self, rules: Redaction) -> None:
        shipped = [_Rule(pattern, unless) for patterns, unless in SHIPPED for pattern in patterns]
        self._own = [_Rule(pattern, own=True) for pattern in rules.patterns]
        self._all = [*self._own, *shipped] if rules.defaults else self._own
        self._keys = frozenset(map(_plain, rules.keys))
        self._label, self._key = _compiled(f"(?i){KEY}"), _compiled(f"(?i){KEY}|{LOOSE_KEY}")
        self._hint, self._first_look = _compiled(HINT), _compiled(f"{HINT}|{ESCAPED}")
        self._named = lru_cache(10_000)(self._is_secret_key)  # names repeat; long ones are not held
        self._defaults, self._always = rules.defaults, bool(rules.patterns or rules.keys)

    def may_hold(self, body: bytes) -> bool:
        """False only when no part of this JSON text can be a secret."""
        return self._always or (self._defaults and self._first_look.search(body) is not None)

    def secret_key(self, name: str, among_labels: bool) -> bool:
        """True for the name of a key whose value is a secret."""
        return self._named(name, among_labels) if len(name) <= 100 else self._is_secret_key(name, among_labels)

    def _is_secret_key(self, name: str, among_labels: bool) -> bool:
        known = self._label if among_labels else self._key
        return _plain(name) in self._keys or (self._defaults and known.search(name) is not None)

    def text(self, told: str | float) -> tuple[Any, int]:
        """The text without secrets, and how many were taken out; of a number, what the user's own patterns leave."""
        hinted = self._defaults and isinstance(told, str) and self._hint.search(told) is not None
        rules = self._all if hinted else self._own
        left = str(int(told) if isinstance(told, float) and told.is_integer() else told) if rules else ""
        total = 0
        # More than once: where quotes are gone, other parts of the text end elsewhere.
        for _ in range(5 if rules else 0):
            left, count = _without(left, rules)
            total += count
            if not count:
                break
        return (left, total) if total else (told, 0)


_machine = lru_cache(16)(_Machine)


@dataclass(slots=True)
class _Walk:
    """Rebuilds a document; counts."""

    machine: _Machine
    count: int = 0

    def value(self, value: Any, among_labels: bool) -> Any:
        """The value without secrets."""
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            left, count = self.machine.text(value)
            self.count += count
            return left
        if isinstance(value, dict):
            return self._object(value, among_labels)
        if isinstance(value, list):
            if len(value) == 2 and isinstance(value[0], str) and self.machine.secret_key(value[0], among_labels):
                return [value[0], self._masked(value[1])]
            return [self.value(item, among_labels) for item in value]
        return value

    def _object(self, value: Mapping[str, Any], among_labels: bool) -> dict[str, Any]:
        is_secret = self.machine.secret_key
        lower = {key.lower(): item for key, item in value.items()}
        # `{"name": "password", "value": "..."}`, in whatever case
        names = [lower.get("name"), lower.get("key")] if "value" in lower else []
        named = any(isinstance(name, str) and is_secret(name, among_labels) for name in names)
        return {
            self.value(key, among_labels): self._masked(item)
            if is_secret(key, among_labels) or (named and key.lower() == "value")
            else self.value(item, key in _LABELS)
            for key, item in value.items()
        }

    def _masked(self, value: Any) -> Any:
        if value is None or isinstance(value, bool) or value in ("", MASK, [], {}):
            return value
        self.count += 1
        return MASK


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
