"""The names of the API: its group and version, and those of the kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GROUP = "podpatterns.dev"
VERSION = "v1alpha1"
ApiVersion = Literal["podpatterns.dev/v1alpha1"]
API_VERSION: ApiVersion = "podpatterns.dev/v1alpha1"
KIND_LABEL, NAME_LABEL = f"{GROUP}/kind", f"{GROUP}/name"
"""Labels of all Pods of an object, and of whatever else the operator makes for it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Names of a kind."""

    kind: str
    plural: str
    singular: str
    short_name: str


KINDS = (
    Kind("SidecarApp", "sidecarapps", "sidecarapp", "sca"),
    Kind("Ambassador", "ambassadors", "ambassador", "amb"),
    Kind("Adapter", "adapters", "adapter", "adp"),
)
BY_KIND = {kind.kind: kind for kind in KINDS}
