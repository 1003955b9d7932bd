"""The decision about an object's PodMonitor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from podpatterns.compose import compose
from podpatterns.compose.podmonitor import pod_monitor
from podpatterns.replicas.podmonitor import Action, Monitored, PodMonitor, decide, observe_pod_monitor
from testbed.builders import adapter, template

WANTED = Monitored("Adapter", "shop", "uid-1", "hash")
NONE = replace(WANTED, hash="")
OWN = PodMonitor("uid", "Adapter", "shop", "hash", "uid-1", ("Adapter", "shop"), terminating=False)
ORPHAN = replace(OWN, controller="", controlled_by=("", ""), hash="older")


@pytest.mark.parametrize(
    ("wanted", "found", "action"),
    [
        (WANTED, None, Action.CREATE),
        (NONE, None, None),
        (WANTED, OWN, None),
        (WANTED, replace(OWN, hash="older"), Action.UPDATE),
        (WANTED, replace(OWN, kind="", name=""), Action.UPDATE),
        (WANTED, replace(OWN, hash="older", terminating=True), None),
        (NONE, OWN, Action.DELETE),
        (NONE, replace(OWN, terminating=True), None),
        # After kubectl delete --cascade=orphan.
        (WANTED, ORPHAN, Action.ADOPT),
        (NONE, ORPHAN, Action.DELETE),
        (WANTED, replace(ORPHAN, terminating=True), None),
        # Of one deleted and made anew, before the garbage collector has come by.
        (WANTED, replace(OWN, controller="uid-0"), Action.ADOPT),
        (NONE, replace(OWN, controller="uid-0"), None),
        # A stranger's: without our hash, for another object, or controlled by something else.
        (WANTED, replace(ORPHAN, hash=""), Action.LEAVE_ALONE),
        (WANTED, replace(ORPHAN, name="other"), Action.LEAVE_ALONE),
        (WANTED, replace(ORPHAN, kind="SidecarApp"), Action.LEAVE_ALONE),
        (WANTED, replace(OWN, controller="uid-0", controlled_by=("", "")), Action.LEAVE_ALONE),
        (WANTED, replace(OWN, controller="uid-0", controlled_by=("Adapter", "other")), Action.LEAVE_ALONE),
        (NONE, replace(ORPHAN, hash=""), None),
    ],
)
def test_the_decision(wanted: Monitored, found: PodMonitor | None, action: Action | None) -> None:
    assert decide(wanted, found) is action


def made(**labels: str) -> dict[str, Any]:
    """Return the PodMonitor of an Adapter with these labels of its own, as the API server then has it."""
    app = adapter("shop", template=template())
    app = app.model_copy(update={"metadata": app.metadata.model_copy(update={"labels": labels})})
    manifest = pod_monitor(app, compose(app, {}))
    assert manifest is not None
    manifest["metadata"]["uid"] = "uid"
    return manifest


def wanted(manifest: dict[str, Any]) -> Monitored:
    record = observe_pod_monitor(manifest)
    return Monitored("Adapter", "shop", "uid-of-shop", record.hash)


def test_what_was_written_is_what_is_wanted() -> None:
    assert decide(wanted(made()), observe_pod_monitor(made())) is None


def test_a_new_label_of_the_object_is_to_be_written() -> None:
    assert decide(wanted(made(team="a")), observe_pod_monitor(made())) is Action.UPDATE
    assert decide(wanted(made()), observe_pod_monitor(made(team="a"))) is Action.UPDATE


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({}, PodMonitor("u", "", "", "", "", ("", ""), terminating=False)),
        (
            {"labels": None, "annotations": {"podpatterns.dev/hash": "h" * 65}, "ownerReferences": None},
            PodMonitor("u", "", "", "", "", ("", ""), terminating=False),
        ),
        (
            {
                "ownerReferences": [
                    {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "u1"},
                    {
                        "apiVersion": "apps/v1",
                        "kind": "Adapter",
                        "name": "x",
                        "uid": "u2",
                        "controller": True,
                    },
                ],
                "deletionTimestamp": "2026-01-01T00:00:00Z",
            },
            PodMonitor("u", "", "", "", "u2", ("", ""), terminating=True),
        ),
    ],
)
def test_the_record_of_anybodys(metadata: dict[str, Any], expected: PodMonitor) -> None:
    assert observe_pod_monitor({"metadata": {"uid": "u", **metadata}}) == expected
