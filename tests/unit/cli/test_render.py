"""`podpatterns render`: what the operator would make of files, and where it comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from podpatterns.api import parse
from podpatterns.cli.explain import OPERATOR, explained
from podpatterns.cli.render import render, rendered
from podpatterns.compose import HelperImages, compose
from testbed.builders import ambassador, redis_upstream, sidecarapp, template
from testbed.manifests import manifest
from tests.golden.golden import CASES

WEB = template()


def run(tmp_path: Path, *objects: dict[str, Any], options: tuple[str, ...] = ()) -> Result:
    file = tmp_path / "objects.json"
    file.write_text(json.dumps(objects))
    return CliRunner().invoke(render, ["-f", str(file), *options])


def written(name: str = "site", **spec: Any) -> dict[str, Any]:
    """A SidecarApp as people write one, who don't know its UID."""
    made = manifest("SidecarApp", name, {"template": WEB, **spec})
    return {**made, "metadata": {"name": name}}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_pods_and_config_maps_are_the_operators(case: Path) -> None:
    result = CliRunner().invoke(render, ["-f", str(case / "object.yaml")])
    made = {obj["kind"]: obj for obj in yaml.safe_load_all(result.output)}
    for file, kind in (("pod.yaml", "Pod"), ("configmap.yaml", "ConfigMap")):
        if (case / file).exists():
            golden = (case / file).read_text()
            current = HelperImages()
            assert made[kind] == yaml.safe_load(golden.replace(":1.0.0", f":{current.tag}"))


def test_each_replica_has_a_pod_of_its_name(tmp_path: Path) -> None:
    result = run(tmp_path, written(replicas=2), options=("-o", "name"))
    assert result.output == "pod/site-0\npod/site-1\n"


def test_generated_pods_are_one_with_a_generate_name(tmp_path: Path) -> None:
    result = run(tmp_path, written(replicas=2, podNaming="Generated"), options=("-o", "json"))
    pod = json.loads(result.output)
    assert pod["metadata"]["generateName"] == "site-"
    assert "name" not in pod["metadata"]
    app = sidecarapp(template=WEB, replicas=0, podNaming="Generated")
    assert rendered(app, compose(app, {})) == []


def test_what_the_file_does_not_tell_is_left_out(tmp_path: Path) -> None:
    """An owner reference without a UID would be refused."""
    [pod] = yaml.safe_load_all(run(tmp_path, written()).output)
    assert {"ownerReferences", "namespace"}.isdisjoint(pod["metadata"])
    known = written()
    known["metadata"] |= {"uid": "1-2-3", "namespace": "shop"}
    [pod] = yaml.safe_load_all(run(tmp_path, known).output)
    assert pod["metadata"]["ownerReferences"][0]["uid"] == "1-2-3"
    assert pod["metadata"]["namespace"] == "shop"


def test_several_objects_are_a_list_in_json_and_documents_in_yaml(tmp_path: Path) -> None:
    objects = (written("a"), written("b"))
    found = json.loads(run(tmp_path, *objects, options=("-o", "json")).output)
    assert found["kind"] == "List"
    assert found["items"] == list(yaml.safe_load_all(run(tmp_path, *objects).output))


def test_parts_come_from_their_namespace(tmp_path: Path) -> None:
    app = written(include=[{"kind": "SidecarApp", "name": "logs"}])
    part = written("logs", template=None, sidecars=[{"name": "logs", "image": "logs"}])
    assert "image: logs" in run(tmp_path, app, part).output
    part["metadata"]["namespace"] = "other"
    result = run(tmp_path, app, part)
    assert (result.exit_code, 'there is no SidecarApp "logs"' in result.output) == (2, True)
    result = run(tmp_path, part)
    assert (result.exit_code, "all objects are parts" in result.output) == (2, True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_field_of_a_pod_is_explained(case: Path) -> None:
    pod = yaml.safe_load((case / "pod.yaml").read_text())
    result = CliRunner().invoke(render, ["-f", str(case / "object.yaml"), "--explain"])
    sections = {text.split()[0]: text for text in result.output.split("\n\n")}
    for container in [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]:
        section = sections[container["name"]]
        for name in container.keys() - {"name"}:
            assert f"\n  {name}" in section
    assert all(f"volumes[{v['name']}]" in sections["Pod"] for v in pod["spec"].get("volumes", ()))


def sources(text: str) -> dict[str, str]:
    """Field of the text's last container -> where it comes from."""
    rows = (line.split(maxsplit=1) for line in text.rpartition("\n\n")[2].splitlines()[2:])
    return {field: rest.rpartition("   ")[2] for field, rest in rows}


def explanation(app: Any, *parts: Any) -> str:
    made = rendered(app, compose(app, parts))
    return explained(app, parts, HelperImages(), made)


def test_a_field_comes_from_template_part_or_volume() -> None:
    part = ambassador("cache", upstreams=[{**redis_upstream(), "env": {"hostName": "REDIS_HOST"}}])
    web = {"name": "web", "image": "nginx", "env": [{"name": "OWN", "value": "1"}]}
    app = sidecarapp(
        template={"spec": {"containers": [web]}},
        sharedVolumes=[
            {"name": "a", "mountPath": "/a"},
            {"name": "b", "mounts": [{"container": "web", "mountPath": "/b"}]},
        ],
        sharedMemory="64Mi",
        include=[{"kind": "Ambassador", "name": "cache"}],
    )
    assert sources(explanation(app, part)) == {
        "image": "spec.template.spec.containers[0].image",
        "env[REDIS_HOST]": "Ambassador cache: spec.upstreams[0].env.hostName",
        "env[OWN]": "spec.template.spec.containers[0].env[0]",
        "volumeMounts[/a]": "spec.sharedVolumes[0]",
        "volumeMounts[/b]": "spec.sharedVolumes[1].mounts[0]",
        "volumeMounts[/dev/shm]": "spec.sharedMemory",
    }


def test_no_shared_memory_is_a_size_too() -> None:
    text = explanation(sidecarapp(template=template(), sharedMemory=0))
    assert sources(text)["volumeMounts[/dev/shm]"] == "spec.sharedMemory"


def test_what_is_given_comes_from_whoever_gives_it() -> None:
    """Over nested parts and namespaces."""
    values = [{"name": "REPO", "value": "site"}]
    resources = [{"container": "git-sync", "limits": {"cpu": "1"}}]
    everyone = {"namespaces": ["*"]}
    git = part(
        "git",
        env=[{"name": "REPO", "required": True}, {"name": "TZ", "value": "UTC"}],
        sidecars=[
            {
                "name": "git-sync",
                "image": "git",
                "env": [{"name": "REF", "value": "main"}],
                "volumeMounts": [{"name": "key", "mountPath": "/key"}],
            }
        ],
        volumes=[{"name": "key", "secret": {"secretName": "key"}}],
        initContainers=[{"name": "first", "image": "first"}],
        sharedWith=everyone,
    )
    given = {"kind": "SidecarApp", "name": "git", "env": [{"name": "REF", "value": "release"}]}
    outer = part("outer", include=[given], sharedWith=everyone)
    included = {
        "kind": "SidecarApp",
        "name": "outer",
        "namespace": "platform",
        "env": values,
        "resources": resources,
    }
    text = explanation(sidecarapp(template=WEB, include=[included]), outer, git)
    found = sources(next(section for section in text.split("\n\n") if section.startswith("git-sync ")))
    assert found == {
        "image": "SidecarApp platform/git: spec.sidecars[0].image",
        "env[REPO]": "spec.include[0].env[0]",
        "env[TZ]": "SidecarApp platform/git: spec.env[1]",
        "env[REF]": "SidecarApp platform/outer: spec.include[0].env[0]",
        "volumeMounts[/key]": "SidecarApp platform/git: spec.sidecars[0].volumeMounts[0]",
        "restartPolicy": "SidecarApp platform/git: spec.sidecars[0].order",
        "resources": "spec.include[0].resources[0]",
    }
    assert "first (init container): SidecarApp platform/git: spec.initContainers[0]" in text
    [volume] = [line for line in text.splitlines() if line.lstrip().startswith("volumes[key]")]
    assert volume.endswith("   SidecarApp platform/git: spec.volumes[0]")


def part(name: str, **spec: Any) -> Any:
    return parse(manifest("SidecarApp", name, spec, namespace="platform"))


def test_what_people_add_to_a_composed_container_is_theirs() -> None:
    container = {"image": "own", "env": [{"name": "TZ", "value": "UTC"}]}
    app = ambassador(template=WEB, proxy={"container": container, "resources": {"limits": {"cpu": "1"}}})
    text = explanation(app)
    found = sources(text.rpartition("\n\n")[0])
    assert found["image"] == "spec.proxy.container.image"
    assert found["env[TZ]"] == "spec.proxy.container.env"
    assert found["resources"] == "spec.proxy.resources"
    assert found["ports[6379]"] == "spec.upstreams[0].listen.port"
    assert found["args"] == OPERATOR


def test_pods_have_their_claims_and_ordinals(tmp_path: Path) -> None:
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    app = written(
        replicas=2, ordinals={"start": 3}, serviceName="db", volumeClaimTemplates=[claim], sharedMemory="1Mi"
    )
    names = run(tmp_path, app, options=("-o", "name")).output.splitlines()
    assert names == [
        "persistentvolumeclaim/data-site-3",
        "pod/site-3",
        "persistentvolumeclaim/data-site-4",
        "pod/site-4",
    ]
    found = {
        line.split()[0]: line
        for line in run(tmp_path, app, options=("--explain",)).output.splitlines()
        if line
    }
    assert found["volumes[data]"].endswith("   spec.volumeClaimTemplates[0]")
    assert found["subdomain"].endswith("   spec.serviceName")
    assert found["hostname"].endswith("   the operator, as podNaming is Stable")
    assert found["volumes[shared-memory]"].endswith("   spec.sharedMemory")
