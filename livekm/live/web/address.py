"""Where the page is served: a host and a port."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port to serve on.

    Attributes
    ----------
    port : int
        0 takes a free one.
    host : str, default "127.0.0.1"
    """

    port: int
    host: str = "127.0.0.1"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host in LOOPBACK_NAMES

    def __str__(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def read_address(text: str) -> Address:
    """Read ``[HOST:]PORT``; raise ValueError with one phrase about what it must be.

    Examples
    --------
    >>> read_address("8000")
    Address(port=8000, host='127.0.0.1')
    >>> str(read_address("[::]:80"))
    '[::]:80'
    """
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdecimal() and int(port) < 2**16) or (
        ":" in text and not host
    ):
        raise ValueError(f"must be a port, or an address and a port like 0.0.0.0:8000, got {text}")
    return Address(int(port), host.strip("[]")) if host else Address(int(port))
