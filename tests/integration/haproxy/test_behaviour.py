"""The real HAProxy does what an Ambassador's fields say."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import pytest
import trustme

from testbed.cluster.packages import require
from testbed.eventually import eventually
from tests.integration.haproxy.servers import HEALTH, proxy, web

SECRET = {"name": "ca", "key": "ca.crt"}


@pytest.fixture(autouse=True, scope="module")
def _haproxy() -> None:
    require({"haproxy": "haproxy"})


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    authority = trustme.CA()
    (tmp_path / "ca").mkdir()
    authority.cert_pem.write_to_path(tmp_path / "ca" / "ca.crt")
    return authority


def context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(tls)
    return tls


def failing(times: int) -> Callable[[], HTTPStatus]:
    """Answers 503 so many times, then 200."""
    left = iter([HTTPStatus.SERVICE_UNAVAILABLE] * times)
    return lambda: next(left, HTTPStatus.OK)


class TestTls:
    def test_names_and_verifies_the_server(self, tmp_path: Path, authority: trustme.CA) -> None:
        asked: list[str | None] = []
        tls = context(authority, "api.example.com")
        tls.sni_callback = lambda _socket, name, _context: asked.append(name)
        with (
            web(tls) as server,
            proxy(
                tmp_path,
                endpoints=[server.endpoint],
                tls={"serverName": "api.example.com", "caSecretRef": SECRET},
            ) as at,
        ):
            assert at.request() == HTTPStatus.OK
        assert asked == ["api.example.com"]
        assert [request[:2] for request in server.requests] == [("GET", "/")]

    @pytest.mark.parametrize("fault", ["another name", "another authority"])
    def test_refuses_a_server_that_is_not_the_one(
        self, tmp_path: Path, authority: trustme.CA, fault: str
    ) -> None:
        issuer = trustme.CA() if fault == "another authority" else authority
        name = "evil.example.com" if fault == "another name" else "api.example.com"
        with (
            web(context(issuer, name)) as server,
            proxy(
                tmp_path,
                endpoints=[server.endpoint],
                tls={"serverName": "api.example.com", "caSecretRef": SECRET},
            ) as at,
        ):
            assert at.request() == HTTPStatus.SERVICE_UNAVAILABLE
        assert server.requests == []


RETRIES = {"attempts": 2, "retryOn": ["connect-failure", "503"]}


class TestRetries:
    def test_a_status_is_tried_again(self, tmp_path: Path) -> None:
        with web() as server, proxy(tmp_path, endpoints=[server.endpoint], retries=RETRIES) as at:
            server.answer = failing(2)
            assert at.request() == HTTPStatus.OK
            assert len(server.requests) == 3
            server.answer = failing(3)
            assert at.request() == HTTPStatus.SERVICE_UNAVAILABLE

    def test_but_no_request_that_may_not_be_repeated(self, tmp_path: Path) -> None:
        with web() as server, proxy(tmp_path, endpoints=[server.endpoint], retries=RETRIES) as at:
            server.answer = failing(1)
            assert at.request("POST") == HTTPStatus.SERVICE_UNAVAILABLE
        assert [method for method, _, _ in server.requests] == ["POST"]

    def test_by_default_nothing_is(self, tmp_path: Path) -> None:
        with web() as server, proxy(tmp_path, endpoints=[server.endpoint]) as at:
            server.answer = failing(1)
            assert at.request() == HTTPStatus.SERVICE_UNAVAILABLE


class TestNames:
    def test_the_upstream_is_called_by_its_own_name_with_its_port(self, tmp_path: Path) -> None:
        with web() as server, proxy(tmp_path, endpoints=[server.endpoint]) as at:
            at.request(host="tenant.example.com")
            for local in ("127.0.0.1:1", "localhost", "[::1]:8080"):
                at.request(host=local)
        assert [host for _, _, host in server.requests] == ["tenant.example.com", *[server.endpoint] * 3]

    def test_a_redirect_to_itself_leads_back_through_the_proxy(self, tmp_path: Path) -> None:
        with web() as server, proxy(tmp_path, endpoints=[server.endpoint]) as at:

            def location(said: str, host: str = f"localhost:{at.port}") -> str:
                server.headers["Location"] = said
                return at.ask("GET", "/", {"Host": host})[1]["Location"]

            own = f"http://{server.endpoint}"
            assert location(f"{own}/login?next=1") == f"http://localhost:{at.port}/login?next=1"
            assert location(own) == f"http://localhost:{at.port}"
            elsewhere = [f"https://{server.endpoint}/", "http://other.example.com/", f"{own}0/", "/path"]
            assert [location(said) for said in elsewhere] == elsewhere
            assert location(f"{own}/", host="tenant.example.com") == f"{own}/"

    def test_over_tls(self, tmp_path: Path, authority: trustme.CA) -> None:
        with web(context(authority, "api.example.com")) as server:
            port = server.endpoint.rpartition(":")[2]
            tls = {"serverName": "api.example.com", "caSecretRef": SECRET}
            with proxy(tmp_path, endpoints=[server.endpoint], tls=tls) as at:
                server.headers["Location"] = f"https://api.example.com:{port}/there"
                _, headers = at.ask("GET", "/", {"Host": "localhost:1"})
        assert headers["Location"] == "http://localhost:1/there"
        assert [host for _, _, host in server.requests] == [f"api.example.com:{port}"]


def test_long_headers_pass_both_ways(tmp_path: Path) -> None:
    long = "x" * 50_000
    with web() as server, proxy(tmp_path, endpoints=[server.endpoint]) as at:
        server.headers["Long"] = long
        status, headers = at.ask("GET", "/", {"Long": long})
    assert (status, headers["Long"]) == (HTTPStatus.OK, long)


def test_a_request_that_gets_no_answer_is_ended(tmp_path: Path) -> None:
    answered = threading.Event()

    def late() -> HTTPStatus:
        answered.wait(60)
        return HTTPStatus.OK

    with (
        web() as server,
        proxy(tmp_path, endpoints=[server.endpoint], timeouts={"request": "200ms"}) as at,
    ):
        server.answer = late
        assert at.request() == HTTPStatus.GATEWAY_TIMEOUT
        answered.set()


def test_an_endpoint_that_is_not_well_gets_no_requests_until_it_is(tmp_path: Path) -> None:
    check = {"interval": "100ms", "unhealthyThreshold": 1, "path": HEALTH}
    with (
        web() as one,
        web() as other,
        proxy(tmp_path, endpoints=[one.endpoint, other.endpoint], healthCheck=check) as at,
    ):

        def all_go_to_the_other() -> bool:
            one.requests.clear()
            return all(at.request() == HTTPStatus.OK for _ in range(4)) and not one.requests

        one.healthy = False
        eventually(all_go_to_the_other, 20)
        one.healthy = True
        eventually(lambda: at.request() == HTTPStatus.OK and one.requests, 20)


def test_the_circuit_breaker_spares_an_endpoint_that_fails(tmp_path: Path) -> None:
    check = {"interval": "10s", "path": HEALTH}
    with (
        web() as one,
        web() as other,
        proxy(
            tmp_path,
            endpoints=[one.endpoint, other.endpoint],
            healthCheck=check,
            circuitBreaker={"consecutiveErrors": 3},
        ) as at,
    ):
        one.answer = lambda: HTTPStatus.INTERNAL_SERVER_ERROR
        statuses = [at.request() for _ in range(20)]
        # HAProxy takes note of the third beside the next request.
        assert statuses.count(HTTPStatus.INTERNAL_SERVER_ERROR) == len(one.requests)
        assert len(one.requests) in (3, 4)
