"""SidecarApp: the helpers extend the application."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from podpatterns.api.effect import ShapesPod
from podpatterns.api.kubernetes import SCHEMA_KEY, with_protocols
from podpatterns.api.model import Items, Model, list_map
from podpatterns.api.pattern import Pattern, PatternSpec
from podpatterns.api.scalar import Label


class Sidecar(Model):
    """Helper container: a core/v1 Container, plus `order`."""

    # The container's fields lie beside ours on the wire; they are model_extra here.
    model_config = ConfigDict(
        extra="allow", json_schema_extra={SCHEMA_KEY: {"name": "V1Container", "partial": False}}
    )

    name: Label
    """Name of the container, unique in the Pod."""
    order: Literal["BeforeApp", "WithApp"] = "BeforeApp"
    """Start order. BeforeApp: a native sidecar, which has started (and passed its startupProbe, if it has
    one) before the application starts, and stops after it. WithApp: an ordinary container beside the
    application's. Default: BeforeApp."""

    @model_validator(mode="before")
    @classmethod
    def _with_protocols(cls, written: Any) -> Any:
        return with_protocols(written) if isinstance(written, dict) else written

    @property
    def container(self) -> dict[str, Any]:
        """The core/v1 Container."""
        return {"name": self.name, **(self.model_extra or {})}


class SidecarAppSpec(PatternSpec):
    """Desired state."""

    sidecars: ShapesPod[Items[Sidecar]] = Field(default=(), max_length=64, json_schema_extra=list_map("name"))
    """Helper containers, each a core/v1 Container plus order. Those with order BeforeApp start one after the
    other, in this order, after those of included parts."""


class SidecarApp(Pattern):
    """Application with helper containers that extend it: they load its content, rotate its logs, back up its
    state. Without a template it is a reusable part: helpers for other objects to include."""

    kind: Literal["SidecarApp"] = "SidecarApp"
    spec: SidecarAppSpec
    """Desired state."""
