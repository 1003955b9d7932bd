"""Users with few rights, the namespaces in which they write, and what they write there."""

from __future__ import annotations

from collections.abc import Iterator

from podpatterns.api import API_VERSION, GROUP, KINDS, parse
from podpatterns.api.policy import selfservice
from podpatterns.compose import compose, pod_manifest
from tests.integration.admission.builders import Object, app
from tests.integration.admission.escalations import Escalation

RBAC = "rbac.authorization.k8s.io"
OURS = [kind.plural for kind in KINDS]
WRITE = ["get", "create", "update", "patch", "delete"]
OPEN, GUARDED = "admission-open", "admission-guarded"
"""Namespaces; Pod Security enforces the level restricted in the second."""
HARMLESS = app()
AUTHOR, PODDER, EDITOR, SCALER = "author", "podder", "editor", "scaler"
"""Users: of our kinds alone, of these and Pods, with the ClusterRole edit, of /scale alone."""

_OF_OURS = {"apiGroups": [GROUP], "resources": OURS, "verbs": WRITE}

PARTS = "parts"
"""Right of the self-service that every part needs."""


def holder(*rights: str) -> str:
    """Return the author who has these rights of the self-service: none, one, or one and PARTS."""
    return "-".join([*rights, "user"]) if rights else AUTHOR


def author_of(obj: Object, *rights: str) -> str:
    """Return the author who has these rights, and PARTS if the object is a part."""
    of_parts = () if "template" in obj["spec"] else (PARTS,)
    return holder(*dict.fromkeys((*rights, *of_parts)))


def _granted() -> Iterator[tuple[str, list[Object]]]:
    yield AUTHOR, [_OF_OURS]
    yield PODDER, [_OF_OURS, {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]}]
    yield EDITOR, [_OF_OURS]
    for right in selfservice.rights():
        for rights in ((right.resource,), (right.resource, PARTS))[: 1 if right.resource == PARTS else 2]:
            use = {"apiGroups": [GROUP], "resources": [*rights], "verbs": [selfservice.VERB]}
            yield holder(*rights), [_OF_OURS, use]
    # The last: when it is in force, all are.
    yield SCALER, [{"apiGroups": [GROUP], "resources": [f"{name}/scale" for name in OURS], "verbs": WRITE}]


def _bound(namespace: str, user: str, role: dict[str, str]) -> Object:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": f"{user}-{role['kind'].lower()}", "namespace": namespace},
        "roleRef": {"apiGroup": RBAC, **role},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": user}],
    }


def with_users(name: str, labels: dict[str, str]) -> Iterator[Object]:
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    meta = {"name": "robot", "namespace": name}
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}
    yield _bound(name, EDITOR, {"kind": "ClusterRole", "name": "edit"})
    for user, rules in _granted():
        meta = {"name": user, "namespace": name}
        yield {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": meta, "rules": rules}
        yield _bound(name, user, {"kind": "Role", "name": user})


def objects(obj: Object, namespace: str = OPEN, name: str = "") -> str:
    """Return the path of the objects of a kind, or of one of them."""
    plural = next(kind.plural for kind in KINDS if kind.kind == obj["kind"])
    return f"/apis/{API_VERSION}/namespaces/{namespace}/{plural}{f'/{name}' if name else ''}"


def pods(namespace: str = OPEN) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"


def made_of(one: Escalation, namespace: str) -> Object:
    """Return the Pod that the operator would make, of the application itself or of one that includes it."""
    written = one.user or one.obj
    metadata = {**written["metadata"], "namespace": namespace, "uid": "7c9f"}
    whole = parse({**written, "metadata": metadata})
    parts = (
        [parse({**one.obj, "metadata": {**one.obj["metadata"], "namespace": namespace}})] if one.user else []
    )
    return pod_manifest(whole, compose(whole, parts), f"{whole.metadata.name}-0", 0)


def by_hand(pod: Object) -> Object:
    """Return the Pod as a person would create it."""
    return {**pod, "metadata": {"name": pod["metadata"]["name"]}}
