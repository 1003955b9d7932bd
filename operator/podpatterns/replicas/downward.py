"""Downward API: what containers take of their Pod's labels, annotations and resources.

The kubelet brings a change into files while a container runs, but not into its variables, nor into a file
that is mounted by `subPath`.
https://kubernetes.io/docs/concepts/workloads/pods/downward-api/
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from podpatterns.compose.labels import reserved
from podpatterns.replicas.reading import mapping, mappings, text

_FIELD_PATH = re.compile(r"metadata\.(labels|annotations)(?:\['(.*)'\])?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class InPlace:
    """A change of a running Pod, as far as containers can take note of it."""

    metadata: Mapping[str, Mapping[str, str | None]]
    """The changed `labels` and `annotations`."""
    amounts: Mapping[str, Collection[str]]
    """Container -> its changed amounts, each as in `limits.memory`."""
    restarted: Collection[str]
    """Containers that start anew, with everything as it is then."""

    def unnoticed(self, path: str, container: Mapping[str, Any], volumes: object) -> Iterator[str]:
        """Yield the variables and mounts that would keep an old value; `path` is that of the container."""
        name = text(container.get("name"))
        for variable in mappings(container.get("env")):
            source, found = mapping(variable.get("valueFrom")), f"{path}.env[{text(variable.get('name'))}]"
            if self._alters_metadata(source) and name not in self.restarted:
                yield f"{found}.valueFrom.fieldRef"
            if self._alters_amount(source, name) and not _restarts(container, source):
                yield f"{found}.valueFrom.resourceFieldRef"
        for mount in mappings(container.get("volumeMounts")):
            kind = next((kind for kind in ("subPath", "subPathExpr") if mount.get(kind)), None)
            if kind and name not in self.restarted:
                files = self._altered_files(volumes, mount.get("name"))
                below = f"{text(mount[kind]).rstrip('/')}/"
                if any(kind == "subPathExpr" or f"{file}/".startswith(below) for file in files):
                    yield f"{path}.volumeMounts[{text(mount.get('mountPath'))}].{kind}"

    def _altered_files(self, volumes: object, name: object) -> Iterator[str]:
        for volume in mappings(volumes):
            if volume.get("name") == name:
                projected = mappings(mapping(volume.get("projected")).get("sources"))
                for source in (volume, *projected):
                    for file in mappings(mapping(source.get("downwardAPI")).get("items")):
                        if self._alters_metadata(file) or self._alters_amount(file, ""):
                            yield text(file.get("path"))

    def _alters_metadata(self, source: Mapping[str, Any]) -> bool:
        written = _FIELD_PATH.fullmatch(text(mapping(source.get("fieldRef")).get("fieldPath")))
        if not written:
            return False
        changed, key = self.metadata[written[1]], written[2]
        return key in changed if key is not None else not all(map(reserved, changed))

    def _alters_amount(self, source: Mapping[str, Any], container: str) -> bool:
        taken = mapping(source.get("resourceFieldRef"))
        of = text(taken.get("containerName")) or container
        return text(taken.get("resource")) in self.amounts.get(of, ())


def _restarts(container: Mapping[str, Any], source: Mapping[str, Any]) -> bool:
    """Return whether the resize of the amount that a container takes, its own, restarts it."""
    taken = mapping(source.get("resourceFieldRef"))
    own = text(taken.get("containerName")) in ("", container.get("name"))
    resource = text(taken.get("resource")).partition(".")[2]
    return own and any(
        policy.get("resourceName") == resource and policy.get("restartPolicy") == "RestartContainer"
        for policy in mappings(container.get("resizePolicy"))
    )
