"""The application only knows localhost; what stands behind it may change while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from testbed.cluster.images import NGINX, REDIS
from testbed.eventually import eventually
from testbed.manifests import manifest
from testbed.pod import pod, ready, uid

if TYPE_CHECKING:
    from testbed.cluster.kubectl import Kubectl

pytestmark = pytest.mark.usefixtures("operator")

# Of its own accord the kubelet looks for changes of a ConfigMap about once a minute; the operator hurries it.
KUBELET_SECONDS = 20


def server(name: str) -> list[dict[str, Any]]:
    """A web server whose page is its name, behind a Service of that name."""
    script = f"echo {name} > /usr/share/nginx/html/index.html && exec nginx"
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": name}},
            "spec": {
                "containers": [{"name": "nginx", "image": NGINX, "command": ["sh", "-c", script]}],
                "securityContext": {"runAsUser": 0},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"selector": {"app": name}, "ports": [{"port": 8080}]},
        },
    ]


def reader(*endpoints: str) -> dict[str, Any]:
    upstream = {
        "name": "pages",
        "protocol": "http",
        "listen": {"port": 8081},
        "endpoints": list(endpoints),
        "healthCheck": {"interval": "200ms", "unhealthyThreshold": 1},
    }
    return ambassador("reader", NGINX, upstream)


def ambassador(name: str, image: str, upstream: dict[str, Any], **spec: Any) -> dict[str, Any]:
    app = {"name": "app", "image": image, "command": ["sleep", "infinity"]}
    template = {"spec": {"containers": [app], "terminationGracePeriodSeconds": 1}}
    return manifest("Ambassador", name, {"template": template, "upstreams": [upstream], **spec})


def fetch(kubectl: Kubectl, port: int, path: str = "/") -> str:
    """A page of localhost, as the application sees it."""
    script = f"exec 3<>/dev/tcp/127.0.0.1/{port}; printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
    return kubectl("exec", "reader-0", "--container=app", "--", "bash", "-c", script)


def condition(kubectl: Kubectl, name: str, kind: str, field: str = "status") -> str:
    path = f'jsonpath={{.status.conditions[?(@.type=="{kind}")].{field}}}'
    return kubectl("get", "ambassador", name, f"--output={path}")


@pytest.mark.timeout(600)
def test_a_missing_secret_is_told_with_its_field_and_taken_when_it_comes(kubectl: Kubectl) -> None:
    upstream = {
        "name": "cache",
        "protocol": "redis",
        "listen": {"port": 6379},
        "redis": {"endpoints": ["cache:6379"], "authSecretRef": {"name": "cache", "key": "password"}},
    }
    command = ["redis-server", "--bind", "*", "--requirepass", "secret"]
    server = {"name": "redis", "image": REDIS, "command": command}
    redis = {"metadata": {"name": "cache", "labels": {"app": "cache"}}, "spec": {"containers": [server]}}
    kubectl.apply({"apiVersion": "v1", "kind": "Pod", **redis})
    kubectl("expose", "pod", "cache", "--port=6379")
    kubectl.apply(ambassador("shop", REDIS, upstream))
    needed = "Secret cache, key password (spec.upstreams[0].redis.authSecretRef)"
    eventually(lambda: condition(kubectl, "shop", "Ready", "message"), 60, until=lambda told: needed in told)

    kubectl("create", "secret", "generic", "cache", "--from-literal=password=secret")
    # The kubelet waits up to two minutes between two tries.
    eventually(lambda: condition(kubectl, "shop", "Ready"), 180, until="True".__eq__)
    said = kubectl("exec", "shop-0", "--container=app", "--", "redis-cli", "set", "who", "me")
    assert said == "OK\n"


@pytest.mark.timeout(600)
def test_another_server_is_taken_up_while_all_containers_run(kubectl: Kubectl) -> None:
    for obj in [*server("one"), *server("two"), reader("one:8080")]:
        kubectl.apply(obj)
    kubectl("wait", "--for=condition=Ready", "ambassador/reader", "--timeout=120s")
    before = pod(kubectl, "reader-0")
    assert "\none\n" in fetch(kubectl, 8081)

    kubectl.apply(reader("two:8080"))
    eventually(lambda: fetch(kubectl, 8081), KUBELET_SECONDS, until=lambda page: "\ntwo\n" in page)
    after = pod(kubectl, "reader-0")
    assert uid(after) == uid(before)
    status = after["status"]
    containers = [*status["initContainerStatuses"], *status["containerStatuses"]]
    assert {c["name"]: c["restartCount"] for c in containers} == {"haproxy": 0, "app": 0}
    eventually(lambda: condition(kubectl, "reader", "ConfigurationCurrent"), until="True".__eq__)
    [told] = kubectl.get("ambassador", "reader")["status"]["configurations"]
    assert told["runningPods"] == 1
    assert f'haproxy_ambassador_config_info{{hash="{told["hash"]}"}} 1' in fetch(kubectl, 8404, "/metrics")


def test_status_tells_that_an_upstream_is_down_and_up_again(kubectl: Kubectl) -> None:
    for obj in [*server("one"), reader("one:8080")]:
        kubectl.apply(obj)
    eventually(lambda: condition(kubectl, "reader", "UpstreamsHealthy"), 120, until="True".__eq__)
    kubectl("delete", "pod", "one", "--grace-period=1")
    eventually(lambda: condition(kubectl, "reader", "UpstreamsHealthy"), 60, until="False".__eq__)
    kubectl.apply(server("one")[0])
    eventually(lambda: condition(kubectl, "reader", "UpstreamsHealthy"), 60, until="True".__eq__)


def test_one_word_puts_a_local_server_in_the_place_of_the_outside_world(kubectl: Kubectl) -> None:
    """The application's image is the same, and so is its command."""
    upstream = {
        "name": "cache",
        "protocol": "tcp",
        "listen": {"port": 6379},
        "endpoints": ["outside:6379"],
        "local": {"container": {"name": "redis", "image": REDIS}},
    }

    def ping() -> str:
        return kubectl("exec", "shop-0", "--container=app", "--", "redis-cli", "set", "who", "me")

    kubectl.apply(ambassador("shop", REDIS, upstream, mode="Local"))
    kubectl("wait", "--for=condition=Ready", "ambassador/shop", "--timeout=120s")
    local = pod(kubectl, "shop-0")
    assert [c["name"] for c in local["spec"]["initContainers"]] == ["redis"]
    assert ping() == "OK\n"

    outside = {"name": "redis", "image": REDIS}
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "outside", "labels": {"app": "outside"}},
            "spec": {"containers": [outside]},
        }
    )
    kubectl("expose", "pod", "outside", "--port=6379")
    kubectl.apply(ambassador("shop", REDIS, upstream, mode="Proxy"))
    proxied = eventually(
        lambda: pod(kubectl, "shop-0"), 120, until=lambda p: uid(p) not in ("", uid(local)) and ready(p)
    )
    assert [c["name"] for c in proxied["spec"]["initContainers"]] == ["haproxy"]
    assert ping() == "OK\n"
    assert kubectl("exec", "outside", "--", "redis-cli", "get", "who") == "me\n"
