"""The options about the helpers' images, which `run` and `render` share."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from podpatterns.cli import main

DIGEST = f"sha256:{'a' * 64}"
ADAPTER = """
apiVersion: podpatterns.dev/v1alpha1
kind: Adapter
metadata: {name: legacy}
spec:
  template: {spec: {containers: [{name: app, image: app}]}}
  sources: [{name: app, type: proc}]
  rules: [{source: app, path: process_count, metric: app_processes}]
"""


def test_render_foretells_what_the_operator_does_with_them(tmp_path: Path) -> None:
    (tmp_path / "adapter.yaml").write_text(ADAPTER)
    options = {
        "repository": "registry.example.com/helpers",
        "digest": f"metrics-adapter={DIGEST}",
        "pull-policy": "Never",
        "pull-secret": "registry",
    }
    arguments = [f"--helper-image-{name}={value}" for name, value in options.items()]
    result = CliRunner().invoke(main, ["render", f"--filename={tmp_path}", *arguments])
    assert result.exit_code == 0, result.output
    spec = next(o for o in yaml.safe_load_all(result.output) if o["kind"] == "Pod")["spec"]
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    (helper,) = spec["initContainers"]
    assert helper["image"] == f"registry.example.com/helpers/metrics-adapter@{DIGEST}"
    assert helper["imagePullPolicy"] == "Never"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (f"redis={DIGEST}", 'there is no helper "redis": it is one of haproxy-ambassador,'),
        ("metrics-adapter=sha256:0", "is not of the form HELPER=sha256:"),
        ("metrics-adapter", "is not of the form HELPER=sha256:"),
    ],
)
@pytest.mark.parametrize("command", ["run", "render"])
def test_a_digest_of_another_form_is_refused(command: str, written: str, told: str) -> None:
    result = CliRunner().invoke(main, [command, f"--helper-image-digest={written}"])
    assert result.exit_code == 2
    assert told in " ".join(result.output.split())
