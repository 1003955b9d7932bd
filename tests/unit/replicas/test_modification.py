"""Images that somebody set by hand, as the API server's managedFields tell."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpatterns.replicas import observe
from podpatterns.replicas.modification import Modification, modifications

OURS = "podpatterns-operator"


def fields(*names: str, container: str = "web", of: str = "containers") -> dict[str, Any]:
    key = f'k:{{"name":"{container}"}}'
    return {"f:spec": {f"f:{of}": {key: {f"f:{name}": {} for name in names}}}}


def entry(manager: str, written: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": written, **more}


def pod(*entries: Any) -> dict[str, Any]:
    containers = [{"name": "web", "image": "web:debug"}, {"name": "other", "image": "other:1"}]
    init = [{"name": "sync", "image": "sync:debug"}]
    metadata = {"name": "site-0", "uid": "u", "managedFields": list(entries)}
    return {"metadata": metadata, "spec": {"containers": containers, "initContainers": init}}


KUBELET = entry("kubelet", {"f:status": {"f:phase": {}}}, subresource="status")
MADE = entry(OURS, fields("name", "image", "resources"))
LEFT = entry(OURS, fields("name", "resources"))
HAND = entry("kubectl-set", fields("image"))
FOUND = (Modification("web", "web:debug", "kubectl-set"),)

CASES: list[tuple[str, list[Any], tuple[Modification, ...]]] = [
    ("nobody else wrote", [MADE, KUBELET], ()),
    ("another has set the image", [LEFT, HAND, KUBELET], FOUND),
    ("by server-side apply", [LEFT, {**HAND, "operation": "Apply"}], FOUND),
    (
        "of a sidecar",
        [
            entry(OURS, fields("name", container="sync", of="initContainers")),
            entry("kubectl-edit", fields("image", container="sync", of="initContainers")),
        ],
        (Modification("sync", "sync:debug", "kubectl-edit"),),
    ),
    ("another says the same as the operator", [MADE, HAND], ()),
    ("the operator has set it again", [LEFT, entry(OURS, fields("image")), HAND], ()),
    ("another has changed labels and resources", [MADE, entry("vpa", fields("resources"))], ()),
    ("resources by the subresource", [LEFT, {**HAND, "subresource": "resize"}], ()),
    ("the Pod is another's work, and adopted", [entry("velero", fields("name", "image"))], ()),
    ("somebody has cleared the record", [{}], ()),
    ("the container is gone", [LEFT, entry("x", fields("image", container="gone"))], ()),
]


@pytest.mark.parametrize(("entries", "expected"), [pytest.param(*c[1:], id=c[0]) for c in CASES])
def test_an_image_is_modified_if(entries: list[Any], expected: tuple[Modification, ...]) -> None:
    assert modifications(pod(*entries)) == expected
    assert observe(pod(*entries)).modified == expected


def test_a_record_is_bounded() -> None:
    many = [f"c{i}" for i in range(1_000)]
    made: dict[str, Any] = {"f:containers": {f'k:{{"name":"{name}"}}': {"f:name": {}} for name in many}}
    theirs: dict[str, Any] = {"f:containers": {f'k:{{"name":"{name}"}}': {"f:image": {}} for name in many}}
    whole = pod(entry(OURS, {"f:spec": made}), entry("x" * 10_000, {"f:spec": theirs}))
    whole["spec"]["containers"] = [{"name": name, "image": "y" * 100_000} for name in many]
    found = modifications(whole)
    assert len(found) == 20
    assert max(len(said.encode()) for one in found for said in one) <= 256


odd = st.recursive(
    st.none() | st.integers() | st.sampled_from(["web", OURS, 'k:{"name":"web"}', "k:["]),
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["manager", "fieldsV1", "f:spec", "f:containers", 'k:{"name":"web"}', "k:[", "f:image"]
            ),
            values,
        )
    ),
    max_leaves=8,
)


@given(entries=odd)
def test_anything_can_be_read(entries: Any) -> None:
    whole = pod()
    whole["metadata"]["managedFields"] = entries
    modifications(whole)
