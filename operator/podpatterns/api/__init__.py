"""The API of podpatterns: the kinds SidecarApp, Ambassador and Adapter, as users write them.

`parse` makes a model of a manifest. The CRDs are generated from the same models (`podpatterns.api.crd`).
"""

from podpatterns.api.adapter import Adapter
from podpatterns.api.ambassador import Ambassador
from podpatterns.api.invalid import FieldError, InvalidObject
from podpatterns.api.kinds import KINDS, Kind, parse
from podpatterns.api.kubernetes import ObjectMeta
from podpatterns.api.pattern import API_VERSION, GROUP, VERSION, Include, Pattern, PatternSpec
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
