"""The size of a list's pages: bounded in bytes, whatever the objects weigh."""

from __future__ import annotations

PAGE_BYTES = 2 << 20
"""Of JSON in one page. Reading so much holds the event loop up for some 20 ms."""
MAX_PAGE_BYTES = 4 * PAGE_BYTES
"""After which a page is not read to its end, but asked for again with fewer items."""
FIRST_LIMIT, MAX_LIMIT = 16, 500
"""Items. Ten objects of 1 MB are ten megabytes, and nothing is known of them before the first page."""


class PageSize:
    """How many items to ask for next."""

    def __init__(self) -> None:
        self.limit = FIRST_LIMIT

    @property
    def max_bytes(self) -> int | None:
        """Bytes to read of the page at most; a single object is read whatever it weighs."""
        return MAX_PAGE_BYTES if self.limit > 1 else None

    def seen(self, items: int, size: int) -> None:
        """A page had so many items and bytes: the next one may have twice as many if they are as small."""
        fitting = PAGE_BYTES * max(1, items) // max(1, size)
        self.limit = max(1, min(MAX_LIMIT, 2 * self.limit, fitting))

    def too_long(self) -> None:
        """The page had more bytes than are read."""
        self.limit = max(1, self.limit // 4)
