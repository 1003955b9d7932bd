"""What a helper serves at its endpoint, read over HTTP as Prometheus does. Anything may listen there."""

from __future__ import annotations

import aiohttp

from podpatterns.replicas.endpoint import Endpoint

TIMEOUT = aiohttp.ClientTimeout(total=3.0)
MAX_BYTES = 65_536
MAX_HASH = 64
"""Characters."""


class Unreachable(Exception):
    """The reason why an endpoint gives no answer."""


def new_session() -> aiohttp.ClientSession:
    """Return a session that keeps nothing of those it polls: no connections, no cookies.

    It doesn't unpack what comes compressed: a few bytes can be made into many.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept-Encoding": "identity"},
        auto_decompress=False,
        timeout=TIMEOUT,
        trust_env=False,
    )


async def read_endpoint(session: aiohttp.ClientSession, endpoint: Endpoint) -> bytes:
    """Return what is served. Nothing long is read, and no redirection followed.

    Raises:
        Unreachable: nothing is, for that reason.
    """
    host = f"[{endpoint.ip}]" if ":" in endpoint.ip else endpoint.ip
    url = f"http://{host}:{endpoint.port}{endpoint.path}"
    try:
        async with session.get(url, allow_redirects=False) as response:
            response.raise_for_status()
            text = bytearray()
            async for part in response.content.iter_any():
                text += part
                if len(text) > MAX_BYTES:
                    raise Unreachable("the answer is too long")
            return bytes(text)
    except aiohttp.ClientResponseError as error:
        raise Unreachable(f"status {error.status}") from None
    except TimeoutError:
        raise Unreachable(f"no answer within {TIMEOUT.total:.0f} s") from None
    except aiohttp.ClientError:
        raise Unreachable("the operator can't connect to the Pod") from None


def read_hash(told: object) -> str:
    """Return the hash of a configuration as a helper tells it; empty when it runs none.

    Raises:
        ValueError: it is none.
    """
    if isinstance(told, str) and len(told) <= MAX_HASH and told.isascii() and (told.isalnum() or not told):
        return told
    raise ValueError("not a hash")
