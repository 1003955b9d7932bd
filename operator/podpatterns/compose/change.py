"""What changes from one Pod template to another, and whether running Pods can take it.

Of a running Pod Kubernetes lets us change the images of its containers, their CPU and memory, labels and
annotations (https://kubernetes.io/docs/concepts/workloads/pods/#pod-update-and-replacement). Whatever else
differs is an obstacle: the Pod has to be replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from podpatterns.compose.resources import qos_class, requested, resizable

PLACES = ("initContainers", "containers")
Container = Mapping[str, Any]
Template = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """From one template to another. Containers are named; names are unique in a Pod."""

    images: Mapping[str, str] = field(default_factory=dict)
    """Container -> its new image."""
    resources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Container -> its new ResourceRequirements, with every request spelled out."""
    labels: Mapping[str, str | None] = field(default_factory=dict)
    """New and altered labels; None for one that is taken away."""
    annotations: Mapping[str, str | None] = field(default_factory=dict)
    obstacles: tuple[str, ...] = ()
    """The fields that a running Pod can't take, each as `kubectl explain pod` names it."""

    @property
    def in_place(self) -> bool:
        return not self.obstacles

    def __str__(self) -> str:
        """What is new, for people: the obstacles, if there are any, else what changes in place."""
        if self.obstacles:
            return ", ".join(self.obstacles)
        new = [f"image of {name}" for name in self.images]
        new += [f"resources of {name}" for name in self.resources]
        new += [f"label {key}" for key in self.labels] + [f"annotation {key}" for key in self.annotations]
        return ", ".join(new)


def change(old: Template, new: Template) -> Change:
    """What has to be done to a Pod made from the template `old` to make it one of `new`."""
    before, after = _containers(old), _containers(new)
    common = before.keys() & after.keys()
    images = {
        name: after[name]["image"]
        for name in after
        if name in common and before[name].get("image") != after[name].get("image")
    }
    resources = {
        name: requested(after[name].get("resources") or {})
        for name in after
        if name in common and (before[name].get("resources") or {}) != (after[name].get("resources") or {})
    }
    old_meta, new_meta = old.get("metadata") or {}, new.get("metadata") or {}
    return Change(
        images=images,
        resources=resources,
        labels=_moved(old_meta.get("labels") or {}, new_meta.get("labels") or {}),
        annotations=_moved(old_meta.get("annotations") or {}, new_meta.get("annotations") or {}),
        obstacles=tuple(dict.fromkeys(_obstacles(old["spec"], new["spec"], images, resources))),
    )


def _containers(template: Template) -> dict[str, Container]:
    return {c["name"]: c for place in PLACES for c in template["spec"].get(place) or ()}


def _moved(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str | None]:
    gone: dict[str, str | None] = dict.fromkeys(sorted(old.keys() - new.keys()))
    return gone | {key: value for key, value in new.items() if old.get(key) != value}


def _obstacles(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    images: Mapping[str, str],
    resources: Mapping[str, Mapping[str, Any]],
) -> Iterator[str]:
    for place in PLACES:
        was, will = old.get(place) or (), new.get(place) or ()
        if [c["name"] for c in was] != [c["name"] for c in will]:
            yield f"spec.{place}"
            continue
        for one, other in zip(was, will, strict=True):
            path = f"spec.{place}[{other['name']}]"
            yield from _differences(_fixed(one), _fixed(other), path)
            yield from _container_obstacles(one, other, path, resources)
            if other["name"] in images and place == "initContainers" and not _keeps_running(other):
                # It ran already, and would not run again with its new image.
                yield f"{path}.image"
    if resources and ("resources" in new or qos_class(old) != qos_class(new)):
        # https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/#limitations
        yield "spec.resources" if "resources" in new else "status.qosClass"
    yield from _differences(_without_containers(old), _without_containers(new), "spec")


def _container_obstacles(
    old: Container, new: Container, path: str, resources: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    if new["name"] in resources and not (
        (_keeps_running(new) or "initContainers" not in path)
        and resizable(old.get("resources") or {}, new.get("resources") or {})
    ):
        yield f"{path}.resources"


def _keeps_running(init_container: Container) -> bool:
    """It is a native sidecar, not an init container that has ended."""
    return init_container.get("restartPolicy") == "Always"


def _without_containers(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in spec.items() if k not in PLACES}


def _fixed(container: Container) -> dict[str, Any]:
    return {k: v for k, v in container.items() if k not in ("image", "resources")}


def _differences(old: Any, new: Any, path: str) -> Iterator[str]:
    """The fields that differ, as deep as both sides have the same form."""
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in (*old, *(k for k in new if k not in old)):
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}")
    elif (names := _names(old)) and names == _names(new):
        for name, one, other in zip(names, old, new, strict=True):
            yield from _differences(one, other, f"{path}[{name}]")
    else:
        yield path


def _names(value: Any) -> list[str]:
    """The names of a list whose items have them, such as volumes and environment variables."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [v["name"] for v in value if isinstance(v, Mapping) and "name" in v] if value else []
