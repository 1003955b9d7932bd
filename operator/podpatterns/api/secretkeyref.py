"""A value that lies in a Secret."""

from __future__ import annotations

from pydantic import Field

from podpatterns.api.model import Model
from podpatterns.api.scalar import ObjectName


class SecretKeyRef(Model):
    """One key of a Secret in the same namespace. A change of the Secret is followed."""

    name: ObjectName
    """The Secret's name."""
    key: str = Field(max_length=253, pattern="^[-._a-zA-Z0-9]+$")
    """The key whose value is meant."""
