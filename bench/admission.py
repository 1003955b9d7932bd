"""The time of a creation, dry run, with and without the admission policies: p50 and p99.

One namespace is left out of the policies. Every other creation is there: both sides meet the same noise.

python -m bench.admission [--rounds 3] [--samples 500]
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from contextlib import ExitStack
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
from testbed.cluster.policies import POLICIES, SELF_SERVICE, installed_policies
from testbed.cluster.programs import programs
from testbed.cluster.progress import step
from testbed.cluster.rights import grant_operator_rights
from testbed.eventually import eventually
from testbed.manifests import container, manifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GUARDED, UNGUARDED = "default", "unguarded"
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

    def path(self, namespace: str) -> str:
        if self.obj["kind"] == "Pod":
            return f"/api/v1/namespaces/{namespace}/pods"
        return f"/apis/{API_VERSION}/namespaces/{namespace}/sidecarapps"


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
    _grant(kubectl)
    rows: list[Row] = []
    with ExitStack() as connections:
        users = {}
        for name in {subject.user for subject in SUBJECTS}:
            users[name] = Impersonated(control_plane.url, control_plane.tls, name)
            connections.callback(users[name].close)
        for self_service in (False, True):
            with installed_policies(kubectl, POLICIES, *([SELF_SERVICE] if self_service else [])):
                _leave_out(kubectl, users)
                for subject in SUBJECTS:
                    if subject.self_service == self_service:
                        with step(subject.name):
                            rows += _rows(users[subject.user], subject, rounds, samples)
    return rows


def _grant(kubectl: Kubectl) -> None:
    kubectl("create", "namespace", UNGUARDED)
    kubectl("wait", "--for=create", "serviceaccount/default", f"--namespace={UNGUARDED}", "--timeout=30s")
    kubectl("create", "clusterrole", "authors", "--verb=create", f"--resource=sidecarapps.{GROUP}")
    kubectl("create", "clusterrole", "podders", "--verb=create", "--resource=pods")
    users = (f"--user={WITH_PODS}", f"--user={WITHOUT_PODS}")
    for namespace in (GUARDED, UNGUARDED):
        there = f"--namespace={namespace}"
        kubectl("create", "rolebinding", "authors", "--clusterrole=authors", *users, there)
        kubectl("create", "rolebinding", "podders", "--clusterrole=podders", users[0], there)


def _leave_out(kubectl: Kubectl, users: Mapping[str, Impersonated]) -> None:
    """Take one namespace out of all policies, and wait until that and they are in force."""
    bindings = kubectl("get", "validatingadmissionpolicybinding", "--output=name").split()
    others = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": [UNGUARDED]}
    selector = {"namespaceSelector": {"matchExpressions": [others]}}
    patch = json.dumps({"spec": {"matchResources": selector}})
    for binding in bindings:
        kubectl("patch", binding, "--type=merge", f"--patch={patch}")
    privileged, stray = _app(0), _pod()
    privileged["spec"]["template"]["spec"]["hostNetwork"] = True
    del stray["metadata"]["labels"]
    for user, subject, obj in (
        (users[WITHOUT_PODS], SUBJECTS[0], privileged),
        (users[OPERATOR], SUBJECTS[-1], stray),
    ):
        _until(user, subject.path(GUARDED), obj, taken=False)
        _until(user, subject.path(UNGUARDED), obj, taken=True)


def _until(user: Impersonated, path: str, obj: dict[str, Any], *, taken: bool) -> None:
    eventually(lambda: user.create(path, obj), until=lambda answer: answer.ok == taken)


def _rows(user: Impersonated, subject: Subject, rounds: int, samples: int) -> list[Row]:
    _until(user, subject.path(GUARDED), subject.obj, taken=True)
    times = [_times(user, subject, samples) for _ in range(rounds)]
    ours, theirs = [guarded for guarded, _ in times], [unguarded for _, unguarded in times]
    return [
        Row(f"{subject.name}: p{p}", "ms", _all(ours, p), _all(theirs, p), UNNOTICED if p == 99 else None)
        for p in (50, 99)
    ]


def _times(user: Impersonated, subject: Subject, samples: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each creation with the policies, and without them."""
    times: dict[str, list[float]] = {GUARDED: [], UNGUARDED: []}
    for i in range(2 * samples):
        namespace = (GUARDED, UNGUARDED)[i % 2]
        began = time.perf_counter()
        answer = user.create(subject.path(namespace), subject.obj)
        times[namespace].append(1000 * (time.perf_counter() - began))
        if not answer.ok:
            raise RuntimeError(answer.message)
    return times[GUARDED], times[UNGUARDED]


def _all(rounds: Sequence[Sequence[float]], percentile: int) -> list[float]:
    return [quantiles(times, n=100)[percentile - 1] for times in rounds]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.admission", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="the figure of each is shown")
    parser.add_argument("--samples", type=int, default=500, help="creations of each side in a round")
    return parser.parse_args()


if __name__ == "__main__":
    main()
