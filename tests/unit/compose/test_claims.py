"""Identity and storage of a composed Pod: host name, subdomain, volumes of its claims."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.api.volumeclaim import VolumeClaimTemplate
from podpatterns.compose import CannotCompose, compose, pod_manifest
from podpatterns.compose.claims import claim_manifest, claimed
from podpatterns.compose.volumes import SHARED_MEMORY
from testbed.builders import sidecarapp, template

WEB = {"name": "web", "image": "nginx", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}


def asking(name: str = "data", size: str = "1Gi", **meta: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, **meta},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
    }


def made(name: str = "site-0", index: int | None = 0, **spec: Any) -> dict[str, Any]:
    """The spec of a Pod."""
    app = sidecarapp(**{"template": template(WEB), "volumeClaimTemplates": [asking()], **spec})
    found: dict[str, Any] = pod_manifest(app, compose(app, {}), name, index)["spec"]
    return found


def test_a_stable_pod_has_its_name_for_a_host_name() -> None:
    assert made("site-3", 3)["hostname"] == "site-3"
    assert made("site-3", 3, template=template(WEB, hostname="mine"))["hostname"] == "site-3"
    assert "subdomain" not in made()
    assert made(serviceName="site")["subdomain"] == "site"


def test_other_pods_have_none() -> None:
    assert "hostname" not in made("site-x7k2", None)
    assert "hostname" not in made("site.v2-0", 0), "a name with a dot is no host name"
    assert made("site.v2-0", 0, template=template(WEB, hostname="mine"))["hostname"] == "mine"


def test_each_pod_has_claims_of_its_own() -> None:
    for name in ("site-0", "site-1"):
        volume = {"name": "data", "persistentVolumeClaim": {"claimName": f"data-{name}"}}
        assert made(name)["volumes"] == [volume]


def test_a_claim_takes_the_place_of_a_volume() -> None:
    volumes = [{"name": "data", "emptyDir": {}}, {"name": "other", "emptyDir": {}}]
    spec = made(template=template(WEB, volumes=volumes))
    assert [(v["name"], "emptyDir" in v) for v in spec["volumes"]] == [("other", True), ("data", False)]


def test_only_the_names_of_templates_shape_the_pod() -> None:
    def revision(*templates: dict[str, Any]) -> str:
        return compose(sidecarapp(template=template(), volumeClaimTemplates=list(templates)), {}).revision

    one = revision(asking("a"), asking("b"))
    assert revision(asking("b", "9Gi"), asking("a", labels={"x": "y"})) == one
    assert revision(asking("a")) != one
    assert revision() == compose(sidecarapp(template=template()), {}).revision


@pytest.mark.parametrize("name", ["shared", SHARED_MEMORY])
def test_a_name_is_there_once(name: str) -> None:
    shared = [{"name": "shared", "mountPath": "/shared"}]
    app = sidecarapp(
        template=template(), sharedVolumes=shared, sharedMemory="1Mi", volumeClaimTemplates=[asking(name)]
    )
    with pytest.raises(CannotCompose, match="rename"):
        compose(app, {})


def test_a_mount_needs_a_volume() -> None:
    with pytest.raises(CannotCompose, match="volumeClaimTemplates"):
        made(volumeClaimTemplates=[asking("other")])


def test_a_claim_as_it_is_created() -> None:
    labels, annotations = {"team": "a", "podpatterns.dev/name": "mine"}, {"note": "x"}
    app = sidecarapp(template=template())
    wanted = VolumeClaimTemplate.model_validate(asking(labels=labels, annotations=annotations))
    claim = claim_manifest(app, wanted, "site-1")
    assert claim["metadata"] == {
        "name": "data-site-1",
        "namespace": "default",
        "labels": {"team": "a", "podpatterns.dev/kind": "SidecarApp", "podpatterns.dev/name": "site"},
        "annotations": annotations,
    }
    assert claim["spec"] == asking()["spec"]
    deleted = sidecarapp(template=template(), persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete"})
    [owner] = claim_manifest(deleted, wanted, "site-1")["metadata"]["ownerReferences"]
    assert (owner["uid"], owner["controller"]) == ("uid-of-site", True)


def test_a_template_that_anybody_may_have_written_is_read() -> None:
    assert claimed({"spec": {"volumes": [1, {"name": "x"}, {"persistentVolumeClaim": "x"}]}}) == []
    assert claimed({"spec": None}) == []
