"""kubectl, the pinned one, for tests and demonstrations."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from testbed.cluster.programs import program

if TYPE_CHECKING:
    from pathlib import Path


class KubectlError(RuntimeError):
    """kubectl ended with an error; the message is what it wrote."""


class Kubectl:
    """Runs kubectl with `kubeconfig`, in `namespace` unless its arguments name another."""

    def __init__(self, kubeconfig: Path, namespace: str = "default") -> None:
        self.kubeconfig = kubeconfig
        self.namespace = namespace
        self.command = [str(program("kubectl")), f"--kubeconfig={kubeconfig}", f"--namespace={namespace}"]

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """The standard output of `kubectl <arguments>`.

        Raises:
            KubectlError: it failed, as when the API server refuses an object.
        """
        result = subprocess.run(
            [*self.command, *arguments], input=stdin, check=False, capture_output=True, text=True
        )
        if result.returncode:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {result.stderr.strip()}")
        return result.stdout

    def get(self, *arguments: str) -> dict[str, Any]:
        """Return what `kubectl get <arguments>` finds: one object, or a List with `items`."""
        found: dict[str, Any] = json.loads(self("get", *arguments, "--output=json"))
        return found

    def apply(self, *objects: dict[str, Any]) -> None:
        """Creates or changes `objects`, server-side."""
        self(
            "apply",
            "--server-side",
            "--filename=-",
            stdin="\n---\n".join(json.dumps(item) for item in objects),
        )
