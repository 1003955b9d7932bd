"""The patch of `podpatterns restart`, and its words."""

from __future__ import annotations

from typing import Any

import click
import pytest

from podpatterns.cli.restart import consequence, restarted
from testbed.builders import sidecarapp, template

NOW = "2026-01-31T12:00:00Z"
KEY = "kubectl.kubernetes.io/restartedAt"


def obj(**fields: Any) -> dict[str, Any]:
    return {"kind": "SidecarApp", "metadata": {"name": "site", "uid": "u"}, **fields}


def test_the_time_is_written_into_the_template_of_this_very_object() -> None:
    assert restarted(obj(spec={"template": {}}), NOW) == {
        "metadata": {"uid": "u"},
        "spec": {"template": {"metadata": {"annotations": {KEY: NOW}}}},
    }


def test_a_second_restart_in_one_second_would_change_nothing_and_is_refused() -> None:
    spec = {"template": {"metadata": {"annotations": {KEY: NOW}}}}
    with pytest.raises(click.ClickException, match="in this second already"):
        restarted(obj(spec=spec), NOW)
    assert restarted(obj(spec=spec), "2026-01-31T12:00:01Z")


def test_a_part_is_refused_with_those_that_include_it() -> None:
    part = obj(
        spec={},
        status={
            "usedBy": [
                {"kind": "Adapter", "name": "far", "namespace": "other"},
                {"kind": "Ambassador", "name": "shop"},
            ]
        },
    )
    with pytest.raises(click.ClickException) as refused:
        restarted(part, NOW)
    assert str(refused.value) == (
        "sidecarapp/site is a part (it has no spec.template) and has no Pods: restart the objects that "
        "include it, adapter/far in namespace other, ambassador/shop"
    )
    with pytest.raises(click.ClickException, match=r"the objects that include it$"):
        restarted(obj(), NOW)


@pytest.mark.parametrize(
    ("replicas", "spec", "expected"),
    [
        (1, {}, "its Pod is replaced"),
        (3, {}, "its 3 Pods are replaced, 1 at a time"),
        (4, {"updateStrategy": {"maxUnavailable": "50%"}}, "its 4 Pods are replaced, 2 at a time"),
        (
            4,
            {"podNaming": "Generated", "updateStrategy": {"maxUnavailable": 1, "maxSurge": 2}},
            "its 4 Pods are replaced, 3 at a time",
        ),
        (2, {"updateStrategy": {"type": "Recreate", "maxUnavailable": 5}}, "its 2 Pods are replaced"),
        (0, {}, "it has no Pods, spec.replicas is 0"),
        (2, {"updateStrategy": {"paused": True}}, "its Pods stay until spec.updateStrategy.paused is false"),
        (
            2,
            {"updateStrategy": {"type": "OnDelete"}},
            "each Pod starts anew when you delete it, as spec.updateStrategy.type is OnDelete",
        ),
        (
            3,
            {"updateStrategy": {"partition": 1}},
            "2 of its 3 Pods, as spec.updateStrategy.partition says, are replaced, 1 at a time",
        ),
        (
            3,
            {"updateStrategy": {"partition": 3}},
            "its Pods stay until spec.updateStrategy.partition is below 3",
        ),
    ],
)
def test_it_says_what_follows(replicas: int, spec: dict[str, Any], expected: str) -> None:
    assert consequence(sidecarapp(replicas=replicas, template=template(), **spec)) == expected
