"""The API of podpatterns: the kinds SidecarApp, Ambassador and Adapter, as users write them.

`parse` makes a model of a manifest. The CRDs are generated from the same models (`podpatterns.api.crd`).
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from podpatterns.api.adapter import Adapter
    from podpatterns.api.ambassador import Ambassador
    from podpatterns.api.include import Include
    from podpatterns.api.invalid import FieldError, InvalidObject
    from podpatterns.api.kinds import parse
    from podpatterns.api.kubernetes import ObjectMeta
    from podpatterns.api.names import API_VERSION, GROUP, KINDS, VERSION, Kind
    from podpatterns.api.pattern import Pattern, PatternSpec
    from podpatterns.api.sharedvolume import SharedVolume, SharedVolumeMount
    from podpatterns.api.sidecarapp import Sidecar, SidecarApp
    from podpatterns.api.status import Condition, Replacement, Status, UsedBy
    from podpatterns.api.updatestrategy import UpdateStrategy

__all__ = [
    "API_VERSION",
    "GROUP",
    "KINDS",
    "VERSION",
    "Adapter",
    "Ambassador",
    "Condition",
    "FieldError",
    "Include",
    "InvalidObject",
    "Kind",
    "ObjectMeta",
    "Pattern",
    "PatternSpec",
    "Replacement",
    "SharedVolume",
    "SharedVolumeMount",
    "Sidecar",
    "SidecarApp",
    "Status",
    "UpdateStrategy",
    "UsedBy",
    "parse",
]

if not TYPE_CHECKING:
    # The models take a third of a second to import: who needs only names or conditions goes without.
    _MODULES = {
        "adapter": ("Adapter",),
        "ambassador": ("Ambassador",),
        "include": ("Include",),
        "invalid": ("FieldError", "InvalidObject"),
        "kinds": ("parse",),
        "kubernetes": ("ObjectMeta",),
        "names": ("API_VERSION", "GROUP", "KINDS", "VERSION", "Kind"),
        "pattern": ("Pattern", "PatternSpec"),
        "sharedvolume": ("SharedVolume", "SharedVolumeMount"),
        "sidecarapp": ("Sidecar", "SidecarApp"),
        "status": ("Condition", "Replacement", "Status", "UsedBy"),
        "updatestrategy": ("UpdateStrategy",),
    }
    _MODULE = {name: module for module, names in _MODULES.items() for name in names}

    def __getattr__(name: str) -> object:
        if name not in _MODULE:
            raise AttributeError(name)
        return getattr(import_module(f"podpatterns.api.{_MODULE[name]}"), name)
