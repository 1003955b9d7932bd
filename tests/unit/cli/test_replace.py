"""The Pod that `podpatterns replace` takes for the successor of the one that it deleted."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.cli.replace import successor

OLD = {"metadata": {"name": "site-0", "uid": "old"}}


def obj(naming: str = "Stable", *replacements: dict[str, str]) -> dict[str, Any]:
    return {"spec": {"podNaming": naming}, "status": {"recentReplacements": list(replacements)}}


def pod(name: str, uid: str, *, ready: bool = True, created: int = 1) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "uid": uid, "creationTimestamp": f"2026-01-01T00:00:0{created}Z"},
        "spec": {"containers": []},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": str(ready)}]},
    }


@pytest.mark.parametrize("naming", ["Stable", "Generated"])
def test_there_is_none_before_it_is_created(naming: str) -> None:
    assert successor(obj(naming), [pod("site-0", "old"), pod("site-1", "1")], OLD, {"old", "1"}) is None


def test_a_stable_pod_has_a_successor_of_its_name() -> None:
    found = successor(obj(), [pod("site-2", "2"), pod("site-0", "new", ready=False)], OLD, {"old"})
    assert found is not None
    assert (found.name, found.uid, found.ready) == ("site-0", "new", False)


def test_a_generated_one_has_the_first_that_came() -> None:
    pods = [pod("site-b", "b", created=2), pod("site-c", "c", created=1), pod("site-a", "a")]
    found = successor(obj("Generated"), pods, OLD, {"old", "a"})
    assert found is not None
    assert found.uid == "c"


def test_what_the_operator_recorded_comes_first() -> None:
    records = [{"name": "site-x", "oldUID": "other", "newUID": "x"}]
    records.append({"name": "site-b", "oldUID": "old", "newUID": "b"})
    found = successor(obj("Generated", *records), [pod("site-c", "c")], OLD, {"old"})
    assert found is not None
    assert (found.name, found.uid, found.ready) == ("site-b", "b", True)
