"""The desired and the observed state -> a plan and a status.

Nothing here does I/O or reads a clock: Pods come in as slim records, time and fresh names as arguments.
`plan` decides which Pods to delete, update and create, `app_status` what to report; the controller carries
both out.
"""

from podpatterns.replicas.actions import Create, Delete, Plan, Refresh, SetInService, Update
from podpatterns.replicas.limits import Limits, backoff_after
from podpatterns.replicas.ordinal import is_condemned, ordinal
from podpatterns.replicas.plan import plan
from podpatterns.replicas.pod import Pod, observe
from podpatterns.replicas.replacement import Replacement, Replacements
from podpatterns.replicas.wanted import Wanted

__all__ = [
    "Create",
    "Delete",
    "Limits",
    "Plan",
    "Pod",
    "Refresh",
    "Replacement",
    "Replacements",
    "SetInService",
    "Update",
    "Wanted",
    "backoff_after",
    "is_condemned",
    "observe",
    "ordinal",
    "plan",
]
