"""Secrets taken out of what senders write, before anything else sees it: by the names of keys, and by their look.

Patterns are RE2: linear in the length of the text, whatever it holds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

MASK = "[redacted]"

_KEYS = frozenset(
    {"password", "passwd", "pwd", "passphrase", "clientsecret", "secretkey", "appsecret", "sharedsecret", "apikey"}
    | {"xapikey", "accesstoken", "refreshtoken", "authtoken", "idtoken", "bearertoken", "authorization"}
    | {"proxyauthorization", "cookie", "cookies", "setcookie", "sessionid", "privatekey", "credentials"}
    | {"csrfmiddlewaretoken", "awssecretaccesskey", "secretaccesskey", "mysqlpwd"}
)
"""Names of keys whose values are secrets, in lower case without `-` and `_`."""
_ENDINGS = ("password", "passwd", "passphrase", "apikey", "privatekey", "clientsecret", "secretkey", "accesstoken")
_LOOSE = ("token", "secret")
"""Endings that are secrets too, except among labels: Kubernetes' labels name a Secret, they do not hold it."""
_LABELS = frozenset({"labels", "groupLabels", "commonLabels"})

_NAMES = (
    r"[\w.-]{0,60}(?:passwords?|passwd|pwd|passphrase|api[_-]?key|access[_-]?token|refresh[_-]?token|auth[_-]?token|"
    r"id[_-]?token|client[_-]?secret|app[_-]?secret|shared[_-]?secret|secret[_-]?(?:access[_-]?)?key|private[_-]?key|"
    r"session[_-]?id|sessionid|csrf[_-]?token)"
)
_VALUE = r"""(?P<secret>"(?:[^"\\]|\\.)+"|'(?:[^'\\]|\\.)+'|[^\s"'&,;<>)}\]]+)"""
_SHIPPED = (
    # userinfo of an address, Sentry DSNs with a secret among them
    r"[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/?#:@\"'<>]*:(?P<secret>[^\s/?#\"'<>]+)@",
    # headers
    r"(?i)\b(?:proxy-)?authorization\\?[\"']?\s*[:=,]\s*\\?[\"']?(?:(?:basic|bearer|token)\s+)?(?P<secret>[^\s\"',;\\]{3,})",
    r"(?i)\b(?:set-)?cookie\\?[\"']?\s*[:=]\s*\\?[\"']?(?P<secret>[^\r\n\"']{3,})",
    # a name and its value: assignments, JSON inside a text, Python's repr, parameters of an address
    rf"(?i)\b{_NAMES}\\?[\"']?\s*(?:[:=]|=>)\s*\\?{_VALUE}",
    r"(?i)[?&;](?:token|auth|secret|sig|signature|x-(?:amz|goog)-[a-z-]{3,20})=(?P<secret>[^&#\s\"'<>]+)",
    r"(?i)\b[\w.-]{0,60}token\\?[\"']?\s*=\s*\\?(?P<secret>\"[^\"]+\"|'[^']+'|[^\s\"'&,;<>)}\]]{6,})",
    # JSON Web Tokens and private keys, cut off ones as well
    r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?",
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?P<secret>[^-]*(?:-{1,4}[^-]+)*)",
    # tokens that say by their beginning what they are
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeoprs]-[A-Za-z0-9-]{8,})",
    r"\b(?:[sr]k_(?:live|test)_[A-Za-z0-9]{8,}|whsec_[A-Za-z0-9+/=]{16,}|AIza[\w-]{30,}|sk-[\w-]{20,}|npm_[A-Za-z0-9]{30,})",
    r"\bSG\.[\w-]{16,}\.[\w-]{16,}",
    r"hooks\.slack\.com/services/(?P<secret>[A-Za-z0-9/]+)",
    r"discord(?:app)?\.com/api/webhooks/\d+/(?P<secret>[\w-]+)",
    r"\b\d{8,10}:(?P<secret>AA[\w-]{30,})",
)
_SCHEME = r"(?i)\b(?:bearer|basic|token)\s+(?P<secret>[A-Za-z0-9+/_.~=-]{8,})"
"""A credential behind its scheme, or just words ("token bucket", "basic authentication"): the look decides."""
_TOLD = r"(?i)\b[\w.-]{0,60}(?:token|secret)\\?[\"']?\s*:\s*\\?[\"']?(?P<secret>[A-Za-z0-9+/_.~=-]{8,})"

_HINT = (
    r"(?i)passw|pwd|passphrase|secret|token|api[_-]?key|private[_ -]?key|authoriz|cookie|session|credential|bearer"
    r"|basic|://[^/\s\"]*@|eyj|akia|asia|gh[pousr]_|github_pat|glpat|xox|hooks\.slack|/webhooks/"
    r"|[sr]k_(?:live|test)|sk-|whsec|aiza|npm_|sg\.|:aa|sig|signature|x-(?:amz|goog)-|[?&;]auth="
)
_ESCAPED = r"\\u00(?:2[0-57-9a-fA-F]|3[0-9abdfABDF]|[4-7][0-9a-fA-F])|\\/"
"""Escapes of JSON that could hide a hint; `<`, `>` and `&` are written so by every Go program and hide none."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """What is taken out. Plain texts: it travels to other processes."""

    patterns: tuple[str, ...] = ()
    """The user's own, RE2: the whole match is taken out, or its group `secret`."""
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


@lru_cache(16)
def _machine(rules: Redaction) -> "_Machine":
    return _Machine(rules)


class _Machine:
    """A Redaction, compiled."""

    def __init__(self, rules: Redaction) -> None:
        own = [(_compiled(pattern), _any) for pattern in rules.patterns]
        shipped: list[tuple[Any, Callable[[str], bool]]] = [(_compiled(pattern), _any) for pattern in _SHIPPED]
        shipped += [(_compiled(_SCHEME), _looks_secret), (_compiled(_TOLD), _looks_secret)]
        self._shipped = shipped if rules.defaults else []
        self._own = own
        self._keys = frozenset(map(_plain, rules.keys)) | (_KEYS if rules.defaults else frozenset())
        self._defaults = rules.defaults
        self._hint = _compiled(_HINT)
        self._first_look = _compiled(f"{_HINT}|{_ESCAPED}")
        self._always = bool(rules.patterns or rules.keys)

    def may_hold(self, body: bytes) -> bool:
        """False only when no part of this JSON text can be a secret."""
        return self._always or (self._defaults and self._first_look.search(body) is not None)

    def secret_key(self, name: str, among_labels: bool) -> bool:
        """True for the name of a key whose value is a secret."""
        plain = _plain(name)
        if plain in self._keys:
            return True
        if not self._defaults or len(plain) > 100:
            return False
        return plain.endswith(_ENDINGS) or (not among_labels and plain.endswith(_LOOSE))

    def text(self, told: str) -> tuple[str, int]:
        """The text without secrets, and how many were taken out."""
        count = 0
        hinted = bool(self._shipped) and self._hint.search(told) is not None
        for pattern, secret in (*self._own, *(self._shipped if hinted else ())):
            told, taken = _without(told, pattern, secret)
            count += taken
        return told, count


def _without(told: str, pattern: Any, secret: Callable[[str], bool]) -> tuple[str, int]:
    group = pattern.groupindex.get("secret", 0)
    parts, end, count = [], 0, 0
    for found in pattern.finditer(told):
        begin, stop = found.span(group)
        value = told[begin:stop]
        if begin < 0 or MASK in value or MASK[:-1] in value or not secret(value.strip("\"'")):
            continue
        quote = value[0] if value[:1] in {'"', "'"} and value[-1:] == value[:1] else ""
        parts += [told[end:begin], quote, MASK, quote]
        end, count = stop, count + 1
    return ("".join((*parts, told[end:])), count) if count else (told, 0)


class _Walk:
    """Rebuilds a document; counts."""

    def __init__(self, machine: _Machine) -> None:
        self._machine = machine
        self.count = 0

    def value(self, value: Any, among_labels: bool) -> Any:
        """The value without secrets."""
        if isinstance(value, str):
            told, taken = self._machine.text(value)
            self.count += taken
            return told
        if isinstance(value, dict):
            return self._object(value, among_labels)
        if isinstance(value, list):
            if len(value) == 2 and isinstance(value[0], str) and self._machine.secret_key(value[0], among_labels):
                return [value[0], self._masked(value[1])]
            return [self.value(item, among_labels) for item in value]
        return value

    def _object(self, value: Mapping[str, Any], among_labels: bool) -> dict[str, Any]:
        named = value.get("name", value.get("key"))
        if isinstance(named, str) and "value" in value and self._machine.secret_key(named, among_labels):
            value = {**value, "value": self._masked(value["value"])}
        return {
            self.value(key, among_labels): self._masked(item)
            if self._machine.secret_key(key, among_labels)
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


def _any(value: str) -> bool:
    return bool(value)


def _looks_secret(value: str) -> bool:
    """Letters and digits mixed, or too long for a word."""
    return (any(c.isdigit() for c in value) and any(c.isalpha() for c in value)) or len(value) >= 24
