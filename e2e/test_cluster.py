"""The cluster itself: real containers with the network, volumes and privileges that Kubernetes promises."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING, Any

from testbed.cluster.command import run
from testbed.cluster.images import BOX
from testbed.cluster.kind import NODE
from testbed.eventually import eventually
from testbed.pod import effective_capabilities

if TYPE_CHECKING:
    from testbed.cluster.kind import Cluster
    from testbed.cluster.kubectl import Kubectl

WAIT = "trap exit TERM; sleep infinity & wait"
VOLUME = {"name": "shared", "emptyDir": {}}
SYS_ADMIN = 1 << 21  # capabilities(7)


def container(name: str, script: str = WAIT, **fields: Any) -> dict[str, Any]:
    """A container with a shell and, at /shared, the Pod's volume."""
    mounts = [{"name": "shared", "mountPath": "/shared"}]
    return {"name": name, "image": BOX, "command": ["sh", "-c", script], "volumeMounts": mounts, **fields}


def pod(name: str, *containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name.partition("-")[0]}},
        "spec": {"containers": list(containers), "volumes": [VOLUME], **spec},
    }


def web_server(name: str) -> dict[str, Any]:
    """A Pod in which one container writes the page that says the Pod's name, and another serves it."""
    write = container("writer", f"echo {name} >/shared/index.html; {WAIT}")
    ready = {"httpGet": {"path": "/index.html", "port": 8080}, "periodSeconds": 1}
    return pod(name, write, container("server", "httpd -f -p 8080 -h /shared", readinessProbe=ready))


def test_a_service_leads_by_its_name_to_all_its_pods(kubectl: Kubectl) -> None:
    ports = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": ports}
    kubectl.apply(web_server("web-0"), web_server("web-1"), service, pod("client", container("shell")))
    kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s")
    address = f"http://web.{kubectl.namespace}.svc.cluster.local/"

    pages = set()

    def answers() -> set[str]:
        pages.add(kubectl("exec", "client", "--", "wget", "-q", "-O-", address).strip())
        return pages

    eventually(answers, until=lambda pages: pages == {"web-0", "web-1"})


def test_a_pod_is_reached_through_a_port_of_this_machine(cluster: Cluster, kubectl: Kubectl) -> None:
    kubectl.apply(web_server("web-0"))
    kubectl("wait", "--for=condition=Ready", "pod/web-0", "--timeout=60s")

    with (
        cluster.port_forward("pod/web-0", 8080, f"--namespace={kubectl.namespace}") as port,
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page,
    ):
        assert page.read() == b"web-0\n"


def test_a_command_run_in_a_container_reads_its_standard_input(kubectl: Kubectl) -> None:
    kubectl.apply(pod("shell", container("shell")))
    kubectl("wait", "--for=condition=Ready", "pod/shell", "--timeout=60s")

    assert kubectl("exec", "--stdin", "shell", "--", "tr", "a-z", "A-Z", stdin="hello") == "HELLO"


def test_a_native_sidecar_is_up_before_the_main_container_and_down_after_it(kubectl: Kubectl) -> None:
    script = "echo sidecar >/shared/log; trap 'cat /shared/log; exit' TERM; while :; do sleep 0.1; done"
    started = {"exec": {"command": ["test", "-s", "/shared/log"]}, "periodSeconds": 1}
    sidecar = container("sidecar", script, restartPolicy="Always", startupProbe=started)
    main = container("main", 'echo "main after $(cat /shared/log)" >>/shared/log')
    kubectl.apply(pod("task", main, initContainers=[sidecar], restartPolicy="Never"))
    kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/task", "--timeout=60s")

    assert kubectl("logs", "task", "--container=sidecar") == "sidecar\nmain after sidecar\n"


def test_a_privileged_container_is_and_its_neighbour_is_not(kubectl: Kubectl) -> None:
    privileged = container("privileged", securityContext={"privileged": True})
    kubectl.apply(pod("pair", privileged, container("neighbour")))
    kubectl("wait", "--for=condition=Ready", "pod/pair", "--timeout=60s")

    assert effective_capabilities(kubectl, "pair", "privileged") & SYS_ADMIN
    assert not effective_capabilities(kubectl, "pair", "neighbour") & SYS_ADMIN


def test_a_cluster_that_works_is_taken_as_it_is(cluster: Cluster) -> None:
    def node() -> str:
        return run("docker", "container", "inspect", "--format", "{{.Id}} {{.State.StartedAt}}", NODE)

    before = node()
    cluster.create()
    assert node() == before
