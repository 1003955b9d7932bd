"""The clients of examples/monitoring come back whatever happened to them."""

from __future__ import annotations

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from testbed.eventually import eventually
from testbed.website import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator

FAULTY = """
import runpy, socket, sys
program, port = sys.argv[1], int(sys.argv[2])
failures = [LookupError("unknown encoding: idna"), socket.gaierror("no answer"), ValueError()]
def getaddrinfo(host, *_):
    if failures:
        raise failures.pop()
    return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]
socket.getaddrinfo = getaddrinfo
import time
time.sleep = lambda seconds, sleep=time.sleep: sleep(0.01)
sys.argv = [program, "web"]
runpy.run_path(program)
"""
"""The program, for which looking a name up fails in several ways before it works."""


@pytest.fixture
def requests() -> Iterator[tuple[int, list[str]]]:
    """A server's port, and the paths that it is asked for; the first answer is somebody else's."""
    asked: list[str] = []

    class Web(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(503 if len(asked) == 1 else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Web) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_port, asked
        server.shutdown()
        thread.join()


def test_a_client_comes_back_whatever_happened(requests: tuple[int, list[str]]) -> None:
    port, asked = requests
    program = str(EXAMPLES / "images" / "legacy" / "clients")
    with subprocess.Popen(
        [sys.executable, "-c", FAULTY, program, str(port)], stdout=subprocess.PIPE, text=True
    ) as clients:
        try:
            eventually(lambda: len(asked) > 3)
        finally:
            clients.kill()
        told, _ = clients.communicate()
    for line in (
        "web: ValueError()",
        "web: LookupError('unknown encoding: idna')",
        "web: HTTPException('somebody else: the answer is 503')",
        "web: is used",
    ):
        assert line in told.splitlines()
