"""The policies about one object, and `podpatterns check`, beside a real API server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPSConnection
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest

from podpatterns.api import KINDS
from podpatterns.cli.check import judge
from podpatterns.cli.manifests import Manifest
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl, KubectlError
from testbed.cluster.policies import installed_policies
from testbed.eventually import eventually
from testbed.manifests import manifest
from tests.objects import Writer
from tests.problems import ADVISED, ROWS, Advised, Row

PLURALS = {kind.kind: kind.plural for kind in KINDS}
WEB = {"name": "web", "image": "web:1"}
BAD = {"template": {"spec": {"containers": [WEB]}}, "sidecars": [WEB]}


class Door:
    """The API server, asked for objects that it need not store."""

    def __init__(self, control_plane: ControlPlane) -> None:
        url = urlsplit(control_plane.url)
        self._connection = HTTPSConnection(str(url.hostname), url.port, context=control_plane.tls)

    def close(self) -> None:
        self._connection.close()

    def ask(self, obj: dict[str, Any], namespace: str = "default") -> tuple[str, list[str]]:
        """Return why the server refuses a new object, empty if it takes it, and its warnings."""
        path = f"/apis/podpatterns.dev/v1alpha1/namespaces/{namespace}/{PLURALS[obj['kind']]}"
        self._connection.request("POST", f"{path}?dryRun=All&fieldValidation=Strict", json.dumps(obj))
        answer = self._connection.getresponse()
        body = json.loads(answer.read())
        warnings = [text.split('"')[1] for name, text in answer.getheaders() if name == "Warning"]
        return ("" if answer.status == 201 else str(body["message"])), warnings


def type_warnings(kubectl: Kubectl, policy: str) -> list[Any]:
    """Return what the API server finds wrong with the policy, by the schema of its kind."""

    def checked() -> dict[str, Any] | None:
        status = kubectl.get("validatingadmissionpolicy", policy).get("status", {})
        found: dict[str, Any] | None = status.get("typeChecking")
        return found

    return list(
        (eventually(checked, 60, until=lambda found: found is not None) or {}).get("expressionWarnings", [])
    )


@pytest.fixture(scope="module", autouse=True)
def policies(control_plane: ControlPlane, crds: Path) -> Iterator[None]:
    kubectl = Kubectl(control_plane.kubeconfig)
    with installed_policies(kubectl):
        for kind in KINDS:
            for subject in ("composable", "advice"):
                assert type_warnings(kubectl, f"{subject}-{kind.plural}.podpatterns.dev") == []
        yield


@pytest.fixture(scope="module")
def door(control_plane: ControlPlane, policies: None) -> Iterator[Door]:
    with closing(Door(control_plane)) as door:
        eventually(lambda: door.ask(manifest("SidecarApp", "site", BAD))[0], 30, until=bool)
        yield door


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_problem_is_refused_with_its_field(door: Door, row: Row) -> None:
    refusal, _ = door.ask(row.manifest)
    assert row.path in refusal
    assert row.message in refusal


def checked(obj: dict[str, Any]) -> list[str]:
    return [str(finding.error) for finding in judge([Manifest("x", obj)]).findings]


def test_the_server_and_check_agree(door: Door) -> None:
    """Of objects that are well, that clash, and that have a slip."""
    outcomes = {True: 0, False: 0}
    for seed in range(600):
        writer = Writer(Random(seed))
        obj = writer.manifest()
        if seed % 3 == 0:
            obj = writer.slipped(obj)
        refusal, told = door.ask(obj)[0], checked(obj)
        assert bool(refusal) == bool(told), (seed, refusal, told, obj)
        outcomes[bool(told)] += 1
    assert min(outcomes.values()) > 80


def told_of(door: Door, kind: str, spec: dict[str, Any], namespace: str = "default") -> list[str]:
    refusal, warnings = door.ask(manifest(kind, "site", spec), namespace)
    assert refusal == ""
    return warnings


@pytest.mark.parametrize("advised", ADVISED, ids=str)
def test_a_warning_is_told_and_nothing_refused(door: Door, advised: Advised) -> None:
    [warning] = told_of(door, advised.kind, advised.spec)
    assert advised.warning in warning


def test_nobody_is_warned_of_what_is_wise(door: Door) -> None:
    assert told_of(door, "SidecarApp", {"template": {"spec": {"containers": [WEB]}}}) == []


def test_what_was_stored_before_a_rule_can_still_be_run_and_mended(
    control_plane: ControlPlane, kubectl: Kubectl, door: Door
) -> None:
    """Only a change of what Pods are composed of is judged."""
    binding = "validatingadmissionpolicybinding/composable-sidecarapps.podpatterns.dev"
    kept = kubectl.get(binding)
    kubectl("delete", binding)
    eventually(lambda: door.ask(manifest("SidecarApp", "site", BAD))[0], 30, until=lambda told: not told)
    kubectl.apply(manifest("SidecarApp", "site", BAD))
    kubectl.apply(
        {k: kept[k] for k in ("apiVersion", "kind", "spec")}
        | {"metadata": {"name": kept["metadata"]["name"]}}
    )
    eventually(lambda: door.ask(manifest("SidecarApp", "site", BAD))[0], 30, until=bool)

    kubectl("scale", "sidecarapp/site", "--replicas=3")
    kubectl("label", "sidecarapp", "site", "a=b")
    kubectl.apply(manifest("SidecarApp", "site", {**BAD, "minReadySeconds": 5}))
    with pytest.raises(KubectlError, match='"web" is taken by'):
        kubectl.apply(manifest("SidecarApp", "site", {**BAD, "sharedMemory": "1Mi"}))
    kubectl.apply(manifest("SidecarApp", "site", {**BAD, "sidecars": []}))


def test_the_largest_object_is_judged_or_let_through(door: Door) -> None:
    """Of one that is too large for the rules the operator tells the same later."""
    ports = [{"containerPort": 1000 + i} for i in range(128)]
    containers = [{"name": f"c{i}", "image": "x:1", "ports": ports} for i in range(64)]
    assert (
        door.ask(manifest("SidecarApp", "site", {"template": {"spec": {"containers": containers}}}))[0] == ""
    )
