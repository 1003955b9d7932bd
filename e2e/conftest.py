"""The kind cluster with the project's images and operator for these tests, and a namespace for each."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

import pytest

from testbed import release
from testbed.cluster.images import build_images
from testbed.cluster.kind import KUBECONFIG, Cluster
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.namespace import own_namespace
from testbed.diagnosis import diagnosis
from testbed.terminal import uncaptured
from testbed.website import Website
from testbed.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

# The cluster, or why there is none.
CLUSTER = pytest.StashKey[Future[Cluster]]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Makes the cluster in sight and before the test that needs it, whose time limit is for itself."""
    if "cluster" in getattr(item, "fixturenames", ()) and CLUSTER not in item.config.stash:
        item.config.stash[CLUSTER] = Future()
        with uncaptured(item.config):
            _make(item.config.stash[CLUSTER])
    return (yield)


def _make(result: Future[Cluster]) -> None:
    try:
        cluster = Cluster()
        cluster.create()
        cluster.load_images(*build_images())
        result.set_result(cluster)
    except Exception as error:  # The tests that need the cluster fail with it; the others are run.
        result.set_exception(error)


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """The cluster for the whole run. One that was there before stays, as does one that is kept on demand."""
    cluster = pytestconfig.stash[CLUSTER].result()
    yield cluster
    if cluster.made and not pytestconfig.getoption("keep_cluster"):
        cluster.delete()


@pytest.fixture
def namespace(request: pytest.FixtureRequest, pytestconfig: pytest.Config, cluster: Cluster) -> Iterator[str]:
    """A new namespace that can run Pods; deleted afterwards without waiting for it."""
    keep = pytestconfig.getoption("keep_cluster")
    with own_namespace(KUBECONFIG, request.node.name, keep=keep) as namespace:
        yield namespace


@pytest.fixture
def kubectl(namespace: str) -> Kubectl:
    """kubectl as an administrator, in the test's namespace."""
    return Kubectl(KUBECONFIG, namespace)


@pytest.fixture(scope="session")
def operator(cluster: Cluster) -> None:
    """The operator, as Helm installs it. It stays as long as the cluster."""
    release.install()


@pytest.fixture(autouse=True)
def witness(request: pytest.FixtureRequest) -> Iterator[None]:
    """Watches every scenario with the operator, and fails it when a rule is broken that must always hold."""
    if not {"operator", "namespace"} <= set(request.fixturenames):
        yield
        return
    request.getfixturevalue("operator")
    with Witness(request.getfixturevalue("cluster"), request.getfixturevalue("namespace")) as witness:
        yield
        violations = witness.violations()
    assert not violations, "\n".join(map(str, [*violations, *witness.gaps]))


@pytest.fixture
def website(cluster: Cluster, kubectl: Kubectl) -> Website:
    """The site of examples/site.yaml and its git server; a test starts what it wants of them."""
    return Website(cluster, kubectl)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds to a failure what the cluster has to say."""
    report = yield
    kubectl = getattr(item, "funcargs", {}).get("kubectl")
    if report.failed and kubectl:
        report.sections.append(("cluster", diagnosis(kubectl)))
    return report
