"""Whatever happens to the Pods of work that ends, it is counted exactly, and comes to an end.

The planner goes by what the status has recorded, and nothing else outlives a step: each is a restart of the
operator, too. A status may be lost before it is written.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import count
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from podpatterns.api import Pattern
from podpatterns.replicas import Pod, Wanted, plan
from podpatterns.replicas.completion import completed_elsewhere
from podpatterns.replicas.limits import FIRST_BACKOFF
from podpatterns.replicas.observed import Observed
from podpatterns.replicas.status import app_status
from podpatterns.replicas.work import Work
from testbed.builders import sidecarapp, template

LIMIT = 3


@cache
def application(replicas: int, naming: str, policy: str) -> Pattern:
    pod = template(restartPolicy=policy)
    return sidecarapp(replicas=replicas, podNaming=naming, backoffLimit=LIMIT, template=pod)


class Works(RuleBasedStateMachine):
    """Pods start, succeed, fail, restart and are deleted between a plan and a status."""

    def __init__(self) -> None:
        super().__init__()
        self.pods: dict[str, Pod] = {}
        self.status: dict[str, Any] = {}
        self.now = 1_000_000.0
        self.uids = count()
        self.names = (f"site-x{i}" for i in count())
        self.replicas, self.revision, self.naming, self.policy = 3, "r1", "Stable", "Never"
        self.failures: set[str] = set()
        """UIDs of Pods of the newest revision of which a status could know that they failed."""
        self.successes: set[str] = set()
        """Stable names of which a written status tells that they are done."""

    @initialize(naming=st.sampled_from(["Stable", "Generated"]), retries=st.booleans())
    def start(self, naming: str, retries: bool) -> None:
        self.naming, self.policy = naming, "OnFailure" if retries else "Never"
        self.step()

    @rule(replicas=st.integers(0, 5))
    def scale(self, replicas: int) -> None:
        self.replicas = replicas

    @rule(revision=st.sampled_from(["r1", "r2"]))
    def change(self, revision: str) -> None:
        if revision != self.revision:
            self.revision = revision
            self.failures, self.successes = set(), set()
            self.write()

    @rule(data=st.data(), event=st.sampled_from(["run", "succeed", "fail", "restart", "delete", "gone"]))
    @precondition(lambda self: self.pods)
    def something_happens(self, data: st.DataObject, event: str) -> None:
        self.happen(data.draw(st.sampled_from(sorted(self.pods))), event)

    @rule(seconds=st.sampled_from([1, 20]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def control(self) -> None:
        self.step()

    @rule()
    def write(self) -> None:
        """Write the status: what it doesn't count yet may be forgotten until then."""
        pods = list(self.pods.values())
        self.status = self.report(pods)
        newest = [p for p in pods if p.revision == self.revision and not p.terminating]
        self.failures |= {p.uid for p in newest if p.phase == "Failed"}
        assert self.status["failed"] == len(self.failures), "each failure once"
        if self.naming == "Stable":
            done = {p.name for p in newest if p.done} | self.successes
            self.successes = done & {f"site-{i}" for i in range(self.replicas)}
            assert self.status["work"]["succeeded"] == len(self.successes)
        assert self.report(pods) == self.status, "idle, it writes nothing"

    @rule()
    def settle(self) -> None:
        """Left alone, with Pods that do their work, it is complete, or has failed and nothing runs."""
        before = None
        while before != (self.status, self.pods):
            before = self.status, dict(self.pods)
            for name in list(self.pods):
                self.happen(name, "gone" if self.pods[name].terminating else "run")
            self.write()
            self.step()
            for name in list(self.pods):
                self.happen(name, "succeed")
            self.now += FIRST_BACKOFF
        self.write()
        true = {c["type"]: c["reason"] for c in self.status["conditions"] if c["status"] == "True"}
        assert not any(p.live or p.terminating for p in self.pods.values())
        assert len(self.pods) <= self.replicas
        if "Failed" in true:
            assert true["Stalled"] == "BackoffLimitExceeded"
            return
        assert all(p.revision == self.revision for p in self.pods.values())
        assert self.status["succeeded"] == self.replicas
        assert "Ready" in true
        assert ("Complete" in true) == (self.replicas > 0)

    @invariant()
    def never_too_many(self) -> None:
        assert sum(1 for p in self.pods.values() if p.live) <= 5

    def happen(self, name: str, event: str) -> None:
        pod = self.pods[name]
        if event == "gone":
            if pod.terminating or pod.finished:
                del self.pods[name]
        elif event == "delete":
            self.pods[name] = replace(pod, terminating=True)
        elif pod.finished or pod.terminating:
            return
        elif event == "run":
            self.pods[name] = replace(pod, phase="Running", ready_since=pod.ready_since or self.now)
        elif event == "restart":
            self.pods[name] = replace(pod, retries=pod.retries + 1)
        else:
            phase = "Succeeded" if event == "succeed" else "Failed"
            self.pods[name] = replace(pod, phase=phase, ready_since=None)

    def report(self, pods: list[Pod]) -> dict[str, Any]:
        app = application(self.replicas, self.naming, self.policy)
        observed = Observed(pods, (), None, self.now)
        return app_status(app, Wanted.of(app, self.revision), observed, self.status)

    def wanted(self) -> Wanted:
        wanted = Wanted.of(application(self.replicas, self.naming, self.policy), self.revision)
        return replace(wanted, work=Work.recorded(self.status, self.revision))

    def step(self) -> None:
        wanted, pods = self.wanted(), list(self.pods.values())
        decided = plan(wanted, pods, self.now, self.names)
        there = sum(1 for p in pods if p.live or p.done) + completed_elsewhere(wanted, pods)
        for delete in decided.deletes:
            pod = self.pods[delete.name]
            assert pod.uid == delete.uid
            if pod.phase == "Failed" and pod.revision == self.revision:
                recorded = self.status.get("work", {}).get("failedPods", ())
                assert pod.uid in recorded or wanted.work.exceeded, "deleted before it was counted"
            there -= pod.live or pod.done
            self.pods[delete.name] = replace(pod, terminating=True)
        for create in decided.creates:
            assert not wanted.work.exceeded, "the work has failed"
            assert create.name not in self.pods
            assert create.name not in self.successes, "its work is done"
            self.pods[create.name] = Pod(
                create.name, f"u{next(self.uids)}", create.revision, self.now, ends=True
            )
        assert there + len(decided.creates) <= max(self.replicas, there), "no more work than is wanted"


TestWorks = Works.TestCase
TestWorks.settings = settings(stateful_step_count=30)
