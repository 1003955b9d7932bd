"""The witness catches an operator that breaks a rule, and has nothing to say about one that does not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from podpatterns.replicas.pod import DELETION_COST
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.operator_process import OperatorProcess
from testbed.eventually import eventually
from testbed.witness import Barrier, Witness, invariants, requests
from tests.integration.controller import mutants
from tests.integration.controller.sites import Sites

Scenario = Callable[[Sites, Witness], None]


@pytest.fixture
def witness(control_plane: ControlPlane, namespace: str, crds: Path) -> Iterator[Witness]:
    """One that leaves it to the test what to make of violations."""
    with Witness(control_plane, namespace) as witness:
        yield witness


@pytest.fixture(scope="module")
def _no_other_operator(_operator: OperatorProcess) -> Iterator[None]:
    _operator.stop()
    yield
    _operator.start()


@pytest.fixture
def mutate(
    control_plane: ControlPlane, _no_other_operator: None, tmp_path: Path
) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Runs a mutant until the end of the test."""
    processes: list[OperatorProcess] = []

    def run(mutant: Callable[[], None]) -> None:
        command: list[str | Path] = [sys.executable, Path(mutants.__file__), mutant.__name__]
        processes.append(OperatorProcess(control_plane.operator_kubeconfig, tmp_path, command=command))
        processes[-1].start()

    yield run
    for process in processes:
        process.stop()


@pytest.fixture
def sites(kubectl: Kubectl) -> Sites:
    return Sites(kubectl)


def grow(sites: Sites, witness: Witness) -> None:
    """Several objects: on a busy machine the event of a creation may be there before it is tried again."""
    for name in ("red", "green", "blue", "white"):
        sites.apply(name, replicas=3, podNaming="Generated")


def shrink(sites: Sites, witness: Witness) -> None:
    sites.ready("shrinking", replicas=2)
    sites.apply("shrinking", replicas=1)


def roll_out(sites: Sites, witness: Witness) -> None:
    strategy = {"type": "Recreate", "maxUnavailable": 1, "maxSurge": 0}
    sites.ready("rolling", replicas=2, podNaming="Generated", updateStrategy=strategy)
    sites.apply("rolling", replicas=2, podNaming="Generated", updateStrategy=strategy, image="web:2")


def update_in_place(sites: Sites, witness: Witness) -> None:
    def template(image: str) -> dict[str, Any]:
        slow = {"annotations": {"test.example/start-delay": "500ms"}}
        return {"metadata": slow, "spec": {"containers": [{"name": "web", "image": image}]}}

    strategy = {"maxUnavailable": 1, "inPlace": {"containers": "All"}}
    sites.ready("rolling", replicas=3, updateStrategy=strategy, template=template("web:1"))
    sites.apply("rolling", replicas=3, updateStrategy=strategy, template=template("web:2"))


def finish(sites: Sites, witness: Witness) -> None:
    """Work is done, and its Pods go."""
    work = {"annotations": {"test.example/works-for": "100ms"}}
    spec = {"containers": [{"name": "web", "image": "web:1"}], "restartPolicy": "Never"}
    sites.apply("finished", replicas=2, template={"metadata": work, "spec": spec}, sidecars=[])
    sites.kubectl("wait", "sidecarapp/finished", "--for=condition=Complete", "--timeout=60s")
    sites.kubectl("delete", "pod", "finished-0", "finished-1")


def look(sites: Sites, witness: Witness) -> None:
    """Makes the operator look where nothing is to be done."""
    sites.ready("steady")
    barrier = Barrier(Kubectl(sites.kubectl.kubeconfig))
    with witness.idle():
        sites.kubectl("annotate", "pod", "steady-0", f"{DELETION_COST}=1")
        barrier.wait()


CAUGHT = [
    (mutants.forgets_unanswered, grow, invariants.LIMIT),
    (mutants.ignores_answers, grow, invariants.LIMIT),
    (mutants.plans_one_too_many, grow, invariants.LIMIT),
    (mutants.invents_uids, grow, invariants.CONTROLLER),
    (mutants.creates_first, roll_out, invariants.LIMIT),
    (mutants.takes_all_down, roll_out, invariants.AVAILABLE),
    (mutants.believes_every_ready_pod, update_in_place, invariants.AVAILABLE),
    (mutants.forgets_finished_work, finish, invariants.OVER),
    (mutants.deletes_by_name, shrink, requests.PRECONDITION),
    (mutants.deletes_by_force, shrink, requests.FORCE),
    (mutants.writes_at_every_look, look, requests.IDLE),
]


@pytest.mark.parametrize(("mutant", "provoke", "rule"), [pytest.param(*c, id=c[0].__name__) for c in CAUGHT])
def test_a_mutant_is_caught(
    sites: Sites,
    witness: Witness,
    mutate: Callable[[Callable[[], None]], None],
    mutant: Callable[[], None],
    provoke: Scenario,
    rule: str,
) -> None:
    mutate(mutant)
    provoke(sites, witness)
    eventually(lambda: {v.rule for v in witness.violations()}, until=lambda rules: rule in rules)


def test_the_operator_is_not_accused(
    sites: Sites, witness: Witness, mutate: Callable[[Callable[[], None]], None]
) -> None:
    mutate(mutants.none)
    for provoke in (grow, shrink, roll_out, update_in_place, finish, look):
        provoke(sites, witness)
    eventually(witness.unsettled, until=lambda left: not left)
    assert witness.violations() == []
    assert witness.gaps == []
