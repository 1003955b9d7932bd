"""CustomResourceDefinitions that are deleted, missing at the start, and come back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from testbed.cluster.kubectl import Kubectl
from testbed.cluster.operator_process import OperatorProcess
from testbed.eventually import eventually
from testbed.manifests import manifest
from tests.integration.controller.sites import Sites

ALL = ("sidecarapps", "ambassadors", "adapters")


@contextmanager
def without(kubectl: Kubectl, crds: Path, *plurals: str) -> Iterator[None]:
    """Inside, these kinds are not installed; their objects go for good."""
    kubectl("delete", "crd", *(f"{plural}.podpatterns.dev" for plural in plurals))
    try:
        yield
    finally:
        files = [f"--filename={crds}/podpatterns.dev_{plural}.yaml" for plural in plurals]
        kubectl("apply", *files)
        eventually(lambda: _established(kubectl), until=lambda names: names >= set(plurals))


def _established(kubectl: Kubectl) -> set[str]:
    return {
        crd["spec"]["names"]["plural"]
        for crd in kubectl.get("crds")["items"]
        for condition in crd.get("status", {}).get("conditions") or []
        if (condition["type"], condition["status"]) == ("Established", "True")
    }


def ambassador(name: str) -> dict[str, Any]:
    spec = {
        "template": {
            "spec": {"containers": [{"name": "web", "image": "web:1"}], "terminationGracePeriodSeconds": 1}
        },
        "upstreams": [
            {
                "name": "cache",
                "protocol": "redis",
                "listen": {"port": 6379},
                "redis": {"endpoints": ["redis-0.redis:6379"]},
            }
        ],
    }
    return manifest("Ambassador", name, spec)


def has_pod(kubectl: Kubectl, name: str) -> bool:
    return bool(kubectl.get("pods", f"--selector=podpatterns.dev/name={name}")["items"])


def missing(operator: OperatorProcess, since: int) -> list[Sequence[str]]:
    """The kinds that the operator said were missing."""
    return [
        m["kinds"]
        for m in operator.messages()[since:]
        if m["message"].startswith("CustomResourceDefinitions missing")
    ]


def test_the_others_go_on_when_one_is_deleted(
    sites: Sites, operator: OperatorProcess, kubectl: Kubectl, crds: Path
) -> None:
    sites.ready()
    kubectl.apply(ambassador("shop"))
    eventually(lambda: has_pod(kubectl, "shop"))
    before, pid, said = sites.uids(), operator.pid, len(operator.messages())
    with without(kubectl, crds, "ambassadors"):
        eventually(lambda: missing(operator, said))
        kubectl("delete", "pod", "site-0")
        sites.replaced(before, "site-0")
        sites.ready("another")
        assert missing(operator, said) == [["Ambassador"]], "told once"
    kubectl.apply(ambassador("back"))
    eventually(lambda: has_pod(kubectl, "back"), 60)
    assert (operator.pid, operator.ended) == (pid, False)


def test_it_starts_without_one_and_takes_it_up_when_it_comes(
    sites: Sites, operator: OperatorProcess, kubectl: Kubectl, crds: Path
) -> None:
    operator.stop()
    said = len(operator.messages())
    with without(kubectl, crds, "ambassadors"):
        operator.start()
        sites.ready()
        assert missing(operator, said) == [["Ambassador"]]
    kubectl.apply(ambassador("come"))
    eventually(lambda: has_pod(kubectl, "come"), 60)
    # Not by a whole list that happened to be due, but because kopf watches it.
    kubectl.apply(ambassador("next"))
    eventually(lambda: has_pod(kubectl, "next"))


def test_it_waits_where_none_is_installed(
    sites: Sites, operator: OperatorProcess, kubectl: Kubectl, crds: Path
) -> None:
    operator.stop()
    said = len(operator.messages())
    with without(kubectl, crds, *ALL):
        operator.launch()
        eventually(lambda: missing(operator, said))
        pid = operator.pid
    sites.ready()
    assert (operator.pid, operator.ended) == (pid, False)
