"""The effect of each spec field, declared once in its model; every list of fields is derived from it.

A field without an effect of its own is divided: the fields inside it have theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import cache
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Value = TypeVar("Value")


class Effect(Enum):
    """The effect that a change of a field has."""

    SHAPES_POD = "shapes the Pod"
    """A new revision, which is rolled out and kept in the history."""
    CONFIGURES_HELPER = "configures a helper"
    """A new configuration file, which helpers reload in their running Pods; kept in the history too.

    Where the file needs something else of its Pod, such as another helper, its pod-shape inputs differ and
    make a new revision.
    """
    SHAPES_CLAIM = "shapes a claim"
    """Other PersistentVolumeClaims for Pods to come; kept in the history too. The Pods stay as they are."""
    INCLUDES_PART = "includes a part"
    """A new revision, by the fields of the part, which its own authors roll back, and by what is given to
    it."""
    POLICY = "policy"
    """Another way of running the Pods, which stay as they are."""


ShapesPod = Annotated[Value, Effect.SHAPES_POD]
ConfiguresHelper = Annotated[Value, Effect.CONFIGURES_HELPER]
ShapesClaim = Annotated[Value, Effect.SHAPES_CLAIM]
IncludesPart = Annotated[Value, Effect.INCLUDES_PART]
Policy = Annotated[Value, Effect.POLICY]


@cache
def fields_marked(model: type[BaseModel], effect: Effect) -> frozenset[str]:
    """Return the fields of the model that have the effect as a whole."""
    return frozenset(name for name, field in model.model_fields.items() if effect in field.metadata)


@cache
def fields_touching(model: type[BaseModel], *effects: Effect) -> frozenset[str]:
    """Return the fields of the model that have one of the effects, as a whole or in a field of theirs."""
    return frozenset(
        name
        for name, field in model.model_fields.items()
        if any(not found.isdisjoint(effects) for _, found in _leaves(name, field, frozenset()))
    )


def leaves(model: type[BaseModel]) -> Iterator[tuple[str, frozenset[Effect]]]:
    """Yield the fields that hold no model of ours, each with its effects: upstreams[].listen.port."""
    for name, field in model.model_fields.items():
        yield from _leaves(field.alias or name, field, frozenset())


def _leaves(
    path: str, field: FieldInfo, inherited: frozenset[Effect]
) -> Iterator[tuple[str, frozenset[Effect]]]:
    found = inherited | {item for item in field.metadata if isinstance(item, Effect)}
    model, listed = _model(field.annotation)
    if model is None or model.model_config.get("extra") == "allow":  # its other fields are Kubernetes' own
        yield path, found
        return
    for name, inner in model.model_fields.items():
        yield from _leaves(f"{path}{'[]' if listed else ''}.{inner.alias or name}", inner, found)


def _model(annotation: Any, listed: bool = False) -> tuple[type[BaseModel] | None, bool]:
    """Return the model in a type such as `tuple[Model, ...] | None`, and whether it is a list's."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, listed
    for inner in get_args(annotation):
        model, in_list = _model(inner, listed or get_origin(annotation) is tuple)
        if model is not None:
            return model, in_list
    return None, False
