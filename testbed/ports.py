"""Ports of loopback for the servers that tests and benches start."""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress

PORTS = range(10_000, 30_000)
"""None of those that the kernel gives to connections (net.ipv4.ip_local_port_range, from 32768 on): one of
the many under way would at times take a port before its server does, or while that is down. No NodePorts."""

_given: set[int] = set()


def free_port() -> int:
    """A port that nobody has on 127.0.0.1, neither TCP's nor UDP's; each time another one."""
    while True:
        port = secrets.choice(PORTS)
        if port in _given:
            continue
        with suppress(OSError), socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
            _given.add(port)
            return port
