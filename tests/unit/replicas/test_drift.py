"""The condition that tells of Pods that others have changed."""

from __future__ import annotations

from typing import Any

from podpatterns.api.text import MESSAGE_LENGTH
from podpatterns.replicas import Pod
from podpatterns.replicas.drift import drift, pods_modified
from podpatterns.replicas.modification import Modification
from testbed.builders import REVISION, failed, old, pod, template, terminating

DEBUG = Modification("web", "web:debug", "kubectl-set")


def told(*pods: Pod, templates: Any = None) -> list[str]:
    return [condition.message for condition in pods_modified(drift(pods, templates or {}))]


def test_it_is_there_only_while_pods_are_modified() -> None:
    assert told(pod("site-0")) == []
    assert told(terminating("site-0", modified=(DEBUG,)), failed("site-1", modified=(DEBUG,))) == []


def test_it_names_pod_container_image_and_manager() -> None:
    assert told(pod("site-1", modified=(DEBUG,)), pod("site-0", modified=(DEBUG,))) == [
        (
            "site-0: container web has the image web:debug, set by kubectl-set; "
            "site-1: container web has the image web:debug, set by kubectl-set"
        )
    ]


def test_an_image_that_the_pods_own_revision_has_is_no_drift() -> None:
    templates = {REVISION: template({"name": "web", "image": "web:debug"}), "old": template()}
    assert told(pod("site-0", modified=(DEBUG,)), templates=templates) == []
    assert len(told(old("site-0", modified=(DEBUG,)), templates=templates)) == 1


def test_its_length_is_bounded() -> None:
    long = Modification("web", "x" * 256, "\N{RIGHT-TO-LEFT OVERRIDE}evil\n")
    [message] = told(*(pod(f"site-{i}", modified=(long, DEBUG)) for i in range(500)))
    assert len(message.encode()) <= MESSAGE_LENGTH
    assert message.endswith(" more")
    assert message.isprintable()
