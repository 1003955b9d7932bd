"""Include: the reference to a part, and what is given to it; SharedWith: who may refer to it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field

from podpatterns.api.kubernetes import SCHEMA_KEY
from podpatterns.api.model import LIST_SET, Items, Model, Validation, list_map
from podpatterns.api.scalar import KindName, Label, ObjectName

EVERY_NAMESPACE = "*"

VariableName = Annotated[str, Field(min_length=1, max_length=256)]

_ONE_SOURCE = Validation("!has(self.value) || !has(self.valueFrom)", "give either value or valueFrom")


class Variable(Model):
    """Environment variable, as core/v1 EnvVar has it."""

    # The variable's other fields lie beside the name on the wire; they are model_extra here.
    model_config = ConfigDict(
        extra="allow", json_schema_extra={SCHEMA_KEY: {"name": "V1EnvVar", "partial": False}}
    )

    name: VariableName
    """Name of the variable."""

    @property
    def env(self) -> dict[str, Any]:
        """The core/v1 EnvVar."""
        return {"name": self.name, **(self.model_extra or {})}


class PartVariable(Variable):
    """Environment variable that a part declares: a core/v1 EnvVar, plus `required`."""

    validations: ClassVar[tuple[Validation, ...]] = (
        _ONE_SOURCE,
        Validation(
            "!has(self.required) || !self.required || (!has(self.value) && !has(self.valueFrom))",
            "a variable with a value of its own is not required: take out one of the two",
            ".required",
        ),
    )

    required: bool = False
    """Demands a value of whoever includes the part. Default: false."""


class GivenVariable(Variable):
    """Value for an environment variable of a part, as core/v1 EnvVar has it."""

    validations: ClassVar[tuple[Validation, ...]] = (
        _ONE_SOURCE,
        Validation("has(self.value) || has(self.valueFrom)", "give value or valueFrom"),
    )


class GivenResources(Model):
    """CPU and memory for a container of a part, in place of its own: core/v1 ResourceRequirements, plus
    `container`."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={SCHEMA_KEY: {"name": "V1ResourceRequirements", "partial": False}}
    )

    container: Label
    """Name of the container."""

    @property
    def resources(self) -> dict[str, Any]:
        """The core/v1 ResourceRequirements."""
        return dict(self.model_extra or {})


class Include(Model):
    """Reference to a part: an object without a template."""

    kind: KindName
    """Kind of the part: SidecarApp, Ambassador or Adapter."""
    name: ObjectName
    """Name of the part."""
    namespace: Label | None = None
    """Namespace of the part, whose sharedWith has to allow it. Default: that of the object."""
    env: Items[GivenVariable] = Field(default=(), max_length=64, json_schema_extra=list_map("name"))
    """Values for environment variables that the part declares, in its own env or in one of its containers, or
    that a part that it includes declares."""
    resources: Items[GivenResources] = Field(
        default=(), max_length=32, json_schema_extra=list_map("container")
    )
    """CPU and memory for containers of the part, or of a part that it includes."""


Namespace = Annotated[str, Field(max_length=63, pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?|\*)$")]


class SharedWith(Model):
    """Namespaces whose objects may include a part."""

    namespaces: Items[Namespace] = Field(default=(), max_length=256, json_schema_extra=dict(LIST_SET))
    """Names of namespaces; \"*\" stands for all."""

    def allows(self, namespace: str) -> bool:
        return is_among(self.namespaces, namespace)


def is_among(shared_with: Collection[str], namespace: str) -> bool:
    """Return whether sharedWith.namespaces have the namespace, or stand for all."""
    return namespace in shared_with or EVERY_NAMESPACE in shared_with
