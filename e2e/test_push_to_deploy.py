"""A website is deployed by git push."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from testbed.eventually import eventually
from testbed.website import SITES

if TYPE_CHECKING:
    from testbed.cluster.kubectl import Kubectl
    from testbed.website import Website

pytestmark = pytest.mark.usefixtures("operator")

REPLICAS = ("site-0", "site-1")


def test_a_push_appears_on_every_replica(kubectl: Kubectl, website: Website) -> None:
    website.start_git_server()
    website.push("first")
    website.start()
    kubectl("wait", "--for=condition=Ready", "sidecarapp/site", "--timeout=60s")
    assert [website.page(name) for name in REPLICAS] == ["first", "first"]

    website.push("second")
    eventually(lambda: [website.page(name) for name in REPLICAS], until=["second", "second"].__eq__)


def test_each_server_shows_its_own_repository(kubectl: Kubectl, website: Website) -> None:
    """nginx, Apache and Python, with one part."""
    website.start_git_server()
    website.start()
    for site in SITES:
        website.push(f"of {site}", site)
    objects = [f"sidecarapp/{site}" for site in SITES]
    kubectl("wait", "--for=condition=Ready", *objects, "--timeout=60s")
    assert [website.page(f"{site}-0") for site in SITES] == [f"of {site}" for site in SITES]


def test_the_site_starts_with_its_first_commit(kubectl: Kubectl, website: Website) -> None:
    website.start_git_server()
    website.start()
    # git-sync runs and has nothing; so long nginx isn't started.
    kubectl("wait", "--for=create", "pod/site-0", "--timeout=30s")
    running = "jsonpath={.status.initContainerStatuses[0].state.running}"
    kubectl("wait", f"--for={running}", "pod/site-0", "--timeout=30s")
    (web,) = kubectl.get("pod", "site-0")["status"]["containerStatuses"]
    assert web["state"] == {"waiting": {"reason": "PodInitializing"}}

    website.push("first")
    kubectl("wait", "--for=condition=Ready", "sidecarapp/site", "--timeout=60s")
