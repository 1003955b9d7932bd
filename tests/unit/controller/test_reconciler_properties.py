"""Whatever is edited, well or badly, deleted, lost and scaled: there are `replicas` Pods afterwards.

Edits of the application and of a part that it includes, good ones and such as can't be composed; the part is
deleted and comes back; revisions can't be written for a while; Pods are deleted, fail and vanish; the
operator starts anew. All of it against an API server in memory.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from podpatterns.compose import HelperImages
from podpatterns.controller import podkeeper, reconciler, revisions, statuswriter
from podpatterns.controller.backoff import LONGEST
from podpatterns.controller.configmapstore import ConfigMapStore
from podpatterns.controller.configurationpoller import Configurations
from podpatterns.controller.contractpoller import Contracts
from podpatterns.controller.key import Key, pod_path, pods_path
from podpatterns.controller.objectstore import ObjectStore
from podpatterns.controller.podmonitors import PodMonitors
from podpatterns.controller.podstore import PodStore
from podpatterns.controller.reconciler import Observability, Reconciler, Stores
from podpatterns.controller.recorder import Recorder
from podpatterns.replicas.pod import timestamp
from testbed.manifests import manifest
from tests.unit.controller.memoryapi import MemoryApi

SITE, PART = (Key("SidecarApp", "default", name) for name in ("site", "part"))
HISTORY = "/apis/apps/v1/namespaces/default/controllerrevisions"
LONG_AGO = 1_000_000.0
"""No back-off of a failed Pod is left since then."""
LONGEST_WAIT = 10.0
"""Seconds after which the operator tries again what is still forbidden."""
MOST_RECONCILES = 100

EDITS: dict[str, dict[str, Any]] = {
    "good": {},
    "a port of the part's": {"ports": [{"containerPort": 80}]},
    "a volume that isn't there": {"volumeMounts": [{"name": "nowhere", "mountPath": "/nowhere"}]},
    "a field that nobody knows": {},
}
NAMES = st.sampled_from(sorted(EDITS))
OFTEN_GOOD = st.just("good") | NAMES


class Clock:
    """In the place of the module `time`: it goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 2 * LONG_AGO

    def time(self) -> float:
        return self.now

    monotonic = time


class Cluster(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop, self.clock, self.patches = asyncio.new_event_loop(), Clock(), pytest.MonkeyPatch()
        for module in (podkeeper, reconciler, revisions, statuswriter):
            self.patches.setattr(module, "time", self.clock)
        self.api = MemoryApi(lambda: LONG_AGO)
        self.edit = "good"
        self.spec: dict[str, Any] = {}
        self.part_edit = "good"
        self.generation = 0
        self.start_operator()

    def teardown(self) -> None:
        self.patches.undo()
        self.loop.close()

    @initialize(
        naming=st.sampled_from(["Stable", "Generated"]),
        kind=st.sampled_from(["InPlaceIfPossible", "Recreate", "OnDelete"]),
        replicas=st.integers(0, 4),
    )
    def begin(self, naming: str, kind: str, replicas: int) -> None:
        """What has never worked has no Pods to keep."""
        self.spec = {
            "podNaming": naming,
            "updateStrategy": {"type": kind, "maxUnavailable": "50%"},
            "replicas": replicas,
            "include": [{"kind": "SidecarApp", "name": "part"}],
        }
        self.apply_part("good", 1)
        self.apply("good", 1)

    @rule(edit=OFTEN_GOOD, image=st.integers(1, 3))
    def apply(self, edit: str, image: int) -> None:
        self.edit = edit
        web = {"name": "web", "image": f"web:{image}", **EDITS[edit]}
        self.spec["template"] = {"spec": {"containers": [web]}}
        self.spec.pop("unknown", None)
        self.spec |= unknown(edit)
        self.write(SITE, self.spec)

    @rule(replicas=st.integers(0, 4))
    def scale(self, replicas: int) -> None:
        self.spec["replicas"] = replicas
        self.write(SITE, self.spec)

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        self.spec["updateStrategy"] = {**self.spec["updateStrategy"], "paused": paused}
        self.write(SITE, self.spec)

    @rule(edit=OFTEN_GOOD.filter(lambda edit: "port" not in edit), image=st.integers(1, 3))
    def apply_part(self, edit: str, image: int) -> None:
        self.part_edit = edit
        sidecar = {"name": "helper", "image": f"helper:{image}", "ports": [{"containerPort": 80}]}
        self.write(PART, {"sidecars": [{**sidecar, **EDITS[edit]}], **unknown(edit)})

    @rule()
    def delete_part(self) -> None:
        if found := self.api.objects.pop(PART.path, None):
            self.part_edit = "deleted"
            self.objects.remove(PART, found["metadata"]["uid"])

    @rule(forbidden=st.booleans())
    def forbid_history(self, forbidden: bool) -> None:
        self.api.forbidden = {HISTORY} if forbidden else set()

    @rule(number=st.integers(0, 9), how=st.sampled_from(["deleted", "failed", "evicted", "vanished"]))
    @precondition(lambda self: self.live())
    def lose_pod(self, number: int, how: str) -> None:
        pods = self.live()
        pod = pods[number % len(pods)]
        path = pod_path("default", pod["metadata"]["name"])
        if how == "vanished":
            self.vanish(path)
            return
        if how == "deleted":
            pod["metadata"]["deletionTimestamp"] = timestamp(LONG_AGO)
        else:
            pod["status"] = {"phase": "Failed", **({"reason": "Evicted"} if how == "evicted" else {})}
        self.pods.put(self.api.put(path, pod))

    @rule()
    def start_operator(self) -> None:
        """It knows what a list tells it."""
        self.objects, self.pods, config_maps = ObjectStore(), PodStore(), ConfigMapStore()
        for key in (SITE, PART):
            if key.path in self.api.objects:
                self.objects.put(self.api.objects[key.path])
        for pod in self.api.of(pods_path("default")):
            self.pods.put(pod)

        def nothing(_: Any) -> None:
            pass

        observability = Observability(
            Configurations(nothing), Contracts(nothing), PodMonitors(self.api, nothing)
        )
        self.operator = Reconciler(
            self.api,
            Stores(self.objects, self.pods, config_maps),
            observability,
            Recorder(self.api),
            nothing,
            images=HelperImages(),
        )

    @invariant()
    def as_many_as_wanted(self) -> None:
        """Left alone for a moment, with Pods that start."""
        if SITE.path not in self.api.objects:
            return
        for _ in range(MOST_RECONCILES):
            before = self.api.writes
            result = self.loop.run_until_complete(self.operator.reconcile(SITE, write_status=True))
            self.kubelet()
            patient = self.edit == self.part_edit == "good" and not self.api.forbidden
            longest = LONGEST if patient else LONGEST_WAIT
            if self.api.writes == before and (result.after is None or result.after > longest):
                break
            self.clock.now += result.after or 0
        pods = self.live()
        names = {pod["metadata"]["name"] for pod in pods}
        assert len(names) == self.spec["replicas"], f"there are {names}"
        working = self.edit == self.part_edit == "good" and not self.api.forbidden
        if self.spec["podNaming"] == "Stable":
            assert names == {f"site-{i}" for i in range(self.spec["replicas"])}
        told = self.api.objects[SITE.path]["status"]
        ready = {c["type"]: c["status"] for c in told["conditions"]}["Ready"]
        if working and not self.spec["updateStrategy"].get("paused"):
            assert ready == "True"
            if self.spec["updateStrategy"]["type"] != "OnDelete":
                [image] = {self.spec["template"]["spec"]["containers"][0]["image"]}
                assert {pod["spec"]["containers"][0]["image"] for pod in pods} <= {image}
        if self.edit != "good" or self.part_edit != "good":
            assert ready == "False"

    def kubelet(self) -> None:
        """Start Pods, restart containers with a new image, let go of Pods that are deleted."""
        for pod in self.api.of(pods_path("default")):
            path, meta, before = pod_path("default", pod["metadata"]["name"]), pod["metadata"], dict(pod)
            if "deletionTimestamp" in meta:
                self.vanish(path)
            elif pod.get("status", {}).get("phase") != "Failed":
                pod["status"] = running(pod)
                if pod != before:
                    self.pods.put(self.api.put(path, pod))

    def vanish(self, path: str) -> None:
        found = self.api.objects.pop(path)
        self.api.writes += 1
        self.pods.remove(found["metadata"]["uid"], self.api.writes)

    def live(self) -> list[dict[str, Any]]:
        """The Pods that are live, by name."""
        pods = self.api.of(pods_path("default"))
        pods = [
            pod
            for pod in pods
            if "deletionTimestamp" not in pod["metadata"] and pod.get("status", {}).get("phase") != "Failed"
        ]
        return sorted(pods, key=lambda pod: str(pod["metadata"]["name"]))

    def write(self, key: Key, spec: dict[str, Any]) -> None:
        """Write an object as its author does, with another generation if anything has changed."""
        found = self.api.objects.get(key.path, {})
        if found.get("spec") == spec:
            return
        self.generation += 1
        obj = {**manifest(key.kind, key.name, spec, namespace="default"), **found, "spec": spec}
        obj["metadata"] = {**obj["metadata"], "generation": self.generation}
        self.objects.put(self.api.put(key.path, obj))


def unknown(edit: str) -> dict[str, Any]:
    return {"unknown": 1} if edit == "a field that nobody knows" else {}


def running(pod: dict[str, Any]) -> dict[str, Any]:
    """The status of a Pod that runs as it is written."""

    def statuses(containers: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {
                "name": c["name"],
                "image": c["image"],
                "containerID": f"{c['name']}/{c['image']}",
                "ready": True,
                "state": {"running": {"startedAt": timestamp(LONG_AGO)}},
            }
            for c in containers
        ]

    return {
        "phase": "Running",
        "observedGeneration": pod["metadata"]["generation"],
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": timestamp(LONG_AGO)}],
        "initContainerStatuses": statuses(pod["spec"].get("initContainers", [])),
        "containerStatuses": statuses(pod["spec"]["containers"]),
    }


TestCluster = Cluster.TestCase
TestCluster.settings = settings(max_examples=settings().max_examples // 3, stateful_step_count=25)
