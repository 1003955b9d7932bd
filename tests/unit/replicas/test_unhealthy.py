"""Whose words a status shows: those of nodes and of the operator's own helpers, not those of containers that
people wrote."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.compose import Composition, compose
from podpatterns.replicas import observe
from podpatterns.replicas.unhealthy import unhealthy
from testbed.builders import ambassador, pod, sidecarapp, template

VALUE = "of-a-secret"
COMPOSED = compose(ambassador(template=template()), {})


def crashing(
    container: str,
    *,
    revision: str = COMPOSED.revision,
    waiting: str = "CrashLoopBackOff",
    message: str = VALUE,
) -> dict[str, Any]:
    """A Pod with a container that said what it should not, and ended."""
    state = {"waiting": {"reason": waiting, "message": message}}
    ended = {"terminated": {"exitCode": 1, "message": f"{VALUE}\nrules[0]: bad"}}
    return {
        "metadata": {
            "name": "shop-0",
            "uid": "u",
            "resourceVersion": "1",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"podpatterns.dev/revision": revision},
        },
        "status": {"containerStatuses": [{"name": container, "state": state, "lastState": ended}]},
    }


def told(obj: dict[str, Any], composition: Composition | None = COMPOSED) -> str:
    return unhealthy([observe(obj)], composition)


def test_of_a_container_that_people_wrote_only_name_reason_and_exit_code_are_told() -> None:
    assert told(crashing("web")) == "shop-0 (CrashLoopBackOff: container web, exit code 1)"


@pytest.mark.parametrize("reason", ["RunContainerError", "CreateContainerError", "StartError", "Anything"])
def test_messages_that_repeat_what_a_container_is_given_are_not_told(reason: str) -> None:
    assert VALUE not in told(crashing("web", waiting=reason))


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "CreateContainerConfigError"])
def test_the_kubelets_words_on_images_and_configuration_are(reason: str) -> None:
    obj = crashing("web", waiting=reason, message='Back-off pulling\x1b image "x"')
    assert told(obj) == f'shop-0 ({reason}: container web, exit code 1): Back-off pulling\\x1b image "x"'


def test_the_termination_message_of_the_operators_own_helpers_is() -> None:
    assert told(crashing("ambassador")).endswith(f"exit code 1): {VALUE} rules[0]: bad")


def test_they_are_not_of_another_revision_in_which_the_name_may_be_anybodys() -> None:
    assert VALUE not in told(crashing("ambassador", revision="other"))
    assert VALUE not in told(crashing("ambassador"), None)
    assert VALUE not in told(crashing("ambassador"), compose(sidecarapp(template=template()), {}))


def test_they_are_not_of_a_helper_whose_container_people_altered() -> None:
    altered = compose(ambassador(template=template(), proxy={"container": {"command": ["sh"]}}), {})
    assert VALUE not in told(crashing("ambassador", revision=altered.revision), altered)


def test_a_pod_that_its_node_ended_is_told_in_the_nodes_words() -> None:
    evicted = pod("shop-0", phase="Failed", reason="Evicted", message="low on memory")
    assert unhealthy([evicted, pod("shop-1")], None) == "shop-0 (Evicted): low on memory"


def test_a_record_keeps_no_more_than_it_may_tell() -> None:
    obj = crashing("web")
    obj["status"] |= {"reason": "R" * 100_000, "message": "m" * 100_000}
    assert len(repr(observe(obj))) < 2000
    assert len(told(crashing("c" * 100_000)).encode()) < 1000
