"""Packed JSON: manifests of tenants, kept small until they are read.

As Python's dicts and strings a manifest takes about twelve times the bytes of its JSON: ten objects of 900 KB
took more than 100 MB.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any

COMPRESSED_FROM = 8_192
"""Bytes of JSON from which on compression saves more than it costs."""
LEVEL = 1
"""Level of zlib: a megabyte takes some 10 ms."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A piece of plain data."""

    size: int
    """Bytes of its JSON, uncompressed."""
    text: bytes
    """The JSON, compressed if it is long."""

    @classmethod
    def of(cls, data: object) -> Packed:
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        return cls(len(text), zlib.compress(text, LEVEL) if len(text) >= COMPRESSED_FROM else text)

    def read(self) -> Any:
        """Return the data, made anew at each call."""
        text = zlib.decompress(self.text) if self.size >= COMPRESSED_FROM else self.text
        return json.loads(text.decode("utf-8", "surrogatepass"))
