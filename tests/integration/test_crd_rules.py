"""Each rule about fields that concern each other, broken once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from podpatterns.api.crd import definitions
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl, KubectlError
from testbed.eventually import eventually
from testbed.manifests import manifest
from tests.crdrules import BROKEN, OTHERS, PART, PG, POSTGRES, READS, RESERVED, SPECS, change, template


@pytest.fixture
def kubectl(control_plane: ControlPlane) -> Kubectl:
    """Needs no namespace of its own: nothing is stored."""
    return Kubectl(control_plane.kubeconfig)


@pytest.fixture
def stored(control_plane: ControlPlane, namespace: str) -> Kubectl:
    """For what is stored to be changed."""
    return Kubectl(control_plane.kubeconfig, namespace)


def create(kubectl: Kubectl, kind: str, spec: dict[str, Any], name: str = "x") -> None:
    text = yaml.safe_dump(manifest(kind, name, spec))
    kubectl("create", "--filename=-", "--dry-run=server", stdin=text)


def test_a_postgres_that_is_followed_is_taken(kubectl: Kubectl, crds: Path) -> None:
    fields = {**PG, "reads": {"listen": {"port": 3}}, "pooling": {"mode": "Transaction"}, "tls": {}}
    create(
        kubectl, "Ambassador", change(SPECS["Ambassador"], {"upstreams.0": {**POSTGRES, "postgres": fields}})
    )


def test_a_redis_by_two_ports_is_taken(kubectl: Kubectl, crds: Path) -> None:
    reads = {"upstreams.1.redis.reads": READS, "upstreams.1.redis.readPolicy": "PreferReplica"}
    create(kubectl, "Ambassador", change(SPECS["Ambassador"], reads))
    causal = {
        "upstreams.1.redis.readAfterWrite": {"policy": "Causal"},
        "upstreams.1.redis.maxReplicaLag": "1s",
    }
    create(kubectl, "Ambassador", change(SPECS["Ambassador"], {**reads, **causal}))


@pytest.mark.parametrize("one", [{}, {"policy": "Causal"}, {"window": "1s"}], ids=str)
def test_read_after_write_needs_no_field(kubectl: Kubectl, crds: Path, one: dict[str, str]) -> None:
    create(kubectl, "Ambassador", change(SPECS["Ambassador"], {"upstreams.1.redis.readAfterWrite": one}))


def test_retries_of_connections_need_no_conditions(kubectl: Kubectl, crds: Path) -> None:
    create(kubectl, "Ambassador", change(SPECS["Ambassador"], {"upstreams.0.retries": {"attempts": 2}}))


@pytest.mark.parametrize("kind", SPECS)
def test_an_object_that_keeps_all_rules_is_taken(kubectl: Kubectl, crds: Path, kind: str) -> None:
    create(kubectl, kind, SPECS[kind])
    app = {"template": template(labels=OTHERS, annotations=OTHERS), "include": [PART]}
    create(kubectl, kind, {**SPECS[kind], **app})


@pytest.mark.parametrize("kind", SPECS)
def test_an_application_stays_one(stored: Kubectl, crds: Path, kind: str) -> None:
    """Pods would be left behind; the Pods of a deleted object are collected."""

    def apply(**spec: Any) -> None:
        stored.apply(manifest(kind, "x", {**SPECS[kind], **spec}))

    apply()
    apply(template=template())
    apply(template=template(labels={"app": "x"}), replicas=0)
    told = (
        r"spec\.template: Invalid value: .*can't be taken out of an object that makes Pods: delete the object"
    )
    with pytest.raises(KubectlError, match=told):
        apply()
    patch = '[{"op": "remove", "path": "/spec/template"}]'
    with pytest.raises(KubectlError, match=told):
        stored("patch", f"{kind.lower()}/x", "--type=json", f"--patch={patch}")
    stored(
        "patch",
        f"{kind.lower()}/x",
        "--subresource=status",
        "--type=merge",
        '--patch={"status":{"replicas":1}}',
    )
    stored("delete", f"{kind.lower()}/x")
    apply()


GROUP_OF_OLD = "old.example.com"


def definition_with(crds: Path, rules: bool) -> dict[str, Any]:
    """SidecarApps under a name of the test's own, with or without the rules about labels.

    kubectl remembers kinds for hours: under their own name it would take those for these in later tests.
    """
    definition: dict[str, Any] = yaml.safe_load((crds / "podpatterns.dev_sidecarapps.yaml").read_text())
    definition["metadata"]["name"] = f"oldapps.{GROUP_OF_OLD}"
    definition["spec"]["group"] = GROUP_OF_OLD
    definition["spec"]["names"] = {"kind": "OldApp", "plural": "oldapps"}
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    labels = schema["properties"]["template"]["properties"]["metadata"]["properties"]["labels"]
    if not rules:
        del labels["x-kubernetes-validations"]
    return definition


def test_what_was_stored_before_a_rule_can_still_be_scaled_and_mended(stored: Kubectl, crds: Path) -> None:
    """The API server lets alone what a change does not touch."""

    def app(labels: dict[str, str], replicas: int, name: str = "x") -> dict[str, Any]:
        spec = {"replicas": replicas, "template": template(labels=labels)}
        return {**manifest("OldApp", name, spec), "apiVersion": f"{GROUP_OF_OLD}/v1alpha1"}

    def is_taken(obj: dict[str, Any]) -> bool:
        try:
            stored("apply", "--server-side", "--dry-run=server", "--filename=-", stdin=yaml.safe_dump(obj))
        except KubectlError as error:
            if "are the operator's own" not in str(error):
                raise
            return False
        return True

    def is_served() -> bool:
        try:
            stored("get", f"oldapps.{GROUP_OF_OLD}")
        except KubectlError:
            return False
        return True

    stored.apply(definition_with(crds, rules=False))
    try:
        eventually(is_served)
        stored.apply(app(RESERVED, 1))
        stored.apply(definition_with(crds, rules=True))
        eventually(lambda: not is_taken(app(RESERVED, 1, "new")))
        stored.apply(app(RESERVED, 2))
        assert not is_taken(app({**RESERVED, "podpatterns.dev/kind": "x"}, 2))
        stored.apply(app(OTHERS, 2))
        assert not is_taken(app(RESERVED, 2))
    finally:
        stored("delete", f"crd/oldapps.{GROUP_OF_OLD}", "--wait=false")


@pytest.mark.parametrize(
    ("kind", "changes", "path", "message"), BROKEN, ids=[f"{kind}-{path}" for kind, _, path, _ in BROKEN]
)
def test_a_broken_rule_is_named_with_its_field(
    kubectl: Kubectl, crds: Path, kind: str, changes: dict[str, Any], path: str, message: str
) -> None:
    with pytest.raises(KubectlError) as refused:
        create(kubectl, kind, change(SPECS[kind], changes))

    assert re.search(rf"{re.escape(path)}: Invalid value: .*{re.escape(message)}", str(refused.value))


def rules(schema: Any) -> Iterator[str]:
    """The messages of all rules in a schema."""
    if isinstance(schema, dict):
        yield from (rule["message"] for rule in schema.get("x-kubernetes-validations", ()))
        yield from (message for child in schema.values() for message in rules(child))


def test_every_rule_is_broken_once() -> None:
    tested = [
        *(message for *_, message in BROKEN),
        "can't be taken out of an object that makes Pods",
        "the object's name has a dot",
    ]
    found = {
        message
        for definition in definitions().values()
        for message in rules(definition["spec"]["versions"][0])
    }

    assert [rule for rule in found if not any(rule.startswith(message) for message in tested)] == []
    assert len(found) > 30


ENDPOINTS = ("db:1", "a_b.c-d.:65535", "A1:80", "192.0.2.1:443", "[2001:db8::1]:5432")
NO_ENDPOINTS = ("db", "db:", ":1", "db:0", "db:01", "db:65536", "a..b:1", "-a:1", "a b:1", "db:1\n", "dü:1")


def test_what_an_endpoint_may_look_like(kubectl: Kubectl, crds: Path) -> None:
    spec = SPECS["Ambassador"]
    create(kubectl, "Ambassador", change(spec, {"upstreams.0.endpoints": list(ENDPOINTS)}))
    with pytest.raises(KubectlError) as refused:
        create(kubectl, "Ambassador", change(spec, {"upstreams.0.endpoints": list(NO_ENDPOINTS)}))
    for i in range(len(NO_ENDPOINTS)):
        told = rf"spec\.upstreams\[0\]\.endpoints\[{i}\]: Invalid value: .*: must be host:port"
        assert re.search(told, str(refused.value))


def test_an_unknown_protocol_is_told_with_those_that_are_known(kubectl: Kubectl, crds: Path) -> None:
    spec = change(SPECS["Ambassador"], {"upstreams.0.protocol": "mysql"})
    told = r'spec\.upstreams\[0\]\.protocol: Unsupported value: "mysql": supported values: "redis", "tcp"'
    with pytest.raises(KubectlError, match=told):
        create(kubectl, "Ambassador", spec)


def test_a_name_leaves_room_for_the_pods_number(kubectl: Kubectl, crds: Path) -> None:
    create(kubectl, "SidecarApp", {}, name="n" * 57)
    with pytest.raises(KubectlError, match=r"metadata\.name: Too long: may not be more than 57"):
        create(kubectl, "SidecarApp", {}, name="n" * 58)


def test_a_service_name_needs_a_name_without_a_dot(kubectl: Kubectl, crds: Path) -> None:
    spec = {"template": template(), "serviceName": "site"}
    create(kubectl, "SidecarApp", spec, name="site-v2")
    told = r"spec\.serviceName: Invalid value: the object's name has a dot"
    with pytest.raises(KubectlError, match=told):
        create(kubectl, "SidecarApp", spec, name="site.v2")


def test_two_items_of_one_name_are_refused(kubectl: Kubectl, crds: Path) -> None:
    twice = [{"name": "a", "mountPath": "/a"}, {"name": "a", "mountPath": "/b"}]
    with pytest.raises(KubectlError, match=r"spec\.sharedVolumes\[1\]: Duplicate value"):
        create(kubectl, "SidecarApp", {"sharedVolumes": twice})


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (
            {"volumes": [{"name": f"v{i}"} for i in range(4_000)]},
            "spec.template.spec.volumes: Too many: 4000",
        ),
        (
            {"containers": [{"name": f"c{i}"} for i in range(65)]},
            "spec.template.spec.containers: Too many: 65: must have at most 64 items",
        ),
        (
            {
                "containers": [
                    {"name": "c", "volumeMounts": [{"name": "v", "mountPath": f"/{i}"} for i in range(257)]}
                ]
            },
            "spec.template.spec.containers[0].volumeMounts: Too many: 257: must have at most 256 items",
        ),
        (
            {"containers": [{"name": "c", "env": [{"name": f"E{i}"} for i in range(513)]}]},
            "spec.template.spec.containers[0].env: Too many: 513: must have at most 512 items",
        ),
    ],
    ids=["volumes", "containers", "volumeMounts", "env"],
)
def test_more_than_any_pod_has_is_refused(
    kubectl: Kubectl, crds: Path, spec: dict[str, Any], told: str
) -> None:
    pod = {"containers": [{"name": "web"}], **spec}
    with pytest.raises(KubectlError, match=re.escape(told)):
        create(kubectl, "SidecarApp", {"template": {"spec": pod}})
