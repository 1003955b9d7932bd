"""Bounds of lists, maps and texts, which no real Pod meets, so that no object costs more than it is worth.

Whatever is done with an object takes time and memory by what is in it, here and in the API server, which
wants to know beforehand how much its rules (CEL) can cost. The bounds of a spec's own fields stand with them;
here are those of Kubernetes' types and of the status.
"""

from __future__ import annotations

from collections.abc import Mapping

CONTAINERS = 64
VOLUMES = 256
LABELS = 256
"""Labels of a Pod template, and as many annotations."""

KUBERNETES_LISTS: Mapping[tuple[str, str], int] = {
    ("V1PodSpec", "containers"): CONTAINERS,
    ("V1PodSpec", "initContainers"): CONTAINERS,
    ("V1PodSpec", "ephemeralContainers"): CONTAINERS,
    ("V1PodSpec", "volumes"): VOLUMES,
    ("V1PodSpec", "tolerations"): 256,
    ("V1PodSpec", "hostAliases"): 256,
    ("V1PodSpec", "imagePullSecrets"): 64,
    ("V1PodSpec", "readinessGates"): 64,
    ("V1PodSpec", "resourceClaims"): 64,
    ("V1PodSpec", "schedulingGates"): 64,
    ("V1PodSpec", "topologySpreadConstraints"): 64,
    ("V1Container", "args"): 1024,
    ("V1Container", "command"): 1024,
    ("V1Container", "env"): 512,
    ("V1Container", "envFrom"): 128,
    ("V1Container", "ports"): 128,
    ("V1Container", "resizePolicy"): 16,
    ("V1Container", "restartPolicyRules"): 32,
    ("V1Container", "volumeDevices"): VOLUMES,
    ("V1Container", "volumeMounts"): VOLUMES,
    ("V1ProjectedVolumeSource", "sources"): 256,
}
"""Bounds by the client's model and its field. An ephemeral container has the lists of a container."""

POD_CONTAINERS = 128
"""Containers of a whole Pod, with helpers and included parts."""
POD_PARTS = 128
"""Parts of a whole Pod, with those that parts include."""
POD_PART_VOLUMES = 256
"""Volumes that the parts of a whole Pod bring along."""
POD_SHARED_VOLUMES = 128
"""Shared volumes of a whole Pod; each may be mounted in each container."""
POD_SETTINGS = 2048
"""Metrics and their labels, and endpoints, in the configuration of a whole Pod's helpers."""

TEXT = 253
"""Characters of a name or another short text of the status; Kubernetes' names are no longer."""
REASON, MESSAGE = 1_024, 32_768
"""Characters of a condition's reason and message, as in metav1.Condition."""
CONDITIONS = 32
CONFIGURATIONS = 128
"""Entries of status.configurations: one for each helper, so no more than a Pod has containers."""
LAGGING_PODS = 32
RECENT_REPLACEMENTS = 32
USED_BY = 100
FAILED_PODS = 100
"""UIDs in status.work.failedPods: failed Pods that are counted at once."""
INDEXES, INDEX_DIGITS = 8_192, 5
"""Characters of status.work.completedIndexes, and of one index in it."""
REFUSAL = 4_096
"""Characters of a helper's message."""
