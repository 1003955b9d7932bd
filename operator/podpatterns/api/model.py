"""Model: the base of every model of the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, Strict
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

Item = TypeVar("Item")

Items = Annotated[tuple[Item, ...], Strict(False)]
"""A list of the manifest, kept as a tuple. Strict as the models are, only a tuple itself would be taken."""


@dataclass(frozen=True, slots=True)
class Validation:
    """A CEL rule of the CRD: what one field says about another, checked by the API server."""

    rule: str
    """A CEL expression over `self`, the object whose model declares it; false refuses the object."""
    message: str
    field_path: str | None = None
    """The field to blame, relative to `self`: `.mounts`."""

    def manifest(self) -> dict[str, str]:
        field_path = {} if self.field_path is None else {"fieldPath": self.field_path}
        return {"rule": self.rule, "message": self.message, **field_path}


class Model(BaseModel):
    """An object of the API: camelCase on the wire, snake_case here, and nothing that it doesn't know.

    A docstring after a field is its description in the CRD, what `kubectl explain` shows.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    validations: ClassVar[tuple[Validation, ...]] = ()

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        # Inherited rules come first, each class's own after them.
        rules = [v.manifest() for base in reversed(cls.__mro__) for v in vars(base).get("validations", ())]
        if rules:
            handler.resolve_ref_schema(schema)["x-kubernetes-validations"] = rules
        return schema

    def manifest(self) -> dict[str, Any]:
        """Return the object as it is on the wire, without nulls, which to Kubernetes are absent fields."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def list_map(*keys: str) -> dict[str, Any]:
    """The schema of a list whose items are told apart by `keys`, so that two may not have the same ones."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


LIST_SET: Mapping[str, Any] = {"x-kubernetes-list-type": "set"}
"""The schema of a list in which no value may come twice."""
