"""The commands for people, on a cluster: render, status, tree, logs, replace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from podpatterns.cli import main
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl
from testbed.eventually import eventually
from testbed.manifests import manifest
from tests.integration.controller.sites import Sites, sidecarapp

PARTS = (
    manifest("SidecarApp", "git-sync", {"sidecars": [{"name": "git-sync", "image": "git-sync:1"}]}),
    manifest(
        "Ambassador",
        "cache",
        {
            "upstreams": [
                {
                    "name": "cache",
                    "protocol": "redis",
                    "listen": {"port": 6379},
                    "env": {"hostName": "REDIS_HOST"},
                    "redis": {"endpoints": ["redis:6379"]},
                }
            ]
        },
    ),
)
INCLUDE = [{"kind": part["kind"], "name": part["metadata"]["name"]} for part in PARTS]
VOLUMES = [{"name": "content", "mountPath": "/srv", "mounts": [{"container": "web", "readOnly": True}]}]


def missing(rendered: Any, live: Any, path: str = "") -> list[str]:
    """Return the fields of `rendered` that `live` lacks or has otherwise; the server may have added any."""
    if isinstance(rendered, dict):
        return [
            told
            for key, value in rendered.items()
            for told in missing(value, live.get(key) if isinstance(live, dict) else None, f"{path}.{key}")
        ]
    if isinstance(rendered, list) and isinstance(live, list) and len(rendered) <= len(live):
        return [
            told
            for i, (one, other) in enumerate(zip(rendered, live, strict=False))
            for told in missing(one, other, f"{path}[{i}]")
        ]
    return [] if rendered == live else [f"{path}: {rendered} != {live}"]


def test_missing_names_what_differs() -> None:
    live = {"a": [{"b": 1, "c": 2}, {"d": 3}]}
    assert missing({"a": [{"b": 1}]}, live) == []
    assert missing({"a": [{"b": 2}], "e": 1}, live) == [".a[0].b: 2 != 1", ".e: 1 != None"]


@pytest.mark.parametrize("naming", ["Stable", "Generated"])
def test_render_shows_what_the_operator_makes(
    sites: Sites, kubectl: Kubectl, tmp_path: Path, naming: str
) -> None:
    app = sidecarapp(replicas=2, include=INCLUDE, sharedVolumes=VOLUMES, podNaming=naming)
    file = tmp_path / "objects.json"
    file.write_text(json.dumps([*PARTS, app]))
    shown = CliRunner().invoke(main, ["render", "-f", str(file)])
    kubectl("create", "--dry-run=server", "--filename=-", stdin=shown.output)
    kubectl.apply(*PARTS, app)
    sites.wait_until_ready()
    result = CliRunner().invoke(main, ["render", "-f", str(file), "-o", "json"])
    made = json.loads(result.output)["items"]
    rendered = [obj for obj in made if obj["kind"] == "Pod"]
    live = sites.pods()
    assert len(live) == 2
    if naming == "Generated":
        [pod] = rendered
        assert all(p["metadata"]["name"].startswith(pod["metadata"].pop("generateName", "")) for p in live)
        rendered = [pod, pod]
    for pod, actual in zip(rendered, live, strict=True):
        assert missing(pod, actual) == []
        for name in ("containers", "initContainers"):
            assert [c["name"] for c in pod["spec"][name]] == [c["name"] for c in actual["spec"][name]]
    [config_map] = (obj for obj in made if obj["kind"] == "ConfigMap")
    actual = kubectl.get("configmap", config_map["metadata"]["name"])
    assert missing(config_map, actual) == []
    assert config_map["data"] == actual["data"]


def test_status_waits_for_a_rollout_and_tells_why_one_failed(sites: Sites, podpatterns: Any) -> None:
    sites.apply(replicas=2)
    done = podpatterns("status", "site", "--watch", "--timeout", "60")
    assert (done.exit_code, done.stdout) == (
        0,
        "sidecarapp/site: complete: 2 of 2 Pods are available\n",
    )
    # The rollout begins while nobody has observed it: none is taken for complete.
    sites.apply(replicas=2, image="web:missing", progressDeadlineSeconds=5)
    soon = podpatterns("status", "site", "--watch", "--timeout", "1")
    assert (soon.exit_code, "not within 1 s" in soon.stderr) == (1, True)
    failed = podpatterns("status", "site", "--watch")
    assert failed.exit_code == 1
    assert "failed: ProgressDeadlineExceeded" in failed.stdout
    shown = podpatterns("status", "site")
    assert shown.exit_code == 1
    assert "ImagePullBackOff" in shown.stdout.partition("POD NOT READY")[2]
    found = json.loads(podpatterns("status", "site", "-o", "json").stdout)
    assert (found["rollout"], found["readyReplicas"]) == ("failed", 1)
    assert [pod["name"] for pod in found["podsNotReady"]] == ["site-1"]
    assert podpatterns("status", "nobody").exit_code == 2


def test_tree_shows_parts_pods_and_containers(sites: Sites, kubectl: Kubectl, podpatterns: Any) -> None:
    kubectl.apply(*PARTS, sidecarapp(include=[*INCLUDE, {"kind": "Adapter", "name": "nobody"}]))
    eventually(lambda: sites.condition("Ready"), until=lambda ready: ready.get("reason") == "PartNotFound")
    assert "adapter/nobody" in podpatterns("tree", "site").stdout
    sites.ready(include=INCLUDE)
    lines = [line.split() for line in podpatterns("tree", "site").stdout.splitlines()]
    assert [line[:6] for line in lines[1:]] == [
        ["sidecarapp/site", "1/1", "PodsAvailable"],
        ["├─", "part", "sidecarapp/git-sync", "ReusablePart"],
        ["├─", "part", "ambassador/cache", "ReusablePart"],
        ["└─", "pod/site-0", "4/4", "Running", "0"],
        ["├─", "git-sync", "(native", "sidecar)", "yes", "Running"],
        ["├─", "ambassador-cache", "(native", "sidecar)", "yes", "Running"],
        ["├─", "helper", "(native", "sidecar)", "yes", "Running"],
        ["└─", "web", "yes", "Running", "0", "web:1"],
    ]
    eventually(lambda: podpatterns("tree").stdout, until=lambda text: "used by sidecarapp/site" in text)
    everywhere = json.loads(podpatterns("tree", "-A", "-o", "json").stdout)
    assert (kubectl.namespace, "site") in {(root["namespace"], root["name"]) for root in everywhere}
    assert podpatterns("tree", "site", "-A").exit_code == 2


@pytest.mark.parametrize("naming", ["Stable", "Generated"])
def test_replace_deletes_one_pod_and_waits_for_the_next(sites: Sites, podpatterns: Any, naming: str) -> None:
    sites.ready(replicas=2, podNaming=naming)
    before = sites.uids()
    name = next(iter(before))
    result = podpatterns("replace", name, "--timeout", "60", "-o", "json")
    assert result.exit_code == 0, result.stderr
    told, after = json.loads(result.stdout), sites.uids()
    assert (told["oldName"], told["oldUID"]) == (name, before[name])
    assert after[told["newName"]] == told["newUID"] != told["oldUID"]
    assert (told["newName"] == name) == (naming == "Stable")
    assert result.stderr.startswith(f"pod/{name} (UID {before[name]}) deleted\n")
    assert {k: v for k, v in after.items() if k != told["newName"]} == {
        k: v for k, v in before.items() if k != name
    }


def test_replace_leaves_pods_of_others_alone(sites: Sites, kubectl: Kubectl, podpatterns: Any) -> None:
    kubectl("run", "other", "--image=other")
    result = podpatterns("replace", "other")
    assert (result.exit_code, "pod/other belongs to nobody" in result.stderr) == (2, True)
    assert "deletionTimestamp" not in kubectl.get("pod", "other")["metadata"]
    assert podpatterns("replace", "missing").exit_code == 2


def test_logs_say_which_containers_have_none(sites: Sites, podpatterns: Any) -> None:
    """Fake nodes have no logs."""
    sites.ready()
    result = podpatterns("logs", "site", "--tail", "1")
    assert result.exit_code == 2
    assert [line.partition(": ")[0] for line in result.stderr.splitlines()] == ["site-0/helper", "Error"]
    result = podpatterns("logs", "site", "-c", "nobody")
    assert result.stderr == 'Error: there is no container "nobody", only helper, web\n'


def test_the_cluster_is_that_of_the_kubeconfig_named(
    sites: Sites, podpatterns: Any, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites.ready()
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    refused = podpatterns("history", "site")
    assert (refused.exit_code, len(refused.stderr.splitlines())) == (2, 1)
    option = f"--kubeconfig={control_plane.kubeconfig}"
    [revision] = json.loads(podpatterns("history", "site", option, "-o", "json").stdout)
    assert (revision["revision"], revision["current"]) == (1, True)
    refused = podpatterns("tree", option, "--context", "nobody")
    assert (refused.exit_code, refused.stderr) == (2, 'Error: kubeconfig: there is no context "nobody"\n')
