"""Objects of which no sensible person would think: they cost their author something, and nobody else."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import yaml

from testbed import hostile
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import KubectlError
from testbed.cluster.operator_process import PROGRAM, OperatorProcess
from testbed.eventually import eventually
from testbed.manifests import manifest
from tests.integration.controller.hostile import WRITES, Writes, resident, resident_peak, told, unharmed
from tests.integration.controller.sites import Sites


def template(web: dict[str, Any]) -> dict[str, Any]:
    container = {"name": "web", "image": "web:1", **web}
    return {"spec": {"containers": [container], "terminationGracePeriodSeconds": 1}}


HTTP = {"name": "http", "containerPort": 80}
HARD_TO_COMPARE = [
    pytest.param({"ports": [HTTP]}, {"ports": [HTTP, {"containerPort": 443}]}, id="a port without a name"),
    pytest.param(
        {"env": [{"name": "A", "value": "1"}]}, {"env": [{"name": "A"}]}, id="a variable without a value"
    ),
    pytest.param({"resources": {"limits": {"cpu": "1"}}}, {}, id="no limit any more"),
]


@pytest.mark.parametrize(("before", "after"), HARD_TO_COMPARE)
def test_a_change_that_is_hard_to_compare_is_rolled_out(
    sites: Sites, before: dict[str, Any], after: dict[str, Any]
) -> None:
    sites.ready(replicas=2, template=template(before))
    uids = sites.uids()
    sites.ready(replicas=2, template=template(after))
    assert not set(uids.values()) & set(sites.uids().values()), "by replacement"


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": {f"{hostile.GROUP}/name": "pay"}},
        {"labels": {f"{hostile.GROUP}/anything": "else"}},
        {"annotations": {hostile.UPDATED_CONTAINERS: hostile.DEEP}},
    ],
    ids=["another's name", "any label of ours", "a record of ours"],
)
def test_a_template_has_no_labels_and_annotations_of_ours(sites: Sites, metadata: dict[str, Any]) -> None:
    with pytest.raises(KubectlError, match=r"spec\.template\.metadata"):
        sites.apply(template={**template({}), "metadata": metadata})


def test_a_template_stays_a_template(sites: Sites) -> None:
    """Without it nobody would keep the Pods, and nobody delete them."""
    sites.ready()
    with pytest.raises(KubectlError, match=r"spec.*template"):
        sites.kubectl(
            "patch", "sidecarapp", "site", "--type=json", '--patch=[{"op":"remove","path":"/spec/template"}]'
        )


def test_a_web_of_parts_ends_in_a_condition(sites: Sites, operator: OperatorProcess) -> None:
    """Each includes the next 20 of 40, in a circle: 2^20 ways lead around."""

    def part(number: int) -> dict[str, Any]:
        others = [f"p{(number + step) % 40}" for step in range(1, 21)]
        spec = {"include": [{"kind": "SidecarApp", "name": other} for other in others]}
        return manifest("SidecarApp", f"p{number}", spec)

    with unharmed(operator):
        sites.kubectl.apply(*map(part, range(40)))
        sites.apply(include=[{"kind": "SidecarApp", "name": "p0"}])
        found = eventually(lambda: sites.condition("Ready"), until=lambda c: c.get("reason") == "InvalidSpec")
        assert "which includes" in found["message"]
        sites.ready("calm")


def admitted_mounts(crds: Path) -> int:
    """The most volumes and mounts that the kind lets a container have, 4,000 where it doesn't say."""
    text = (crds / "podpatterns.dev_sidecarapps.yaml").read_text()
    [version] = yaml.safe_load(text)["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["template"]["properties"][
        "spec"
    ]["properties"]
    mounts = spec["containers"]["items"]["properties"]["volumeMounts"]
    return int(min(4000, spec["volumes"].get("maxItems", 4000), mounts.get("maxItems", 4000)))


def test_a_thousand_mistakes_are_told_in_few_words(
    sites: Sites, operator: OperatorProcess, crds: Path
) -> None:
    count = admitted_mounts(crds)
    operator.restart()
    before = resident(operator)
    with unharmed(operator):
        sites.apply(
            template={
                "spec": {
                    "volumes": [{"name": f"v{index:04}"} for index in range(count)],
                    "containers": [
                        {
                            "name": "web",
                            "image": "web:1",
                            "volumeMounts": [
                                {"name": "x", "mountPath": f"/{index}"} for index in range(count)
                            ],
                        }
                    ],
                }
            }
        )
        site = eventually(sites.get, until=lambda site: "InvalidSpec" in told(site))
    assert len(json.dumps(site["status"])) < 64 * 1024
    ready = sites.condition("Ready")
    assert 1 <= ready["message"].count("no volume is named") <= 20
    grown = resident_peak(operator) - before
    print(f"{count} mounts: {len(json.dumps(site['status']))} bytes of status, {grown:.0f} MiB more")
    assert grown < 100


@pytest.fixture
def probed(
    operator: OperatorProcess, control_plane: ControlPlane, tmp_path: Path
) -> Iterator[tuple[OperatorProcess, str]]:
    """An operator that answers probes, in place of the usual one; with the URL."""
    operator.stop()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/healthz"
    command: list[str | Path] = [PROGRAM, "run", f"--health-probe-bind-address=127.0.0.1:{port}"]
    process = OperatorProcess(control_plane.operator_kubeconfig, tmp_path, command=command)
    process.start()
    yield process, url
    process.kill()
    operator.start()


class Kubelet:
    """Probes as a kubelet would that has no time to lose, each with the usual second for an answer."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._over = Event()
        self.missed = 0
        """The most probes in a row that got no good answer."""
        self.longest = 0.0
        """Seconds that an answer took."""

    def __enter__(self) -> Kubelet:
        self._thread = Thread(target=self._probe)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _probe(self) -> None:
        missed = 0
        while not self._over.wait(0.05):
            asked = time.monotonic()
            missed = 0 if self._answers() else missed + 1
            self.missed = max(self.missed, missed)
            self.longest = max(self.longest, time.monotonic() - asked)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self._url, timeout=1) as answer:  # noqa: S310 (our own)
                return bool(answer.status == 200)
        except OSError:
            return False


def test_costly_regular_expressions_keep_nobody_waiting(
    sites: Sites, probed: tuple[OperatorProcess, str]
) -> None:
    operator, url = probed
    sites.ready("quiet")
    before = sites.uids("quiet")
    with unharmed(operator), Kubelet(url) as kubelet:
        sites.kubectl.apply(*hostile.costly_parts())
        include = [{"kind": "Adapter", "name": hostile.costly_part_name(n)} for n in range(3)]
        sites.apply("slow", include=include)
        sites.kubectl("delete", "pod", "quiet-0")
        eventually(
            lambda: sites.uids("quiet"), until=lambda now: now.keys() == before.keys() and now != before
        )
        eventually(lambda: sites.get("slow").get("status"), 120)
    print(f"the slowest probe took {kubelet.longest:.2f} s")
    assert kubelet.missed < 3, "a kubelet would have restarted it"


LARGE = 900_000


def withhold_revisions(sites: Sites) -> None:
    sites.kubectl.apply(hostile.quota())
    eventually(
        lambda: sites.kubectl.get("quota", "no-revisions"), until=lambda q: "hard" in q.get("status", {})
    )


UNKEPT: list[Any] = [
    pytest.param({}, withhold_revisions, "exceeded quota", id="a quota"),
    pytest.param(
        {"template": template({"env": hostile.ballast(LARGE)})}, lambda _: None, "too large", id="900 KB"
    ),
]


@pytest.mark.parametrize(("spec", "prepare", "reason"), UNKEPT)
def test_a_history_that_cannot_be_kept_is_no_hot_loop(
    sites: Sites,
    operator: OperatorProcess,
    control_plane: ControlPlane,
    spec: dict[str, Any],
    prepare: Callable[[Sites], None],
    reason: str,
) -> None:
    prepare(sites)
    writes = Writes(control_plane, sites.kubectl.namespace)
    with unharmed(operator):
        sites.apply(replicas=2, **spec)
        eventually(sites.get, until=lambda site: reason in told(site))
        assert writes.pause() < WRITES
        before = eventually(sites.uids, until=lambda now: len(now) == 2)
        sites.kubectl("delete", "pod", "site-0")
        sites.replaced(before, "site-0")
        assert writes.pause() < 2 * WRITES
    sites.kubectl("delete", "quota", "--all")
    pods = sites.ready(replicas=2, image="web:2")
    assert {pod["spec"]["containers"][0]["image"] for pod in pods} == {"web:2"}
    eventually(lambda: sites.kubectl.get("controllerrevisions")["items"], 90)


def test_ten_large_objects_cost_memory_once(sites: Sites, operator: OperatorProcess) -> None:
    operator.restart()
    before = resident(operator)
    with unharmed(operator):
        for number in range(10):
            sites.apply(f"large-{number}", replicas=0, template=template({"env": hostile.ballast(LARGE)}))
        for number in range(10):
            eventually(lambda: sites.get(f"large-{number}").get("status"))  # noqa: B023 (called at once)
    grown = resident_peak(operator) - before
    print(f"ten objects of {LARGE} bytes: {grown:.0f} MiB more at the peak")
    assert grown < 100
