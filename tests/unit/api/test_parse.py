"""From a manifest to a model, and what is said of a manifest that doesn't fit."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from podpatterns.api import API_VERSION, FieldError, InvalidObject, SidecarApp, Status, parse
from testbed.builders import adapter, ambassador

EXAMPLES = Path(__file__).parents[3] / "examples"


MANIFESTS: dict[str, dict[str, Any]] = {
    f"{manifest['kind']}/{manifest['metadata']['name']}": manifest
    for file in sorted(EXAMPLES.glob("*.yaml"))
    for manifest in yaml.safe_load_all(file.read_text())
    if manifest["apiVersion"] == API_VERSION
}


def site(**spec: Any) -> dict[str, Any]:
    manifest = MANIFESTS["SidecarApp/site"]
    return {**manifest, "spec": {**manifest["spec"], **spec}}


@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS)
def test_an_example_survives_the_way_through_the_models(manifest: dict[str, Any]) -> None:
    model = parse(manifest)

    assert model.kind == manifest["kind"]
    assert parse(model.manifest()) == model


def test_what_is_left_out_has_the_documented_default() -> None:
    spec = parse({"kind": "SidecarApp", "metadata": {"name": "part"}, "spec": {}}).spec

    assert (spec.replicas, spec.template, spec.pod_naming) == (1, None, "Stable")
    assert (spec.pod_replacement_policy, spec.update_strategy.type) == (
        "TerminatingOrFailed",
        "InPlaceIfPossible",
    )
    assert (spec.update_strategy.max_unavailable, spec.update_strategy.max_surge) == ("25%", 0)
    assert (spec.min_ready_seconds, spec.progress_deadline_seconds, spec.revision_history_limit) == (
        0,
        600,
        10,
    )


def test_metadata_that_the_operator_does_not_read_is_passed_over() -> None:
    metadata = {"name": "site", "uid": "u", "resourceVersion": "7", "managedFields": [{"manager": "kubectl"}]}

    model = parse({**site(), "metadata": metadata})

    assert (model.metadata.uid, model.metadata.resource_version) == ("u", "7")


def test_status_fields_of_a_newer_operator_are_passed_over() -> None:
    model = parse({**site(), "status": {"replicas": 2, "invented": True, "recentReplacements": []}})

    assert model.status.replicas == 2


@pytest.mark.parametrize(
    "status",
    [
        {"replicas": "two"},
        {"usedBy": [{"kind": "SidecarApp", "name": f"a{i}"} for i in range(101)]},
        {"conditions": [{"type": "Ready"}]},
        [],
        None,
    ],
)
def test_a_status_of_another_form_makes_an_object_no_less_readable(status: Any) -> None:
    model = parse({**site(), "status": status})

    assert model.spec == parse(site()).spec
    assert model.status == Status()


def test_a_sidecar_is_a_container_without_order() -> None:
    container = {"name": "sync", "image": "git-sync", "resources": {"limits": {"cpu": 1}}}

    model = parse(site(sidecars=[{**container, "order": "WithApp"}, {"name": "log"}]))

    assert isinstance(model, SidecarApp)
    assert [(s.order, s.container) for s in model.spec.sidecars] == [
        ("WithApp", container),
        ("BeforeApp", {"name": "log"}),
    ]


def test_kubernetes_types_are_carried_as_written() -> None:
    template = {
        "spec": {"containers": [{"name": "web", "resources": {"limits": {"cpu": 1}}, "newField": {}}]}
    }

    assert parse(site(template=template)).spec.template == template


def test_an_upstream_has_its_defaults() -> None:
    model = ambassador()
    redis = model.spec.upstreams[0].redis
    assert redis is not None
    assert (model.spec.mode, model.spec.proxy.metrics_port, redis.read_policy) == ("Proxy", 8404, "Primary")


@pytest.mark.parametrize(
    ("spec", "path", "message"),
    [
        ({"replica": 2}, "spec.replica", "unknown field"),
        ({"replicas": "2"}, "spec.replicas", "valid integer"),
        ({"replicas": True}, "spec.replicas", "valid integer"),
        ({"replicas": -1}, "spec.replicas", "greater than or equal to 0"),
        ({"template": []}, "spec.template", "valid dictionary"),
        ({"sidecars": {}}, "spec.sidecars", "a list"),
        ({"sidecars": [{"image": "x"}]}, "spec.sidecars[0].name", "required"),
        ({"sharedMemory": "64 MB"}, "spec.sharedMemory", "a quantity such as 64Mi"),
        ({"sharedMemory": "6" * 65}, "spec.sharedMemory", "a quantity such as 64Mi"),
        ({"podNaming": "Random"}, "spec.podNaming", "'Stable' or 'Generated'"),
        ({"updateStrategy": {"maxSurge": "120%"}}, "spec.updateStrategy.maxSurge", "a percentage up to 100%"),
        ({"updateStrategy": {"maxSurge": -1}}, "spec.updateStrategy.maxSurge", "a number of Pods"),
        ({"include": [{"kind": "Pod", "name": "x"}]}, "spec.include[0].kind", "'SidecarApp', 'Ambassador'"),
        (
            {
                "sharedVolumes": [
                    {"name": "a", "mountPath": "/a", "mounts": [{"container": "x"}, {"contaner": "y"}]}
                ]
            },
            "spec.sharedVolumes[0].mounts[1].container",
            "required",
        ),
        ({"sharedVolumes": [{"name": "a", "mountPath": "a"}]}, "spec.sharedVolumes[0].mountPath", "pattern"),
    ],
)
def test_what_does_not_fit_is_named_with_its_path(spec: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(InvalidObject) as refused:
        parse(site(**spec))

    assert path in [error.path for error in refused.value.errors]
    assert message in str(refused.value)


def test_every_error_is_reported() -> None:
    with pytest.raises(InvalidObject) as refused:
        parse(site(replicas="2", sharedMemory=[]))

    assert [error.path for error in refused.value.errors] == ["spec.replicas", "spec.sharedMemory"]


def test_of_thousands_of_errors_twenty_are_told() -> None:
    with pytest.raises(InvalidObject) as refused:
        parse(site(**{f"{i:04}{'x' * 2_000}": 0 for i in range(300)}))

    *told, last = refused.value.errors
    assert len(told) == 19
    assert all(error.message == "unknown field" for error in told)
    assert str(last) == "spec: 281 problems more: mend these first"
    assert max(len(str(error)) for error in told) <= 1024


@pytest.mark.parametrize(
    ("manifest", "path"),
    [
        ({}, "kind"),
        ({"kind": "Pod"}, "kind"),
        ({"kind": "SidecarApp", "metadata": {"name": "x"}}, "spec"),
        ({"kind": "SidecarApp", "spec": {}}, "metadata"),
        (
            {"apiVersion": "podpatterns.dev/v9", "kind": "SidecarApp", "metadata": {"name": "x"}, "spec": {}},
            "apiVersion",
        ),
    ],
)
def test_an_object_of_another_form_is_refused(manifest: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidObject) as refused:
        parse(manifest)

    assert [error.path for error in refused.value.errors] == [path]


words = st.text("aZ0.-/ \n\u00e9", max_size=5)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(words, values, max_size=3),
    max_leaves=5,
)


@given(data=st.data())
def test_any_value_anywhere_is_taken_or_refused_by_path(data: st.DataObject) -> None:
    """The controller gets what is stored, whatever schema was installed when it was written."""
    manifest = copy.deepcopy(data.draw(st.sampled_from(list(MANIFESTS.values()))))
    node: Any = manifest
    while isinstance(node, dict | list) and node:
        key = data.draw(
            st.sampled_from(sorted(node)) if isinstance(node, dict) else st.integers(0, len(node) - 1)
        )
        if data.draw(st.booleans()):
            node[key] = data.draw(json_values)
            break
        node = node[key]

    errors: tuple[FieldError, ...] = ()
    try:
        model = parse(manifest)
    except InvalidObject as refused:
        errors = refused.errors
    else:
        written = json.loads(json.dumps(model.manifest()))
        assert parse(written).manifest() == written
    assert all(error.path and error.message for error in errors)


@pytest.mark.parametrize(
    ("endpoint", "taken"),
    [
        ("http://collector:4318", True),
        ("https://otlp.example.com/tenants/a-1/", True),
        ("http://[2001:db8::1]:4318/v1/metrics", True),
        ("collector:4318", False),
        ("http://", False),
        ("http://user:password@collector:4318", False),
        ("http://collector:port", False),
        ("http://collector/?token=x", False),
        ("http://collector/%zz", False),
    ],
)
def test_a_receiver_is_a_plain_url(endpoint: str, taken: bool) -> None:
    def read() -> object:
        return adapter(metrics={"otlp": {"endpoint": endpoint}}).spec.metrics.otlp

    if taken:
        assert read()
        return
    with pytest.raises(InvalidObject) as refused:
        read()
    assert [e.path for e in refused.value.errors] == ["spec.metrics.otlp.endpoint"]
