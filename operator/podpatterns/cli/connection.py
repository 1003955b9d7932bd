"""Requests to the API server, by the standard library: no client library is imported for them."""

from __future__ import annotations

import base64
import json
import os
import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from podpatterns import __version__
from podpatterns.cli.error import CommandError
from podpatterns.cli.kubeconfig import Login

Object = dict[str, Any]
FIELD_MANAGER = "podpatterns-cli"
TIMEOUT = 30.0
"""Seconds for an answer."""


class Refusal(CommandError):
    """The API server's answer to a request is no; the message is its own."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code

    @property
    def not_found(self) -> bool:
        return self.code == HTTPStatus.NOT_FOUND


class Connection:
    """Connections to one API server, each for one request. `login` is asked again when credentials have
    expired."""

    def __init__(self, login: Callable[[], Login]) -> None:
        self._login = login
        self._use(login())

    def _use(self, login: Login) -> None:
        self._url = urlsplit(login.server)
        self._tls = _tls(login) if self._url.scheme == "https" else None
        self._server_name = login.server_name
        self.namespace = login.namespace
        self._proxy = _proxy(self._url, login)
        self._headers = {"User-Agent": f"{FIELD_MANAGER}/{__version__}", "Accept": "application/json"}
        if login.token:
            self._headers["Authorization"] = f"Bearer {login.token}"

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | Sequence[Any] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        """Return the object that the API server answers with; raises Refusal."""
        text = None if body is None else json.dumps(body)
        headers = {"Content-Type": content_type} if text else {}
        with self._answer(method, f"{path}{_written(query)}", text, headers, TIMEOUT) as answer:
            try:
                found: Object = json.loads(answer.read())
            except ValueError as error:
                raise self._unreachable(error) from None
        return found

    def lines(self, path: str, query: Mapping[str, str]) -> Iterator[str]:
        """Yield the lines of a text as they come, however long that takes; raises Refusal."""
        with self._answer("GET", f"{path}{_written(query)}", None, {}, None) as answer:
            for line in answer:
                yield line.decode(errors="replace").rstrip("\n")

    @contextmanager
    def _answer(self, *request: Any) -> Iterator[HTTPResponse]:
        """Send a request; the connection is closed after the use of the answer."""
        connection, answer = self._send(*request)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            connection.close()
            self._use(self._login())
            connection, answer = self._send(*request)
        try:
            if answer.status >= HTTPStatus.BAD_REQUEST:
                raise Refusal(answer.status, _message(answer))
            yield answer
        except (OSError, HTTPException) as error:
            raise self._unreachable(error) from None
        finally:
            connection.close()

    def _send(
        self, method: str, path: str, body: str | None, headers: Mapping[str, str], timeout: float | None
    ) -> tuple[HTTPConnection, HTTPResponse]:
        connection = self._open(timeout)
        target = f"{self._url.path.rstrip('/')}{path}"
        try:
            connection.request(method, target, body and body.encode(), {**self._headers, **headers})
            return connection, connection.getresponse()
        except (OSError, HTTPException) as error:
            connection.close()
            raise self._unreachable(error) from None

    def _open(self, timeout: float | None) -> HTTPConnection:
        through = self._proxy or self._url
        if self._tls is None:
            connection = HTTPConnection(str(through.hostname), through.port, timeout=timeout)
        else:
            name = self._server_name
            connection = _NamedConnection(
                str(through.hostname), through.port, name, timeout=timeout, context=self._tls
            )
        if self._proxy:
            connection.set_tunnel(str(self._url.hostname), self._url.port or 443, _credentials(self._proxy))
        return connection

    def _unreachable(self, error: Exception) -> CommandError:
        told = " ".join(str(error).split()) or type(error).__name__
        return CommandError(f"{self._url.scheme}://{self._url.netloc}: {told}")


class _NamedConnection(HTTPSConnection):
    """A connection to a server whose certificate may have another name than its host."""

    def __init__(self, host: str, port: int | None, name: str, **options: Any) -> None:
        super().__init__(host, port, **options)
        self._name = name
        self._tls: ssl.SSLContext = options["context"]

    def connect(self) -> None:
        HTTPConnection.connect(self)
        host = self._name or self._tunnel_host or self.host  # type: ignore[attr-defined]
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=host)


def _tls(login: Login) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cadata=login.authority or None)
        if not login.verify:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if login.certificate:
            # OpenSSL reads a certificate's key from a file only.
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
                file.write(login.certificate)
                file.flush()
                context.load_cert_chain(file.name)
    except (OSError, ValueError) as error:
        raise CommandError(f"kubeconfig: a certificate can't be used: {error}") from None
    return context


def _proxy(server: SplitResult, login: Login) -> SplitResult | None:
    found = login.proxy
    if not found and any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy")):
        from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 (slow to import)

        found = "" if proxy_bypass(str(server.hostname)) else getproxies().get(server.scheme, "")
    return urlsplit(found) if found else None


def _credentials(proxy: SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    told = base64.b64encode(f"{proxy.username}:{proxy.password or ''}".encode()).decode()
    return {"Proxy-Authorization": f"Basic {told}"}


def _written(query: Mapping[str, str] | None) -> str:
    return f"?{urlencode(query)}" if query else ""


def _message(answer: HTTPResponse) -> str:
    """Return the message of a metav1.Status, or of whoever answered in the server's place."""
    text = answer.read().decode(errors="replace")
    try:
        return str(json.loads(text)["message"])
    except (ValueError, TypeError, KeyError):
        return f"{answer.status} {answer.reason}"
