"""Servers of the outside world, on addresses of the loopback network, and the proxy that stands for them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from podpatterns.compose.helpers.haproxy import haproxy_config
from testbed.builders import ambassador
from testbed.cluster.process import Process
from testbed.eventually import eventually
from testbed.ports import free_port

if TYPE_CHECKING:
    import ssl

HEALTH = "/healthz"


@dataclass
class Web:
    """An HTTP server that notes what it was asked."""

    endpoint: str
    answer: Callable[[], HTTPStatus] = lambda: HTTPStatus.OK
    healthy: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    """What answers have besides."""
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and Host of those that were no health checks."""


@contextmanager
def web(tls: ssl.SSLContext | None = None) -> Iterator[Web]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == HEALTH:
                status = HTTPStatus.OK if served.healthy else HTTPStatus.SERVICE_UNAVAILABLE
            else:
                served.requests.append((self.command, self.path, self.headers["Host"]))
                status = served.answer()
            self.send_response(status)
            self.send_header("Content-Length", "0")
            for name, value in served.headers.items():
                self.send_header(name, value)
            self.end_headers()

        do_POST = do_GET  # noqa: N815 (http.server's name)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    served = Web(f"127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Proxy:
    port: int

    def request(self, method: str = "GET", path: str = "/", host: str | None = None) -> int:
        """The status, as a client of localhost sees it."""
        return self.ask(method, path, {"Host": host} if host else {})[0]

    def ask(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, Message]:
        """The status and the headers of the answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers
        finally:
            connection.close()


@contextmanager
def proxy(directory: Path, **upstream: Any) -> Iterator[Proxy]:
    """HAProxy with one upstream, `upstream` in the words of its manifest; `directory` has the Secrets."""
    port = free_port()
    with haproxy(directory, {"name": "up", "protocol": "http", "listen": {"port": port}, **upstream}):
        yield Proxy(port)


@contextmanager
def haproxy(directory: Path, upstream: dict[str, Any]) -> Iterator[None]:
    """The same for an upstream that says all of it."""
    app = ambassador(upstreams=[upstream])
    file = directory / "haproxy.cfg"
    file.write_text(haproxy_config(app.spec.upstreams, str(directory)))
    process = Process(["haproxy", "-db", "-f", file], directory / "haproxy.log")
    process.start()
    try:
        eventually(lambda: listens(upstream["listen"]["port"]), 20)
        yield
    finally:
        process.stop()


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
