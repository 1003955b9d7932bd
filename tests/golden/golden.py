"""Objects in, Pods out: each directory beside this file has `object.yaml`, an application and the parts that
it includes, and what is made of it: `pod.yaml` and `configmap.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from podpatterns.api import parse
from podpatterns.compose import HelperImages, compose, config_map_manifest, pod_manifest

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/object.yaml"))


class _Dumper(yaml.SafeDumper):
    """Text of several lines stays so, and nothing refers to something above."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 (PyYAML's own)
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def outputs(case: Path) -> dict[str, str]:
    """Return the manifests of the case's objects, by the name of the file that each belongs in."""
    app, *parts = [parse(obj) for obj in yaml.safe_load_all((case / "object.yaml").read_text())]
    composition = compose(app, parts, HelperImages("podpatterns", "1.0.0"))
    made = {"pod.yaml": pod_manifest(app, composition, f"{app.metadata.name}-0", 0)}
    if composition.files:
        made["configmap.yaml"] = config_map_manifest(app, composition.data)
    return {name: _dump(manifest) for name, manifest in made.items()}


def _dump(manifest: dict[str, Any]) -> str:
    text: str = yaml.dump(manifest, Dumper=_Dumper, sort_keys=False, width=110)
    return text


def write() -> None:
    """Writes what the present code makes; read the difference before you commit it."""
    for case in CASES:
        for name, text in outputs(case).items():
            (case / name).write_text(text)


if __name__ == "__main__":
    write()
