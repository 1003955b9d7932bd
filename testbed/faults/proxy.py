"""The proxy: between the operator and the API server, with a certificate of its own."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from typing import TYPE_CHECKING, Any

import aiohttp
import trustme
import yaml
from aiohttp import web

from testbed.cluster.kubeconfig import server_and_tls
from testbed.faults.faults import Decisions, Fault, StreamFault
from testbed.faults.route import Route
from testbed.loopthread import LoopThread

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LINE_BYTES = 1 << 22
PASSED_ON = ("Content-Type", "Retry-After")


class Proxy(LoopThread):
    """Speaks to the API server of `kubeconfig` as its user, to clients through `self.kubeconfig`.

    `faults` may be set and taken away at any time; None passes everything on. `kill` is called where a fault
    wants the operator killed. A context manager, with a thread of its own.
    """

    def __init__(self, kubeconfig: Path, directory: Path, kill: Callable[[], None]) -> None:
        super().__init__()
        self._url, self._upstream_tls = server_and_tls(kubeconfig)
        self._kill = kill
        self.kubeconfig = directory / "proxy.kubeconfig"
        self.faults: Decisions | None = None
        self.requests = 0
        """How many have come so far."""
        self._watches: dict[int, web.Request] = {}

    def reset_watches(self) -> None:
        """Ends every watch, so that those that follow are under the present faults."""
        self._loop.call_soon_threadsafe(lambda: [_reset(request) for request in self._watches.values()])

    async def _serve(self) -> None:
        authority = trustme.CA()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(tls)
        application = web.Application(client_max_size=LINE_BYTES)
        application.router.add_route("*", "/{path:.*}", self._handle)
        connector = aiohttp.TCPConnector(ssl=self._upstream_tls, limit=0)
        # Whoever is killed takes back what it asked for and what has not yet left here.
        runner = web.AppRunner(application, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        async with aiohttp.ClientSession(
            self._url, connector=connector, read_bufsize=LINE_BYTES, timeout=aiohttp.ClientTimeout()
        ) as self._session:
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
            await site.start()
            _, port = runner.addresses[0]
            self._write_kubeconfig(f"https://127.0.0.1:{port}", authority)
            self._ready.set()
            await self._stop.wait()
            for request in list(self._watches.values()):
                _reset(request)
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        route = Route.of(request.method, request.path, request.query)
        faults = self.faults
        fault = faults.request(route) if faults else Fault()
        body = await request.read()
        await asyncio.sleep(fault.delay)
        if fault.kill == "before":
            self._kill()
        if fault.kind == "reset" or fault.kill == "before":
            return _reset(request)
        if fault.kind == "refuse":
            return _refuse(*fault.refusal, fault.retry_after)
        try:
            return await self._pass_on(request, body, route, faults, fault)
        except aiohttp.ClientError:  # the API server is away
            return _reset(request)

    async def _pass_on(
        self, request: web.Request, body: bytes, route: Route, faults: Decisions | None, fault: Fault
    ) -> web.StreamResponse:
        headers = {
            name: request.headers[name] for name in ("Content-Type", "Accept") if name in request.headers
        }
        url = request.rel_url.update_query(limit=fault.page) if fault.page else request.rel_url
        async with self._session.request(
            request.method,
            url,
            data=body or None,
            headers={**headers, "Accept-Encoding": "identity"},
        ) as answer:
            if route.verb == "watch" and answer.status == web.HTTPOk.status_code:
                return await self._stream(request, answer, faults, fault.stream or StreamFault(""))
            payload = await answer.read()
        await asyncio.sleep(fault.late)
        if fault.kind == "hang":
            await _until_the_client_leaves()
        if fault.kill == "after":
            self._kill()
        if fault.kind == "drop response" or fault.kill == "after":
            return _reset(request)
        if fault.kind == "gateway":
            return web.Response(status=502, text="no answer from the server")
        passed_on = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
        return web.Response(status=answer.status, body=payload, headers=passed_on)

    async def _stream(
        self,
        request: web.Request,
        answer: aiohttp.ClientResponse,
        faults: Decisions | None,
        fault: StreamFault,
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": answer.headers["Content-Type"]})
        await response.prepare(request)
        self._watches[id(request)] = request
        try:
            number = 0
            async for line in answer.content:
                if faults is not None and faults is self.faults:
                    if number == fault.ends_after:
                        return await _end(request, response, fault)
                    await asyncio.sleep(fault.hold(number))
                    number += 1
                await response.write(line)
        except (aiohttp.ClientError, ConnectionError):
            return _reset(request)
        finally:
            del self._watches[id(request)]
        return response

    def _write_kubeconfig(self, url: str, authority: trustme.CA) -> None:
        certificate = base64.b64encode(authority.cert_pem.bytes()).decode()
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "proxy", "cluster": {"server": url, "certificate-authority-data": certificate}}
            ],
            "users": [{"name": "operator", "user": {}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "operator"}}],
            "current-context": "proxy",
        }
        self.kubeconfig.write_text(yaml.safe_dump(config))


async def _end(request: web.Request, response: web.StreamResponse, fault: StreamFault) -> web.StreamResponse:
    if fault.end == "hang":
        await _until_the_client_leaves()
    if fault.end == "reset":
        return _reset(request)
    if fault.end == "expired":
        event = {"type": "ERROR", "object": _status(410, "Expired")}
        await response.write(json.dumps(event).encode() + b"\n")
    return response


async def _until_the_client_leaves() -> None:
    """The server cancels a handler whose client has closed the connection."""
    await asyncio.Future()


def _reset(request: web.Request) -> web.Response:
    """Ends the connection without a word."""
    if request.transport:
        request.transport.abort()
    return web.Response()


def _refuse(code: int, reason: str, retry_after: int | None) -> web.Response:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return web.json_response(_status(code, reason), status=code, headers=headers)


def _status(code: int, reason: str) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": f"{reason}, says the proxy",
    }
