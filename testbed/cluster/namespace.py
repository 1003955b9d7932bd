"""A namespace of its own for each test."""

from __future__ import annotations

import re
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from testbed.cluster.kubectl import Kubectl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def own_namespace(kubeconfig: Path, test: str, *, keep: bool) -> Iterator[str]:
    """A new namespace that can run Pods, named after `test`.

    It is deleted afterwards, without waiting for it, unless it is to `keep`.
    """
    kubectl = Kubectl(kubeconfig)
    name = f"{re.sub(r'[^a-z0-9]+', '-', test.lower())[:50].strip('-')}-{secrets.token_hex(3)}"
    kubectl("create", "namespace", name)
    # Without its ServiceAccount, which takes a moment, Pods are refused.
    kubectl("wait", "--for=create", "serviceaccount/default", f"--namespace={name}", "--timeout=30s")
    yield name
    if not keep:
        kubectl("delete", "namespace", name, "--wait=false")
