"""Whatever an Ambassador may say, the real HAProxy takes the configuration that is made of it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podpatterns.api import Ambassador
from podpatterns.compose.helpers.haproxy import haproxy_config
from testbed.builders import ambassador
from testbed.cluster.packages import require

PROTOCOLS = ("tcp", "http", "grpc", "postgres", "memcached")
RETRY_ON = ("connect-failure", "401", "403", "404", "408", "425", "500", "501", "502", "503", "504")

names = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
host_names = st.lists(
    st.from_regex(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?", fullmatch=True), min_size=1, max_size=3
).map(".".join)
LAST_PORT = 32_767
ports = st.integers(1, LAST_PORT)
addresses = st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(lambda ip: f"[{ip}]")
absolute = st.builds("{}.".format, host_names)
endpoints = st.builds("{}:{}".format, host_names | absolute | addresses, ports)
durations = st.lists(
    st.builds("{}{}".format, st.integers(1, 999) | st.just("0.5"), st.sampled_from(["ms", "s", "m", "h"])),
    min_size=1,
    max_size=3,
).map("".join)
paths = st.from_regex(r"/[A-Za-z0-9._~!$&()*+,;=:@/?%-]{0,40}", fullmatch=True)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A map with any of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


@st.composite
def upstreams(draw: st.DrawFn, port: int, name: str) -> dict[str, Any]:
    protocol = draw(st.sampled_from(PROTOCOLS))
    retry_on = RETRY_ON if protocol == "http" else RETRY_ON[:1]
    fields = some(
        required=st.booleans(),
        tls=some(serverName=host_names, caSecretRef=st.just({"name": "ca", "key": "ca.crt"})),
        retries=some(
            attempts=st.integers(0, 10),
            retryOn=st.lists(st.sampled_from(retry_on), unique=True),
        ),
        circuitBreaker=some(
            maxConnections=st.integers(1, 1_000_000), consecutiveErrors=st.integers(1, 1_000_000)
        ),
        timeouts=some(
            connect=durations,
            idle=durations,
            **({"request": durations} if protocol in ("http", "grpc") else {}),
        ),
        healthCheck=some(interval=durations, unhealthyThreshold=st.integers(1, 100), path=paths),
    )
    return {
        "name": name,
        "protocol": protocol,
        "listen": {"port": port},
        "endpoints": draw(st.lists(endpoints, min_size=1, max_size=4, unique=True)),
        **draw(fields),
    }


@st.composite
def redis_upstreams(draw: st.DrawFn, port: int, name: str) -> dict[str, Any]:
    """By two ports; the one for reads is none of `ports`."""
    other = draw(upstreams(port, name))
    redis = {
        "endpoints": other.pop("endpoints"),
        "readPolicy": draw(st.sampled_from(["PreferReplica", "Replica"])),
        "reads": {"listen": {"port": port + LAST_PORT}},
        **({"tls": tls} if (tls := other.pop("tls", None)) is not None else {}),
    }
    other.pop("retries", None)
    other.pop("timeouts", None)
    return {**other, "protocol": "redis", "redis": redis}


@st.composite
def ambassadors(draw: st.DrawFn) -> Ambassador:
    called = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    listening = draw(st.lists(ports, min_size=len(called), max_size=len(called), unique=True))
    return ambassador(
        proxy=draw(some(startWhen=st.sampled_from(["Listening", "Healthy"]))),
        upstreams=[
            draw(upstreams(port, name) | redis_upstreams(port, name))
            for port, name in zip(listening, called, strict=True)
        ],
    )


@pytest.fixture(scope="module")
def haproxy() -> str:
    require({"haproxy": "haproxy"})
    return "haproxy"


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory as a Pod has it, with a certificate authority as the Secret's."""
    directory = tmp_path_factory.mktemp("secrets")
    (directory / "ca").mkdir()
    trustme.CA().cert_pem.write_to_path(directory / "ca" / "ca.crt")
    return directory


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(app=ambassadors())
def test_haproxy_takes_it(haproxy: str, secrets: Path, app: Ambassador) -> None:
    file = secrets / "haproxy.cfg"
    file.write_text(haproxy_config(app.spec.upstreams, str(secrets), app.spec.proxy.start_when))
    check = subprocess.run([haproxy, "-c", "-f", file], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr + file.read_text()
    assert "[WARNING]" not in check.stderr, check.stderr + file.read_text()
