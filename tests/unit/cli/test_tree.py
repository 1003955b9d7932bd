"""The trees of `podpatterns tree`."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.cli.tree import drawn, nodes, watch


def obj(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    reason = "PodsAvailable" if "template" in spec else "ReusablePart"
    return {
        "kind": kind,
        "metadata": {"name": name, "namespace": "shop", "uid": f"uid-of-{name}"},
        "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": "True", "reason": reason}]},
    }


def pod(name: str, owner: str, **fields: Any) -> dict[str, Any]:
    running = {"ready": True, "state": {"running": {}}}
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-of-{name}",
            "ownerReferences": [{"controller": True, "uid": f"uid-of-{owner}"}],
            **fields,
        },
        "spec": {
            "initContainers": [
                {"name": "git", "image": "git:1", "restartPolicy": "Always"},
                {"name": "init", "image": "init:1"},
            ],
            "containers": [{"name": "web", "image": "web:1"}],
        },
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "initContainerStatuses": [
                {"name": "git", "restartCount": 2, **running},
                {"name": "init", "ready": True, "state": {"terminated": {"reason": "Completed"}}},
            ],
            "containerStatuses": [{"name": "web", **running}],
        },
    }


INCLUDE = [{"kind": "Ambassador", "name": "cache"}, {"kind": "Adapter", "name": "red"}]
SITE = obj("SidecarApp", "site", template={}, include=INCLUDE)
SITE["spec"]["template"] = {"spec": {}}
CACHE = obj("Ambassador", "cache")
CACHE["status"]["usedBy"] = [{"kind": "SidecarApp", "name": "site"}]
PODS = [pod("site-1", "site", deletionTimestamp="2026-01-01T00:00:00Z"), pod("site-0", "site")]


def test_pods_and_containers_hang_below_their_objects() -> None:
    found = nodes([SITE, CACHE], [SITE, CACHE], [*PODS, pod("foreign", "other")])
    assert drawn(found, with_namespaces=False) == (
        "NAME                          READY   STATUS          RESTARTS   IMAGE\n"
        "ambassador/cache                      ReusablePart\n"
        "└─ used by sidecarapp/site\n"
        "sidecarapp/site                       PodsAvailable\n"
        "├─ part ambassador/cache              ReusablePart\n"
        "├─ part adapter/red                   PartNotFound\n"
        "├─ pod/site-0                 2/2     Running         2\n"
        "│  ├─ git (native sidecar)    yes     Running         2          git:1\n"
        "│  ├─ init (init container)           Completed       0          init:1\n"
        "│  └─ web                     yes     Running         0          web:1\n"
        "└─ pod/site-1                 2/2     Terminating     2\n"
        "   ├─ git (native sidecar)    yes     Running         2          git:1\n"
        "   ├─ init (init container)           Completed       0          init:1\n"
        "   └─ web                     yes     Running         0          web:1\n"
    )


def test_parts_and_users_of_other_namespaces_are_named_with_it() -> None:
    include = [{"kind": "Ambassador", "name": "cache", "namespace": "platform"}]
    site, outer = (
        obj("SidecarApp", "site", template={"spec": {}}, include=include),
        obj("SidecarApp", "outer"),
    )
    outer["spec"]["include"] = [{"kind": "Ambassador", "name": "cache"}]
    outer["status"]["usedBy"] = [{"kind": "SidecarApp", "name": "far", "namespace": "other"}]
    lines = drawn(nodes([site, outer], [site, outer, CACHE], []), with_namespaces=False).splitlines()
    assert [" ".join(line.split()) for line in lines[1:]] == [
        "sidecarapp/outer ReusablePart",
        "├─ used by sidecarapp/far (namespace other)",
        "└─ part ambassador/cache ReusablePart",
        "sidecarapp/site PodsAvailable",
        "└─ part ambassador/cache (namespace platform)",
    ]


def test_a_namespace_has_a_line_where_there_are_several() -> None:
    lines = drawn(nodes([CACHE], [CACHE], []), with_namespaces=True).splitlines()
    assert [line.split()[:2] for line in lines[1:3]] == [
        ["namespace", "shop"],
        ["ambassador/cache", "ReusablePart"],
    ]


def test_no_objects_are_told() -> None:
    assert drawn([], with_namespaces=False) == "no objects\n"


def test_watching_shows_what_changes(capsys: pytest.CaptureFixture[str]) -> None:
    texts = iter(["one\n", "one\n", "two\n"])
    with pytest.raises(StopIteration):
        watch(lambda: next(texts), 0.001)
    assert capsys.readouterr().out == "one\n\ntwo\n\n"
