"""Kubernetes' own types inside our kinds: carried as plain dicts, described by the client's models.

The client's models refuse fields that are newer than the client, refuse `cpu: 1`, and cost more time than the
rest of a Pod together; so what a user wrote never passes through them. Only the CRD's schema comes from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

SCHEMA_KEY = "kubernetes-type"
"""Marks the place in a JSON schema where the generator of CRDs puts the schema of the type that is named."""


@dataclass(frozen=True, slots=True)
class KubernetesType:
    """Says which type of Kubernetes a dict holds."""

    name: str
    """As the client's model is called: V1Container."""
    partial: bool = False
    """Nothing is required: a fragment to be merged into a whole object."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> JsonSchemaValue:
        return {SCHEMA_KEY: {"name": self.name, "partial": self.partial}}


PodTemplateSpec = Annotated[dict[str, Any], KubernetesType("V1PodTemplateSpec")]
Container = Annotated[dict[str, Any], KubernetesType("V1Container")]
PartialContainer = Annotated[dict[str, Any], KubernetesType("V1Container", partial=True)]
ResourceRequirements = Annotated[dict[str, Any], KubernetesType("V1ResourceRequirements")]
