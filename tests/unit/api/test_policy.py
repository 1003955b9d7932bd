"""The policies know every place, and the documents every right. What they do, integration tests show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from podpatterns.api.policy.places import occurrences, places
from podpatterns.api.policy.selfservice import rights, self_service

REPOSITORY = Path(__file__).parents[3]
FOUND = places()


def fields(path: str, schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every field of a schema, with its path."""
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from fields(f"{path}.{name}", field)
    if "items" in schema:
        yield f"{path}[]", schema["items"]
        yield from fields(f"{path}[]", schema["items"])


def in_crds() -> list[tuple[str, dict[str, Any]]]:
    schemas = [
        yaml.load(path.read_text(), yaml.CSafeLoader)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        for path in (REPOSITORY / "crds").glob("*.yaml")
    ]
    return [found for s in schemas for found in fields("spec", s["properties"]["spec"])]


FIELDS = in_crds()
CONTAINERS = sorted({path for path, field in FIELDS if "imagePullPolicy" in field.get("properties", {})})
SECRETS = sorted(
    {path.removesuffix("[]") for path, _ in FIELDS if "secret" in path.rpartition(".")[2].lower()}
)


@pytest.mark.parametrize("path", CONTAINERS)
def test_every_place_of_a_container_in_the_crds_is_judged(path: str) -> None:
    assert path in (*FOUND.containers, *FOUND.fragments)


@pytest.mark.parametrize("path", SECRETS)
def test_every_name_of_a_secret_in_the_crds_is_judged(path: str) -> None:
    outer = next((c for c in CONTAINERS if path.startswith(f"{c}.")), None)
    judged = FOUND.secrets if outer is None else [f"{outer}.{inner}" for inner in FOUND.container_secrets]
    # A list that is named for Secrets is judged by its elements.
    assert any(f"{path}.".startswith(f"{place.removesuffix('[]')}.") for place in judged)


def test_what_is_found_is_there() -> None:
    assert len(CONTAINERS) == len(FOUND.containers) + len(FOUND.fragments) == 8
    assert {place.removesuffix("[]") for place in FOUND.secrets} <= {*SECRETS}


def test_helpers_are_fragments() -> None:
    assert set(FOUND.fragments) == {"spec.proxy.container", "spec.adapter.container"}


@pytest.mark.parametrize(
    ("path", "where", "expected"),
    [
        ("a.b", "", "(object.?a.?b.hasValue() ? ['a.b is there'] : [])"),
        ("a.b", "it > 0", "(object.?a.?b.optMap(it, it > 0).orValue(false) ? ['a.b is there'] : [])"),
        (
            "a[]",
            "",
            "object.?a.orValue([]).transformList(i0, it, true, 'a[' + string(i0) + '] is there')",
        ),
        (
            "a[].b",
            "it > 0",
            (
                "object.?a.orValue([]).transformList(i0, x0, x0.?b.optMap(it, it > 0).orValue(false),"
                " 'a[' + string(i0) + '].b is there')"
            ),
        ),
        (
            "a[].b[].c",
            "",
            (
                "object.?a.orValue([]).transformList(i0, x0, x0.?b.orValue([]).transformList(i1, x1,"
                " x1.?c.hasValue(), 'a[' + string(i0) + '].b[' + string(i1) + '].c is there')).flatten()"
            ),
        ),
    ],
)
def test_a_place_in_cel(path: str, where: str, expected: str) -> None:
    assert occurrences("object", path, "", "is there", where) == expected


def test_checks_of_the_authorizer_are_in_expressions_that_have_one() -> None:
    """The API server gives it to no message, nor to a variable that a message reads, and gives an expression
    the cost of two checks."""
    spec = self_service()[0]["spec"]
    without = [v["expression"] for v in spec["variables"]] + [
        v["messageExpression"] for v in spec["validations"]
    ]

    assert not [expression for expression in without if "authorizer" in expression]
    for of in (*spec["validations"], *spec["matchConditions"]):
        assert of["expression"].count(".check(") <= 2


def test_no_variable_is_optional() -> None:
    """One that is read with `.?` would be nothing, and a rule about nothing holds."""
    spec = self_service()[0]["spec"]
    for variable in spec["variables"]:
        assert not re.fullmatch(r"object[\w.?]*", variable["expression"]), variable["name"]


def test_the_document_lists_the_rights() -> None:
    text = (REPOSITORY / "docs" / "admission.md").read_text()
    table = text.split("| `use` of |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [right.resource for right in rights()]
