"""Whatever happens to the Pods, every step keeps the promises, and in the end all is as wanted."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from podpatterns.replicas import Plan, Pod, Wanted, is_condemned, ordinal, plan
from podpatterns.replicas.limits import FIRST_BACKOFF, Limits
from podpatterns.replicas.lostpods import LostPods

EVENTS = ["ready", "unready", "fail", "delete", "gone", "restarted", "infeasible"]
REVISIONS = st.sampled_from(["r1", "r2", "r3"])


@st.composite
def wants(draw: st.DrawFn) -> Wanted:
    naming: Literal["Stable", "Generated"] = draw(st.sampled_from(["Stable", "Generated"]))
    surge = draw(st.integers(0, 2)) if naming == "Generated" else 0
    holds = draw(st.sampled_from([False, False, False, True]))
    return Wanted(
        "site",
        replicas=draw(st.integers(0, 6)),
        revision=draw(REVISIONS),
        start=draw(st.sampled_from([0, 0, 2])),
        ordered=naming == "Stable" and draw(st.booleans()),
        naming=naming,
        replacement=draw(st.sampled_from(["TerminatingOrFailed", "Failed"])),
        max_unavailable=draw(st.integers(0 if surge else 1, 3)),
        max_surge=surge,
        min_ready_seconds=draw(st.sampled_from([0, 5])),
        in_place=draw(st.frozensets(REVISIONS)),
        restart_application=draw(st.frozensets(REVISIONS)),
        drain_seconds=draw(st.sampled_from([0, 0, 3])),
        refused={f"u{number}": "Invalid" for number in draw(st.frozensets(st.integers(0, 9), max_size=2))},
        update=draw(st.sampled_from(["InPlaceIfPossible", "InPlaceIfPossible", "Recreate", "OnDelete"])),
        partition=draw(st.sampled_from([0, 0, 1, 3])),
        paused=holds or draw(st.sampled_from([False, False, True])),
        held_revision=draw(st.just("") | REVISIONS),
        known=draw(st.frozensets(REVISIONS)),
        holds=holds,
    )


class Cluster(RuleBasedStateMachine):
    """A cluster in which Pods start, become ready, fail and are deleted in any order between two plans, in
    which strangers take names, updates in place may end half-way, and nodes may refuse new resources."""

    def __init__(self) -> None:
        super().__init__()
        self.pods: dict[str, Pod] = {}
        self.now = 1_000.0
        self.uids = count()
        self.names = (f"site-x{i}" for i in count())
        self.want = Wanted("site", 0, "r1")
        self.most_live = 0
        self.record = LostPods()
        self.foreign: set[str] = set()
        self.taken: set[str] = set()
        """Of the foreign ones those that a creation has run into."""
        self.half_way = False

    @initialize(want=wants())
    def start(self, want: Wanted) -> None:
        self.want = want
        self.limit()

    @rule(want=wants())
    def change(self, want: Wanted) -> None:
        self.want = want
        self.limit()

    @rule(seconds=st.sampled_from([1, 5, 20]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @rule(data=st.data(), event=st.sampled_from(EVENTS))
    @precondition(lambda self: self.pods)
    def something_happens(self, data: st.DataObject, event: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.pods)))
        self.happen(name, event)

    @rule(index=st.integers(0, 5))
    def a_stranger_takes_a_name(self, index: int) -> None:
        if f"site-{index}" not in self.pods:
            self.foreign.add(f"site-{index}")

    @rule()
    def strangers_go(self) -> None:
        self.foreign.clear()
        self.taken.clear()

    @rule(half_way=st.booleans())
    def updates_end(self, half_way: bool) -> None:
        self.half_way = half_way

    @rule()
    def control(self) -> None:
        self.step()

    @rule()
    def settle(self) -> None:
        """Left alone, with every Pod starting as it should, the plan runs dry at what is wanted."""
        self.strangers_go()
        self.half_way = False
        for _ in range(200):
            for pod in list(self.pods.values()):
                self.happen(pod.name, "gone" if pod.terminating else "ready")
                if pod.name in self.pods:
                    self.happen(pod.name, "restarted")
            decided = self.step()
            if decided == Plan() and all(p.ready_since is not None and p.live for p in self.pods.values()):
                break
            self.now += FIRST_BACKOFF
        assert len(self.pods) == self.want.replicas
        old = [p for p in self.pods.values() if not p.is_of(self.want.revision)]
        if self.want.rolls_out:
            assert len(old) <= self.want.partition
        assert all(p.in_service is not False for p in self.pods.values())
        if self.want.naming == "Stable" and not self.want.holds:
            first = self.want.start
            assert set(self.pods) == {f"site-{i}" for i in range(first, first + self.want.replicas)}

    @invariant()
    def never_too_many(self) -> None:
        assert self.live() <= self.most_live

    def limit(self) -> None:
        """What the last change found may stay until the next plan; after it the limit is the wanted one."""
        self.most_live = max(self.live(), self.want.replicas + self.want.max_surge)

    def live(self) -> int:
        return sum(1 for p in self.pods.values() if p.live)

    def happen(self, name: str, event: str) -> None:
        pod = self.pods[name]
        if event == "gone" or (event == "delete" and pod.phase == "Pending"):
            if event == "delete" or pod.terminating or pod.finished:
                del self.pods[name]
        elif event == "delete":
            self.pods[name] = replace(pod, terminating=True)
        elif event == "restarted":
            self.pods[name] = replace(pod, restarting=False)
        elif pod.finished or pod.terminating:
            return
        elif event == "infeasible":
            self.pods[name] = replace(pod, resize_pending="Infeasible", settling=True)
        elif event == "fail":
            self.pods[name] = replace(pod, phase="Failed", ready_since=None)
        else:
            since = (pod.ready_since or self.now) if event == "ready" else None
            self.pods[name] = replace(pod, phase="Running", node="node-1", ready_since=since)

    def step(self) -> Plan:
        pods = list(self.pods.values())
        surplus = self.live() if self.want.ordered else 0  # it goes one by one
        lost = self.record.observe(self.want, pods)
        decided = plan(self.want, pods, self.now, self.names, Limits(lost=lost, taken_names=self.taken))
        assert decided.wake_after is None or decided.wake_after > 0
        self.check_what_is_kept(decided, lost)
        self.check_the_order(decided)
        rolled_out = False
        for delete in decided.deletes:
            pod = self.pods[delete.name]
            rolled_out |= delete.reason == "Outdated" and self.is_available(pod)
            assert pod.uid == delete.uid
            assert not pod.terminating, "deleted twice"
            self.pods[delete.name] = replace(pod, terminating=True)
        for change in decided.service_changes:
            pod = self.pods[change.name]
            rolled_out |= self.is_available(pod)
            assert pod.live
            assert pod.in_service is (not change.in_service)
            since = None if change.in_service else self.now
            self.pods[change.name] = replace(pod, in_service=change.in_service, out_of_service_since=since)
        for update in decided.updates:
            pod = self.pods[update.name]
            if self.want.drain_seconds and pod.revision in self.want.restart_application:
                assert pod.in_service is False
                since = pod.out_of_service_since
                assert since is None or self.now - since >= self.want.drain_seconds
            rolled_out |= self.is_available(pod)
            assert (pod.uid, pod.revision) == (update.uid, update.revision)
            assert pod.live
            assert pod.between in ("", self.want.revision), "nobody knows how to bring it back"
            self.pods[update.name] = (
                replace(pod, between=self.want.revision)
                if self.half_way
                else replace(pod, revision=self.want.revision, between="", restarting=True)
            )
        if rolled_out:
            available = sum(1 for p in self.pods.values() if self.is_available(p))
            assert available >= self.want.replicas - self.want.max_unavailable
        for create in decided.creates:
            assert create.name not in self.pods, "a name that is held"
            assert create.name not in self.taken
            if create.name in self.foreign:
                self.taken.add(create.name)
            else:
                gate = False if self.want.drain_seconds else None
                uid = f"u{next(self.uids)}"
                self.pods[create.name] = Pod(create.name, uid, create.revision, self.now, in_service=gate)
        self.most_live = max(surplus, self.want.replicas + self.want.max_surge)
        assert self.live() <= self.most_live
        return decided

    def check_what_is_kept(self, decided: Plan, lost: dict[str, str]) -> None:
        """A pause, and an object that can't be composed, leave every Pod at the revision that it has."""
        want = self.want
        if not want.rolls_out:
            assert decided.updates == ()
            moved = [d.name for d in decided.deletes if d.reason == "Outdated"]
            assert all(is_condemned(want, name) and not want.holds for name in moved), "only to a stable name"
        if want.paused and want.held_revision not in ("", want.revision):
            gone = [p.revision for p in self.pods.values() if not p.live and p.name not in lost]
            newest = sum(1 for c in decided.creates if c.revision == want.revision)
            assert newest <= [*lost.values(), *gone].count(want.revision)

    def check_the_order(self, decided: Plan) -> None:
        """One by one: a creation when all below are available, a scaling down when the last one is gone."""
        if not self.want.ordered:
            return
        for create in decided.creates:
            below = [f"site-{i}" for i in range(self.want.start, create.index or 0)]
            assert all(name in self.pods and self.is_available(self.pods[name]) for name in below)
        beyond = [n for n in self.pods if is_condemned(self.want, n) and ordinal(self.want, n) is not None]
        going = [n for n in beyond if self.pods[n].terminating]
        deleted = [d.name for d in decided.deletes if d.name in beyond and self.pods[d.name].live]
        assert len(deleted) <= (0 if going else 1)

    def is_available(self, pod: Pod) -> bool:
        return pod.available(self.now, self.want.min_ready_seconds)


TestCluster = Cluster.TestCase
TestCluster.settings = settings(max_examples=settings().max_examples * 3 // 2, stateful_step_count=30)


@given(want=wants(), names=st.lists(st.integers(0, 9), unique=True))
def test_a_plan_is_a_function_of_its_arguments(want: Wanted, names: list[int]) -> None:
    pods = [Pod(f"site-{i}", f"u{i}", "r1", float(i), phase="Running", ready_since=500.0) for i in names]
    first = plan(want, pods, 1_000.0, iter(f"site-y{i}" for i in count()))
    again = plan(want, list(reversed(pods)), 1_000.0, iter(f"site-y{i}" for i in count()))
    assert first == again
