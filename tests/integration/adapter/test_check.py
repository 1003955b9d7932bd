"""What the operator hands to the adapter, the adapter takes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from testbed.adapter import SOURCES
from testbed.cluster.own_programs import own_program

CHECKOUT = Path(__file__).parents[3]


def configurations() -> dict[str, str]:
    """Every configuration in an example and in what the golden objects are composed to."""
    found = {}
    for path in sorted(CHECKOUT.glob("examples/**/*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if document and document["kind"] == "Adapter":
                found[f"{path.stem}-{document['metadata']['name']}"] = yaml.safe_dump(document["spec"])
    for path in sorted(CHECKOUT.glob("tests/golden/*/configmap.yaml")):
        for key, text in yaml.safe_load(path.read_text())["data"].items():
            if key.endswith(".yaml") and "sources" in yaml.safe_load(text):
                found[f"{path.parent.name}-{key}"] = text
    return found


CONFIGURATIONS = configurations()


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_is_taken(tmp_path: Path, name: str) -> None:
    file = tmp_path / "adapter.yaml"
    file.write_text(CONFIGURATIONS[name])

    said = subprocess.run(
        [own_program(SOURCES), f"--config={file}", "--check"], capture_output=True, text=True, check=False
    )

    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
