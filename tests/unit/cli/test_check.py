"""The findings of `podpatterns check`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from podpatterns.api import parse
from podpatterns.cli import main
from podpatterns.cli.crdrules import broken_rules
from testbed.builders import template
from testbed.manifests import manifest
from tests import generated
from tests.crdrules import BROKEN, SPECS, change
from tests.problems import ADVISED, Advised

STATS = {"name": "stats", "type": "json", "json": {"url": "http://127.0.0.1:8801/"}}
WEB = {"name": "web", "image": "web:1"}
HITS = {"source": "stats", "path": "hits", "metric": "app_hits_total"}
CUSTOM = {"name": "custom", "metrics": [{"name": "app_hits_total", "type": "counter"}]}


def adapter(name: str, *rules: dict[str, Any], **spec: Any) -> dict[str, Any]:
    given = {"sources": [STATS], "rules": [HITS, *rules], "contract": CUSTOM, **spec}
    return manifest("Adapter", name, given)


def told(*objects: dict[str, Any]) -> tuple[int, list[str], str]:
    """The exit status, the lines, and what was noted beside them."""
    text = yaml.safe_dump_all(objects)
    result = CliRunner().invoke(main, ["check", "-f", "-"], input=text)
    return result.exit_code, result.stdout.splitlines(), result.stderr


def include(*parts: str) -> list[dict[str, str]]:
    return [{"kind": "Adapter", "name": part} for part in parts]


@pytest.mark.parametrize("name", ["Site", "a_b", "-a", "a.-b", "a\n", "a\x1b[31m"])
def test_a_name_that_no_object_can_have(name: str) -> None:
    status, [line], _ = told(manifest("SidecarApp", name, {"template": template()}))
    assert status == 1
    assert line.endswith("must be of lowercase letters, digits, - and ., such as site-1")


def test_nothing_is_wrong() -> None:
    app = manifest("SidecarApp", "site", {"template": template(WEB), "include": include("red")})
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    assert told(app, adapter("red"), config_map) == (0, ["2 objects checked: nothing is wrong"], "")


@pytest.mark.parametrize(
    ("obj", "line"),
    [
        (
            adapter("red", speling=1),
            "adapter/red: spec.speling: unknown field",
        ),
        (
            adapter("red", replicas="two"),
            'adapter/red: spec.replicas: must be an integer, not "two"',
        ),
        (
            adapter("red", sources=[STATS, STATS]),
            "adapter/red: spec.sources[1]: there is another one with name stats",
        ),
        (
            adapter("red", podReplacementPolicy="Failed"),
            (
                "adapter/red: spec.podReplacementPolicy: Failed needs podNaming Generated: with a stable "
                "name a replacement always waits"
            ),
        ),
        (
            adapter("red", {**HITS, "metric": "adapter_hits"}),
            (
                "adapter/red: spec.rules[1].metric: must be a metric's name such as app_requests_total; "
                "adapter_… are the adapter's own"
            ),
        ),
        (
            adapter("red", rules=[]),
            (
                "adapter/red: spec.rules: no rule makes app_hits_total, a counter that custom wants; add "
                "one, or choose another contract"
            ),
        ),
        (
            adapter("red", {**HITS, "metric": "app_hits"}),
            (
                "adapter/red: spec.rules[1].metric: app_hits and app_hits_total cannot both be there: in "
                "OpenMetrics both have the name app_hits"
            ),
        ),
        (
            manifest("SidecarApp", "site", {"template": template(WEB, WEB)}),
            "sidecarapp/site: spec.template.spec.containers[1]: there is another one with name web",
        ),
        (
            manifest("SidecarApp", "site", {"template": template(WEB), "sidecars": [WEB]}),
            (
                'sidecarapp/site: spec.template.spec.containers[0].name: "web" is taken by spec.sidecars[0]: '
                "container names are unique in a Pod, rename one"
            ),
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_field(obj: dict[str, Any], line: str) -> None:
    assert told(obj) == (1, [f"<stdin>: {line}"], "")


def test_a_broken_rule_of_the_crd_hides_no_index() -> None:
    code, lines, _ = told(adapter("red", {**HITS, "source": "nobody"}))
    assert code == 1
    assert lines == [
        "<stdin>: adapter/red: spec.rules: a rule refers to a source that isn't declared",
        '<stdin>: adapter/red: spec.rules[1].source: there is no source "nobody"; the sources are stats',
    ]


def test_what_a_part_has_of_its_own_is_told_once_with_the_part() -> None:
    app = manifest("SidecarApp", "site", {"template": template(), "include": include("red")})
    code, lines, _ = told(adapter("red", rules=[]), app)
    assert (code, [line.split(": ")[1] for line in lines]) == (1, ["adapter/red"])


def test_a_part_that_is_not_in_the_files_may_be_in_the_cluster() -> None:
    app = manifest("SidecarApp", "site", {"template": template(), "include": include("red")})
    code, lines, note = told(app)
    assert (code, lines) == (0, ["1 object checked: nothing is wrong"])
    assert 'spec.include[0]: there is no Adapter "red"' in note


def test_a_faulty_part_is_not_told_as_missing_too() -> None:
    app = manifest("SidecarApp", "site", {"template": template(WEB), "include": include("red")})
    code, lines, notes = told(adapter("red", speling=1), app)
    assert (code, lines, notes) == (1, ["<stdin>: adapter/red: spec.speling: unknown field"], "")


def test_two_objects_of_one_name() -> None:
    assert told(adapter("red"), adapter("red")) == (
        1,
        ["<stdin>: adapter/red: metadata.name: is taken in <stdin> already"],
        "",
    )


def test_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("a: [")
    result = CliRunner().invoke(main, ["check", "-f", str(file)])
    assert (result.exit_code, str(file) in result.output) == (2, True)


def test_the_same_name_in_another_namespace_is_free() -> None:
    other = adapter("red")
    other["metadata"]["namespace"] = "other"
    assert told(adapter("red"), other)[0] == 0


def test_two_kinds_whose_pods_would_have_the_same_names() -> None:
    app = manifest("SidecarApp", "red", {"template": template()})
    _, lines, _ = told(app, adapter("red", template=template()))
    names = "SidecarApp red makes Pods of the same names, red-0 and so on"
    assert lines == [f"<stdin>: adapter/red: metadata.name: {names}: rename one"]


def test_a_kind_that_is_misspelt() -> None:
    code, lines, _ = told({**adapter("red"), "kind": "adaptor"})
    assert code == 1
    assert lines == [
        '<stdin>: adaptor/red: kind: there is no kind "adaptor" in podpatterns.dev: did you mean Adapter?'
    ]


def test_kinds_of_another_group_are_not_ours() -> None:
    theirs = {**manifest("Ambassador", "x", {"anything": 1}), "apiVersion": "example.com/v1"}
    assert told(theirs, adapter("red")) == (0, ["1 object checked: nothing is wrong"], "")


def test_lists_and_json_are_read(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text(json.dumps({"kind": "List", "items": [adapter("a")]}))
    (tmp_path / "bare.yml").write_text(yaml.safe_dump([adapter("b"), adapter("c", speling=1)]))
    (tmp_path / "notes.txt").write_text("a: [")
    result = CliRunner().invoke(main, ["check", "-f", str(tmp_path)])
    assert result.stdout == f"{tmp_path}/bare.yml: adapter/c: spec.speling: unknown field\n"


@pytest.mark.parametrize("text", ["", "---\n", "kind: ConfigMap", "kind: List\nitems: []", "words"])
def test_no_object_of_ours_is_an_error(text: str) -> None:
    result = CliRunner().invoke(main, ["check", "-f", "-"], input=text)
    assert (result.exit_code, result.stderr) == (2, "Error: -: no object of podpatterns.dev\n")


def test_a_file_that_is_not_there() -> None:
    result = CliRunner().invoke(main, ["check", "-f", "no-such-file"])
    assert (result.exit_code, result.stderr) == (2, "Error: no-such-file: No such file or directory\n")


@pytest.mark.parametrize("kind", SPECS)
def test_an_object_that_keeps_all_rules(kind: str) -> None:
    assert broken_rules(parse(manifest(kind, "x", SPECS[kind]))) == []


@pytest.mark.parametrize(
    ("kind", "changes", "path", "message"), BROKEN, ids=[f"{kind}-{path}" for kind, _, path, _ in BROKEN]
)
def test_every_rule_of_the_crds_is_known(kind: str, changes: dict[str, Any], path: str, message: str) -> None:
    """As the API server tells it: see the test that the table is from."""
    found = broken_rules(parse(manifest(kind, "x", change(SPECS[kind], changes))))
    assert any(e.path == path and message in e.message for e in found)


class TestPartsOfOtherNamespaces:
    PLATFORM = {"kind": "SidecarApp", "name": "git", "namespace": "platform"}  # noqa: RUF012

    def site(self) -> dict[str, Any]:
        return manifest("SidecarApp", "site", {"template": template(WEB), "include": [self.PLATFORM]})

    def part(self, **spec: Any) -> dict[str, Any]:
        sidecar = {"name": "git", "image": "git:1", "order": "WithApp"}
        return manifest("SidecarApp", "git", {"sidecars": [sidecar], **spec}, namespace="platform")

    def test_one_that_is_shared(self) -> None:
        status, lines, noted = told(self.site(), self.part(sharedWith={"namespaces": ["default"]}))
        assert (status, lines, noted) == (0, ["2 objects checked: nothing is wrong"], "")

    def test_one_that_is_not_shared_is_wrong_where_the_files_have_it(self) -> None:
        status, [line], _ = told(self.site(), self.part())
        assert status == 1
        assert "that is shared with namespace default" in line

    def test_one_that_is_not_in_the_files_is_not_checked(self) -> None:
        status, _, noted = told(self.site())
        assert status == 0
        assert noted.endswith("(not checked)\n")


def test_the_fault_of_a_part_is_told_once_and_of_the_part() -> None:
    include = [{"kind": "SidecarApp", "name": "a"}]
    site = manifest("SidecarApp", "site", {"template": template(WEB), "include": include})
    outer = manifest("SidecarApp", "outer", {"include": include})
    part = manifest("SidecarApp", "a", {"include": [{"kind": "SidecarApp", "name": "b"}]})
    status, lines, noted = told(site, outer, part)
    assert (status, lines) == (0, ["3 objects checked: nothing is wrong"])
    assert noted == (
        '<stdin>: sidecarapp/a: spec.include[0]: there is no SidecarApp "b" in namespace default: create it '
        "or take the entry out (not checked)\n"
    )


def test_what_is_unwise_is_a_warning() -> None:
    app = manifest(
        "SidecarApp", "site", {"template": template({"name": "web", "image": "web"}), "sidecars": [WEB]}
    )
    app["spec"]["sidecars"][0]["name"] = "helper"
    status, lines, notes = told(app)
    assert (status, lines) == (0, ["1 object checked: nothing is wrong"])
    assert [line.split(": ")[:3] for line in notes.splitlines()] == [
        ["Warning", "<stdin>", "sidecarapp/site"],
        ["Warning", "<stdin>", "sidecarapp/site"],
    ]
    assert "spec.template.spec.containers[0].image: web may be another image tomorrow" in notes


@pytest.mark.parametrize("advised", ADVISED, ids=str)
def test_warnings_are_those_of_the_server(advised: Advised) -> None:
    status, _, notes = told(manifest(advised.kind, "site", {**advised.spec}, namespace="shop"))
    assert status == 0
    assert advised.warning in notes
    assert len(notes.splitlines()) == 1


def test_a_part_is_told_what_is_wrong_with_it_in_any_pod() -> None:
    twice = [{"name": n, "image": "x:1", "ports": [{"containerPort": 80}]} for n in ("a", "b")]
    status, [line], _ = told(manifest("SidecarApp", "part", {"sidecars": twice}))
    assert status == 1
    assert (
        "spec.sidecars[1].ports[0].containerPort: TCP port 80 is taken by spec.sidecars[0].ports[0]" in line
    )


def test_a_field_that_is_null_is_none() -> None:
    assert told(manifest("SidecarApp", "site", {"template": template(WEB), "sidecars": None}))[0] == 0


@pytest.mark.parametrize("most", [400])
def test_no_object_makes_check_fail(most: int) -> None:
    """Many more of them: python -m tests.generated."""
    found = generated.run(range(most))
    assert found.crashes == []
    assert min(found.good, found.bad) > most / 20
