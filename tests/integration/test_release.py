"""The files of a release."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

from release import chart, manifests
from testbed.cluster.programs import program
from testbed.release import CHART, NAMESPACE


def test_the_package_is_the_same_again_and_helm_takes_it(tmp_path: Path) -> None:
    made = []
    for name in ("one", "other"):
        directory = tmp_path / name
        directory.mkdir()
        made.append(chart.package(directory))

    assert [file.read_bytes() for file in made[0]] == [file.read_bytes() for file in made[1]]
    assert [template(file) for file in made[0]] == [template(of) for of in sorted(CHART.parent.iterdir())]


def test_the_installation_without_helm_is_what_the_chart_makes() -> None:
    made = list(yaml.safe_load_all(manifests.installation("registry.example.com/team/")))

    chart_makes = [manifest for manifest in yaml.safe_load_all(template(CHART)) if manifest]
    of_the_chart = sorted(kind_and_name(manifest) for manifest in chart_makes if not is_hook(manifest))
    assert sorted(map(kind_and_name, made)) == sorted([*of_the_chart, ("Namespace", NAMESPACE)])
    assert kind_and_name(made[0]) == ("Namespace", NAMESPACE)
    assert "helm.sh/" not in str(made)
    [deployment] = [manifest for manifest in made if manifest["kind"] == "Deployment"]
    [operator] = deployment["spec"]["template"]["spec"]["containers"]
    assert operator["image"].startswith("registry.example.com/team/operator:")


def test_the_crds_are_in_one_file() -> None:
    kinds = [crd["spec"]["names"]["kind"] for crd in yaml.safe_load_all(manifests.crds())]
    assert kinds == ["Adapter", "Ambassador", "SidecarApp"]


def template(source: Path) -> str:
    """Return what Helm makes of the chart, of which it has nothing to say."""
    command: list[str | Path] = [
        program("helm"),
        "template",
        "podpatterns",
        source,
        f"--namespace={NAMESPACE}",
    ]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    assert result.stderr == ""
    return result.stdout


def is_hook(manifest: dict[str, dict[str, dict[str, str]]]) -> bool:
    return "helm.sh/hook" in manifest["metadata"].get("annotations", {})


def kind_and_name(manifest: dict[str, dict[str, str]]) -> tuple[str, str]:
    return str(manifest["kind"]), manifest["metadata"]["name"]
