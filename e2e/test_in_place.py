"""A helper is updated while the application keeps running: on real containers, one by one."""

from __future__ import annotations

from contextlib import contextmanager
from http.client import HTTPConnection
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from testbed.cluster.images import BOX, NGINX
from testbed.cluster.kind import NODE
from testbed.eventually import eventually
from testbed.manifests import container, sidecarapp
from testbed.pod import pod, uid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.cluster.kind import Cluster
    from testbed.cluster.kubectl import Kubectl
    from testbed.pod import Pod

pytestmark = pytest.mark.usefixtures("operator")

UPDATES = 20
# Seconds between two requests: nginx ends a connection after a thousand of them.
PAUSE = 0.2
# Both have a shell, and nothing else in common. No tag comes twice: a container that comes back to what ended
# moments ago is made to wait by the kubelet, as if it had crashed.
IMAGES = (BOX, NGINX)
TAGS = [[f"{image}-update-{number}" for number in range(1, UPDATES + 1)] for image in IMAGES]


def site(*, before: str = BOX, beside: str = BOX, app: str = NGINX, **spec: Any) -> dict[str, Any]:
    """nginx with a helper of each order."""
    web = {"name": "app", "image": app, "resources": {"limits": {"cpu": "200m"}}}
    helpers = [
        container("before", order="BeforeApp", image=before),
        container("beside", order="WithApp", image=beside),
    ]
    # A helper that ends before its shell has set the trap does not hear SIGTERM, and is waited for in vain.
    return sidecarapp("site", web, sidecars=helpers, pod={"terminationGracePeriodSeconds": 1}, **spec)


def apply_and_wait(kubectl: Kubectl, manifest: dict[str, Any]) -> Pod:
    """Applies it, and gives the first Pod once every Pod is of the newest revision and available."""
    kubectl.apply(manifest)
    eventually(lambda: kubectl.get("sidecarapp", "site"), 120, until=_complete)
    return pod(kubectl, "site-0")


def restarts(found: Pod) -> dict[str, int]:
    status = found["status"]
    every = [*status["initContainerStatuses"], *status["containerStatuses"]]
    return {s["name"]: s["restartCount"] for s in every}


def test_a_connection_to_the_application_outlives_twenty_updates_of_its_helpers(
    cluster: Cluster, kubectl: Kubectl
) -> None:
    for image, tags in zip(IMAGES, TAGS, strict=True):
        cluster.tag(image, *tags)
    first = apply_and_wait(kubectl, site())
    assert restarts(first) == {"before": 0, "beside": 0, "app": 0}
    helpers = {"before": BOX, "beside": BOX}

    with _one_connection(cluster, kubectl) as answers:
        for update in range(1, UPDATES + 1):
            # By turns the one helper and the other, and of each by turns the one image and the other.
            helpers[list(helpers)[update % 2]] = TAGS[update // 2 % 2][update - 1]
            last = apply_and_wait(kubectl, site(**helpers))
            assert answers(), "the connection is at its end, or the application does not answer"

    assert uid(last) == uid(first)
    assert restarts(last) == {"before": UPDATES // 2, "beside": UPDATES // 2, "app": 0}
    assert kubectl.get("sidecarapp", "site")["status"]["replacements"] == 0


def test_the_application_is_updated_while_its_helpers_keep_running(kubectl: Kubectl) -> None:
    strategy = {"inPlace": {"containers": "All"}}
    first = apply_and_wait(kubectl, site(app=f"docker.io/{NGINX}", updateStrategy=strategy))
    last = apply_and_wait(kubectl, site(app=NGINX, updateStrategy=strategy))  # another name of the same image
    assert uid(last) == uid(first)
    assert restarts(last) == {"before": 0, "beside": 0, "app": 1}


def test_a_missing_image_stops_at_one_pod_and_is_corrected_without_a_hand(kubectl: Kubectl) -> None:
    apply_and_wait(kubectl, site(replicas=2))
    before = {n: pod(kubectl, n) for n in ("site-0", "site-1")}

    kubectl.apply(site(replicas=2, before="podpatterns/none:1"))
    told = eventually(
        lambda: _condition(kubectl, "Ready"), 60, until=lambda c: "podpatterns/none:1" in c["message"]
    )
    assert told["status"] == "False"
    assert "site-1 (" in told["message"]
    assert pod(kubectl, "site-0")["metadata"]["generation"] == before["site-0"]["metadata"]["generation"]
    assert restarts(pod(kubectl, "site-1"))["app"] == 0

    apply_and_wait(kubectl, site(replicas=2, before=NGINX))
    for name, old in before.items():
        new = pod(kubectl, name)
        assert (uid(new), restarts(new)["app"]) == (uid(old), 0)


def limited(cpu: str, **in_place: Any) -> dict[str, Any]:
    manifest = site(updateStrategy={"inPlace": in_place})
    manifest["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"] = cpu
    return manifest


def all_cpu(kubectl: Kubectl) -> str:
    """As much CPU as the node has, of which others have some."""
    return str(kubectl.get("node", NODE)["status"]["allocatable"]["cpu"])


def test_resources_change_without_a_restart_and_what_the_node_defers_is_told(kubectl: Kubectl) -> None:
    first = apply_and_wait(kubectl, limited("200m"))
    resized = apply_and_wait(kubectl, limited("300m"))
    assert resized["status"]["containerStatuses"][0]["resources"]["limits"]["cpu"] == "300m"

    kubectl.apply(limited(all_cpu(kubectl), resizeTimeoutSeconds=600))
    deferred = eventually(
        lambda: _condition(kubectl, "Progressing"), until=lambda c: "ResizeDeferred" in c["message"]
    )
    assert deferred["reason"] == "RollingOut"
    assert _condition(kubectl, "Ready")["reason"] == "RollingOut"
    assert _condition(kubectl, "Available")["status"] == "True"

    last = apply_and_wait(kubectl, limited("250m"))
    assert uid(last) == uid(first)
    assert restarts(last) == {"before": 0, "beside": 0, "app": 0}


def test_resources_that_are_not_possible_in_place_replace_the_pod(kubectl: Kubectl) -> None:
    """Where no node has them either the new Pod is pending, until the object is corrected."""
    last = apply_and_wait(kubectl, limited("200m"))
    refused = "Forbidden: "  # the API server knows what the node has
    for cpu, message in (("1k", refused), (all_cpu(kubectl), "ResizeDeferred: ")):
        kubectl.apply(limited(cpu, resizeTimeoutSeconds=2))
        eventually(lambda: _condition(kubectl, "Ready"), 60, until=lambda c: "Unschedulable" in c["message"])
        events = kubectl.get("events", "--field-selector=involvedObject.name=site")["items"]
        told = f"Deleted 1 Pod: site-0 (Outdated: {message}"
        assert [e["message"] for e in events if e["message"].startswith(told)]
        before, last = last, apply_and_wait(kubectl, limited("200m"))
        assert uid(last) != uid(before)


@contextmanager
def _one_connection(cluster: Cluster, kubectl: Kubectl) -> Iterator[Any]:
    """Inside, one HTTP connection to the application is asked all the time; calling it says whether it is
    still the same one, and has answered since the call before."""
    ended, answered = Event(), Event()
    failures: list[Exception] = []

    def ask(connection: HTTPConnection) -> None:
        try:
            while not ended.wait(PAUSE):
                connection.request("GET", "/")
                connection.getresponse().read()
                answered.set()
        except Exception as error:  # told by `alive`
            failures.append(error)

    def alive() -> bool:
        answered.clear()
        return bool(answered.wait(10)) and not failures

    with cluster.port_forward("pod/site-0", 8080, f"--namespace={kubectl.namespace}") as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        connection.connect()
        connection.auto_open = 0
        client = Thread(target=ask, args=(connection,))
        client.start()
        try:
            yield alive
        finally:
            ended.set()
            client.join()
            connection.close()
    assert not failures


def _complete(site: dict[str, Any]) -> bool:
    status, meta = site.get("status", {}), site["metadata"]
    conditions = {c["type"]: c for c in status.get("conditions", ())}
    observed: bool = status.get("observedGeneration") == meta["generation"]
    return observed and conditions["Progressing"]["reason"] == "RevisionComplete"


def _condition(kubectl: Kubectl, kind: str) -> dict[str, Any]:
    conditions = kubectl.get("sidecarapp", "site")["status"]["conditions"]
    return next(dict(c) for c in conditions if c["type"] == kind)
