"""The fingerprint of a label set, as Alertmanager computes it (prometheus/common, model/signature.go)."""

from collections.abc import Mapping

_OFFSET = 0xCBF29CE484222325
_PRIME = 0x100000001B3
_MASK = 2**64 - 1


def fingerprint(labels: Mapping[str, str]) -> str:
    """FNV-1a over name, 0xFF, value, 0xFF of every label with a value, sorted by name: 16 lower-case hex digits."""
    hashed = _OFFSET
    for name, value in sorted((name.encode(), value.encode()) for name, value in labels.items() if value):
        for byte in b"%b\xff%b\xff" % (name, value):
            hashed = ((hashed ^ byte) * _PRIME) & _MASK
    return f"{hashed:016x}"
