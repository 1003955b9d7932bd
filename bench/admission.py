"""The time of a creation, dry run, with and without the admission policies: p50 and p99.

python -m bench.admission [--rounds 5] [--samples 400]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any

from bench.row import Goal, Row, table
from podpatterns.api import API_VERSION, GROUP
from testbed.cluster.control_plane import COMPONENTS, OPERATOR, ControlPlane
from testbed.cluster.crds import install_crds
from testbed.cluster.impersonation import Impersonated
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.policies import LEASH, POLICIES, SELF_SERVICE, installed_policies
from testbed.cluster.programs import programs
from testbed.cluster.progress import step
from testbed.cluster.rights import grant_operator_rights
from testbed.eventually import eventually
from testbed.manifests import container, manifest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from testbed.cluster.impersonation import Answer

NAMESPACE = "default"
WITH_PODS, WITHOUT_PODS = "podder", "author"
UNNOTICED = Goal("≤", 1.5)
"""How many times as long a creation may take."""

SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass(frozen=True)
class Subject:
    """A creation that policies judge."""

    name: str
    user: str
    obj: dict[str, Any]
    self_service: bool = False

    @property
    def path(self) -> str:
        if self.obj["kind"] == "Pod":
            return f"/api/v1/namespaces/{NAMESPACE}/pods"
        return f"/apis/{API_VERSION}/namespaces/{NAMESPACE}/sidecarapps"


def _app(helpers: int) -> dict[str, Any]:
    web = container("web", securityContext=SECURITY, env=[{"name": f"A{i}", "value": "b"} for i in range(10)])
    sidecars = [container(f"helper-{i}", securityContext=SECURITY) for i in range(helpers)]
    return manifest("SidecarApp", "site", {"template": {"spec": {"containers": [web]}}, "sidecars": sidecars})


def _pod() -> dict[str, Any]:
    owner = {"apiVersion": API_VERSION, "kind": "SidecarApp", "name": "site", "uid": "1", "controller": True}
    labels = {f"{GROUP}/kind": "SidecarApp", f"{GROUP}/name": "site"}
    metadata = {"name": "site-0", "labels": labels, "ownerReferences": [owner]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [container("web")]},
    }


SUBJECTS = (
    Subject("SidecarApp of who may create Pods", WITH_PODS, _app(2)),
    Subject("the same with self-service", WITH_PODS, _app(2), self_service=True),
    Subject("SidecarApp by self-service", WITHOUT_PODS, _app(2), self_service=True),
    Subject("SidecarApp of 60 sidecars by self-service", WITHOUT_PODS, _app(60), self_service=True),
    Subject("Pod of the operator, on its leash", OPERATOR, _pod()),
    Subject("Pod of anybody", WITH_PODS, _pod()),
)


def main() -> None:
    arguments = _arguments()
    programs(*COMPONENTS, "helm", "kubectl")
    with (
        tempfile.TemporaryDirectory(prefix="admission-") as directory,
        ControlPlane(Path(directory)) as control_plane,
    ):
        rows = _measured(control_plane, arguments.rounds, arguments.samples)
    print(table(rows))
    print(
        f"\nours: with the policies; theirs: without. {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}"
    )


def _measured(control_plane: ControlPlane, rounds: int, samples: int) -> list[Row]:
    kubectl = Kubectl(control_plane.kubeconfig)
    install_crds(kubectl)
    grant_operator_rights(control_plane)
    _take_off(kubectl)
    _grant(kubectl)
    times: list[tuple[list[list[float]], list[list[float]]]] = [([], []) for _ in SUBJECTS]
    with ExitStack() as connections:
        users = {}
        for name in {subject.user for subject in SUBJECTS}:
            users[name] = Impersonated(control_plane.url, control_plane.tls, name)
            connections.callback(users[name].close)
        for number in range(rounds):
            for subject, (ours, theirs) in zip(SUBJECTS, times, strict=True):
                with step(f"round {number + 1} of {rounds}: {subject.name}"):
                    theirs.append(_times(users[subject.user], subject, samples))
                    with _policies(control_plane, users, subject):
                        ours.append(_times(users[subject.user], subject, samples))
    return [
        Row(f"{subject.name}: p{p}", "ms", _all(ours, p), _all(theirs, p), UNNOTICED if p == 99 else None)
        for subject, (ours, theirs) in zip(SUBJECTS, times, strict=True)
        for p in (50, 99)
    ]


def _grant(kubectl: Kubectl) -> None:
    authors = ("create", "clusterrole", "authors", "--verb=create", f"--resource=sidecarapps.{GROUP}")
    kubectl(*authors)
    kubectl("create", "clusterrole", "podders", "--verb=create", "--resource=pods")
    users = (f"--user={WITH_PODS}", f"--user={WITHOUT_PODS}")
    kubectl("create", "rolebinding", "authors", "--clusterrole=authors", *users)
    kubectl("create", "rolebinding", "podders", "--clusterrole=podders", f"--user={WITH_PODS}")


@contextmanager
def _policies(
    control_plane: ControlPlane, users: Mapping[str, Impersonated], subject: Subject
) -> Iterator[None]:
    """The policies, the leash among them, in force for a while."""
    kubectl = Kubectl(control_plane.kubeconfig)
    grant_operator_rights(control_plane)
    with installed_policies(kubectl, POLICIES, *([SELF_SERVICE] if subject.self_service else [])):
        privileged, stray = _app(0), _pod()
        privileged["spec"]["template"]["spec"]["hostNetwork"] = True
        del stray["metadata"]["labels"]
        _refused(users[WITHOUT_PODS], SUBJECTS[0].path, privileged)
        _refused(users[OPERATOR], SUBJECTS[-1].path, stray)
        yield
    _take_off(kubectl)


def _refused(user: Impersonated, path: str, obj: dict[str, Any]) -> None:
    """Wait until a policy refuses the creation."""
    eventually(lambda: user.create(path, obj), until=lambda answer: "denied request" in answer.message)


def _take_off(kubectl: Kubectl) -> None:
    """Delete the leash, which comes with the operator's rights."""
    kubectl("delete", f"--filename={LEASH}")


def _times(user: Impersonated, subject: Subject, samples: int) -> list[float]:
    """Return the milliseconds of each creation, after those that fill caches."""
    eventually(lambda: user.create(subject.path, subject.obj), until=lambda answer: answer.ok)
    times = []
    for _ in range(samples):
        began = time.perf_counter()
        answer = user.create(subject.path, subject.obj)
        times.append(1000 * (time.perf_counter() - began))
        _expect(answer)
    return times


def _expect(answer: Answer) -> None:
    if not answer.ok:
        raise RuntimeError(answer.message)


def _all(rounds: Sequence[Sequence[float]], percentile: int) -> list[float]:
    return [quantiles(times, n=100)[percentile - 1] for times in rounds]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.admission", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="each without and with the policies")
    parser.add_argument("--samples", type=int, default=400, help="creations in each half of a round")
    return parser.parse_args()


if __name__ == "__main__":
    main()
