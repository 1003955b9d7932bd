"""Ordinals of Stable Pods."""

from __future__ import annotations

from pydantic import Field

from podpatterns.api.effect import Policy
from podpatterns.api.model import Model


class Ordinals(Model):
    """Numbers in the names of Stable Pods."""

    start: Policy[int] = Field(default=0, ge=0)
    """First ordinal: the Pods are <name>-<start>, <name>-<start + 1>, …. Default: 0."""
