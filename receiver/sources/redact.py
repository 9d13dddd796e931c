"""Secrets taken out of what senders write, before anything else sees it: by the names of keys, and by their look.

Patterns are RE2: linear in the length of the text, whatever it holds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

MASK = "[redacted]"
_QUOTING = " \t\r\n\"'\\"

_Q = r"""\\*["']"""
"""A quote; JSON within JSON puts backslashes before it, more at each level."""
_MORE = r"(?:[_-]?(?:\d{1,2}|confirm(?:ation)?|again|repeat|verify|hash|salt|old|new|current|value))?"
"""What names of secrets go on with."""
_JOINED = r"(?:(?:[a-xz\d_]|[^b\W]y)(?:[_.-]pass|(?-i:Pass))|(?:db|user|admin|root|smtp|ldap)pass)"
"""db_pass, dbPass; not bypass, by-pass, compass."""
_ALONE = r"(?:^|[^\w.-])[-_]{0,2}pass"
_NAMES = (
    rf"(?:pass[_-]?(?:words?|wd|phrase)|pwd|{_JOINED}|api[_-]?key|(?:account|shared[_-]?access|private)[_-]?key|"
    r"(?:access|refresh|auth|bearer|csrf(?:middleware)?|\bid|_id)[_-]?token|(?:client|app|shared)[_-]?secret|"
    r"secret[_-]?(?:access[_-]?)?key|shared[_-]?access[_-]?signature|session[_-]?id)"
)
"""Names whose values are secrets, wherever they stand."""
_LABELS = frozenset({"labels", "groupLabels", "commonLabels"})
"""Kubernetes' labels `token` and `secret` name a Secret, they do not hold it."""
_KEY = rf"(?:{_NAMES}|{_ALONE}|authorization|cookies?|^credentials){_MORE}$"
_LOOSE_KEY = rf"(?:token|secret){_MORE}$"
"""Except among labels."""

_TO = rf"(?:{_Q})?(?:\]|%5d)?\s*(?::=?|={{1,3}}>?)\s*"
"""From a name to its value: assignments, JSON inside a text, Python's and Ruby's way of showing a mapping."""
_OPEN = rf"(?P<open>[bfnru$@]{{0,2}}{_Q})"
_FLAT = r"""(?:[^\[\](){}"']|"[^"]*"|'[^']*')*"""
_LISTED = rf"[\[({{]{_FLAT}(?:[\[({{]{_FLAT}[\])}}]{_FLAT})*[\])}}]"
_WORD = r"""(?:[^\s"'&,;<>)}\]\\]|\\+[^\s"'\\])+"""
_REST = r"""(?:[^\r\n"'=\\]|\\+[^"'rn\\]|=(?:\\*(?:"(?:[^"\s,;})\]][^"\r\n]*)?"|'(?:[^'\s,;})\]][^'\r\n]*)?'))?)"""
"""Of a header's line: to its end, or to the quote that was opened before it; a parameter has quotes of its own."""
_LINE = rf"""[^\s"'\\]{_REST}{{2,}}"""
_SCHEME = r"(?:(?:basic|bearer|token)\s+)?"
_NAME = rf"(?:[\w.-]*(?:{_NAMES}|authorization|cookies?)|pass){_MORE}"
_PAIR = rf"{_Q}\s*,\s*(?P<pair>[bfnru$@]{{0,2}}{_Q})"
_CHARS = r"[A-Za-z0-9+/_.~=-]{8,}"
_ADDRESS = r"[A-Za-z][A-Za-z0-9+.-]{0,30}://"

_SURE = (
    # userinfo of an address, Sentry DSNs with a secret among them
    rf"{_ADDRESS}[^\s/?#:@\"'<>]*:([^\s/?#\"'<>]+)@",
    # the whole credential: only of two schemes it is known to be one word
    (
        rf"(?i)authorization{_TO}(?:(?P<open>[bfnru$@]{{0,2}}{_Q}{_SCHEME})|(?:basic|bearer)\s+([^\s\"',;\\]{{3,}})|"
        rf"({_LISTED})|{_SCHEME}({_LINE}))"
    ),
    rf"(?i)cookie{_TO}(?:{_OPEN}|({_LISTED})|({_LINE}))",
    rf"(?i)cookies{_TO}(?:{_OPEN}|({_LISTED}))",
    # a name and its value
    rf"(?i){_NAMES}{_MORE}{_TO}(?:{_OPEN}|({_LISTED}|[\[({{][^\r\n]*|{_WORD}))",
    rf"(?i)[(\[]\s*[bfnru$@]{{0,2}}{_Q}{_NAME}{_PAIR}",
    (
        rf"(?i)\b(?:name|key)(?:{_Q})?\s*[:=]\s*(?:{_Q})?{_NAME}(?:{_Q})?[\s,]+"
        rf"(?:{_Q})?value(?:{_Q})?\s*[:=]\s*(?:{_OPEN}|({_LISTED}|{_WORD}))"
    ),
    (
        r"(?i)(?:[?&;]|\\u0026)(?:token|auth|secret|sig|signature|x-(?:amz|goog)-[a-z-]{3,20})="
        r"((?:[^&#\s\"'<>\\]|\\+[^\s\"'\\u])+)"
    ),
    rf"(?i)token{_MORE}(?:{_Q})?\s*=>?\s*(?:{_OPEN}|([^\s\"'&,;<>)}}\]]{{6,}}))",
    # JSON Web Tokens and private keys, cut off ones as well
    r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?",
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----([^-]*(?:-{1,4}[^-]+)*)",
    # tokens that say by their beginning what they are
    r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeoprs]-[A-Za-z0-9-]{8,})",
    r"\b(?:[sr]k_(?:live|test)_[A-Za-z0-9]{8,}|whsec_[A-Za-z0-9+/=]{16,}|AIza[\w-]{30,}|sk-[\w-]{20,}|npm_[A-Za-z0-9]{30,})",
    r"\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}\b|SG\.[\w-]{16,}\.[\w-]{16,})",
    r"(?:hooks\.slack\.com/services/|discord(?:app)?\.com/api/webhooks/\d+/)([\w/-]+)",
    r"(?i)\d{6,12}(?::|%3a)((?-i:AA)[\w-]{20,})",
)
"""Taken out: a group; after the group `open` or `pair`, all to the quote that closes it; else the whole match."""

_ENCODED = r"(?i)(?::|%(?:25)*3a)(?:/|%(?:25)*2f){2}(?:[^\s/?#:@&\"'<>%]|%25[0-9a-f]{2})*%(?:25)*3a"
_PORTS = (
    rf"{_ADDRESS}[^\s/?#:@\"'<>\[\]]*:([^\s/?#@\"'<>]*[/?#][^\s\"'<>]*)@",
    rf"{_ENCODED}([^\s&\"'<>]+)(?:%(?:25)*40|@)",
)
_PORT = r"(?i)^\d{1,5}(?:[/?#,;]|%(?:25)*(?:2[3cf]|3[bf]))"
"""Passwords, unless a port is meant."""
_COUNTS = (rf"(?i){_ALONE}{_MORE}{_TO}{_OPEN}", rf"(?i){_ALONE}{_MORE}(?:{_Q})?\s*={{1,3}}>?\s*({_WORD})")
_COUNT = r"^\d{0,3}$"
"""Passwords, or how many tests did pass."""
_LOOKS = (
    # a credential behind its scheme, or just words ("token bucket", "basic authentication")
    rf"(?i)\b(?:bearer|basic|token)\s+({_CHARS})",
    rf"(?i)(?:token|secret){_MORE}(?:{_Q})?\s*:\s*(?:{_OPEN}{_CHARS}|({_CHARS}))",
    rf"(?i)[(\[]\s*[bfnru$@]{{0,2}}{_Q}[\w.-]*(?:token|secret){_MORE}{_PAIR}{_CHARS}",
    rf"(?:^|[^\w.-])[Pp]ass{_MORE}(?:{_Q})?\s*:\s*({_WORD})",
)
_WORDS = r"^(?:[^0-9]{0,23}|[^A-Za-z]{0,23})$"
"""Secrets have letters and digits mixed, or are too long for a word."""
_SHIPPED = ((_SURE, "^$"), (_PORTS, _PORT), (_COUNTS, _COUNT), (_LOOKS, _WORDS))

_HINT = (
    r"(?i)pass[_-]?(?:w|phrase)|pwd|secret|token|(?:api|account|access)[_-]?key|private[_ -]?key|authoriz|cookie"
    rf"|pass{_MORE}(?:{_Q}|\]|(?:\s|\\[fnrt]|\\u000[9acd])*[:=])|session|credential|bearer|basic"
    r"|://[^\s/?#:@\"]*:[^\s\"]*@|(?:/|%(?:25)*2f){2}[^\s/?#:@&\"]*%(?:25)*3a[^\s\"]*(?:%(?:25)*40|@)"
    r"|eyj|akia|asia|gh[pousr]_|github_pat|glpat|xox|hooks\.slack|/webhooks/"
    r"|[sr]k_(?:live|test)|sk-|whsec|aiza|npm_|sg\.|(?::|%3a)aa|sig|x-(?:amz|goog)-|(?:[?&;]|\\u0026)auth="
)
_ESCAPED = r"\\u00(?:2[0-57-9a-fA-F]|3[0-9abdfABDF]|[4-7][0-9a-fA-F])|\\/"
"""Escapes of JSON that could hide a hint; `<`, `>` and `&` are written so by every Go program and hide none."""


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
        shipped = [_Rule(pattern, unless) for patterns, unless in _SHIPPED for pattern in patterns]
        self._own = [_Rule(pattern, own=True) for pattern in rules.patterns]
        self._all = [*self._own, *shipped] if rules.defaults else self._own
        self._keys = frozenset(map(_plain, rules.keys))
        self._label, self._key = _compiled(f"(?i){_KEY}"), _compiled(f"(?i){_KEY}|{_LOOSE_KEY}")
        self._hint, self._first_look = _compiled(_HINT), _compiled(f"{_HINT}|{_ESCAPED}")
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
