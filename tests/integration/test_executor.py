"""Plans carried out on a real API server: what one write ends with, and what becomes of the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from podpatterns.api import SidecarApp, parse
from podpatterns.compose import Composition, compose, pod_manifest
from podpatterns.controller.apiserver import ApiServer
from podpatterns.controller.executor import WRITES, Executor, Outcome
from podpatterns.controller.key import Key
from podpatterns.controller.objectstore import Entry, ObjectStore
from podpatterns.controller.podstore import PodStore
from podpatterns.controller.transition import Transition
from podpatterns.replicas import Create, Delete, Plan, Pod, SetInService, Update, Wanted, plan
from podpatterns.replicas.change import Change
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl
from testbed.eventually import eventually
from testbed.faults import Fault, Proxy
from testbed.faults import Route as Request
from testbed.faults.faults import Refusal
from tests.integration.controller.sites import sidecarapp

RESIZED = Change(resources={"web": {"requests": {"cpu": "200m"}}})


class Counting(ApiServer):
    """Counts requests, by verb, and how many creations are under way at once."""

    def __init__(self, client: ApiClient) -> None:
        super().__init__(client)
        self.asked: list[str] = []
        self.at_once = self.most_at_once = 0

    async def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await super().create(path, body)
        finally:
            self.at_once -= 1

    async def get(self, path: str) -> dict[str, Any]:
        self.asked.append("get")
        return await super().get(path)

    async def strategic_patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append("resize" if path.endswith("/resize") else "patch")
        return await super().strategic_patch(path, body)


@dataclass
class Bench:
    """An object that no operator works on, and an executor for it."""

    app: SidecarApp
    entry: Entry
    composition: Composition
    api: Counting
    store: PodStore = field(default_factory=PodStore)

    def manifest(self, create: Create) -> dict[str, Any]:
        of = replace(self.composition, revision=create.revision)
        return pod_manifest(self.app, of, create.name, create.index)

    async def carry_out(
        self, todo: Plan, manifest: Callable[[Create], dict[str, Any]] | None = None, **changes: Change
    ) -> Outcome:
        transition = Transition("new", manifest or self.manifest, changes, "")
        return await Executor(self.api, self.store).carry_out(todo, self.entry, transition)

    async def create(self, *indexes: int, revision: str = "old") -> Outcome:
        return await self.carry_out(Plan(creates=tuple(Create(f"site-{i}", i, revision) for i in indexes)))

    @property
    def pods(self) -> dict[str, Pod]:
        return {pod.name: pod for pod in self.store.of(self.entry.key, self.entry.uid)}

    def update(self, name: str) -> Update:
        return Update(name, self.pods[name].uid, self.pods[name].revision)

    def delete(self, name: str) -> Delete:
        return Delete(name, self.pods[name].uid, "Outdated", self.pods[name].revision)


@asynccontextmanager
async def client(kubeconfig: Path) -> AsyncIterator[ApiClient]:
    configuration = Configuration()
    await config.load_kube_config(str(kubeconfig), client_configuration=configuration)
    async with ApiClient(configuration) as found:
        yield found


@asynccontextmanager
async def bench_with(kubectl: Kubectl, kubeconfig: Path) -> AsyncIterator[Bench]:
    web = {"name": "web", "image": "web:1", "resources": {"requests": {"cpu": "100m"}}}
    # Nobody schedules them: only the executor writes.
    template = {"spec": {"containers": [web], "schedulerName": "nobody"}}
    kubectl.apply(sidecarapp(template=template, replicas=0))
    obj = kubectl.get("sidecarapp", "site")
    objects = ObjectStore()
    objects.put(obj)
    app, entry = parse(obj), objects.get(Key("SidecarApp", kubectl.namespace, "site"))
    assert isinstance(app, SidecarApp)
    assert entry is not None
    async with client(kubeconfig) as found:
        yield Bench(app, entry, compose(app, {}), Counting(found))


@pytest.fixture
async def bench(
    kubectl: Kubectl, control_plane: ControlPlane, crds: Path, rights: None
) -> AsyncIterator[Bench]:
    async with bench_with(kubectl, control_plane.operator_kubeconfig) as bench:
        yield bench


@pytest.fixture
def proxy(control_plane: ControlPlane, tmp_path: Path) -> Iterator[Proxy]:
    with Proxy(control_plane.operator_kubeconfig, tmp_path, kill=lambda: None) as proxy:
        yield proxy


def live(kubectl: Kubectl, name: str = "site-0") -> dict[str, Any]:
    found: dict[str, Any] = kubectl.get("pod", name)
    return found


def requested(kubectl: Kubectl) -> str:
    return str(live(kubectl)["spec"]["containers"][0]["resources"]["requests"]["cpu"])


def written(kubectl: Kubectl) -> dict[str, str]:
    found: dict[str, str] = live(kubectl)["metadata"].get("annotations") or {}
    return found


async def test_a_name_that_is_somebody_elses_is_noted_and_the_others_go_on(
    bench: Bench, kubectl: Kubectl
) -> None:
    kubectl("run", "site-0", "--image=foreign")
    outcome = await bench.create(*range(8))
    assert sorted(outcome.created) == [f"site-{i}" for i in range(1, 8)]
    assert list(outcome.taken) == ["site-0"]
    assert '"site-0" exists already and has no owner' in outcome.taken["site-0"].message
    assert outcome.failure is None
    assert not outcome.stopped


async def test_creations_are_under_way_at_once_to_a_bound(bench: Bench) -> None:
    outcome = await bench.create(*range(130))
    assert len(outcome.created) == 130
    assert bench.api.most_at_once == WRITES / 4, "the others are left for other namespaces"


async def test_creations_end_at_the_first_refusal(bench: Bench, kubectl: Kubectl) -> None:
    kubectl("create", "quota", "few", "--hard=pods=5")
    eventually(lambda: kubectl.get("quota", "few"), until=lambda q: "hard" in q.get("status", {}))
    outcome = await bench.create(*range(300))
    assert len(outcome.created) == 5
    assert outcome.failure is not None
    assert outcome.stopped
    assert bench.api.most_at_once < WRITES


async def test_one_write_that_is_refused_or_fails_costs_no_other(bench: Bench, kubectl: Kubectl) -> None:
    await bench.create(*range(4))
    todo = Plan(
        deletes=(bench.delete("site-0"),),
        updates=(
            bench.update("site-1"),
            bench.update("site-2"),
            replace(bench.update("site-3"), revision="gone"),
        ),
        creates=(Create("site-4", 4, "new"),),
    )
    refused = Change(labels={"tier": "no label value"})
    outcome = await bench.carry_out(todo, old=refused)
    assert [d.name for d in outcome.deleted] == ["site-0"]
    assert outcome.failure is not None
    assert "no label value" in outcome.failure.message
    assert repr(outcome.error) == "KeyError('gone')", "nobody foresaw that"
    assert outcome.created == ["site-4"], "what can't be updated keeps nothing from being created"

    good = Change(labels={"tier": "web"})
    outcome = await bench.carry_out(Plan(updates=todo.updates), old=good)
    assert {u.name for u in outcome.updated} == {"site-1", "site-2"}


async def test_a_manifest_that_can_not_be_made_ends_the_creations_and_nothing_else(bench: Bench) -> None:
    def broken(create: Create) -> dict[str, Any]:
        if create.index:
            raise KeyError("metadata")
        return bench.manifest(create)

    outcome = await bench.carry_out(
        Plan(creates=tuple(Create(f"site-{i}", i, "new") for i in range(8))), broken
    )
    assert outcome.created == ["site-0"]
    assert repr(outcome.error) == "KeyError('metadata')"
    assert outcome.stopped


@dataclass
class Refuse:
    verb: str
    refusal: Refusal

    def request(self, route: Request) -> Fault:
        refused = (route.verb, route.resource) == (self.verb, "pods")
        return Fault(kind="refuse", refusal=self.refusal) if refused else Fault()


async def refused(kubectl: Kubectl, proxy: Proxy, verb: str, refusal: Refusal) -> tuple[Outcome, int]:
    """What comes of a plan to delete one Pod and create others; and how many creations were under way."""
    async with bench_with(kubectl, proxy.kubeconfig) as bench:
        await bench.create(0)
        proxy.faults = Refuse(verb, refusal)
        creates = tuple(Create(f"site-{i}", i, "new") for i in range(1, 9))
        bench.api.most_at_once = 0
        outcome = await bench.carry_out(Plan(deletes=(bench.delete("site-0"),), creates=creates))
        return outcome, bench.api.most_at_once


@pytest.mark.parametrize(("verb", "asked"), [("create", 1), ("delete", 0)])
async def test_an_overloaded_server_is_left_alone_and_that_is_no_failure(
    kubectl: Kubectl, proxy: Proxy, crds: Path, rights: None, verb: str, asked: int
) -> None:
    outcome, at_once = await refused(kubectl, proxy, verb, (429, "TooManyRequests"))
    assert outcome.busy >= 1
    assert (outcome.failure, outcome.error, outcome.created) == (None, None, [])
    assert at_once == asked


async def test_nothing_is_created_when_a_delete_failed(
    kubectl: Kubectl, proxy: Proxy, crds: Path, rights: None
) -> None:
    outcome, at_once = await refused(kubectl, proxy, "delete", (500, "InternalError"))
    assert outcome.failure is not None
    assert (outcome.deleted, outcome.created, at_once) == ([], [], 0)


async def test_an_image_takes_one_read_and_one_write(bench: Bench) -> None:
    await bench.create(0)
    bench.api.asked.clear()
    await bench.carry_out(Plan(updates=(bench.update("site-0"),)), old=Change(images={"web": "web:2"}))
    assert bench.api.asked == ["get", "patch"]


async def test_resources_take_a_write_that_says_so_before(bench: Bench, kubectl: Kubectl) -> None:
    await bench.create(0)
    bench.api.asked.clear()
    outcome = await bench.carry_out(Plan(updates=(bench.update("site-0"),)), old=RESIZED)
    assert bench.api.asked == ["get", "patch", "resize", "patch"]
    assert [u.name for u in outcome.updated] == ["site-0"]
    assert requested(kubectl) == "200m"
    assert bench.pods["site-0"].is_of("new")


async def test_a_pod_whose_last_write_is_refused_is_between_two_revisions(
    bench: Bench, kubectl: Kubectl
) -> None:
    """Taken from 100m to 200m and back, it would keep 200m and count as complete."""
    await bench.create(0)
    half_way = replace(RESIZED, labels={"tier": "no label value"})
    outcome = await bench.carry_out(Plan(updates=(bench.update("site-0"),)), old=half_way)
    assert outcome.failure is not None
    assert (requested(kubectl), bench.pods["site-0"].revision) == ("200m", "old")
    assert bench.pods["site-0"].between == "new"

    def decide(revision: str) -> Plan:
        want = Wanted("site", 1, revision, in_place=frozenset({"old"}))
        return plan(want, list(bench.pods.values()), 0.0, iter(()))

    assert [d.reason for d in decide("old").deletes] == ["Outdated"], "taken back, it is replaced"
    outcome = await bench.carry_out(decide("new"), old=RESIZED)
    assert [u.name for u in outcome.updated] == ["site-0"]
    assert bench.pods["site-0"].is_of("new")


async def test_resources_that_are_refused_leave_the_pod_as_it_was(bench: Bench, kubectl: Kubectl) -> None:
    await bench.create(0)
    before = live(kubectl)
    for refused in ("-1", "200m"):
        change = Change(resources={"web": {"requests": {"cpu": refused}, "limits": {"cpu": "150m"}}})
        outcome = await bench.carry_out(Plan(updates=(bench.update("site-0"),)), old=change)
        assert outcome.failure is None
        assert list(outcome.not_in_place) == [bench.pods["site-0"].uid], "a new Pod would be taken"
        assert outcome.not_in_place[bench.pods["site-0"].uid].startswith("Invalid: Pod")
        assert bench.pods["site-0"].is_of("old")
    after = live(kubectl)
    assert (after["spec"], after["metadata"].get("annotations")) == (
        before["spec"],
        before["metadata"].get("annotations"),
    )


async def test_resources_of_which_no_pod_can_be_made_are_a_failure(bench: Bench, kubectl: Kubectl) -> None:
    """The Pod that runs is not given up for one that the server would refuse too."""
    await bench.create(0)
    refused = {"requests": {"cpu": "200m"}, "limits": {"cpu": "150m"}}

    def manifest(create: Create) -> dict[str, Any]:
        pod = deepcopy(bench.manifest(create))
        pod["spec"]["containers"][0]["resources"] = refused
        return pod

    todo = Plan(updates=(bench.update("site-0"),))
    outcome = await bench.carry_out(todo, manifest, old=Change(resources={"web": refused}))
    assert outcome.failure is not None
    assert (outcome.failure.reason, outcome.not_in_place) == ("Invalid", {})
    assert [p["metadata"]["name"] for p in kubectl.get("pods")["items"]] == ["site-0"]


async def test_a_pod_joins_and_leaves_its_services(bench: Bench, kubectl: Kubectl) -> None:
    gate = {"conditionType": "podpatterns.dev/in-service"}

    def manifest(create: Create) -> dict[str, Any]:
        pod = deepcopy(bench.manifest(create))
        pod["spec"]["readinessGates"] = [gate]
        return pod

    await bench.carry_out(Plan(creates=(Create("site-0", 0, "new"),)), manifest)
    uid = bench.pods["site-0"].uid
    for in_service in (True, False):
        change = SetInService("site-0", uid, in_service=in_service)
        outcome = await bench.carry_out(Plan(service_changes=(change,)))
        assert outcome.in_service_changed == [change]
        assert bench.pods["site-0"].in_service is in_service
    assert bench.pods["site-0"].out_of_service_since is not None
    another = SetInService("site-0", "of another", in_service=True)
    outcome = await bench.carry_out(Plan(service_changes=(another,)))
    assert (outcome.in_service_changed, outcome.failure) == ([], None)
    assert live(kubectl)["status"]["conditions"][0]["status"] == "False"


async def test_a_revision_after_it_keeps_what_was_asked_for(bench: Bench, kubectl: Kubectl) -> None:
    await bench.create(0)
    await bench.carry_out(Plan(updates=(bench.update("site-0"),)), old=RESIZED)
    before = written(kubectl)
    bench.api.asked.clear()
    update = bench.update("site-0")
    executor = Executor(bench.api, bench.store)
    transition = Transition("third", bench.manifest, {"new": Change(images={"web": "web:2"})}, "")
    await executor.carry_out(Plan(updates=(update,)), bench.entry, transition)
    assert bench.api.asked == ["get", "patch"]
    assert bench.pods["site-0"].is_of("third")
    assert written(kubectl)["podpatterns.dev/resize"] == before["podpatterns.dev/resize"].replace(
        "new", "third"
    )


async def test_the_creations_of_one_object_leave_room_for_those_of_another(bench: Bench) -> None:
    many = asyncio.create_task(bench.create(*range(100, 300)))
    other = Bench(bench.app, bench.entry, bench.composition, bench.api)
    outcome = await other.create(0)
    assert outcome.created == ["site-0"]
    assert not many.done()
    await many


async def test_a_namespace_that_is_being_deleted_is_no_failure(bench: Bench, kubectl: Kubectl) -> None:
    await bench.create(0)
    hold = '--patch={"metadata":{"finalizers":["test.example/hold"]}}'
    kubectl("patch", "pod", "site-0", "--type=merge", hold)
    kubectl("delete", "namespace", kubectl.namespace, "--wait=false")
    outcome = await bench.create(1, 2)
    assert outcome.namespace_terminating
    assert (outcome.failure, outcome.error, outcome.created) == (None, None, [])
    kubectl("patch", "pod", "site-0", "--type=merge", '--patch={"metadata":{"finalizers":null}}')
