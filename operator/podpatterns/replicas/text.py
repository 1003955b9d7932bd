"""Words of others, made fit for a status: one line, no control characters, a bounded length."""

from __future__ import annotations

from collections.abc import Sequence

ELLIPSIS = "…"
MORE = 24
"""Bytes kept for telling how many are left out."""


def shown(text: str, limit: int) -> str:
    """`text` in at most `limit` bytes of UTF-8: white space is folded, what can't be printed is escaped.

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
    return encoded[: limit - len(ELLIPSIS.encode())].decode(errors="ignore") + ELLIPSIS


def listed(
    items: Sequence[object], most: int, limit: int, separator: str = ", ", total: int | None = None
) -> str:
    """The first `most` items, fewer where they need more than `limit` bytes, and how many are left out.

    `total` is how many there are, where `items` are only the first of them.
    """
    found: list[str] = []
    room = limit - MORE
    for item in items[:most]:
        one = shown(str(item), limit - MORE if not found else limit)
        room -= len(one.encode()) + len(separator)
        if found and room < 0:
            break
        found.append(one)
    left_out = (len(items) if total is None else total) - len(found)
    more = f"{separator if separator != ', ' else ' '}and {left_out} more" if left_out else ""
    return separator.join(found) + more
