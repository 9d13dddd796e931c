"""What secrets look like in what senders write: RE2 patterns over texts, and over the names of keys.

Found by trial: each alternative has its row in the table of tests/test_redact.py.
"""

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
KEY = rf"(?:{_NAMES}|{_ALONE}|authorization|cookies?|^credentials){_MORE}$"
LOOSE_KEY = rf"(?:token|secret){_MORE}$"
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
    r"asg_[0-9a-f]{20,64}",
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
SHIPPED = ((_SURE, "^$"), (_PORTS, _PORT), (_COUNTS, _COUNT), (_LOOKS, _WORDS))

HINT = (
    r"(?i)pass[_-]?(?:w|phrase)|pwd|secret|token|(?:api|account|access)[_-]?key|private[_ -]?key|authoriz|cookie"
    rf"|pass{_MORE}(?:{_Q}|\]|(?:\s|\\[fnrt]|\\u000[9acd])*[:=])|session|credential|bearer|basic"
    r"|://[^\s/?#:@\"]*:[^\s\"]*@|(?:/|%(?:25)*2f){2}[^\s/?#:@&\"]*%(?:25)*3a[^\s\"]*(?:%(?:25)*40|@)"
    r"|asg_|eyj|akia|asia|gh[pousr]_|github_pat|glpat|xox|hooks\.slack|/webhooks/"
    r"|[sr]k_(?:live|test)|sk-|whsec|aiza|npm_|sg\.|(?::|%3a)aa|sig|x-(?:amz|goog)-|(?:[?&;]|\\u0026)auth="
)
ESCAPED = r"\\u00(?:2[0-57-9a-fA-F]|3[0-9abdfABDF]|[4-7][0-9a-fA-F])|\\/"
"""Escapes of JSON that could hide a hint; `<`, `>` and `&` are written so by every Go program and hide none."""
