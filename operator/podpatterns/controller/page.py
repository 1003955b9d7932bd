"""A page that a helper serves in a Pod, asked for at the Pod's address as Prometheus does."""

from __future__ import annotations

import aiohttp

PATIENCE = aiohttp.ClientTimeout(total=3.0)
MAX_BYTES = 65_536


class NoPage(Exception):
    """What there is instead."""


def page_session() -> aiohttp.ClientSession:
    """For `read_page`; a context manager."""
    return aiohttp.ClientSession(timeout=PATIENCE, trust_env=False)


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
