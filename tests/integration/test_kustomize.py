"""Kustomize, as kubectl has it, with the shipped configuration and schema."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

from testbed.cluster.command import run
from testbed.cluster.programs import program

SHIPPED = Path(__file__).parents[2] / "kustomize"

Objects = dict[tuple[str, str], dict[str, Any]]
Build = Callable[..., Objects]

AMBASSADOR = """
apiVersion: podpatterns.dev/v1alpha1
kind: Ambassador
metadata: {name: shop}
spec:
  template:
    spec:
      serviceAccountName: shop
      imagePullSecrets: [{name: registry}]
      containers:
      - name: web
        image: shop
        env:
        - {name: A, valueFrom: {configMapKeyRef: {name: settings, key: a}}}
        - {name: B, valueFrom: {secretKeyRef: {name: login, key: b}}}
        envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: login}}]
      volumes:
      - {name: a, configMap: {name: settings}}
      - {name: b, secret: {secretName: login}}
      - {name: c, projected: {sources: [{configMap: {name: settings}}, {secret: {name: login}}]}}
      - {name: d, persistentVolumeClaim: {claimName: data}}
  include: [{kind: SidecarApp, name: logs}]
  proxy:
    container: {image: proxy, env: [{name: A, valueFrom: {secretKeyRef: {name: login, key: a}}}]}
  upstreams:
  - name: cache
    protocol: redis
    listen: {port: 6379}
    redis:
      endpoints: [redis:6379]
      authSecretRef: {name: login, key: password}
      tls: {caSecretRef: {name: login, key: ca.crt}, certSecretRef: {name: login}}
    local: {container: {name: redis, image: redis}}
"""
ADAPTER = """
apiVersion: podpatterns.dev/v1alpha1
kind: Adapter
metadata: {name: figures}
spec:
  adapter: {container: {image: adapter}}
  metrics: {otlp: {endpoint: "https://collector:4318", caSecretRef: {name: login, key: ca}}}
  sources:
  - name: stats
    type: json
    json: {url: "http://127.0.0.1/", basicAuthSecret: login, headersSecretRef: {name: login, key: headers}}
"""
PART = """
apiVersion: podpatterns.dev/v1alpha1
kind: SidecarApp
metadata: {name: logs}
spec:
  sidecars:
  - name: logs
    image: fluent
    args: [--quiet]
    env: [{name: A, value: a}, {name: B, valueFrom: {configMapKeyRef: {name: settings, key: b}}}]
    ports: [{containerPort: 80}]
  - {name: other, image: other}
  sharedVolumes: [{name: logs, mounts: [{container: logs, mountPath: /logs}]}]
"""
APPLICATION = """
apiVersion: podpatterns.dev/v1alpha1
kind: SidecarApp
metadata: {name: site}
spec:
  template:
    metadata: {labels: {app: site}}
    spec: {containers: [{name: web, image: web}]}
  include: [{kind: SidecarApp, name: logs}, {kind: Ambassador, name: shop}, {kind: Adapter, name: figures}]
"""
OTHERS = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: shop}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: shop}
spec: {scaleTargetRef: {apiVersion: podpatterns.dev/v1alpha1, kind: Ambassador, name: shop}, maxReplicas: 3}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: other}
spec: {template: {spec: {containers: [{name: web, image: web, args: [a]}, {name: more, image: more}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: site}
spec: {selector: {app: site}, ports: [{port: 80}, {port: 81, name: more}]}
"""
FILES = {
    "ambassador": AMBASSADOR,
    "adapter": ADAPTER,
    "part": PART,
    "application": APPLICATION,
    "others": OTHERS,
}


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Builds the objects above with further fields of a kustomization."""
    shutil.copytree(SHIPPED, tmp_path / "podpatterns")
    for name, text in FILES.items():
        (tmp_path / f"{name}.yaml").write_text(text)

    def built(**fields: Any) -> Objects:
        kustomization = {
            "resources": [f"{name}.yaml" for name in FILES],
            "configurations": ["podpatterns/configuration.yaml"],
            "openapi": {"path": "podpatterns/schema.json"},
            **fields,
        }
        (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        text = run(program("kubectl"), "kustomize", tmp_path)
        return {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(text)}

    return built


def leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in leaves(inner, f"{path}.{key}")]
    if isinstance(value, list):
        return [leaf for i, inner in enumerate(value) for leaf in leaves(inner, f"{path}[{i}]")]
    return [(path, value)]


def test_without_further_fields_the_objects_stay_as_they_are(build: Build) -> None:
    written = [o for text in FILES.values() for o in yaml.safe_load_all(text)]
    assert build() == {(o["kind"], o["metadata"]["name"]): o for o in written}


def test_names_of_config_maps_and_secrets_are_followed(build: Build) -> None:
    generated = [{"name": "settings", "literals": ["a=1"]}], [{"name": "login", "literals": ["b=1"]}]
    objects = build(configMapGenerator=generated[0], secretGenerator=generated[1])

    [settings] = [name for kind, name in objects if kind == "ConfigMap"]
    [login] = [name for kind, name in objects if kind == "Secret"]
    assert settings.startswith("settings-")
    values = [
        value
        for key in (("Ambassador", "shop"), ("Adapter", "figures"), ("SidecarApp", "logs"))
        for _, value in leaves(objects[key]["spec"])
    ]
    assert (values.count("settings"), values.count("login")) == (0, 0)
    assert (values.count(settings), values.count(login)) == (5, 11)


def test_a_prefix_reaches_what_refers_to_an_object(build: Build) -> None:
    objects = build(namePrefix="dev-")

    site, shop = objects["SidecarApp", "dev-site"]["spec"], objects["Ambassador", "dev-shop"]["spec"]
    assert [part["name"] for part in site["include"]] == ["dev-logs", "dev-shop", "dev-figures"]
    pod = shop["template"]["spec"]
    assert pod["serviceAccountName"] == "dev-shop"
    assert pod["volumes"][3]["persistentVolumeClaim"]["claimName"] == "dev-data"
    autoscaler = objects["HorizontalPodAutoscaler", "dev-shop"]["spec"]
    assert autoscaler["scaleTargetRef"]["name"] == "dev-shop"
    # What the kustomization doesn't have keeps its name.
    assert pod["imagePullSecrets"] == [{"name": "registry"}]


def test_images_are_set_in_every_container(build: Build) -> None:
    names = ("shop", "redis", "proxy", "adapter", "fluent", "web")
    objects = build(images=[{"name": name, "newTag": "7"} for name in names])

    images = {
        value
        for (kind, _), obj in objects.items()
        if kind in {"SidecarApp", "Ambassador", "Adapter"}
        for path, value in leaves(obj)
        if path.endswith(".image")
    }
    assert images == {*(f"{name}:7" for name in names), "other"}


def test_replicas_are_set(build: Build) -> None:
    objects = build(replicas=[{"name": "site", "count": 5}])
    assert objects["SidecarApp", "site"]["spec"]["replicas"] == 5


@pytest.mark.parametrize(
    "labels",
    [
        {"commonLabels": {"team": "a"}},
        {"labels": [{"pairs": {"team": "a"}, "includeTemplates": True, "includeSelectors": True}]},
    ],
    ids=["commonLabels", "labels"],
)
def test_labels_reach_templates_with_labels_and_a_part_stays_one(
    build: Build, labels: dict[str, Any]
) -> None:
    objects = build(**labels)
    site, part = objects["SidecarApp", "site"], objects["SidecarApp", "logs"]
    labelled = {"app": "site", "team": "a"}
    assert site["spec"]["template"]["metadata"]["labels"] == labelled
    assert objects["Service", "site"]["spec"]["selector"] == labelled
    assert part["metadata"]["labels"] == {"team": "a"}
    assert "template" not in part["spec"]


PATCH = """
apiVersion: podpatterns.dev/v1alpha1
kind: SidecarApp
metadata: {name: logs}
spec:
  sidecars:
  - name: logs
    env: [{name: A, value: b}]
    ports: [{containerPort: 80, name: web}]
  sharedVolumes: [{name: logs, mounts: [{container: other, mountPath: /other}]}]
"""


def test_a_patch_merges_lists_by_name(build: Build) -> None:
    spec = build(patches=[{"patch": PATCH}])["SidecarApp", "logs"]["spec"]

    before = yaml.safe_load(PART)["spec"]
    logs, other = before["sidecars"]
    logs["env"][0]["value"] = "b"
    logs["ports"] = [{"containerPort": 80, "name": "web"}]
    assert sorted(spec["sidecars"], key=lambda c: str(c["name"])) == [logs, other]
    [volume] = spec["sharedVolumes"]
    assert {m["container"]: m["mountPath"] for m in volume["mounts"]} == {"logs": "/logs", "other": "/other"}


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        (
            """
            apiVersion: podpatterns.dev/v1alpha1
            kind: Ambassador
            metadata: {name: shop}
            spec:
              upstreams: [{name: cache, listen: {port: 6380}}]
              template: {spec: {containers: [{name: web, args: [b]}]}}
            """,
            {".upstreams[0].listen.port": 6380, ".upstreams[0].protocol": "redis"}
            | {".template.spec.containers[0].args[0]": "b", ".template.spec.containers[0].image": "shop"},
        ),
        (
            """
            apiVersion: podpatterns.dev/v1alpha1
            kind: SidecarApp
            metadata: {name: site}
            spec: {include: [{kind: Adapter, name: figures, $patch: delete}]}
            """,
            {".include[0].name": "logs", ".include[1].name": "shop"},
        ),
    ],
    ids=["upstreams and containers", "include"],
)
def test_patches_of_other_lists(build: Build, patch: str, expected: dict[str, Any]) -> None:
    target = yaml.safe_load(patch)
    spec = build(patches=[{"patch": dedent(patch)}])[target["kind"], target["metadata"]["name"]]["spec"]
    found = dict(leaves(spec))
    assert {path: found.get(path) for path in expected} == expected
    assert ".include[2].name" not in found


def test_patches_of_other_objects_merge_as_before(build: Build) -> None:
    """The schema is in place of Kustomize's own."""
    deployment = (
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: other}, spec: {template: {spec: "
        "{containers: [{name: web, image: new}]}}}}"
    )
    service = (
        "{apiVersion: v1, kind: Service, metadata: {name: site}, spec: {ports: [{port: 81, targetPort: 8}]}}"
    )

    objects = build(patches=[{"patch": deployment}, {"patch": service}])

    containers = objects["Deployment", "other"]["spec"]["template"]["spec"]["containers"]
    assert {c["name"]: c["image"] for c in containers} == {"web": "new", "more": "more"}
    ports = objects["Service", "site"]["spec"]["ports"]
    assert {p["port"]: p.get("targetPort") for p in ports} == {80: None, 81: 8}
