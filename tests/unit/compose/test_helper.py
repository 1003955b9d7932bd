"""The containers that the operator composes, of every kind: their resources, and what authors alter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from podpatterns.api import Pattern
from podpatterns.compose import COMPOSED, Composition, HelperImages, compose
from podpatterns.compose.helpers.helper import DEFAULT_RESOURCES
from podpatterns.compose.helpers.proxy import ENGINES
from podpatterns.replicas.resources import qos_class
from testbed.builders import adapter, ambassador, redis_upstream, sidecarapp, template

AUTOSCALER = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
API = {"name": "api", "protocol": "http", "listen": {"port": 8081}, "endpoints": ["api:80"]}
BOTH = [redis_upstream(), API]
LIMITED = {"limits": {"cpu": "100m", "memory": "64Mi"}}

Altered = Callable[[dict[str, Any]], Pattern]
KINDS: list[Altered] = [
    lambda proxy: ambassador(template=template(), upstreams=BOTH, proxy=proxy),
    lambda container: adapter(template=template(), adapter=container),
]


def helpers(composition: Composition) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = composition.template["spec"]["initContainers"]
    return found


def annotations_of(app: Pattern) -> dict[str, str]:
    found: dict[str, str] = compose(app, {}).template["metadata"].get("annotations", {})
    return found


@pytest.mark.parametrize("of", KINDS, ids=["Ambassador", "Adapter"])
class TestEveryKind:
    def test_each_helper_requests_cpu_and_memory(self, of: Altered) -> None:
        """A HorizontalPodAutoscaler by CPU needs the request of every container."""
        composition = compose(of({}), {})
        for container in helpers(composition):
            assert container["resources"] == DEFAULT_RESOURCES
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert composition.default_resources == {c["name"] for c in helpers(composition)}

    @pytest.mark.parametrize("altered", [{"resources": LIMITED}, {"container": {"resources": LIMITED}}])
    def test_resources_that_people_wrote_are_taken_as_they_are(
        self, of: Altered, altered: dict[str, Any]
    ) -> None:
        composition = compose(of(altered), {})
        assert all(container["resources"] == LIMITED for container in helpers(composition))
        assert not composition.default_resources

    def test_image_environment_and_security_context_can_be_set(self, of: Altered) -> None:
        altered = {
            "image": "mirror.example.com/helper:1",
            "env": [{"name": "GOMAXPROCS", "value": "1"}],
            "securityContext": {"runAsUser": 1000},
        }
        plain, changed = compose(of({}), {}), compose(of({"container": altered}), {})
        for before, after in zip(helpers(plain), helpers(changed), strict=True):
            assert after["image"] == altered["image"]
            assert after["env"] == [*before.get("env", ()), *altered["env"]]
            assert after["securityContext"] == {**before["securityContext"], "runAsUser": 1000}
        assert changed.revision != plain.revision

    def test_defaults_have_no_part_in_the_revision(self, of: Altered) -> None:
        written = of({"resources": DEFAULT_RESOURCES})
        assert compose(of({}), {}).template == compose(written, {}).template
        assert compose(of({}), {}).revision != compose(written, {}).revision

    @pytest.mark.parametrize(
        ("resources", "expected"), [({}, "Burstable"), ({"resources": LIMITED}, "Guaranteed")]
    )
    def test_limits_keep_a_guaranteed_application_guaranteed(
        self, of: Altered, resources: dict[str, Any], expected: str
    ) -> None:
        app = of(resources)
        [web] = app.spec.template["spec"]["containers"]  # type: ignore[index]
        web["resources"] = LIMITED
        assert qos_class(compose(app, {}).template["spec"]) == expected


def test_revisions_are_those_from_before_the_defaults() -> None:
    assert compose(ambassador(template=template(), upstreams=BOTH), {}).revision == "b10c37df15"
    assert compose(adapter(template=template()), {}).revision == "ac932a044c"
    altered = {"resources": LIMITED, "container": {"image": "mine"}, "metricsPort": 9000}
    assert compose(ambassador(template=template(), proxy=altered), {}).revision == "a47c7f4639"


class TestVolumesThatTheClusterAutoscalerMayLose:
    def test_are_the_helpers_own(self) -> None:
        shared = [{"name": "cache", "mountPath": "/cache"}]
        app = ambassador(template=template(), upstreams=[API], sharedVolumes=shared, sharedMemory="1Mi")
        assert annotations_of(app) == {AUTOSCALER: "haproxy-run"}

    def test_are_those_of_parts_too(self) -> None:
        names = ("a", "b")
        app = sidecarapp(
            template=template(), include=[{"kind": "Ambassador", "name": name} for name in names]
        )
        parts = [
            ambassador(
                name,
                upstreams=[{**API, "name": name, "listen": {"port": port}}],
                proxy={"metricsPort": port + 1},
            )
            for name, port in zip(names, (8000, 8010), strict=True)
        ]
        found = compose(app, parts).template["metadata"]["annotations"]
        assert found == {AUTOSCALER: "haproxy-run-a,haproxy-run-b"}

    def test_are_added_to_those_that_people_wrote(self) -> None:
        written = {**template(), "metadata": {"annotations": {AUTOSCALER: "tmp,haproxy-run"}}}
        assert annotations_of(ambassador(template=written, upstreams=[API])) == {
            AUTOSCALER: "tmp,haproxy-run"
        }
        written = {**template(), "metadata": {"annotations": {AUTOSCALER: "tmp"}}}
        assert annotations_of(ambassador(template=written, upstreams=[API])) == {
            AUTOSCALER: "tmp,haproxy-run"
        }

    def test_without_any_the_annotation_is_the_templates(self) -> None:
        assert annotations_of(ambassador(template=template())) == {}
        written = {**template(), "metadata": {"annotations": {AUTOSCALER: "tmp"}}}
        assert annotations_of(sidecarapp(template=written)) == {AUTOSCALER: "tmp"}


class TestImages:
    DIGEST = f"sha256:{'0' * 64}"
    IMAGES = HelperImages("registry/x", "2", {"haproxy-ambassador": DIGEST}, "Always", ("pull",))

    def test_say_repository_tag_digest_and_pull_policy(self) -> None:
        app = ambassador(template=template(), upstreams=BOTH)
        made = {c["image"]: c["imagePullPolicy"] for c in helpers(compose(app, {}, self.IMAGES))}
        redis, haproxy = "registry/x/redis-ambassador:2", f"registry/x/haproxy-ambassador@{self.DIGEST}"
        assert made == {redis: "Always", haproxy: "Always"}

    def test_need_no_repository(self) -> None:
        assert HelperImages("", "2").container("metrics-adapter") == {"image": "metrics-adapter:2"}

    def test_are_pulled_with_secrets_beside_the_template_s_own(self) -> None:
        app = adapter(template=template(imagePullSecrets=[{"name": "own"}, {"name": "pull"}]))
        images = replace(self.IMAGES, pull_secrets=("pull", "mirror"))
        secrets = [{"name": "own"}, {"name": "pull"}, {"name": "mirror"}]
        assert compose(app, {}, images).template["spec"]["imagePullSecrets"] == secrets

    def test_bring_no_secret_where_the_operator_adds_no_helper(self) -> None:
        app = sidecarapp(template=template())
        assert "imagePullSecrets" not in compose(app, {}, self.IMAGES).template["spec"]

    def test_leave_the_revision_as_it_is(self) -> None:
        app = adapter(template=template())
        assert compose(app, {}, self.IMAGES).revision == compose(app, {}).revision

    def test_each_helper_that_is_composed_can_have_a_digest(self) -> None:
        assert {*(engine.image for engine in ENGINES), "metrics-adapter"} == set(COMPOSED)
