"""The inside of a double-quoted Go string, as the newer matchers are written."""

import re

_SIMPLE = {
    "a": b"\a",
    "b": b"\b",
    "f": b"\f",
    "n": b"\n",
    "r": b"\r",
    "t": b"\t",
    "v": b"\v",
    "\\": b"\\",
    '"': b'"',
}
_PIECE = re.compile(
    r"\\(?:(?P<simple>[abfnrtv\\\"])|x(?P<byte>[0-9a-fA-F]{2})|(?P<octal>[0-7]{3})"
    r"|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8}))|(?P<plain>[^\\\"\n]+)"
)


def unquoted(inside: str) -> str:
    """What stands between the quotes, its escapes read. Raises ValueError with the end of a sentence."""
    found, place = b"", 0
    while place < len(inside):
        piece = _PIECE.match(inside, place)
        if piece is None:
            raise ValueError("has an escape that is not known in double quotes, or a line break")
        found += _read(piece)
        place = piece.end()
    try:
        return found.decode()
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 once its escapes are read") from None


def _read(piece: "re.Match[str]") -> bytes:
    (kind, text), *_ = ((kind, text) for kind, text in piece.groupdict().items() if text is not None)
    if kind == "simple":
        return _SIMPLE[text]
    if kind == "plain":
        return text.encode("utf-8", "surrogatepass")
    number = int(text, 8 if kind == "octal" else 16)
    if kind in ("byte", "octal"):
        if number > 0xFF:
            raise ValueError("has an escape for more than a byte")
        return bytes((number,))
    if number > 0x10FFFF or 0xD800 <= number < 0xE000:
        raise ValueError("has an escape for what is no character")
    return chr(number).encode()
