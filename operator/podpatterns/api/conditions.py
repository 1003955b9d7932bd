"""Condition types, and every reason that a condition, an Event or a replacement can have.

`docs/conditions.md` is generated from this table. In each docstring the first sentence is the meaning; the
others say what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class ConditionType(StrEnum):
    READY = "Ready"
    """The object runs as it is written: all replicas have the newest revision and are available, or have done
    their work. A partition and OnDelete are part of what is written: Pods that they keep at the old revision
    count. A reusable part is ready when it is valid."""
    PROGRESSING = "Progressing"
    """The rollout of the newest revision is complete or moves on. A Pod that is lost or unready later, or
    scaling, changes nothing of it."""
    AVAILABLE = "Available"
    """At least replicas - maxUnavailable Pods are available or have done their work, and one in any case,
    whatever revision they have."""
    COMPLETE = "Complete"
    """All Pods of work that ends (restartPolicy OnFailure or Never) have succeeded. Objects whose work is not
    complete lack it."""
    FAILED = "Failed"
    """The work has failed: no Pod is created any more until the template changes. Objects whose work has not
    failed lack it."""
    STALLED = "Stalled"
    """The rollout has exceeded its deadline, or the work has failed: kstatus, and with it Helm, Flux and Argo
    CD, take the object as failed. Objects that are not stalled lack it."""
    REPLICA_FAILURE = "ReplicaFailure"
    """A Pod, or an object that its Pods need, could not be written."""
    PODS_MODIFIED = "PodsModified"
    """Somebody else than the operator has changed Pods, which are not what the object says any more. Objects
    without such Pods lack it."""
    UPSTREAMS_HEALTHY = "UpstreamsHealthy"
    """Every upstream has a healthy endpoint, by the readiness of the proxies. Objects without a proxy lack
    it."""
    CONTRACT_SATISFIED = "ContractSatisfied"
    """The adapter offers every metric that its contract demands. Objects without an adapter lack it."""
    CONFIGURATION_CURRENT = "ConfigurationCurrent"
    """Every helper runs the newest configuration. Objects without a configured helper lack it."""
    VOLUME_CLAIMS_CURRENT = "VolumeClaimsCurrent"
    """The PersistentVolumeClaims of the Pods are as spec.volumeClaimTemplates asks. Objects without such
    templates lack it."""


class Reason(StrEnum):
    """Reason of a condition. One about a wrong field, a refused write or a rollout past its deadline is in an
    Event, too."""

    PODS_AVAILABLE = "PodsAvailable"
    """All replicas are available."""
    REUSABLE_PART = "ReusablePart"
    """The object has no template and makes no Pods; others include it. The field status.usedBy names them."""
    PODS_NOT_AVAILABLE = "PodsNotAvailable"
    """Fewer Pods are available than spec.replicas. The message names the unhealthy ones and what they wait
    for."""
    COMPLETIONS_REACHED = "CompletionsReached"
    """All Pods of work that ends have succeeded. A change of the template runs it again."""
    BACKOFF_LIMIT_EXCEEDED = "BackoffLimitExceeded"
    """More Pods failed, or restarted, than spec.backoffLimit allows. Read the log of a failed Pod and correct
    the template; any change of it runs the work again."""
    SURPLUS_PODS = "SurplusPods"
    """More Pods exist than spec.replicas. The operator deletes them; a refusal has a reason of its own."""
    MINIMUM_REPLICAS_AVAILABLE = "MinimumReplicasAvailable"
    """As many Pods are available as spec.updateStrategy.maxUnavailable demands."""
    MINIMUM_REPLICAS_UNAVAILABLE = "MinimumReplicasUnavailable"
    """Fewer Pods are available than spec.updateStrategy.maxUnavailable demands. The condition Ready says what
    they wait for."""

    REVISION_COMPLETE = "RevisionComplete"
    """Every Pod has the newest revision and has been available since the rollout; a Pod of work that ends has
    run."""
    ROLLING_OUT = "RollingOut"
    """The newest revision is being rolled out. Wait; the message names the Pods that are unhealthy."""
    PAUSED = "Paused"
    """The rollout is paused. Set spec.updateStrategy.paused to false to resume it."""
    ON_DELETE = "OnDelete"
    """Pods get the newest revision only when they are deleted. Delete them one by one, or choose another
    spec.updateStrategy.type."""
    PARTITION_REACHED = "PartitionReached"
    """The rollout stops at the partition. Lower spec.updateStrategy.partition to go on."""
    PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
    """The rollout made no progress for spec.progressDeadlineSeconds. Correct the object, or go back with
    `podpatterns rollback`; the message names the unhealthy Pods."""

    NO_FAILURE = "NoFailure"
    """No write was refused."""

    INVALID_SPEC = "InvalidSpec"
    """A field is missing, unknown or contradicts another one. Correct the field that the message names; until
    then the Pods stay at the last good revision."""
    PART_NOT_FOUND = "PartNotFound"
    """An object that spec.include names does not exist. Create it, or remove it from spec.include."""
    PART_NOT_SHARED = "PartNotShared"
    """An object of another namespace that spec.include names does not exist or is not shared with the
    object's namespace. Have its owner add the namespace to its spec.sharedWith, or remove it from
    spec.include; until then the Pods stay at the last good revision."""
    PORTS_CONFLICT = "PortsConflict"
    """Two containers of the Pod listen on one port. Give one of them another port."""
    CONTRACT_UNSATISFIABLE = "ContractUnsatisfiable"
    """No rule of the Adapter makes a metric or label that the contract demands. Add a rule, or correct
    spec.contract."""

    POD_NAME_TAKEN = "PodNameTaken"
    """A Pod that does not belong to the object has a name that the object needs. Delete that Pod, or rename
    one of the two."""
    CONFIG_MAP_NAME_TAKEN = "ConfigMapNameTaken"
    """A ConfigMap that does not belong to the object has the name of the object's own. Delete that ConfigMap,
    or rename the object."""
    REVISION_NAME_TAKEN = "RevisionNameTaken"
    """A ControllerRevision that the operator did not write has the name of the object's newest revision.
    Delete that ControllerRevision."""
    CLAIM_TERMINATING = "ClaimTerminating"
    """A PersistentVolumeClaim of the name that a Pod needs is being deleted. The Pod is created after it is
    gone, with a new claim."""
    BAD_REQUEST = "BadRequest"
    """The API server or an admission webhook refused the write. The message says why."""
    UNAUTHORIZED = "Unauthorized"
    """The API server does not accept the operator's credentials. Check the operator's ServiceAccount."""
    FORBIDDEN = "Forbidden"
    """A quota, Pod Security, an admission policy or missing permissions forbid the write. The message says
    which: raise the quota, or correct the Pod template."""
    NOT_FOUND = "NotFound"
    """Something that the write needs does not exist. The message names it."""
    CONFLICT = "Conflict"
    """Another client changed the object meanwhile. The operator tries again."""
    INVALID = "Invalid"
    """The API server refused the Pod template as invalid. Correct the field that the message names."""
    REQUEST_ENTITY_TOO_LARGE = "RequestEntityTooLarge"
    """The object is too large for the API server. Make its template or its configuration smaller."""
    TIMEOUT = "Timeout"
    """The API server did not finish the write in time. The operator tries again."""
    SERVER_TIMEOUT = "ServerTimeout"
    """The API server asks to try again later. The operator does."""
    SERVICE_UNAVAILABLE = "ServiceUnavailable"
    """The API server is unavailable. The operator tries again."""
    WRITE_REFUSED = "WriteRefused"
    """The API server refused the write for another reason. The message begins with that reason."""
    INTERNAL_ERROR = "InternalError"
    """The operator met an unexpected error. It keeps the Pods and tries again; report it with the operator's
    log."""

    IMAGE_MODIFIED = "ImageModified"
    """Containers have another image than the object says. The message names each with its Pod and the field
    manager that wrote the image: delete those Pods, or replace all with `podpatterns restart`."""

    ENDPOINTS_HEALTHY = "EndpointsHealthy"
    """Every required upstream has a healthy endpoint in every running Pod."""
    ENDPOINTS_UNHEALTHY = "EndpointsUnhealthy"
    """An upstream has no healthy endpoint in some Pods. Ask the proxy's /readyz in a Pod that the message
    names."""
    NOT_CHECKED = "NotChecked"
    """Some upstreams have no health check, and nothing else is known to be wrong. Give each upstream that the
    message names a healthCheck."""

    METRICS_PRESENT = "MetricsPresent"
    """The adapter offers every metric of its contract, or has no contract."""
    METRICS_MISSING = "MetricsMissing"
    """The adapter's metrics lack a label or have a wrong type. Correct the rules of the metrics that the
    message names."""
    NO_SAMPLES_YET = "NoSamplesYet"
    """The rules have found no sample of a metric yet. Wait until the application has traffic; if it has,
    check the rule."""

    ALL_CURRENT = "AllCurrent"
    """Every helper runs the newest configuration."""
    CONFIGURATION_PROGRESSING = "ConfigurationProgressing"
    """The newest configuration has not reached every helper. Wait: the kubelet takes up to two minutes."""
    CONFIGURATION_REFUSED = "ConfigurationRefused"
    """A helper refuses the newest configuration and goes on with the last good one. Correct the object by the
    helper's message."""

    CLAIMS_CURRENT = "ClaimsCurrent"
    """Every claim of the Pods has the size that its template asks for, and what else the template says."""
    CLAIM_REFUSED = "ClaimRefused"
    """The API server refused to enlarge a claim, or to change its owner references. The Pods go on with what
    they have, and the operator tries again; the message has the server's words."""
    CLAIMS_DIFFER = "ClaimsDiffer"
    """Claims differ from their template in what can't be changed any more, and stay as they are: a template
    is for claims to come. Delete such a claim and its Pod to have another one, without its data."""

    NOT_RUNNING = "NotRunning"
    """No Pod of the newest revision runs. The condition Ready says why."""
    PENDING = "Pending"
    """The operator has not polled the adapter, or compared the claims, yet. Wait a few seconds."""
    UNREACHABLE = "Unreachable"
    """The API server, or a helper in a Pod, did not answer. For a helper, check the NetworkPolicies between
    the operator and the Pod."""


class EventReason(StrEnum):
    """Reason of an Event that the operator records about an object."""

    SUCCESSFUL_CREATE = "SuccessfulCreate"
    """The operator created Pods."""
    SUCCESSFUL_DELETE = "SuccessfulDelete"
    """The operator deleted Pods. The note says why."""
    SUCCESSFUL_UPDATE = "SuccessfulUpdate"
    """The operator updated Pods in place. The note says what changed."""
    ADOPTED = "Adopted"
    """Pods without a controller that carry the object's labels and fit it came to it."""
    FAILED_WRITE = "FailedWrite"
    """The API server refused a write. The note begins with the condition's reason, as in the conditions."""
    REVISION_IGNORED = "RevisionIgnored"
    """A ControllerRevision has the object's labels, and the operator did not write it. Delete it."""
    POD_MONITOR_NOT_WRITTEN = "PodMonitorNotWritten"
    """The object's PodMonitor could not be written. The note says why; the Pods run all the same."""


class PodReason(StrEnum):
    """Reason for which a Pod was replaced or is unhealthy. The others are the Pod's own, such as Evicted."""

    DELETED = "Deleted"
    """Somebody else deleted the Pod."""
    OUTDATED = "Outdated"
    """The Pod had an older revision, or not all of the newest one, and could not be updated in place."""
    SCALED_DOWN = "ScaledDown"
    """There were more Pods than spec.replicas."""
    WORK_FAILED = "WorkFailed"
    """The work of the object has failed, and its Pods that still ran were deleted."""
    UNREADABLE = "UnreadablePod"
    """The operator could not read the Pod's status. The operator's log says why."""


INVALID = (
    Reason.INVALID_SPEC,
    Reason.PART_NOT_FOUND,
    Reason.PART_NOT_SHARED,
    Reason.PORTS_CONFLICT,
    Reason.CONTRACT_UNSATISFIABLE,
)
"""No Pod can be made of the object as it is written."""
FAILURES = (
    Reason.POD_NAME_TAKEN,
    Reason.CONFIG_MAP_NAME_TAKEN,
    Reason.REVISION_NAME_TAKEN,
    Reason.CLAIM_TERMINATING,
    Reason.BAD_REQUEST,
    Reason.UNAUTHORIZED,
    Reason.FORBIDDEN,
    Reason.NOT_FOUND,
    Reason.CONFLICT,
    Reason.INVALID,
    Reason.REQUEST_ENTITY_TOO_LARGE,
    Reason.TIMEOUT,
    Reason.SERVER_TIMEOUT,
    Reason.SERVICE_UNAVAILABLE,
    Reason.WRITE_REFUSED,
    Reason.UNREACHABLE,
)
"""A write was refused: by a fact of the cluster, or by the API server in its own words
(metav1.StatusReason)."""

REASONS: Mapping[ConditionType, Mapping[bool | None, tuple[Reason, ...]]] = MappingProxyType(
    {
        ConditionType.READY: {
            True: (Reason.PODS_AVAILABLE, Reason.COMPLETIONS_REACHED, Reason.REUSABLE_PART),
            False: (
                Reason.PODS_NOT_AVAILABLE,
                Reason.ROLLING_OUT,
                Reason.PAUSED,
                Reason.SURPLUS_PODS,
                Reason.BACKOFF_LIMIT_EXCEEDED,
                *INVALID,
                *FAILURES,
                Reason.INTERNAL_ERROR,
            ),
        },
        ConditionType.PROGRESSING: {
            True: (Reason.REVISION_COMPLETE, Reason.ROLLING_OUT, Reason.ON_DELETE, Reason.PARTITION_REACHED),
            False: (
                Reason.PAUSED,
                Reason.PROGRESS_DEADLINE_EXCEEDED,
                Reason.BACKOFF_LIMIT_EXCEEDED,
                *INVALID,
                *FAILURES,
                Reason.INTERNAL_ERROR,
            ),
        },
        ConditionType.AVAILABLE: {
            True: (Reason.MINIMUM_REPLICAS_AVAILABLE,),
            False: (Reason.MINIMUM_REPLICAS_UNAVAILABLE,),
        },
        ConditionType.COMPLETE: {True: (Reason.COMPLETIONS_REACHED,)},
        ConditionType.FAILED: {True: (Reason.BACKOFF_LIMIT_EXCEEDED,)},
        ConditionType.STALLED: {
            True: (Reason.PROGRESS_DEADLINE_EXCEEDED, Reason.BACKOFF_LIMIT_EXCEEDED),
        },
        ConditionType.REPLICA_FAILURE: {True: FAILURES, False: (Reason.NO_FAILURE,)},
        ConditionType.PODS_MODIFIED: {True: (Reason.IMAGE_MODIFIED,)},
        ConditionType.UPSTREAMS_HEALTHY: {
            True: (Reason.ENDPOINTS_HEALTHY,),
            False: (Reason.ENDPOINTS_UNHEALTHY, Reason.NOT_RUNNING),
            None: (Reason.NOT_CHECKED,),
        },
        ConditionType.CONTRACT_SATISFIED: {
            True: (Reason.METRICS_PRESENT,),
            False: (Reason.METRICS_MISSING, Reason.CONTRACT_UNSATISFIABLE, Reason.CONFIGURATION_REFUSED),
            None: (
                Reason.NO_SAMPLES_YET,
                Reason.CONFIGURATION_PROGRESSING,
                Reason.NOT_RUNNING,
                Reason.PENDING,
                Reason.UNREACHABLE,
            ),
        },
        ConditionType.CONFIGURATION_CURRENT: {
            True: (Reason.ALL_CURRENT,),
            False: (Reason.CONFIGURATION_REFUSED,),
            None: (
                Reason.CONFIGURATION_PROGRESSING,
                Reason.PAUSED,
                Reason.NOT_RUNNING,
                Reason.UNREACHABLE,
            ),
        },
        ConditionType.VOLUME_CLAIMS_CURRENT: {
            True: (Reason.CLAIMS_CURRENT,),
            False: (Reason.CLAIM_REFUSED, Reason.CLAIMS_DIFFER),
            None: (Reason.PENDING,),
        },
    }
)
"""The reasons of each condition type, by its status; None is Unknown."""
