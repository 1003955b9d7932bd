"""An endpoint, host:port, taken apart."""

from __future__ import annotations

from ipaddress import ip_address

ADDRESS_CHARACTERS = frozenset("0123456789abcdefABCDEF.:")


def host_of(endpoint: str) -> str:
    """Return the name or address, without brackets and without the dot of an absolute name."""
    return endpoint.rpartition(":")[0].strip("[]").rstrip(".")


def port_of(endpoint: str) -> str:
    return endpoint.rpartition(":")[2]


def is_address(host: str) -> bool:
    if not ADDRESS_CHARACTERS.issuperset(host):  # to be told so by an exception takes long
        return False
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
