"""A real API server for the tests in this directory, and a namespace of its own for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from testbed.cluster.control_plane import COMPONENTS, ControlPlane
from testbed.cluster.crds import CRDS, install_crds
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.kwok import fake_nodes
from testbed.cluster.namespace import own_namespace
from testbed.cluster.operator_process import OperatorProcess
from testbed.cluster.programs import programs
from testbed.cluster.rights import grant_operator_rights
from testbed.terminal import uncaptured

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

BUILT = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Builds the programs in sight and before the test that needs them, whose time limit is for itself."""
    if "control_plane" in getattr(item, "fixturenames", ()) and BUILT not in item.config.stash:
        item.config.stash[BUILT] = True
        with uncaptured(item.config):
            programs(*COMPONENTS, "argocd-health", "helm", "kstatus", "kwok", "kubectl")
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds to a failure the ends of the logs of whatever of the test has logs."""
    report = yield
    if report.failed:
        used = getattr(item, "funcargs", {}).values()
        for logged in {value for value in used if isinstance(value, ControlPlane | OperatorProcess)}:
            report.sections.append((type(logged).__name__, logged.log_tail()))
    return report


@pytest.fixture(scope="session")
def control_plane(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    """A control plane for the whole run; its logs stay in pytest's temporary directory."""
    keep = pytestconfig.getoption("keep_cluster")
    with ControlPlane(tmp_path_factory.mktemp("control-plane"), keep=keep) as control_plane:
        yield control_plane
    if keep:
        pids = " ".join(map(str, control_plane.pids.values()))
        with uncaptured(pytestconfig):
            print(f"\nKept running: export KUBECONFIG={control_plane.kubeconfig}; ends with: kill {pids}")


@pytest.fixture(scope="session")
def crds(control_plane: ControlPlane) -> Path:
    """Our kinds, installed as a user installs them; gives the directory of the CRDs."""
    install_crds(Kubectl(control_plane.kubeconfig))
    return CRDS


@pytest.fixture(scope="session")
def rights(control_plane: ControlPlane) -> None:
    """The rights that the chart gives the operator, and no others."""
    grant_operator_rights(control_plane)


@pytest.fixture(scope="session")
def nodes(control_plane: ControlPlane) -> Iterator[None]:
    """Fake nodes, on which every Pod becomes Ready. Once a test has asked for them they stay for the run."""
    with fake_nodes(control_plane):
        yield


@pytest.fixture
def namespace(request: pytest.FixtureRequest, control_plane: ControlPlane) -> Iterator[str]:
    """A new namespace that can run Pods; deleted afterwards without waiting for it."""
    with own_namespace(control_plane.kubeconfig, request.node.name, keep=control_plane.keep) as namespace:
        yield namespace


@pytest.fixture
def kubectl(control_plane: ControlPlane, namespace: str) -> Kubectl:
    """kubectl as an administrator, in the test's namespace."""
    return Kubectl(control_plane.kubeconfig, namespace)
