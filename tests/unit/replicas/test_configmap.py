"""The decision about a ConfigMap."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.replicas.configmap import (
    Action,
    ConfigMap,
    Create,
    Delete,
    LeaveAlone,
    Patch,
    decide,
    observe_config_map,
)

LABELS = {"podpatterns.dev/kind": "Ambassador", "podpatterns.dev/name": "shop"}
WANTED = ConfigMap("ambassador-shop", "", LABELS, "owner", {})
FILES = {"a.yaml": "one"}


def found(data: dict[str, str], *, labels: dict[str, str] = LABELS, owner: str = "owner") -> ConfigMap:
    owners: list[dict[str, Any]] = [{"uid": "bystander"}]
    if owner:
        owners.append({"uid": owner, "controller": True})
    meta = {"name": "n", "uid": "u", "labels": labels, "ownerReferences": owners, "resourceVersion": "7"}
    return observe_config_map({"metadata": meta, "data": data})


def test_while_paused_only_new_files_are_written() -> None:
    there = found({"a.yaml": "two", "old": "x"})
    decided = decide({**FILES, "b.yaml": "new"}, WANTED, there, outdated_pods=True, paused=True)
    assert decided == Patch({"b.yaml": "new"})
    assert decide(FILES, WANTED, there, outdated_pods=True, paused=True) is None
    assert decide(FILES, WANTED, None, outdated_pods=False, paused=True) == Create()


@pytest.mark.parametrize(
    ("files", "there", "outdated_pods", "action"),
    [
        pytest.param(FILES, None, False, Create(), id="missing"),
        pytest.param({}, None, False, None, id="not needed"),
        pytest.param(FILES, found(FILES), False, None, id="as it should be"),
        pytest.param(FILES, found({"a.yaml": "two"}), False, Patch(FILES), id="other content"),
        pytest.param(FILES, found({}), False, Patch(FILES), id="emptied"),
        pytest.param(FILES, found({**FILES, "old": "x"}), True, None, id="old Pods read the old file"),
        pytest.param(FILES, found({**FILES, "old": "x"}), False, Patch({"old": None}), id="they are gone"),
        pytest.param({}, found({"old": "x"}), True, None, id="no longer needed, but by old Pods"),
        pytest.param({}, found({"old": "x"}), False, Delete(), id="no longer needed"),
        pytest.param(FILES, found(FILES, labels={}), False, Patch(), id="its labels taken away"),
        pytest.param(FILES, found(FILES, owner=""), False, Patch(), id="an orphan of ours"),
        pytest.param(FILES, found(FILES, owner="", labels={}), False, LeaveAlone(), id="nobody's"),
        pytest.param(FILES, found(FILES, owner="other"), False, LeaveAlone(), id="another's"),
        pytest.param({}, found(FILES, owner="other"), False, None, id="another's, and not needed"),
    ],
)
def test_decision(
    files: dict[str, str], there: ConfigMap | None, outdated_pods: bool, action: Action
) -> None:
    assert decide(files, WANTED, there, outdated_pods=outdated_pods) == action
