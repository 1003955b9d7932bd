"""Pages that helpers serve in Pods, asked for at the Pod's address as Prometheus does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp

from podpatterns.controller.key import Key
from podpatterns.controller.workqueue import WorkQueue

PATIENCE = aiohttp.ClientTimeout(total=3.0)
MAX_BYTES = 65_536


class NoPage(Exception):
    """What there is instead."""


async def ask_on(
    queue: WorkQueue[Key], at_once: int, ask: Callable[[aiohttp.ClientSession, Key], Awaitable[None]]
) -> None:
    """Ask about the keys of the queue, so many at once, for ever; the session is for `read_page`."""

    async def work(session: aiohttp.ClientSession) -> None:
        while (key := await queue.get()) is not None:
            try:
                await ask(session, key)
            finally:
                queue.done(key)

    session = aiohttp.ClientSession(timeout=PATIENCE, trust_env=False)
    async with session, asyncio.TaskGroup() as tasks:
        for _ in range(at_once):
            tasks.create_task(work(session))


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
            text = b""
            async for part in response.content.iter_any():
                text += part
                if len(text) > MAX_BYTES:
                    raise NoPage("it is too long")
            return text
    except aiohttp.ClientResponseError as error:
        raise NoPage(f"status {error.status}") from None
    except TimeoutError:
        raise NoPage(f"nothing came within {PATIENCE.total:.0f} s") from None
    except aiohttp.ClientError:
        raise NoPage("the operator can't connect to it") from None
