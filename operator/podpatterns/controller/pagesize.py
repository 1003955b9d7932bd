"""The size of a list's pages: bounded in bytes, whatever the objects weigh."""

from __future__ import annotations

PAGE_BYTES = 2 << 20
"""Bytes of JSON in one page. Reading so much holds the event loop up for some 20 ms."""
MAX_PAGE_BYTES = 4 * PAGE_BYTES
"""Bytes after which a page is not read to its end, but requested again with fewer items."""
FIRST_LIMIT, MAX_LIMIT = 16, 500
"""Items of the first page, whose size is not known, and of any page. 16 objects of 1 MB are 16 MB."""


class PageSize:
    """The number of items to request next."""

    def __init__(self) -> None:
        self.limit = FIRST_LIMIT

    @property
    def max_bytes(self) -> int | None:
        """Bytes to read of the page at most; a single object is read whatever its size."""
        return MAX_PAGE_BYTES if self.limit > 1 else None

    def seen(self, items: int, size: int) -> None:
        """Note the items and bytes of a page: the next may have twice as many items if they are small."""
        fitting = PAGE_BYTES * max(1, items) // max(1, size)
        self.limit = max(1, min(MAX_LIMIT, 2 * self.limit, fitting))

    def too_long(self) -> None:
        """Note a page that had more bytes than are read."""
        self.limit = max(1, self.limit // 4)
