"""Where the page is served: a host and a port."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

# What stands for all addresses of this machine -> an address elsewhere, of those for documentation.
_ALL_OF_THEM = {"0.0.0.0": ("192.0.2.1", 9), "::": ("2001:db8::1", 9)}

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

    @property
    def seen_from_outside(self) -> Address:
        """The address that others type: of 0.0.0.0 and ::, that of this machine in its network."""
        if self.host not in _ALL_OF_THEM:
            return self
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(_ALL_OF_THEM[self.host])  # of UDP: nothing is sent
                return Address(self.port, probe.getsockname()[0])
            except OSError:  # there is no network
                return Address(self.port, "::1" if ":" in self.host else "127.0.0.1")

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
