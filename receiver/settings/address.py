"""Addresses and names of hosts as settings."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")


@dataclass(frozen=True, slots=True)
class Address:
    """A host (name, IPv4 or IPv6 address, without brackets) and a port; port 0 lets the system choose."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """True when only this machine can reach it."""
        if self.host == "localhost":
            return True
        return _is_ip(self.host) and ipaddress.ip_address(self.host).is_loopback

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(value: object) -> Address:
    """Read `host:port` or `[IPv6]:port`. Raises ValueError with one sentence."""
    if isinstance(value, Address):
        return value
    wrong = ValueError(f'"{value}" is not an address; write host:port, e.g. 127.0.0.1:9911')
    if not isinstance(value, str):
        raise wrong
    host, colon, port = value.rpartition(":")
    if not colon or not re.fullmatch(r"\d{1,5}", port, re.ASCII) or int(port) > 65_535:
        raise wrong
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if ":" not in host or not _is_ip(host):
            raise wrong
    elif not _HOST.fullmatch(host):
        raise wrong
    return Address(host.lower(), int(port))


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _host_name(value: str) -> str:
    if _HOST.fullmatch(value) or (":" in value and _is_ip(value)):
        return value.lower()
    raise ValueError(f'"{value}" is not a host name; write it without scheme and port, e.g. alerts.example.org')


def _header_name(value: str) -> str:
    if _TOKEN.fullmatch(value):
        return value
    raise ValueError("is not the name of a header, e.g. X-Alert-Token")


Listen = Annotated[Address, BeforeValidator(parse_address)]
"""`host:port` as text, an Address as value."""
HostName = Annotated[str, AfterValidator(_host_name)]
"""A host name or address without a port, in lower case."""
HeaderName = Annotated[str, AfterValidator(_header_name)]
"""The name of an HTTP header."""
