"""The stream of a watch: lines of any length, an event each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

CHUNK_BYTES = 1 << 18
"""Bytes read before others get their turn in the event loop."""
EXCERPT = 200
TYPES = ("ADDED", "MODIFIED", "DELETED", "BOOKMARK")


class MalformedEventError(Exception):
    """A line is no event that can be read: list again, since the lost event is unknown."""


async def lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Yield the lines, however long: aiohttp's own reading of lines gives up at the size of its buffer.

    A remainder without a line's end is half an event, which the next watch brings whole.
    """
    pending: list[bytes] = []
    async for chunk in content.iter_chunked(CHUNK_BYTES):
        first, *more = chunk.split(b"\n")
        pending.append(first)
        for line in more:
            if whole := b"".join(pending).strip():
                yield whole
            pending = [line]
        if len(chunk) == CHUNK_BYTES:
            # There is more in the buffer, which would be read without anybody else's turn.
            await asyncio.sleep(0)


def read_event(line: bytes) -> dict[str, Any]:
    """Return the event. Its type is known, and its object has a resourceVersion unless the type is ERROR."""
    try:
        event = json.loads(line)
        kind, obj = event["type"], event["object"]
        if kind == "ERROR" or (kind in TYPES and int(obj["metadata"]["resourceVersion"]) >= 0):
            return dict(event)
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise MalformedEventError(f"{type(error).__name__}: {line[:EXCERPT]!r}") from None
    raise MalformedEventError(f"unknown type: {line[:EXCERPT]!r}")
