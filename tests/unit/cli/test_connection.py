"""Requests of the commands, to a server that answers as it is told."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from podpatterns.cli.connection import Connection, Refusal
from podpatterns.cli.error import CommandError
from podpatterns.cli.kubeconfig import Login


class Server(BaseHTTPRequestHandler):
    """Answers with the code and the text in its path; it takes the token `new`."""

    def do_GET(self) -> None:
        _, code, text = self.path.split("/", 2)
        self._answer(401 if self.headers["Authorization"] != "Bearer new" else int(code), text)

    def _answer(self, code: int, text: str) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Server) as http:
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def connection(url: str, *tokens: str) -> Connection:
    logins = iter([Login(url, "default", token=token) for token in tokens or ("new",)])
    return Connection(lambda: next(logins))


def test_an_expired_token_is_renewed_once(url: str) -> None:
    assert connection(url, "old", "new").request("GET", "/200/{}") == {}
    with pytest.raises(Refusal) as refused:
        connection(url, "old", "older").request("GET", "/200/{}")
    assert refused.value.code == 401


def test_a_refusal_has_the_servers_message(url: str) -> None:
    with pytest.raises(Refusal, match=r"^no$"):
        connection(url).request("GET", '/403/{"message":"no"}')
    with pytest.raises(Refusal, match=r"^502 Bad Gateway$"):
        connection(url).request("GET", "/502/<html>")


def test_an_answer_that_is_none_is_told_in_one_line(url: str) -> None:
    with pytest.raises(CommandError, match=rf"^{url}: [^\n]+$"):
        connection(url).request("GET", "/200/html")


def test_a_server_that_is_away_is_told_in_one_line() -> None:
    with pytest.raises(CommandError, match=r"^http://127.0.0.1:1: .*refused$"):
        connection("http://127.0.0.1:1").request("GET", "/")
