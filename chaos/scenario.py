"""One scenario: carry the plan out, under faults or not, let everything settle without, then see it idle."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chaos.api import Api
from chaos.illwill import IllWill, forged
from chaos.plan import STORAGE_CLASS, Plan, Step, part
from podpatterns.replicas.pod import DELETION_COST
from testbed import hostile
from testbed.eventually import eventually
from testbed.faults import Faults
from testbed.witness import Violation, Witness
from testbed.witness.audit_log import AuditLog

if TYPE_CHECKING:
    from chaos.testbed import Testbed

SILENCE_SECONDS = 0.5
"""A step waits no longer for requests of an operator that makes none."""
SETTLE_SECONDS = 90
VOLUMES = 40
"""For a scenario with claims, which may come and go."""


@dataclass(frozen=True, slots=True)
class Result:
    plan: Plan
    violations: tuple[Violation, ...]
    left: tuple[str, ...]
    """Reasons for which it had not settled in time."""
    gaps: tuple[str, ...]
    faults: tuple[str, ...]
    seconds: float
    restarts: int
    """How often an operator was started again."""

    @property
    def clean(self) -> bool:
        return not self.violations and not self.left


class Scenario:
    def __init__(self, testbed: Testbed, plan: Plan, *, faults: bool = True) -> None:
        self._testbed = testbed
        self._plan = plan
        self._namespace = f"chaos-{plan.seed}-{time.time_ns():x}"
        self._api = Api(testbed.control_plane, self._namespace)
        self._ill_will = IllWill(self._api)
        self._faults = Faults(plan.seed, self._namespace, plan.kills) if faults else None

    def run(self) -> Result:
        testbed = self._testbed
        began, restarts = time.monotonic(), testbed.restarts
        self._api.create_namespace()
        claiming = any(site.claims for site in self._plan.sites)
        if claiming:
            self._api.create_volumes(STORAGE_CLASS, VOLUMES)
        writes = AuditLog(testbed.control_plane, self._namespace)
        left: list[str] = []
        with Witness(testbed.control_plane, self._namespace) as witness:
            with testbed.standby() if self._plan.standby else nullcontext():
                if self._faults:
                    testbed.proxy.faults = self._faults
                    testbed.proxy.reset_watches()
                for step in self._plan.steps:
                    self._take(step)
                    self._pause(step)
                testbed.proxy.faults = None
                try:
                    eventually(lambda: self._unsettled(witness), SETTLE_SECONDS, until=lambda left: not left)
                    self._be_idle(witness)
                except TimeoutError:
                    left = self._unsettled(witness) or ["it never came to rest"]
            violations = [*witness.violations(), *forged(writes)]
        self._api.delete_namespace()
        if claiming:
            self._api.delete_volumes()
        return Result(
            self._plan,
            tuple(violations),
            tuple(left),
            tuple(witness.gaps),
            tuple(self._faults.told) if self._faults else (),
            time.monotonic() - began,
            testbed.restarts - restarts,
        )

    def _take(self, step: Step) -> None:
        name = step.site.name if step.site else ""
        match step.do:
            case "apply" | "break site" | "enlarge site":
                assert step.site
                self._api.apply(step.site.manifest())
            case "apply part":
                self._api.apply(part(step.number))
            case "delete site" | "orphan site":
                self._api.delete_site(name, orphan=step.do == "orphan site")
            case "kill operator":
                self._testbed.kill_operator()
            case "restart API server":
                self._testbed.restart_api_server()
            case "compact etcd":
                self._testbed.compact(self._api.version())
            case "make stranger" | "take name" | "forge revision" | "forbid history" | "allow history":
                self._ill_will.take(step.do, name, step.number)
            case _:
                if pod := self._pod(name, step.number):
                    self._take_pod(step, pod)

    def _take_pod(self, step: Step, pod: dict[str, Any]) -> None:
        name = pod["metadata"]["name"]
        if step.do == "delete pod":
            self._api.delete_pod(name)
        elif step.do == "fail pod":
            if pod["status"]["phase"] == "Succeeded":
                return  # for good
            self._api.patch_pod(name, {"status": {"phase": "Failed", "reason": "Evicted"}}, "/status")
        elif step.do == "forget time":
            # One that becomes Ready in this moment would lose that again, and nobody give it back.
            if hostile.ready(pod):
                self._api.patch_pod(name, hostile.timeless(pod), "/status")
        elif "podpatterns.dev/pod-index" not in pod["metadata"]["labels"]:
            # One with a stable name would keep it for as long as it is there.
            self._api.patch_pod(name, {"metadata": {"labels": {"podpatterns.dev/name": None}}})

    def _pod(self, site: str, number: int) -> dict[str, Any] | None:
        labels = {"podpatterns.dev/name": site}.items()
        pods = [pod for pod in self._api.pods() if labels <= pod["metadata"].get("labels", {}).items()]
        return pods[number % len(pods)] if pods else None

    def _pause(self, step: Step) -> None:
        self._testbed.revive()
        until = self._testbed.proxy.requests + step.pause
        deadline = time.monotonic() + SILENCE_SECONDS
        eventually(lambda: self._testbed.proxy.requests >= until or time.monotonic() > deadline)

    def _unsettled(self, witness: Witness) -> list[str]:
        """Keeps at what people would: what is gone or wrong is applied again, Pods of nobody are cleared."""
        self._testbed.revive()
        if any(step.do == "forbid history" for step in self._plan.steps):
            self._ill_will.take("allow history")
        absent = [site for site in self._plan.sites if not self._as_wanted(site.name, site.manifest())]
        for site in absent:
            self._api.apply(site.manifest())
        for pod in self._api.pods():
            meta = pod["metadata"]
            if not meta.get("ownerReferences") and "podpatterns.dev/name" not in meta.get("labels", {}):
                self._api.delete_pod(meta["name"])
        return [*witness.unsettled(), *(f"{site.name} was absent or not as wanted" for site in absent)]

    def _as_wanted(self, name: str, manifest: dict[str, Any]) -> bool:
        found = self._api.site(name)
        if found is None or "deletionTimestamp" in found["metadata"]:
            return False
        spec, wanted = found["spec"], manifest["spec"]
        in_place = {"containers": "Helpers", "drainSeconds": 0, "resizeTimeoutSeconds": 60}
        strategy = {
            "type": "InPlaceIfPossible",
            "partition": 0,
            "paused": False,
            "maxSurge": 0,
            "inPlace": in_place,
        }
        return all(
            spec.get(field) == value for field, value in wanted.items() if field != "updateStrategy"
        ) and (
            spec["updateStrategy"] == {**strategy, **wanted["updateStrategy"]}
            and spec.get("include") == wanted.get("include")
        )

    def _be_idle(self, witness: Witness) -> None:
        # An operator that is behind, after a lost answer say, still makes good what it did not know of.
        self._testbed.barrier.wait()
        with witness.idle():
            # Something that is reconciled, and that calls for nothing.
            for pod in self._api.pods():
                self._api.patch_pod(
                    pod["metadata"]["name"], {"metadata": {"annotations": {DELETION_COST: "1"}}}
                )
            self._testbed.barrier.wait()
