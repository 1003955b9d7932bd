"""Users with few rights, real ones of RBAC, in namespaces that Pod Security guards or doesn't."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from testbed.cluster.control_plane import OPERATOR, ControlPlane
from testbed.cluster.impersonation import MERGE_PATCH, Impersonated
from testbed.cluster.kubectl import Kubectl
from testbed.eventually import eventually
from tests.integration.admission.users import GUARDED, HARMLESS, OPEN, SCALER, objects, with_users


@pytest.fixture(scope="session")
def _users(control_plane: ControlPlane, crds: Path, rights: None) -> None:
    kubectl = Kubectl(control_plane.kubeconfig, namespace="")
    important = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "important"},
        "value": 1000,
    }
    guarded = {"pod-security.kubernetes.io/enforce": "restricted"}
    kubectl.apply(important, *with_users(OPEN, {}), *with_users(GUARDED, guarded))
    for namespace in (OPEN, GUARDED):
        kubectl("wait", "--for=create", "serviceaccount/default", f"--namespace={namespace}", "--timeout=30s")
    last = Impersonated(control_plane.url, control_plane.tls, SCALER)
    scale = objects(HARMLESS, GUARDED, "none/scale")
    eventually(lambda: last.request("PATCH", scale, {}, MERGE_PATCH).code == HTTPStatus.NOT_FOUND)
    last.close()


@pytest.fixture(scope="module")
def act_as(_users: None, control_plane: ControlPlane) -> Iterator[Callable[[str], Impersonated]]:
    """Gives a user by name, and the operator."""
    users: dict[str, Impersonated] = {}

    def user(name: str) -> Impersonated:
        return users.setdefault(name, Impersonated(control_plane.url, control_plane.tls, name))

    yield user
    for one in users.values():
        one.close()


@pytest.fixture(scope="module")
def operator(act_as: Callable[[str], Impersonated]) -> Impersonated:
    return act_as(OPERATOR)
