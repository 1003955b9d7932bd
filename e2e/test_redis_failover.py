"""The application writes to localhost while the primary dies: nothing that was acknowledged is lost.

A write counts as acknowledged when `WAIT 1` says that a replica has it, too. Replication is asynchronous,
and what only a primary had when it died is lost with it, with or without an ambassador.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from e2e import redis_app
from testbed.cluster.command import run
from testbed.cluster.images import OPERATOR
from testbed.cluster.kind import NODE
from testbed.eventually import eventually
from testbed.pod import pod, uid
from testbed.website import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from testbed.cluster.kubectl import Kubectl

pytestmark = pytest.mark.usefixtures("operator")

SERVERS = ("redis-0", "redis-1", "redis-2")
# The kubelet looks for changes of a Secret about once a minute.
KUBELET_SECONDS = 150
# The cluster's DNS remembers for half a minute that there was no such name.
DNS_SECONDS = 90

METRICS = """
import urllib.request
print(urllib.request.urlopen("http://127.0.0.1:8404/metrics").read().decode())
"""
WHO_AM_I = """
import socket
connection = socket.create_connection(("127.0.0.1", 6379), 20)
connection.sendall(b"ACL WHOAMI\\r\\n")
lines = connection.makefile()
lines.readline()
print(lines.readline())
"""


class Server:
    """One Redis of examples/redis-ambassador.yaml, as a Pod that nobody starts again when it is killed."""

    def __init__(self, kubectl: Kubectl, name: str) -> None:
        self.kubectl = kubectl
        self.name = name

    def start(self) -> None:
        _, stateful_set, _ = example()
        template = stateful_set["spec"]["template"]
        spec = {
            **template["spec"],
            "hostname": self.name,
            "subdomain": "redis",
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
        }
        metadata = {"name": self.name, **template["metadata"]}
        self.kubectl.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})

    def ask(self, *words: str) -> str:
        return self.kubectl("exec", self.name, "--", "redis-cli", *words).strip()

    def info(self, section: str) -> dict[str, str]:
        lines = (line.partition(":") for line in self.ask("info", section).splitlines())
        return {name: value for name, _, value in lines}

    def calls(self, command: str) -> int:
        """How often it was called since the server's start."""
        told = self.info("commandstats").get(f"cmdstat_{command}", "calls=0")
        return int(told.removeprefix("calls=").partition(",")[0])

    def follows(self) -> bool:
        return self.info("replication").get("master_link_status") == "up"

    def kill(self) -> None:
        """As the kernel does when memory is short."""
        (container,) = pod(self.kubectl, self.name)["status"]["containerStatuses"]
        identity = container["containerID"].removeprefix("containerd://")
        run(
            "docker", "exec", NODE, "ctr", "--namespace=k8s.io", "tasks", "kill", "--signal=SIGKILL", identity
        )


def start_servers(kubectl: Kubectl) -> list[Server]:
    """A primary and two replicas that follow it."""
    _, _, service = example()
    servers = [Server(kubectl, name) for name in SERVERS]
    kubectl.apply(service)
    for server in servers:
        server.start()
        kubectl("wait", "--for=condition=Ready", f"pod/{server.name}", "--timeout=60s")
    for server in servers[1:]:
        eventually(server.follows, DNS_SECONDS)
    servers[0].ask("set", "greeting", "hello")
    return servers


def start_app(kubectl: Kubectl, **redis: Any) -> None:
    """The Ambassador of the example with `redis_app` as its application; `redis` goes to its upstream."""
    ambassador, *_ = example()
    program = {"app.py": Path(redis_app.__file__).read_text()}
    kubectl.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app"}, "data": program})
    container = {
        "name": "app",
        "image": OPERATOR,
        "command": ["python3", "/app/app.py"],
        "volumeMounts": [{"name": "app", "mountPath": "/app"}],
    }
    ambassador["spec"]["template"]["spec"] = {
        "terminationGracePeriodSeconds": 1,
        "volumes": [{"name": "app", "configMap": {"name": "app"}}],
        "containers": [container],
    }
    ambassador["spec"]["upstreams"][0]["redis"].update(redis)
    kubectl.apply(ambassador)
    kubectl("wait", "--for=condition=Ready", "ambassador/shop", "--timeout=120s")


def example() -> list[dict[str, Any]]:
    """An Ambassador, the StatefulSet of its servers, and their Service."""
    return list(yaml.safe_load_all((EXAMPLES / "redis-ambassador.yaml").read_text()))


def told(kubectl: Kubectl, word: str) -> list[tuple[float, str]]:
    """Return the times and the rest of the application's lines with that word."""
    lines = (line.split(" ", 2) for line in kubectl("logs", "shop-0", "--container=app").splitlines())
    return [(float(at), rest) for at, said, rest in lines if said == word]


def metrics(kubectl: Kubectl) -> str:
    return in_app(kubectl, METRICS)


def in_app(kubectl: Kubectl, script: str) -> str:
    """Return the output of a Python script in the application's container."""
    return kubectl("exec", "shop-0", "--container=app", "--", "python3", "-c", script)


def secret(password: str) -> dict[str, Any]:
    data = {"password": password}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "redis"}, "stringData": data}


def after(moment: float, events: Iterable[tuple[float, str]]) -> list[float]:
    return [at for at, _ in events if at > moment]


@pytest.mark.timeout(600)
def test_a_failover_under_load_loses_no_acknowledged_write(kubectl: Kubectl) -> None:
    old, *replicas = start_servers(kubectl)
    start_app(kubectl)
    eventually(lambda: told(kubectl, "acknowledged"), 60, until=lambda writes: len(writes) > 500)
    # On a machine that is busy both replicas may be silent for a moment; the primary answers then.
    assert sum(replica.calls("strlen") for replica in replicas) > 10 * old.calls("strlen")

    old.kill()
    killed = time.time()
    # With WAIT 1 the replica that is furthest has all that was acknowledged.
    offsets = {replica: int(replica.info("replication")["slave_repl_offset"]) for replica in replicas}
    new, other = sorted(replicas, key=offsets.__getitem__, reverse=True)
    new.ask("replicaof", "no", "one")
    promoted = time.time()
    other.ask("replicaof", f"{new.name}.redis", "6379")
    eventually(
        lambda: after(promoted, told(kubectl, "acknowledged")), 60, until=lambda writes: len(writes) > 500
    )

    # The old one comes back, empty, and says that it is the primary; what is written goes on to the new one.
    kubectl("delete", "pod", old.name, "--wait")
    old.start()
    doubted = 'server="redis-0.redis:6379",role="primary"} 0'
    eventually(lambda: metrics(kubectl), DNS_SECONDS, until=lambda page: doubted in page)
    returned = time.time()
    eventually(lambda: after(returned, told(kubectl, "acknowledged")), 60, until=lambda w: len(w) > 200)
    assert old.calls("set") == 0

    acknowledged = told(kubectl, "acknowledged")
    there = set(new.ask("--raw", "keys", "write:*").splitlines())
    lost = {key for _, key in acknowledged} - there
    first = min(after(promoted, acknowledged))
    print(
        f"{len(acknowledged)} writes acknowledged, {len(lost)} lost; "
        f"{len(told(kubectl, 'refused'))} refused, {len(told(kubectl, 'broken'))} connections ended; "
        f"promoted {promoted - killed:.2f} s after the kill, "
        f"acknowledged again {first - promoted:.2f} s later"
    )
    assert not lost
    assert told(kubectl, "unread") == []
    assert 'redis_ambassador_failovers_total{upstream="cache"} 1' in metrics(kubectl)


@pytest.mark.timeout(600)
def test_a_new_password_is_used_while_the_application_goes_on(kubectl: Kubectl) -> None:
    servers = start_servers(kubectl)
    for server in servers:  # Both hold for a while, as in every rotation without a gap.
        server.ask("acl", "setuser", "app", "on", ">first", ">second", "~*", "+@all")
    kubectl.apply(secret("first"))
    start_app(kubectl, username="app", authSecretRef={"name": "redis", "key": "password"})
    eventually(lambda: told(kubectl, "acknowledged"), 60, until=lambda writes: len(writes) > 100)
    before = pod(kubectl, "shop-0")

    kubectl.apply(secret("second"))
    log = ("logs", "shop-0", "--container=ambassador")
    eventually(lambda: "the configuration has changed" in kubectl(*log), KUBELET_SECONDS)
    for server in servers:
        server.ask("acl", "setuser", "app", "<first")
    changed = time.time()

    # Connections that were there go on, and new ones log in with the new password.
    assert told(kubectl, "broken") == told(kubectl, "refused") == []
    eventually(lambda: after(changed, told(kubectl, "acknowledged")), until=lambda writes: len(writes) > 100)
    assert in_app(kubectl, WHO_AM_I).strip() == "app"
    same = pod(kubectl, "shop-0")
    assert uid(same) == uid(before)
    statuses = [*same["status"]["initContainerStatuses"], *same["status"]["containerStatuses"]]
    assert [container["restartCount"] for container in statuses] == [0, 0]
