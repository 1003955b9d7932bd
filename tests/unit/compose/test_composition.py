"""Object and parts in, Pod out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from podpatterns.api import SidecarApp
from podpatterns.compose import CannotCompose, compose, pod_manifest
from podpatterns.compose.labels import reserved, unreserved
from testbed.builders import sidecarapp, template

WEB = {"name": "web", "image": "nginx"}


def composed(app: SidecarApp, *parts: SidecarApp) -> dict[str, Any]:
    """The Pod's spec."""
    spec = compose(app, parts).template["spec"]
    assert isinstance(spec, dict)
    return spec


def including(*names: str, **spec: Any) -> SidecarApp:
    return sidecarapp(template=template(), include=[{"kind": "SidecarApp", "name": n} for n in names], **spec)


def mounts(spec: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """Volume and path of every mount, by container."""
    containers = [*spec.get("initContainers", []), *spec["containers"]]
    return {c["name"]: [(m["name"], m["mountPath"]) for m in c.get("volumeMounts", [])] for c in containers}


def problems(app: SidecarApp, *parts: SidecarApp) -> list[str]:
    with pytest.raises(CannotCompose) as caught:
        composed(app, *parts)
    return [f"{p.reason} {p.path}" for p in caught.value.problems]


def test_without_helpers_the_template_is_the_pod() -> None:
    written = template(WEB, nodeSelector={"disk": "ssd"}, volumes=[{"name": "own", "emptyDir": {}}])
    assert composed(sidecarapp(template=written)) == written["spec"]


def test_the_template_is_not_changed() -> None:
    app = sidecarapp(
        template=template(), sidecars=[{"name": "s"}], sharedVolumes=[{"name": "v", "mountPath": "/v"}]
    )
    before = app.model_dump_json()
    composed(app)
    assert app.model_dump_json() == before


def test_starting_order() -> None:
    part = sidecarapp("part", sidecars=[{"name": "p-before"}, {"name": "p-with", "order": "WithApp"}])
    app = sidecarapp(
        template=template(WEB, initContainers=[{"name": "init"}]),
        include=[{"kind": "SidecarApp", "name": "part"}],
        sidecars=[{"name": "before"}, {"name": "with", "order": "WithApp"}],
    )
    spec = composed(app, part)
    assert [c["name"] for c in spec["initContainers"]] == ["p-before", "before", "init"]
    assert [c["name"] for c in spec["containers"]] == ["web", "p-with", "with"]
    assert [c.get("restartPolicy") for c in spec["initContainers"]] == ["Always", "Always", None]
    assert not any("order" in c for c in spec["initContainers"] + spec["containers"])


def test_privileged_is_on_the_named_container_only() -> None:
    app = sidecarapp(template=template(), sidecars=[{"name": "s", "securityContext": {"privileged": True}}])
    spec = composed(app)
    assert spec["initContainers"][0]["securityContext"] == {"privileged": True}
    assert "securityContext" not in spec["containers"][0]


class TestSharedVolumes:
    def test_are_mounted_everywhere_unless_told_otherwise(self) -> None:
        app = sidecarapp(
            template=template(),
            sidecars=[{"name": "sync"}],
            sharedVolumes=[
                {
                    "name": "content",
                    "mountPath": "/srv",
                    "sizeLimit": "1Gi",
                    "medium": "Memory",
                    "mounts": [
                        {"container": "web", "mountPath": "/html", "readOnly": True, "subPath": "site"}
                    ],
                }
            ],
        )
        spec = composed(app)
        assert spec["volumes"] == [{"name": "content", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}]
        [web] = spec["containers"][0]["volumeMounts"]
        assert web == {"name": "content", "mountPath": "/html", "readOnly": True, "subPath": "site"}
        assert spec["initContainers"][0]["volumeMounts"] == [{"name": "content", "mountPath": "/srv"}]

    def test_without_a_path_only_where_listed(self) -> None:
        volume = {"name": "v", "mounts": [{"container": "web", "mountPath": "/v"}]}
        app = sidecarapp(template=template(), sidecars=[{"name": "s"}], sharedVolumes=[volume])
        assert mounts(composed(app)) == {"s": [], "web": [("v", "/v")]}

    def test_a_mount_written_by_hand_stays(self) -> None:
        web = {**WEB, "volumeMounts": [{"name": "v", "mountPath": "/mine"}]}
        app = sidecarapp(template=template(web), sharedVolumes=[{"name": "v", "mountPath": "/v"}])
        assert mounts(composed(app)) == {"web": [("v", "/mine")]}

    def test_an_application_and_a_part_share_by_name_each_at_its_own_path(self) -> None:
        part = sidecarapp(
            "git", sidecars=[{"name": "git-sync"}], sharedVolumes=[{"name": "content", "mountPath": "/git"}]
        )
        app = including("git", sharedVolumes=[{"name": "content", "mountPath": "/html"}])
        assert mounts(composed(app, part)) == {
            "git-sync": [("content", "/git")],
            "web": [("content", "/html")],
        }

    def test_a_parts_volume_reaches_the_application_too(self) -> None:
        part = sidecarapp(
            "git", sidecars=[{"name": "git-sync"}], sharedVolumes=[{"name": "content", "mountPath": "/git"}]
        )
        spec = composed(including("git"), part)
        assert mounts(spec) == {"git-sync": [("content", "/git")], "web": [("content", "/git")]}

    def test_the_application_may_say_where_a_parts_container_finds_it(self) -> None:
        part = sidecarapp("p", sidecars=[{"name": "ps"}], sharedVolumes=[{"name": "v", "mountPath": "/p"}])
        own = {"name": "v", "mountPath": "/a", "mounts": [{"container": "ps", "mountPath": "/elsewhere"}]}
        assert mounts(composed(including("p", sharedVolumes=[own]), part))["ps"] == [("v", "/elsewhere")]

    def test_shared_memory_is_one_dev_shm_for_all(self) -> None:
        app = sidecarapp(template=template(), sidecars=[{"name": "s"}], sharedMemory="64Mi")
        spec = composed(app)
        assert spec["volumes"] == [
            {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}
        ]
        assert mounts(spec) == {"s": [("shared-memory", "/dev/shm")], "web": [("shared-memory", "/dev/shm")]}


class TestProblems:
    def test_a_mount_of_an_unknown_volume(self) -> None:
        web = {**WEB, "volumeMounts": [{"name": "no", "mountPath": "/x"}]}
        assert problems(sidecarapp(template=template(web))) == [
            "InvalidSpec spec.template.spec.containers[0].volumeMounts[0].name"
        ]

    def test_a_shared_volume_in_an_unknown_container(self) -> None:
        volume = {"name": "v", "mountPath": "/v", "mounts": [{"container": "wbe"}]}
        app = sidecarapp(template=template(), sharedVolumes=[volume])
        assert problems(app) == ["InvalidSpec spec.sharedVolumes[0].mounts[0].container"]

    def test_a_shared_volume_called_as_one_of_the_template(self) -> None:
        app = sidecarapp(
            template=template(volumes=[{"name": "v", "emptyDir": {}}]),
            sharedVolumes=[{"name": "v", "mountPath": "/v"}],
        )
        assert problems(app) == ["InvalidSpec spec.sharedVolumes[0].name"]

    def test_two_volumes_on_one_path(self) -> None:
        volumes = [{"name": "a", "mountPath": "/x"}, {"name": "b", "mountPath": "/x/"}]
        assert problems(sidecarapp(template=template(), sharedVolumes=volumes)) == [
            "InvalidSpec spec.template.spec.containers[0].volumeMounts"
        ]

    def test_sizes_that_disagree(self) -> None:
        part = sidecarapp("p", sharedVolumes=[{"name": "v", "mountPath": "/v", "sizeLimit": "1Gi"}])
        app = including("p", sharedVolumes=[{"name": "v", "mountPath": "/v", "sizeLimit": "2Gi"}])
        assert problems(app, part) == ["InvalidSpec SidecarApp p: spec.sharedVolumes[0].sizeLimit"]

    def test_two_containers_of_one_name(self) -> None:
        part = sidecarapp("p", sidecars=[{"name": "web"}])
        assert problems(including("p"), part) == ["InvalidSpec spec.template.spec.containers[0].name"]

    def test_no_container(self) -> None:
        app = sidecarapp(template={"spec": {"containers": []}}, sidecars=[{"name": "s", "order": "WithApp"}])
        assert problems(app) == ["InvalidSpec spec.template.spec.containers"]

    @pytest.mark.parametrize("order", ["BeforeApp", "WithApp"])
    def test_two_containers_on_one_port(self, order: str) -> None:
        app = sidecarapp(
            template=template({**WEB, "ports": [{"containerPort": 80}]}),
            sidecars=[{"name": "s", "order": order, "ports": [{"containerPort": 80, "protocol": "TCP"}]}],
        )
        [problem] = problems(app)
        assert problem.startswith("PortsConflict ")

    def test_ports_differ_by_protocol_and_init_containers_are_gone_by_then(self) -> None:
        composed(
            sidecarapp(
                template=template(
                    {**WEB, "ports": [{"containerPort": 53, "protocol": "UDP"}]},
                    initContainers=[{"name": "init", "ports": [{"containerPort": 53}]}],
                ),
                sidecars=[{"name": "s", "ports": [{"containerPort": 53}]}],
            )
        )

    def test_one_container_may_have_a_port_twice(self) -> None:
        ports = [{"containerPort": 80, "hostPort": 8080}, {"containerPort": 80, "hostPort": 8081}]
        composed(sidecarapp(template=template({**WEB, "ports": ports})))

    def test_a_part_that_is_missing(self) -> None:
        assert problems(including("nobody")) == ["PartNotFound spec.include[0]"]

    def test_a_part_that_is_an_application(self) -> None:
        assert problems(including("app"), sidecarapp("app", template=template())) == [
            "InvalidSpec spec.include[0]"
        ]

    def test_all_problems_are_told_at_once(self) -> None:
        web = {**WEB, "volumeMounts": [{"name": "no", "mountPath": "/x"}]}
        assert len(problems(sidecarapp(template=template(web), sidecars=[{"name": "web"}]))) == 2


class TestRevision:
    def test_a_port_is_of_tcp_whether_it_is_written_or_not(self) -> None:
        """The CRDs wrote it once: a revision from then stays the newest."""

        def made(**port: Any) -> SidecarApp:
            helper = {"name": "s", "image": "a", "ports": [{"containerPort": 81, **port}]}
            web = {**WEB, "ports": [{"containerPort": 80, **port}]}
            return sidecarapp(template=template(web), sidecars=[helper])

        bare, stored = compose(made(), {}), compose(made(protocol="TCP"), {})
        assert (bare.revision, bare.template) == (stored.revision, stored.template)

    def test_changes_with_what_shapes_the_pod(self) -> None:
        base: dict[str, Any] = {"template": template(), "sidecars": [{"name": "s", "image": "a"}]}
        variants: list[dict[str, Any]] = [
            {},
            {"template": template({**WEB, "image": "other"})},
            {"sidecars": [{"name": "s", "image": "b"}]},
            {"sidecars": [{"name": "s", "image": "a", "order": "WithApp"}]},
            {"sharedVolumes": [{"name": "v", "mountPath": "/v"}]},
            {"sharedMemory": "1Mi"},
        ]
        revisions = {compose(sidecarapp(**{**base, **v}), {}).revision for v in variants}
        assert len(revisions) == len(variants)

    def test_stays_with_what_does_not(self) -> None:
        plain = compose(sidecarapp(template=template()), {}).revision
        others: dict[str, Any] = {
            "replicas": 7,
            "podNaming": "Generated",
            "updateStrategy": {"maxUnavailable": 3},
            "minReadySeconds": 5,
            "sidecars": [],
        }
        assert compose(sidecarapp(template=template(), **others), {}).revision == plain

    def test_explicit_defaults_leave_the_revision_as_it_is(self) -> None:
        short = sidecarapp(template=template(), sidecars=[{"name": "s"}])
        long = sidecarapp(template=template(), sidecars=[{"name": "s", "order": "BeforeApp"}])
        assert compose(short, {}).revision == compose(long, {}).revision

    def test_changes_with_a_part(self) -> None:
        app = including("p")
        one, two = (sidecarapp("p", sidecars=[{"name": "s", "image": i}]) for i in ("a", "b"))
        assert compose(app, [one]).revision != compose(app, [two]).revision

    def test_is_the_same_in_every_version_of_the_operator(self) -> None:
        """A change of this value restarts every Pod of every cluster at an upgrade."""
        app = including("p", sharedVolumes=[{"name": "v", "mountPath": "/v"}], sharedMemory="64Mi")
        part = sidecarapp("p", sidecars=[{"name": "s", "image": "i"}])
        assert compose(app, [part]).revision == "be29206978"


def test_the_manifest_carries_name_owner_and_labels() -> None:
    written = template()
    written["metadata"] = {"labels": {"app": "shop"}, "annotations": {"note": "x"}}
    app = sidecarapp(template=written)
    composition = compose(app, {})
    manifest = pod_manifest(app, composition, "site-0", 0)
    assert manifest["metadata"] == {
        "name": "site-0",
        "namespace": "default",
        "labels": {
            "app": "shop",
            "podpatterns.dev/kind": "SidecarApp",
            "podpatterns.dev/name": "site",
            "podpatterns.dev/revision": composition.revision,
            "podpatterns.dev/pod-index": "0",
        },
        "annotations": {"note": "x"},
        "ownerReferences": [
            {
                "apiVersion": "podpatterns.dev/v1alpha1",
                "kind": "SidecarApp",
                "name": "site",
                "uid": "uid-of-site",
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }
    assert (
        "podpatterns.dev/pod-index"
        not in pod_manifest(app, composition, "site-x", None)["metadata"]["labels"]
    )


def test_the_application_is_what_the_template_has_and_helpers_are_all_others() -> None:
    helpers = [{"name": "before"}, {"name": "beside", "order": "WithApp"}]
    native = {"name": "native", "restartPolicy": "Always"}
    part = sidecarapp("part", sidecars=[{"name": "of-part"}])
    app = sidecarapp(
        template=template(WEB, initContainers=[native]),
        sidecars=helpers,
        include=[{"kind": "SidecarApp", "name": "part"}],
    )
    found = compose(app, [part]).application
    assert found == {"web", "native"}


def test_pods_that_are_to_drain_get_a_gate_that_is_no_part_of_the_revision() -> None:
    gate, own = {"conditionType": "podpatterns.dev/in-service"}, {"conditionType": "example.com/own"}
    plain = sidecarapp(template=template(WEB, readinessGates=[own]))
    draining = sidecarapp(
        template=template(WEB, readinessGates=[own]),
        updateStrategy={"inPlace": {"containers": "All", "drainSeconds": 5}},
    )
    assert compose(plain, {}) == compose(draining, {})
    composition = compose(draining, {})
    assert pod_manifest(plain, composition, "site-0", 0)["spec"]["readinessGates"] == [own]
    spec = pod_manifest(draining, composition, "site-0", 0)["spec"]
    assert spec["readinessGates"] == [own, gate]
    again = replace(composition, template={"metadata": {}, "spec": spec})
    assert pod_manifest(draining, again, "site-0", 0)["spec"] == spec, "it is there already"


class TestReservedLabelsAndAnnotations:
    """Labels and annotations of the operator's own domain, in objects from before admission refused them."""

    RESERVED = {"podpatterns.dev/name": "pay", "podpatterns.dev/updated-containers": "[" * 1_200}  # noqa: RUF012

    def written(self, **more: str) -> dict[str, Any]:
        metadata = {name: {**self.RESERVED, **more} for name in ("labels", "annotations")}
        return {**template(), "metadata": metadata}

    def test_are_not_composed(self) -> None:
        composition = compose(sidecarapp(template=self.written(team="shop")), {})
        assert composition.template["metadata"] == {
            "labels": {"team": "shop"},
            "annotations": {"team": "shop"},
        }

    def test_do_not_reach_a_pod_from_an_older_revision_either(self) -> None:
        app = sidecarapp(template=template())
        composition = replace(compose(app, {}), template=self.written(team="shop"))
        metadata = pod_manifest(app, composition, "site-0", None)["metadata"]
        assert metadata["labels"] == {
            "team": "shop",
            "podpatterns.dev/kind": "SidecarApp",
            "podpatterns.dev/name": "site",
            "podpatterns.dev/revision": composition.revision,
        }
        assert metadata["annotations"] == {"team": "shop"}

    def test_leave_the_revision_as_it_was(self) -> None:
        """A change of this value restarts Pods at an upgrade."""
        written = self.written()
        assert compose(sidecarapp(template=written), {}).revision == "427def8edd"
        assert written == self.written()

    def test_are_told_by_the_domain(self) -> None:
        assert reserved("podpatterns.dev/invented")
        assert not reserved("podpatterns.dev.example/name")
        assert not reserved("example.com/podpatterns.dev/name")
        assert unreserved(None) == {}
