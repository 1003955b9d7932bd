"""Kubernetes' own types inside our kinds: what Pods are made of is carried as plain dicts.

The client's models refuse fields that are newer than the client, refuse `cpu: 1`, and cost more time than the
rest of a Pod together; so what a user wrote never passes through them. Only the CRD's schema comes from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from podpatterns.api.model import Model
from podpatterns.api.scalar import ObjectName

SCHEMA_KEY = "kubernetes-type"
"""Marks the place in a JSON schema where the generator of CRDs puts the schema of the type that is named."""


DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True, slots=True)
class KubernetesType:
    """Name of the Kubernetes type that a dict holds."""

    name: str
    """As the client's model is called: V1Container."""
    partial: bool = False
    """Nothing is required: a fragment to be merged into a whole object."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> JsonSchemaValue:
        return {SCHEMA_KEY: {"name": self.name, "partial": self.partial}}


def with_protocols(container: dict[str, Any]) -> dict[str, Any]:
    """Return the container with protocol TCP for ports that name none.

    The CRDs had this default once, and it is in the revisions of objects from then.
    """
    ports = container.get("ports")
    if not isinstance(ports, list):
        return container
    named = [{**p, "protocol": p.get("protocol") or "TCP"} if isinstance(p, dict) else p for p in ports]
    return {**container, "ports": named}


def _of_all_containers(template: dict[str, Any]) -> dict[str, Any]:
    spec = template.get("spec")
    if not isinstance(spec, dict):
        return template
    lists = {
        name: [with_protocols(c) if isinstance(c, dict) else c for c in spec[name]]
        for name in ("initContainers", "containers")
        if isinstance(spec.get(name), list)
    }
    return {**template, "spec": {**spec, **lists}}


_Container = Annotated[dict[str, Any], AfterValidator(with_protocols)]

PodTemplateSpec = Annotated[
    dict[str, Any], AfterValidator(_of_all_containers), KubernetesType("V1PodTemplateSpec")
]
Container = Annotated[_Container, KubernetesType("V1Container")]
PartialContainer = Annotated[_Container, KubernetesType("V1Container", partial=True)]
PersistentVolumeClaimSpec = Annotated[dict[str, Any], KubernetesType("V1PersistentVolumeClaimSpec")]
Volume = Annotated[dict[str, Any], KubernetesType("V1Volume")]
ResourceRequirements = Annotated[dict[str, Any], KubernetesType("V1ResourceRequirements")]


class ObjectMeta(Model):
    """Metadata of an object from the API server; the defaults are those of an object not yet created."""

    model_config = ConfigDict(extra="ignore")

    name: str
    namespace: str = DEFAULT_NAMESPACE
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    deletion_timestamp: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


TLS_CERTIFICATE, TLS_KEY = "tls.crt", "tls.key"
"""The keys of a Secret of type kubernetes.io/tls."""


class TlsSecretRef(Model):
    """A Secret of type kubernetes.io/tls in the same namespace: tls.crt and tls.key. A change is followed."""

    name: ObjectName
    """The Secret's name."""

    @property
    def keys(self) -> tuple[SecretKeyRef, SecretKeyRef]:
        """The certificate and its key."""
        certificate = SecretKeyRef(name=self.name, key=TLS_CERTIFICATE)
        return certificate, SecretKeyRef(name=self.name, key=TLS_KEY)


class SecretKeyRef(Model):
    """One key of a Secret in the same namespace. Helpers follow a change of the Secret."""

    name: ObjectName
    """Name of the Secret."""
    key: str = Field(max_length=253, pattern="^[-._a-zA-Z0-9]+$")
    """Key of the Secret that holds the value."""
