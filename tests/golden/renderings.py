"""Values in, objects out: each directory in `chart` has `values.yaml`, and in `rendered.yaml` what Helm makes
of the chart with these. CRDs, policies and dashboards are left out: they are files of the repository."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from testbed.cluster.command import run
from testbed.cluster.programs import program
from testbed.cluster.rights import CHART

GOLDEN = Path(__file__).parent / "chart"
CASES = sorted(path.parent for path in GOLDEN.glob("*/values.yaml"))
VERSION = str(yaml.safe_load((CHART / "Chart.yaml").read_text())["version"])
FILES = {"crds", "policies", "dashboards"}
"""Templates that render files of the repository."""
SOURCE = re.compile(r"^# Source: podpatterns/templates/(\S+)\.yaml$", re.MULTILINE)


def rendered(*settings: str, namespace: str = "operators") -> str:
    """Return all that Helm makes of the chart, with whatever changes with its version left out."""
    made = run(program("helm"), "template", "podpatterns", CHART, f"--namespace={namespace}", *settings)
    return re.sub(r"\n\n+", "\n", made.replace(VERSION, "VERSION"))


def output(case: Path) -> str:
    documents = re.split(r"^---\n", rendered(f"--values={case / 'values.yaml'}"), flags=re.MULTILINE)
    sources = ((SOURCE.search(document), document) for document in documents)
    return "---\n".join(document for source, document in sources if source and source[1] not in FILES)


def write() -> None:
    """Writes what the present chart makes; read the difference before you commit it."""
    for case in CASES:
        (case / "rendered.yaml").write_text(output(case))


if __name__ == "__main__":
    write()
