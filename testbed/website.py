"""The websites of examples/site.yaml and the git server that they are deployed from."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from testbed.cluster.command import run
from testbed.cluster.kubectl import Kubectl, KubectlError
from testbed.cluster.packages import require

if TYPE_CHECKING:
    from testbed.cluster.kind import Cluster

EXAMPLES = Path(__file__).parents[1] / "examples"
GIT_SERVER = EXAMPLES / "git-server.yaml"
SITE = EXAMPLES / "site.yaml"
SITES = ("site", "docs", "blog")
"""Objects that make Pods, each called as its repository."""

# What the user has configured, such as signatures, isn't asked for; to this machine no proxy is needed.
GIT = ("git", "-c", "user.name=Author", "-c", "user.email=author@example.com", "-c", "http.proxy=")
ENVIRONMENT = {"GIT_CONFIG_GLOBAL": "/dev/null"}


class Website:
    """The sites in the namespace of `kubectl`."""

    def __init__(self, cluster: Cluster, kubectl: Kubectl) -> None:
        self._cluster = cluster
        self._kubectl = kubectl

    def start_git_server(self) -> None:
        """Applies examples/git-server.yaml; a new server has empty repositories. Waits for nothing."""
        self._kubectl("apply", f"--filename={GIT_SERVER}")

    def start(self) -> None:
        """Applies examples/site.yaml, and waits for nothing."""
        self._kubectl("apply", f"--filename={SITE}")

    def push(self, page: str, site: str = "site") -> None:
        """Commits `page` as index.html of a site and pushes it to the git server, once that is up, as a user
        would."""
        require({"git": "git"})
        self._kubectl("rollout", "status", "deployment/git-server", "--timeout=60s")
        namespace = f"--namespace={self._kubectl.namespace}"
        with (
            self._cluster.port_forward("service/git-server", 80, namespace) as port,
            tempfile.TemporaryDirectory() as directory,
        ):
            _git("clone", "--quiet", f"http://127.0.0.1:{port}/{site}.git", directory)
            Path(directory, "index.html").write_text(page)
            _git("-C", directory, "add", "index.html")
            _git("-C", directory, "commit", "--quiet", "--allow-empty", "--message=Change the page")
            _git("-C", directory, "push", "--quiet", "origin", "HEAD:main")

    def page(self, pod: str) -> str:
        """The page that the web server in `pod` serves; empty while it doesn't."""
        proxy = f"/api/v1/namespaces/{self._kubectl.namespace}/pods/{pod}:8080/proxy/"
        try:
            return self._kubectl("get", "--raw", proxy)
        except KubectlError:
            return ""


def _git(*arguments: str) -> None:
    run(*GIT, *arguments, environment=ENVIRONMENT)
