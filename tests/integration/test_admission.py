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
from tests.problems import ROWS, Row

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


@pytest.fixture(scope="module", autouse=True)
def policies(control_plane: ControlPlane, crds: Path) -> Iterator[None]:
    kubectl = Kubectl(control_plane.kubeconfig)
    with installed_policies(kubectl):
        for kind in KINDS:
            told = eventually(
                lambda kind=kind: kubectl.get(  # type: ignore[misc]
                    "validatingadmissionpolicy", f"composable-{kind.plural}.podpatterns.dev"
                ).get("status", {}),
                60,
            )
            assert "expressionWarnings" not in told.get("typeChecking", {}), told
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
    assert min(outcomes.values()) > 100
