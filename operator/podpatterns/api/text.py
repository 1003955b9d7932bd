"""Text for people, cut to a length: messages quote what others wrote, which may be of any length."""

from __future__ import annotations

from collections.abc import Sequence

NAMES_SHOWN = 5
NAME_SHOWN = 120
"""Bytes of a name or a field's path in a list of several."""
_CUT = "…"


def cut(text: str, most: int) -> str:
    """The text in at most so many bytes of UTF-8; one that was longer ends with an ellipsis."""
    if len(text) * 4 <= most:  # no character takes more than four
        return text
    data = text.encode(errors="replace")
    if len(data) <= most:
        return text
    return data[: most - len(_CUT.encode())].decode(errors="ignore") + _CUT


def enumerated(names: Sequence[str]) -> str:
    """The first few of the names, in their order."""
    shown = ", ".join(cut(name, NAME_SHOWN) for name in names[:NAMES_SHOWN])
    return f"{shown} and more" if len(names) > NAMES_SHOWN else shown
