"""YAML is read as kubectl reads it, and no file ends a command with a traceback."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from podpatterns.cli import main
from podpatterns.cli.kubectlyaml import NoJson, documents

SITE = """
apiVersion: podpatterns.dev/v1alpha1
kind: SidecarApp
metadata: {name: site}
spec:
  template: {spec: {containers: [{name: web, image: web:1}]}}
"""
BOMB = "x: &x1 [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"x{i}: &x{i} [{','.join([f'*x{i - 1}'] * 9)}]\n" for i in range(2, 11)
)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2026-01-31", "2026-01-31"),
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        ("2026-13-45", "2026-13-45"),
        ("12:30:45", "12:30:45"),
        ("1:30.5", "1:30.5"),
        ("=", "="),
        ("3.0", 3),
        ("1e3", 1000),
        ("0.5", 0.5),
        ("-7", -7),
        ("0x1f", 31),
        ("017", 15),
        ("08", 8),
        ("1_000", 1000),
        ("yes", True),
        ("!!binary aGVsbG8=", "hello"),
        ("null", None),
        ("1" + "0" * 30, 1e30),
        ('"\\ud800x"', "\ufffdx"),
        ("{7: a, true: b, 2026-01-31: c}", {"7": "a", "true": "b", "2026-01-31": "c"}),
    ],
)
def test_values(written: str, value: Any) -> None:
    [read] = documents(written)
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{SITE}  replicas: 1{'0' * 5000}\n", id="long number"),
        pytest.param(f"{SITE}  replicas: 0x{'f' * 5000}\n", id="long hexadecimal number"),
        pytest.param(BOMB, id="alias bomb"),
        pytest.param("&a [*a]", id="alias to itself"),
        pytest.param(f"{SITE}  sidecars: &s [*s]\n", id="alias to a field around it"),
        pytest.param("[" * 800 + "]" * 800, id="deep list"),
        pytest.param("[" * 100_000, id="very deep list"),
        pytest.param("{a: " * 100_000, id="very deep map"),
        pytest.param("!!set {a, b}", id="set"),
        pytest.param("? [a, b]\n: c", id="list as a key"),
    ],
)
def test_what_is_no_json_is_told_with_exit_status_2(text: str) -> None:
    result = CliRunner().invoke(main, ["check", "-f", "-"], input=text)
    assert (result.exit_code, result.stderr.splitlines()[0][:15]) == (2, "Error: <stdin>:")


def test_too_many_values() -> None:
    with pytest.raises(NoJson, match="more than"):
        documents(BOMB)


@pytest.mark.parametrize(
    "fields",
    ["resources: {limits: {1: 2, cpu: 1}}", 'command: ["\\ud800"]', "env: [{name: AT, value: 2026-01-31}]"],
)
def test_odd_values_are_judged(fields: str) -> None:
    text = SITE.replace("image: web:1", f"image: web:1, {fields}")
    result = CliRunner().invoke(main, ["check", "-f", "-"], input=text)
    assert (result.exit_code, result.stderr) == (0, "")
