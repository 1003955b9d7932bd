"""Pages that helpers serve in Pods, asked for at the Pod's address as Prometheus does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from operator import attrgetter

import aiohttp

from podpatterns.controller.key import Key
from podpatterns.controller.workqueue import WorkQueue

PATIENCE = aiohttp.ClientTimeout(total=3.0)
MAX_BYTES = 65_536
MAX_HASH = 64
"""Characters."""

log = logging.getLogger(__name__)


class NoPage(Exception):
    """What there is instead."""


def new_queue(workers: int) -> WorkQueue[Key]:
    """Return a queue of objects to ask about, fair by namespace."""
    return WorkQueue(attrgetter("namespace"), workers)


async def ask_on(
    queue: WorkQueue[Key], at_once: int, ask: Callable[[aiohttp.ClientSession, Key], Awaitable[None]]
) -> None:
    """Ask about the keys of the queue, so many at once, for ever; the session is for `read_page`."""

    async def work(session: aiohttp.ClientSession) -> None:
        while (key := await queue.get()) is not None:
            try:
                await ask(session, key)
            except Exception:
                # One Pod's surprise must not end the questions to all others.
                log.exception("Poll failed unexpectedly", extra={"key": str(key)})
                queue.add_failed(key)
            else:
                queue.succeeded(key)
            finally:
                queue.done(key)

    async with new_session() as session, asyncio.TaskGroup() as tasks:
        for _ in range(at_once):
            tasks.create_task(work(session))


def new_session() -> aiohttp.ClientSession:
    """Return a session that keeps nothing of those it asks: no connections, no cookies.

    It doesn't unpack what comes compressed: a few bytes can be made into many.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept-Encoding": "identity"},
        auto_decompress=False,
        timeout=PATIENCE,
        trust_env=False,
    )


def page_url(address: str, port: int, path: str) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"http://{host}:{port}{path}"


async def read_page(session: aiohttp.ClientSession, url: str) -> bytes:
    """The page's text. Anything may listen there: nothing long is read, and no redirection followed.

    Raises:
        NoPage: there is none, for that reason.
    """
    try:
        async with session.get(url, allow_redirects=False) as response:
            response.raise_for_status()
            text = bytearray()
            async for part in response.content.iter_any():
                text += part
                if len(text) > MAX_BYTES:
                    raise NoPage("the answer is too long")
            return bytes(text)
    except aiohttp.ClientResponseError as error:
        raise NoPage(f"status {error.status}") from None
    except TimeoutError:
        raise NoPage(f"no answer within {PATIENCE.total:.0f} s") from None
    except aiohttp.ClientError:
        raise NoPage("the operator can't connect to the Pod") from None


def read_hash(told: object) -> str:
    """Return the hash of a configuration as a helper tells it; empty when it runs none.

    Raises:
        ValueError: it is none.
    """
    if isinstance(told, str) and len(told) <= MAX_HASH and told.isascii() and (told.isalnum() or not told):
        return told
    raise ValueError("not a hash")
