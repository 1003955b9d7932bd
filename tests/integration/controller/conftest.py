"""The operator on the real API server, with fake nodes on which its Pods become Ready."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from podpatterns.cli import main
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.operator_process import PROGRAM, OperatorProcess
from testbed.witness import Witness
from tests.integration.controller import variants
from tests.integration.controller.sites import Sites


@pytest.fixture(scope="module")
def operator_arguments() -> Sequence[str]:
    """What the module's operator is told beyond `run`."""
    return ()


@pytest.fixture(scope="module")
def _operator(
    control_plane: ControlPlane,
    crds: Path,
    rights: None,
    nodes: None,
    tmp_path_factory: pytest.TempPathFactory,
    operator_arguments: Sequence[str],
) -> Iterator[OperatorProcess]:
    """Gone again when a module ends: tests that write a status themselves want no operator beside them."""
    directory = tmp_path_factory.mktemp("operator")
    command: list[str | Path] = [PROGRAM, "run", *operator_arguments]
    operator = OperatorProcess(control_plane.operator_kubeconfig, directory, command=command)
    operator.start()
    yield operator
    operator.stop()


@pytest.fixture
def operator(_operator: OperatorProcess) -> OperatorProcess:
    """The operator, running, also when a test before ended it; a test that stops it starts it again."""
    if _operator.ended:
        _operator.start()
    return _operator


@pytest.fixture
def variant(
    operator: OperatorProcess, control_plane: ControlPlane, tmp_path: Path
) -> Iterator[Callable[..., OperatorProcess]]:
    """Runs a variant of the operator in its place."""
    processes: list[OperatorProcess] = []

    def run(name: str, *arguments: str) -> OperatorProcess:
        operator.stop()
        command: list[str | Path] = [sys.executable, Path(variants.__file__), name, *arguments]
        processes.append(OperatorProcess(control_plane.operator_kubeconfig, tmp_path, command=command))
        processes[-1].start()
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
    operator.start()


@pytest.fixture(autouse=True)
def witness(control_plane: ControlPlane, crds: Path, namespace: str) -> Iterator[Witness]:
    """Watches the whole test and fails it when a rule is broken that must always hold."""
    with Witness(control_plane, namespace) as witness:
        yield witness
        violations = witness.violations()
    assert not violations, "\n".join(map(str, [*violations, *witness.gaps]))


@pytest.fixture
def sites(kubectl: Kubectl, operator: OperatorProcess) -> Sites:
    """SidecarApps in the test's namespace."""
    return Sites(kubectl)


@pytest.fixture
def podpatterns(control_plane: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command, in the test's namespace."""
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, [*arguments, "--namespace", namespace])

    return invoke
