"""The change from one template to another, and whether a running Pod can take it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from podpatterns.replicas.change import Change, change

TEMPLATE: dict[str, Any] = {
    "metadata": {"labels": {"team": "shop"}, "annotations": {"note": "old"}},
    "spec": {
        "initContainers": [
            {"name": "setup", "image": "setup:1"},
            {"name": "sync", "image": "sync:1", "restartPolicy": "Always"},
        ],
        "containers": [
            {
                "name": "web",
                "image": "web:1",
                "env": [{"name": "A", "value": "1"}],
                "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "64Mi"}},
            }
        ],
        "volumes": [{"name": "page", "emptyDir": {}}],
    },
}


REQUESTS = {"requests": {"cpu": "10m", "memory": "32Mi"}}


def edited(path: str, value: Any) -> dict[str, Any]:
    """The template with one field set; a path as in spec.containers.0.image."""
    template = deepcopy(TEMPLATE)
    *way, last = path.split(".")
    at: Any = template
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    if isinstance(at, list):
        at[int(last)] = value
    else:
        at[last] = value
    return template


def test_nothing() -> None:
    assert change(TEMPLATE, deepcopy(TEMPLATE)) == Change()
    assert Change().in_place


@pytest.mark.parametrize(
    ("path", "container"), [("spec.containers.0.image", "web"), ("spec.initContainers.1.image", "sync")]
)
def test_images_of_what_keeps_running_change_in_place(path: str, container: str) -> None:
    found = change(TEMPLATE, edited(path, "new:2"))
    assert (found.images, found.obstacles) == ({container: "new:2"}, ())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"limits": {"cpu": 1}}, {"limits": {"cpu": "1000m"}}),
        ({"limits": {"memory": "1Gi"}}, {"limits": {"memory": "1024Mi"}, "requests": {"memory": "1Gi"}}),
        ({"limits": {"nvidia.com/gpu": 1}}, {"limits": {"nvidia.com/gpu": "1"}}),
        ({"limits": {}, "requests": None}, None),
    ],
)
def test_a_quantity_in_another_notation_is_no_change(old: Any, new: Any) -> None:
    path = "spec.containers.0.resources"
    assert change(edited(path, old), edited(path, new)) == Change()


def test_amounts_that_come_or_go_are_none_of_these() -> None:
    path = "spec.containers.0.resources"
    assert change(edited(path, {"limits": {"cpu": "0"}}), edited(path, {})).obstacles


@pytest.mark.parametrize("path", ["spec.tolerations", "spec.containers.0.command", "spec.containers.0.ports"])
def test_an_empty_list_is_none(path: str) -> None:
    assert change(TEMPLATE, edited(path, [])) == change(edited(path, []), TEMPLATE) == Change()
    assert change(edited(path, None), edited(path, [])) == Change()


def test_a_variable_with_the_revision_is_an_obstacle_even_if_nothing_else_changes() -> None:
    field = {"fieldRef": {"fieldPath": "metadata.labels['podpatterns.dev/revision']"}}
    template = edited("spec.containers.0.env", [{"name": "REVISION", "valueFrom": field}])
    assert change(template, deepcopy(template)).obstacles == (
        "spec.containers[web].env[REVISION].valueFrom.fieldRef",
    )


RESTARTS = [
    ("an image", {"image": "web:2"}, {"web": "spec.containers[web].image"}),
    ("amounts", {"resources": {"requests": {"cpu": "1"}, "limits": {"memory": "64Mi"}}}, {}),
    (
        "amounts, by the policy",
        {"resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "1Gi"}}},
        {"web": "spec.containers[web].resources"},
    ),
    (
        "one amount in another notation",
        {"resources": {"requests": {"cpu": 0.1}, "limits": {"memory": "64Mi"}}},
        {},
    ),
]


@pytest.mark.parametrize(("fields", "expected"), [pytest.param(*r[1:], id=r[0]) for r in RESTARTS])
def test_containers_that_a_change_restarts(fields: dict[str, Any], expected: dict[str, str]) -> None:
    policy = {"resizePolicy": [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]}
    before = {**TEMPLATE["spec"]["containers"][0], **policy}
    found = change(edited("spec.containers", [before]), edited("spec.containers", [{**before, **fields}]))
    assert (found.restarts, found.obstacles) == (expected, ())


def test_labels_and_annotations_change_in_place_and_go() -> None:
    found = change(TEMPLATE, edited("metadata", {"labels": {"team": "shop", "tier": "web"}}))
    assert (found.labels, found.annotations, found.obstacles) == ({"tier": "web"}, {"note": None}, ())


def test_amounts_of_cpu_and_memory_change_in_place_with_every_request_spelled_out() -> None:
    found = change(
        TEMPLATE, edited("spec.containers.0.resources", {"requests": {"cpu": 1}, "limits": {"memory": "1Gi"}})
    )
    assert found.in_place
    assert found.resources == {"web": {"requests": {"memory": "1Gi", "cpu": 1}, "limits": {"memory": "1Gi"}}}


@pytest.mark.parametrize("key", ["kubectl.kubernetes.io/restartedAt", "checksum/config", "checksum/secret"])
def test_an_annotation_that_restarts_pods_is_an_obstacle(key: str) -> None:
    before, after, gone = (
        edited("metadata.annotations", {"note": "old", **a}) for a in ({key: "1"}, {key: "2"}, {})
    )
    for old, new in ((before, after), (before, gone), (gone, after)):
        assert change(old, new).obstacles == (f"metadata.annotations[{key}]",)


@pytest.mark.parametrize("key", ["restartedAt", "checksum", "checksums/config", "example.com/checksum"])
def test_other_annotations_change_in_place(key: str) -> None:
    assert change(TEMPLATE, edited("metadata.annotations", {"note": "old", key: "2"})).in_place


OBSTACLES = [
    (
        "an init container that has ended",
        "spec.initContainers.0.image",
        "setup:2",
        "spec.initContainers[setup].image",
    ),
    ("a field of a container", "spec.containers.0.command", ["sh"], "spec.containers[web].command"),
    ("one variable", "spec.containers.0.env.0.value", "2", "spec.containers[web].env[A].value"),
    ("a new container", "spec.containers", [{"name": "other", "image": "web:1"}], "spec.containers"),
    ("a field of the Pod", "spec.hostNetwork", True, "spec.hostNetwork"),
    ("a volume", "spec.volumes.0.emptyDir", {"medium": "Memory"}, "spec.volumes[page].emptyDir.medium"),
    (
        "a resource more",
        "spec.containers.0.resources.limits",
        {"memory": "64Mi", "cpu": 1},
        "spec.containers[web].resources",
    ),
    (
        "other resources",
        "spec.containers.0.resources.requests",
        {"cpu": 1, "example.com/gpu": 1},
        "spec.containers[web].resources",
    ),
    (
        "resources of what has ended",
        "spec.initContainers.0.resources",
        {"requests": {"cpu": 1}},
        "spec.initContainers[setup].resources",
    ),
]


@pytest.mark.parametrize(("path", "value", "obstacle"), [pytest.param(*o[1:], id=o[0]) for o in OBSTACLES])
def test_anything_else_is_an_obstacle(path: str, value: Any, obstacle: str) -> None:
    assert change(TEMPLATE, edited(path, value)).obstacles == (obstacle,)


def test_another_quality_of_service_is_an_obstacle() -> None:
    def template(cpu: str) -> dict[str, Any]:
        resources = {"requests": {"cpu": cpu, "memory": "1Gi"}, "limits": {"cpu": "1000m", "memory": "1Gi"}}
        return {"spec": {"containers": [{"name": "web", "image": "web", "resources": resources}]}}

    assert change(template("1"), template("500m")).obstacles == ("status.qosClass",)
    assert change(template("600m"), template("500m")).in_place


def test_an_image_and_something_else_is_told_by_the_obstacle_alone() -> None:
    both = edited("spec.containers.0.image", "web:2")
    both["spec"]["hostNetwork"] = True
    assert str(change(TEMPLATE, both)) == "spec.hostNetwork"
    assert str(change(TEMPLATE, edited("spec.containers.0.image", "web:2"))) == "image of web"


class TestWhatCannotBeRead:
    """It is an obstacle: the Pod is replaced."""

    @pytest.mark.parametrize(
        ("path", "before", "after", "obstacle"),
        [
            (
                "spec.containers.0.ports",
                [{"name": "http", "containerPort": 80}],
                [{"name": "http", "containerPort": 80}, {"containerPort": 443}],
                "spec.containers[web].ports",
            ),
            ("spec.containers.0.image", "web:1", None, "spec.containers[web].image"),
            ("spec.containers.0.image", None, "web:1", "spec.containers[web].image"),
            ("spec.containers.0.image", "web:1", 7, "spec.containers[web].image"),
            ("spec.containers.0", {"name": "web"}, {"image": "web:1"}, "spec.containers"),
            ("spec.containers.0", {"image": "web:1"}, {"image": "web:2"}, "spec.containers"),
            ("spec.containers.0", {"name": "web"}, None, "spec.containers"),
            ("spec.containers.0.name", "sync", "web", "spec.containers"),
            ("spec.containers", [{"name": "a"}, {"name": "a"}], [{"name": "a"}], "spec.containers"),
            ("spec.containers.0.resources", {}, [1], "spec.containers[web].resources"),
            ("spec.containers.0.resources", {}, {"limits": 1}, "spec.containers[web].resources"),
            (
                "spec.containers.0.resources",
                {"limits": {"cpu": "1"}},
                {"limits": {"cpu": "NaN"}},
                "spec.containers[web].resources",
            ),
            ("metadata.labels", {}, ["team"], "metadata.labels"),
            ("metadata.annotations", {"a": "1"}, {"a": 1}, "metadata.annotations"),
            ("metadata", {"labels": {}}, "labels", "metadata"),
            ("spec", {}, None, "spec"),
        ],
    )
    def test_is_named(self, path: str, before: Any, after: Any, obstacle: str) -> None:
        assert obstacle in change(edited(path, before), edited(path, after)).obstacles

    def test_a_template_that_is_none(self) -> None:
        assert change(None, TEMPLATE).obstacles == ("spec",)
        assert change(TEMPLATE, []).obstacles == ("spec",)

    def test_containers_of_one_name_in_both_places(self) -> None:
        def template(image: str) -> dict[str, Any]:
            containers = [{"name": "a", "image": image}]
            return {"spec": {"containers": containers, "initContainers": containers}}

        assert not change(template("x:1"), template("x:2")).in_place

    def test_another_container_of_unknown_resources(self) -> None:
        def template(cpu: str) -> dict[str, Any]:
            of = [{"requests": {"cpu": cpu}}, {"requests": {"cpu": "much"}}]
            return {"spec": {"containers": [{"name": str(i), "resources": r} for i, r in enumerate(of)]}}

        assert change(template("1"), template("2")).obstacles == ("status.qosClass",)

    def test_what_lies_too_deep(self) -> None:
        def template(levels: int, value: Any) -> dict[str, Any]:
            for _ in range(levels):
                value = [value]
            return {"spec": {"containers": [], "x": value}}

        assert change(template(10_000, 1), template(10_000, 2)).obstacles == ("spec.x",)
        assert not change(template(10_000, 1), template(10_000, 1)).in_place

    def test_maps_that_lie_too_deep(self) -> None:
        def template(value: Any) -> dict[str, Any]:
            for _ in range(50):
                value = {"a": value}
            return {"spec": {"x": value}}

        [obstacle] = change(template(1), template(2)).obstacles
        assert obstacle.startswith("spec.x.a.a")


class TestReserved:
    """Labels and annotations of the operator's own domain, kept from before they were refused."""

    @pytest.mark.parametrize("field", ["labels", "annotations"])
    @pytest.mark.parametrize("before", [{}, {"podpatterns.dev/name": "evil"}])
    @pytest.mark.parametrize("after", [{"team": "shop"}, {"team": "shop", "podpatterns.dev/name": "pay"}])
    def test_are_never_given_to_a_pod_and_never_taken_from_it(
        self, field: str, before: dict[str, str], after: dict[str, str]
    ) -> None:
        found = change(edited("metadata", {field: before}), edited("metadata", {field: after}))
        assert (getattr(found, field), found.obstacles) == ({"team": "shop"}, ())


class TestText:
    def test_is_short(self) -> None:
        long = edited("spec.containers.0.env", [{"name": f"{i}{'x' * 10_000}"} for i in range(1_000)])
        other = edited("spec.containers.0.env", [{**e, "value": "x"} for e in named_env(long)])
        found = change(long, other)
        assert len(found.obstacles) == 20
        assert len(str(found)) < 1_000
        assert str(found).endswith(" and 17 more")

    def test_is_short_in_place_too(self) -> None:
        found = change(TEMPLATE, edited("metadata.labels", {f"{i}{'x' * 10_000}": "" for i in range(1_000)}))
        assert len(str(found)) < 1_000


def named_env(template: dict[str, Any]) -> list[dict[str, Any]]:
    env: list[dict[str, Any]] = template["spec"]["containers"][0]["env"]
    return env


odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "a", "web", "1", "1e99", "x:1"]),
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "image", "cpu", "limits", "resources", "x"]), values)
    ),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """The template with up to three values anywhere in it replaced, taken out or doubled."""
    holder: dict[str, Any] = {"template": deepcopy(TEMPLATE)}
    for _ in range(draw(st.integers(0, 3))):
        at: Any = holder
        key: Any = "template"
        while isinstance(at[key], dict | list) and at[key] and draw(st.integers(0, 4)):
            at = at[key]
            key = (
                draw(st.sampled_from(sorted(at)))
                if isinstance(at, dict)
                else draw(st.integers(0, len(at) - 1))
            )
        match draw(st.sampled_from(["replace", "replace", "take out", "double"])):
            case "take out" if at is not holder:
                del at[key]
            case "double" if isinstance(at, list):
                at.append(deepcopy(at[key]))
            case _:
                at[key] = draw(odd)
    return holder["template"]


@given(old=mutated(), new=mutated())
def test_any_two_templates_have_a_change(old: Any, new: Any) -> None:
    found = change(old, new)
    event("in place" if found.in_place else "replaced")
    assert len(str(found)) < 1_000
    assert change(old, deepcopy(old)) == Change()
    assert change(new, new) == Change()
    if found.in_place:
        specs = [t.get("spec") if isinstance(t, dict) else t for t in (old, new)]
        assert frame(specs[0]) == frame(specs[1])
        assert all(isinstance(image, str) for image in found.images.values())


def frame(value: Any) -> Any:
    """Return the part of a template that no update in place can change."""
    match value:
        case dict():
            fields = {k: frame(v) for k, v in value.items() if k not in ("image", "resources", "metadata")}
            return {k: v for k, v in fields.items() if v not in (None, {}, [])}
        case list():
            return [frame(v) for v in value]
    return value


class TestDefaultResources:
    """Requests of helpers, which the operator began to choose in one of its versions."""

    NEW = edited("spec.initContainers.1", {**TEMPLATE["spec"]["initContainers"][1], "resources": REQUESTS})

    def test_a_pod_from_before_them_runs_on_without(self) -> None:
        assert change(TEMPLATE, self.NEW, ["sync"]) == Change()
        image = deepcopy(self.NEW)
        image["spec"]["initContainers"][1]["image"] = "sync:2"
        image["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "200m"
        found = change(TEMPLATE, image, ["sync"])
        assert (dict(found.images), found.obstacles) == ({"sync": "sync:2"}, ())
        assert set(found.resources) == {"web"}

    def test_those_that_people_wrote_are_a_change(self) -> None:
        assert change(TEMPLATE, self.NEW).obstacles == ("spec.initContainers[sync].resources",)

    def test_defaults_in_their_place_are_one_too(self) -> None:
        old = deepcopy(self.NEW)
        old["spec"]["initContainers"][1]["resources"]["requests"]["cpu"] = "1"
        assert change(old, self.NEW, ["sync"]).resources == {"sync": REQUESTS}
