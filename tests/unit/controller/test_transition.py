"""The claims of a Pod that is to be created, by the revision that it is wanted in."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.api import Pattern
from podpatterns.compose import Composition, compose, recorded_spec
from podpatterns.controller.transition import PodClaims, transition_to_newest
from podpatterns.replicas import Create
from podpatterns.replicas.history import Revision
from podpatterns.replicas.packed import Packed
from testbed.builders import sidecarapp, template


def asking(name: str, size: str = "1Gi") -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"resources": {"requests": {"storage": size}}}}


def site(*templates: dict[str, Any], **spec: Any) -> Pattern:
    return sidecarapp(template=template(), volumeClaimTemplates=list(templates), **spec)


def kept(app: Pattern, composition: Composition) -> Revision:
    data = Packed.of({"spec": recorded_spec(app), "template": composition.template})
    return Revision("site-1", "u1", composition.revision, 1, data)


def claims(now: Pattern, before: Pattern, *, newest: bool) -> list[tuple[str, str]]:
    """Names and sizes of the claims of site-0, wanted in the newest or in the former revision."""
    composition, former = compose(now, {}), compose(before, {})
    transition = transition_to_newest(now, composition, [kept(before, former)], {})
    wanted = composition if newest else former
    assert transition.claims
    found = transition.claims.needed(Create("site-0", 0, wanted.revision))
    return [(c["metadata"]["name"], c["spec"]["resources"]["requests"]["storage"]) for c in found]


def test_a_pod_has_the_claims_of_its_revision() -> None:
    before, now = site(asking("a"), asking("b")), site(asking("b", "2Gi"), asking("c"))
    assert claims(now, before, newest=True) == [("b-site-0", "2Gi"), ("c-site-0", "1Gi")]
    assert claims(now, before, newest=False) == [("a-site-0", "1Gi"), ("b-site-0", "2Gi")]
    assert claims(site(), before, newest=True) == []


@pytest.mark.parametrize(
    ("policy", "pod", "go"),
    [("Delete", "site-0", False), ("Delete", "site-1", True), ("Retain", "site-1", False)],
)
def test_claims_that_go_with_a_pod(policy: str, pod: str, go: bool) -> None:
    app = site(asking("a"), replicas=1, persistentVolumeClaimRetentionPolicy={"whenScaled": policy})
    assert PodClaims(app, lambda _: []).go_with(pod) == go
