"""Text for people: one line, no control characters, a bounded length, whatever others wrote into it."""

from __future__ import annotations

from collections.abc import Sequence

MESSAGE_LENGTH = 1024
"""Bytes of one message: of a condition, an error or a refusal. A server's answer may repeat a whole Pod."""
NAMES_SHOWN = 5
"""Names in a message."""
NAME_LENGTH = 120
"""Bytes of a name or a field's path in a message."""
NAMES_LENGTH = 600
"""Bytes of a list of names."""
_ELLIPSIS = "…"
_MORE = 24
"""Bytes kept for the number of items left out."""


def shown(text: str, limit: int) -> str:
    """Return `text` in at most `limit` bytes of UTF-8: white space folded, what can't be printed escaped.

    That is control characters, those that turn the direction of writing, and lone surrogates, which the API
    server would not keep. What is fit already stays as it is.
    """
    fit = len(text) <= limit and text.isprintable() and "  " not in text and text == text.strip()
    if fit and len(text.encode()) <= limit:
        return text
    folded = " ".join(text[:limit].split())
    printable = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in folded)
    encoded = printable.encode()
    if len(encoded) <= limit and len(text) <= limit:
        return printable
    return encoded[: limit - len(_ELLIPSIS.encode())].decode(errors="ignore") + _ELLIPSIS


def listed(
    items: Sequence[object],
    most: int = NAMES_SHOWN,
    limit: int = NAMES_LENGTH,
    separator: str = ", ",
    total: int | None = None,
) -> str:
    """Return the first `most` items, fewer where they exceed `limit` bytes, and how many more there are.

    `total` is the number of all, if `items` are only the first.
    """
    found: list[str] = []
    room = limit - _MORE
    for item in items[:most]:
        one = shown(str(item), limit - _MORE if not found else limit)
        room -= len(one.encode()) + len(separator)
        if found and room < 0:
            break
        found.append(one)
    left_out = (len(items) if total is None else total) - len(found)
    more = f"{separator if separator != ', ' else ' '}and {left_out} more" if left_out else ""
    return separator.join(found) + more
