"""Any nesting of parts without a cycle gives the Pod that the same parts give side by side."""

from __future__ import annotations

from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from podpatterns.api import Pattern, parse
from podpatterns.compose import CannotCompose, Composition, compose
from podpatterns.compose.part import parts_of
from testbed.builders import template
from testbed.manifests import manifest

PARTS = 5
VARIABLES = "XYZ"

values = st.lists(st.sampled_from(VARIABLES), unique=True).map(
    lambda names: [{"name": name, "value": "given"} for name in names]
)


def made(name: str, spec: dict[str, Any]) -> Pattern:
    return parse(manifest("SidecarApp", name, spec, namespace="default", generation=1))


@st.composite
def includes(draw: st.DrawFn, names: list[str]) -> list[dict[str, Any]]:
    """Entries for some of the parts, in any order."""
    chosen = draw(st.lists(st.sampled_from(names), unique=True, max_size=3)) if names else []
    return [{"kind": "SidecarApp", "name": name, "env": draw(values)} for name in chosen]


@st.composite
def objects(draw: st.DrawFn) -> tuple[Pattern, list[Pattern]]:
    """An application and parts, each of which includes only those after it. All values given are the same, so
    that a variable has the value or it doesn't."""
    names = [f"p{i}" for i in range(PARTS)]
    parts = []
    for i, name in enumerate(names):
        declared = [{"name": v, "value": "own"} for v in VARIABLES]
        spec = {
            "include": draw(includes(names[i + 1 :])),
            "env": draw(st.sampled_from(([], declared))),
            "volumes": [{"name": f"{name}-v", "emptyDir": {}}],
            "initContainers": [{"name": f"{name}-init", "env": draw(st.sampled_from(([], declared)))}],
            "sidecars": [{"name": name, "order": draw(st.sampled_from(["BeforeApp", "WithApp"]))}],
            "sharedVolumes": [
                {"name": volume, "mountPath": f"/{name}/{volume}"}
                for volume in draw(st.lists(st.sampled_from("vw"), unique=True))
            ],
        }
        parts.append(made(name, spec))
    return made("app", {"template": template(), "include": draw(includes(names))}), parts


@given(both=objects())
def test_nested_parts_are_what_they_are_side_by_side(both: tuple[Pattern, list[Pattern]]) -> None:
    app, parts = both
    nested = composed(app, parts)
    if nested is None:
        event("refused")
        return
    event("composed")
    flattened = composed(*flat(app, parts, nested))
    assert flattened is not None
    assert nested == flattened


def composed(app: Pattern, parts: list[Pattern]) -> Composition | None:
    try:
        return compose(app, parts)
    except CannotCompose:
        return None


def flat(app: Pattern, parts: list[Pattern], nested: Composition) -> tuple[Pattern, list[Pattern]]:
    """The application with all the parts in its own include, each with what it was given in the end."""
    entries = []
    for part in parts_of(app, parts)[1:]:
        name = part.pattern.metadata.name
        told = [*nested.template["spec"].get("initContainers", ()), *nested.template["spec"]["containers"]]
        env = {v["name"]: v for c in told if c["name"] in (name, f"{name}-init") for v in c.get("env", ())}
        written = [v for v in env.values() if v["value"] == "given"]
        entries.append({"kind": "SidecarApp", "name": name, "env": written})
    plain = [made(p.metadata.name, without_include(p)) for p in parts]
    return made("app", {"template": template(), "include": entries}), plain


def without_include(part: Pattern) -> dict[str, Any]:
    return part.spec.model_dump(mode="json", by_alias=True, exclude={"include"}, exclude_defaults=True)
