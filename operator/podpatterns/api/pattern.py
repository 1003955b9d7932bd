"""Pattern: the fields that all kinds share."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from podpatterns.api.effect import IncludesPart, Policy, ShapesPod
from podpatterns.api.include import Include, PartVariable, SharedWith
from podpatterns.api.kubernetes import Container, ObjectMeta, PodTemplateSpec, Volume
from podpatterns.api.model import Items, Model, Validation, list_map
from podpatterns.api.names import API_VERSION, ApiVersion
from podpatterns.api.ordinals import Ordinals
from podpatterns.api.scalar import KindName, Label, Quantity
from podpatterns.api.sharedvolume import SharedVolume
from podpatterns.api.status import Status
from podpatterns.api.updatestrategy import UpdateStrategy
from podpatterns.api.volumeclaim import RetentionPolicy, VolumeClaimTemplate

MAX_NAME_LENGTH = 57
"""A Pod's name, <name>-<index of up to 5 digits>, is a host name and a label value too: 63 characters."""
MAX_REPLICAS = 100_000
"""Keeps the index within 5 digits."""


_NO_CLAIMS = "!has(self.volumeClaimTemplates) || size(self.volumeClaimTemplates) == 0"


def _of_a_part(field: str, remedy: str) -> Validation:
    unset = f"!has(self.{field})"
    return Validation(
        f"!has(self.template) || {unset} || size(self.{field}) == 0",
        f"belongs to a part (an object without template): {remedy}",
        f".{field}",
    )


def _needs_stable(field: str, unset: str, why: str) -> Validation:
    return Validation(f"self.podNaming == 'Stable' || {unset}", f"needs podNaming Stable: {why}", f".{field}")


class PatternSpec(Model):
    """Desired state."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "self.podNaming == 'Generated' || self.podReplacementPolicy != 'Failed'",
            "Failed needs podNaming Generated: with a stable name a replacement always waits",
            ".podReplacementPolicy",
        ),
        Validation(
            "self.podNaming == 'Generated' || self.updateStrategy.maxSurge == 0"
            " || self.updateStrategy.maxSurge == '0%'",
            "needs podNaming Generated: a stable name can't be held by two Pods",
            ".updateStrategy.maxSurge",
        ),
        Validation(
            "self.progressDeadlineSeconds > self.minReadySeconds",
            "must be more than minReadySeconds, or every update would be reported as stuck",
            ".progressDeadlineSeconds",
        ),
        Validation(
            "!has(self.backoffLimit) || has(self.template) && has(self.template.spec)"
            " && has(self.template.spec.restartPolicy) && self.template.spec.restartPolicy != 'Always'",
            "needs restartPolicy OnFailure or Never in the template: Pods that don't end don't fail",
            ".backoffLimit",
        ),
        Validation(
            "!has(oldSelf.template) || has(self.template)",
            "can't be taken out of an object that makes Pods: delete the object, or set replicas to 0 and"
            " create a part under another name",
            ".template",
        ),
        Validation(
            "has(self.template) || !has(self.serviceName)",
            "a part (an object without template) has no Pods: set serviceName in the application",
            ".serviceName",
        ),
        Validation(
            f"has(self.template) || {_NO_CLAIMS}",
            "a part (an object without template) has no Pods: set volumeClaimTemplates in the application",
            ".volumeClaimTemplates",
        ),
        _of_a_part("volumes", "an application has its volumes in spec.template.spec.volumes"),
        _of_a_part("initContainers", "an application has its own in spec.template.spec.initContainers"),
        _of_a_part("env", "an application has its variables in its containers"),
        Validation(
            "!has(self.template) || !has(self.sharedWith)",
            "belongs to a part (an object without template): nobody includes an application",
            ".sharedWith",
        ),
        _needs_stable("serviceName", "!has(self.serviceName)", "DNS names are made of the Pods' names"),
        _needs_stable("volumeClaimTemplates", _NO_CLAIMS, "a claim is found by its Pod's name"),
        _needs_stable("ordinals", "!has(self.ordinals)", "generated names have no ordinals"),
        _needs_stable(
            "podManagementPolicy",
            "self.podManagementPolicy != 'OrderedReady'",
            "generated names have no order",
        ),
        Validation(
            "!has(self.ordinals) || self.ordinals.start + self.replicas <= 100000",
            "start + replicas may not exceed 100000: an ordinal has up to 5 digits",
            ".ordinals.start",
        ),
        Validation(
            "!has(self.volumeClaimTemplates) || self.volumeClaimTemplates.all(one,"
            " self.volumeClaimTemplates.exists_one(other, other.metadata.name == one.metadata.name))",
            "two templates have one name: rename one",
            ".volumeClaimTemplates",
        ),
    )

    replicas: Policy[int] = Field(default=1, ge=0, le=MAX_REPLICAS)
    """Number of Pods to run. Ignored in a reusable part (no template), which has no Pods. Default: 1."""
    template: ShapesPod[PodTemplateSpec | None] = None
    """The application, as a core/v1 PodTemplateSpec with any field of a Pod. The operator adds helpers,
    shared volumes and included parts to it. Without a template the object makes no Pods: it is a reusable
    part for other objects to include."""
    shared_volumes: ShapesPod[Items[SharedVolume]] = Field(
        default=(), max_length=64, json_schema_extra=list_map("name")
    )
    """Directories through which the containers of a Pod exchange files. Each is an emptyDir, mounted in every
    container unless its mounts say otherwise."""
    shared_memory: ShapesPod[Quantity | None] = None
    """Size of one /dev/shm for System V and POSIX shared memory of all containers of the Pod, as a quantity
    such as 64Mi. It counts against their memory limits. Default: each container has its own, of the container
    runtime's size."""
    include: IncludesPart[Items[Include]] = Field(
        default=(), max_length=32, json_schema_extra=list_map("kind", "name")
    )
    """Parts to add to the Pods: objects without a template, often another team's. A part may include others
    too. A change of a part is rolled out to all objects that include it."""
    volumes: ShapesPod[Items[Volume]] = Field(default=(), max_length=64, json_schema_extra=list_map("name"))
    """Volumes that a part brings along, as core/v1 Volumes: a ConfigMap, a Secret, a projected token, CSI, …
    Any container of the Pod can mount them. The ConfigMaps, Secrets and claims that they name are those of
    the Pod's namespace."""
    init_containers: ShapesPod[Items[Container]] = Field(
        default=(), max_length=64, json_schema_extra=list_map("name")
    )
    """Init containers that a part brings along, as core/v1 Containers. They run in this order, before the
    part's helpers start and after the init containers and helpers of the parts that it includes."""
    env: ShapesPod[Items[PartVariable]] = Field(
        default=(), max_length=128, json_schema_extra=list_map("name")
    )
    """Environment variables of all containers of a part, before those that a container has itself. Whoever
    includes the part can give them other values, and has to give those that are required."""
    shared_with: Policy[SharedWith | None] = None
    """Namespaces other than the part's own whose objects may include it. Default: none."""
    pod_naming: Policy[Literal["Stable", "Generated"]] = "Stable"
    """Naming of the Pods. Stable: <name>-0, <name>-1, …; a replacement gets the name of the Pod that it
    replaces, with a new UID, after that Pod is gone. Generated: <name>-<random>; a replacement has a new
    name. Default: Stable."""
    service_name: ShapesPod[Label | None] = None
    """Name of a headless Service that selects the Pods, as StatefulSet has it. Each Pod then has the DNS name
    <Pod>.<serviceName>. The operator doesn't create the Service. Needs podNaming Stable. Default: none."""
    ordinals: Policy[Ordinals | None] = None
    """Ordinals of the Pods, with podNaming Stable. Another start takes away the Pods whose ordinal is out of
    range, and creates those that are missing. Default: 0, 1, …"""
    pod_management_policy: Policy[Literal["Parallel", "OrderedReady"]] = "Parallel"
    """Order in which Pods are created and scaled down, with podNaming Stable. Parallel: all at once.
    OrderedReady: a Pod is created when those of lower ordinals are available, and scaling down deletes the
    highest ordinal first, one Pod after the other. Default: Parallel."""
    volume_claim_templates: Items[VolumeClaimTemplate] = Field(default=(), max_length=32)
    """PersistentVolumeClaims for each Pod, in the form that StatefulSet has. A claim is called
    <template>-<Pod>, is created before the Pod, and found again by its successors; containers mount it by the
    template's name. It takes the place of a volume of that name in the template. Needs podNaming Stable."""
    persistent_volume_claim_retention_policy: RetentionPolicy | None = None
    """Claims to delete when the object is deleted or scaled down. Default: none."""
    pod_replacement_policy: Policy[Literal["TerminatingOrFailed", "Failed"]] = "TerminatingOrFailed"
    """Start of a replacement, with podNaming Generated. TerminatingOrFailed: as soon as the old Pod is
    terminating or failed, so that both run for a while. Failed: after the old Pod is gone or failed. With
    podNaming Stable a replacement always waits until the old Pod is gone. Default: TerminatingOrFailed."""
    update_strategy: Policy[UpdateStrategy] = UpdateStrategy()
    """Rollout of a change to the running Pods."""
    min_ready_seconds: Policy[int] = Field(default=0, ge=0)
    """Seconds for which a Pod must be ready without interruption before it counts as available. Default:
    0."""
    backoff_limit: Policy[int | None] = Field(default=None, ge=0)
    """Number of retries of work that ends (restartPolicy OnFailure or Never) before the object counts as
    Failed: Pods that failed and, with OnFailure, restarts in running ones. A change after that changes
    nothing; a change of the template begins anew. Default: 6."""
    progress_deadline_seconds: Policy[int] = Field(default=600, ge=1)
    """Seconds without progress after which the condition Progressing reports a rollout as stuck. Must exceed
    minReadySeconds. Default: 600."""
    revision_history_limit: Policy[int] = Field(default=10, ge=0)
    """Number of old revisions to keep for a rollback. Default: 10."""

    @property
    def first_ordinal(self) -> int:
        return self.ordinals.start if self.ordinals else 0

    @property
    def retention(self) -> RetentionPolicy:
        return self.persistent_volume_claim_retention_policy or RetentionPolicy()


def _as_observed(value: object, read: ValidatorFunctionWrapHandler) -> Status:
    """Return the status; an empty one if another version of the operator, or somebody else, wrote it in
    another form."""
    try:
        status: Status = read(value)
    except ValidationError:
        return Status()
    return status


class Pattern(Model):
    """An object of one of the kinds."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "!has(self.spec.include)"
            " || self.spec.include.all(i, has(i.__namespace__) || i.kind != self.kind"
            " || i.name != self.metadata.name)",
            "an object can't include itself",
            ".spec.include",
        ),
        Validation(
            "!has(self.spec.serviceName) || !self.metadata.name.contains('.')",
            "the object's name has a dot, and so no Pod of it can have a DNS name: rename the object",
            ".spec.serviceName",
        ),
    )

    api_version: ApiVersion = API_VERSION
    kind: KindName
    metadata: ObjectMeta
    spec: PatternSpec
    """Desired state."""
    status: Annotated[Status, WrapValidator(_as_observed)] = Status(observed_generation=-1)
    """Observed state. Only the operator writes it. Default: observedGeneration -1, so that an object that the
    operator has not seen yet is not taken as ready."""
