"""The operator's Helm release, installed as anyone would."""

from __future__ import annotations

from pathlib import Path

from testbed.cluster.command import run
from testbed.cluster.image import image_id
from testbed.cluster.images import OPERATOR
from testbed.cluster.kind import KUBECONFIG
from testbed.cluster.programs import program

CHART = Path(__file__).parents[1] / "charts" / "podpatterns"
NAME = "podpatterns"
NAMESPACE = "podpatterns-system"
DEPLOYMENT = "podpatterns-operator"

READY_SECONDS = 90


def helm(*arguments: str | Path) -> str:
    """The standard output of `helm <arguments>` on the cluster. Raises CommandFailed."""
    return run(program("helm"), *arguments, f"--kubeconfig={KUBECONFIG}")


def install(*settings: str) -> None:
    """Installs or upgrades the release and waits until the operator is ready.

    `settings` are values of the chart, as `name=value`. Raises CommandFailed.
    """
    # A new image under the old tag shall be rolled out too.
    values = [f"podAnnotations.image-id={image_id(OPERATOR)}", *settings]
    helm(
        "upgrade",
        "--install",
        NAME,
        CHART,
        f"--namespace={NAMESPACE}",
        "--create-namespace",
        "--wait",
        f"--timeout={READY_SECONDS}s",
        *(f"--set={value}" for value in values),
    )
