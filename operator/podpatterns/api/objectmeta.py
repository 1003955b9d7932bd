"""The part of metav1.ObjectMeta that the operator reads."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from podpatterns.api.model import Model


class ObjectMeta(Model):
    """What the API server says about an object; the defaults are those of an object not yet created."""

    model_config = ConfigDict(extra="ignore")

    name: str
    namespace: str = "default"
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    deletion_timestamp: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
