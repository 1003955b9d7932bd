"""The parts that an object takes in."""

from __future__ import annotations

from typing import Literal

from podpatterns.api.model import Model
from podpatterns.api.scalar import ObjectName

KindName = Literal["SidecarApp", "Ambassador", "Adapter"]


class Include(Model):
    """Names a part: an object without a template, in the same namespace."""

    kind: KindName
    """The part's kind: SidecarApp, Ambassador or Adapter."""
    name: ObjectName
    """The part's name."""
