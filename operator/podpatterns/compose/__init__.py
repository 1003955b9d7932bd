"""An object and its parts -> the Pod and the configuration of its helpers.

Pure: nothing here does I/O. Whatever can't be composed is reported as problems, each with its field.
"""

from podpatterns.compose.adapter import adapter_problems
from podpatterns.compose.composition import Composition, compose, include_problems, part_problems
from podpatterns.compose.configmap import config_map_manifest
from podpatterns.compose.helpers.helper import COMPOSED, HelperImages
from podpatterns.compose.owner import owner_reference
from podpatterns.compose.pod import pod_manifest
from podpatterns.compose.podfragment import File, MetricsEndpoint
from podpatterns.compose.revision import recorded_spec
from podpatterns.compose.rules.problem import CannotCompose, Problem

__all__ = [
    "COMPOSED",
    "CannotCompose",
    "Composition",
    "File",
    "HelperImages",
    "MetricsEndpoint",
    "Problem",
    "adapter_problems",
    "compose",
    "config_map_manifest",
    "include_problems",
    "owner_reference",
    "part_problems",
    "pod_manifest",
    "recorded_spec",
]
