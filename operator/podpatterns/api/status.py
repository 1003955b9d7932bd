"""Status of an object, which the operator reports."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from podpatterns.api import bounds
from podpatterns.api.model import LIST_SET, Items, Model, list_map
from podpatterns.api.scalar import KindName, Time

Text = Annotated[str, Field(max_length=bounds.TEXT)]


class Observed(Model):
    """Part of the status. Fields of a newer operator, left behind by a downgrade, are ignored."""

    model_config = ConfigDict(extra="ignore")


class Condition(Observed):
    """A metav1.Condition."""

    type: Text
    """Type of the condition, such as Ready or Progressing."""
    status: Literal["True", "False", "Unknown"]
    """Status of the condition: True, False or Unknown."""
    reason: str = Field(max_length=bounds.REASON)
    """Reason for the status, as one CamelCase word for programs."""
    message: str = Field(max_length=bounds.MESSAGE)
    """Explanation for people: the field, what is wrong with it, what to do."""
    observed_generation: int | None = None
    """The metadata.generation that the condition is about."""
    last_transition_time: Time
    """Time of the last change of status."""


class Replacement(Observed):
    """Replacement of a Pod by another."""

    name: Text
    """Name of the new Pod."""
    old_uid: Text = Field(alias="oldUID")
    """UID of the old Pod."""
    new_uid: Text = Field(alias="newUID")
    """UID of the new Pod."""
    reason: str = Field(max_length=bounds.REASON)
    """Reason for the end of the old Pod, as one CamelCase word: Deleted, Failed, Evicted, Outdated, …"""
    time: Time
    """Creation time of the new Pod."""
    duration: Text
    """Time from the old Pod's termination until the new one was ready, such as 3.2s."""


class LaggingPod(Observed):
    """Pod whose helper runs another configuration than the current one."""

    pod: Text
    """Name of the Pod."""
    hash: Text
    """Hash of the configuration that the helper runs; empty if it runs none."""
    refused: str | None = Field(default=None, max_length=bounds.REFUSAL)
    """Error of the helper that refuses the current configuration. Absent before the helper has seen it: the
    kubelet takes a while to update the file."""


class Configuration(Observed):
    """Configuration of a helper, and the Pods that run it."""

    container: Text
    """Name of the helper's container."""
    hash: Text
    """First 10 hex digits of the SHA-256 of its configuration file."""
    running_pods: int | None = None
    """Number of Pods of the newest revision whose helper reports this configuration. Absent: none."""
    lagging_pods: Items[LaggingPod] | None = Field(
        default=None, max_length=bounds.LAGGING_PODS, json_schema_extra=list_map("pod")
    )
    """Pods of the newest revision whose helper reports another configuration: the first 10 by name."""


class Work(Observed):
    """Record of work that ends, by which its counts outlive Pods and the operator."""

    revision: Text
    """Hash of the revision that the counts are about. Another revision's work begins anew."""
    succeeded: int | None = None
    """Number of Pods of that revision that have succeeded, whether they are still there or not."""
    completed_indexes: str | None = Field(default=None, max_length=bounds.INDEXES)
    """Indexes of these Pods, with podNaming Stable, such as 0,2-5."""
    failed_pods: Items[Text] | None = Field(
        default=None, max_length=bounds.FAILED_PODS, json_schema_extra=dict(LIST_SET)
    )
    """UIDs of the failed Pods that are counted and not deleted yet."""
    backoff_limit_exceeded: bool | None = None
    """True after more failures than spec.backoffLimit."""


class UsedBy(Observed):
    """Object that includes this one."""

    kind: KindName
    """Kind of the object."""
    name: Text
    """Name of the object."""
    namespace: Text | None = None
    """Namespace of the object. Absent: that of the part."""


class ComposedPart(Observed):
    """Part of the newest revision."""

    kind: KindName
    """Kind of the part."""
    name: Text
    """Name of the part."""
    namespace: Text | None = None
    """Namespace of the part. Absent: that of the object."""
    generation: int
    """The metadata.generation of the part from which the newest revision was composed."""


class Status(Observed):
    """Observed state."""

    observed_generation: int | None = None
    """The metadata.generation that the status is about. If it is less than metadata.generation, the status
    doesn't reflect the last change yet."""
    replicas: int | None = None
    """Number of Pods that exist and are not terminating; those that have failed do not count."""
    ready_replicas: int | None = None
    """Number of Pods whose containers are all ready."""
    ready_pods: Text | None = None
    """Number of Pods whose containers are all ready, and spec.replicas, such as 2/3: for kubectl get."""
    updated_replicas: int | None = None
    """Number of Pods of the newest revision whose nodes have applied its changes."""
    available_replicas: int | None = None
    """Number of Pods that have been ready for minReadySeconds."""
    terminating_replicas: int | None = None
    """Number of terminating Pods."""
    succeeded: int | None = None
    """Number of Pods that have succeeded, of work that ends (restartPolicy OnFailure or Never)."""
    failed: int | None = None
    """Number of Pods of the newest revision that have failed, of work that ends."""
    work: Work | None = None
    """Record of work that ends."""
    replacements: int | None = None
    """Number of Pods replaced since the object was created."""
    recent_replacements: Items[Replacement] | None = Field(
        default=None, max_length=bounds.RECENT_REPLACEMENTS
    )
    """Last replacements, newest first, each with its reason."""
    current_revision: Text | None = None
    """Revision of the Pods before the current rollout; equal to updateRevision if there is none."""
    update_revision: Text | None = None
    """Newest revision."""
    last_progress_time: Time | None = None
    """Time of the last progress of a rollout: it began, or a Pod got the newest revision or became
    available."""
    configurations: Items[Configuration] | None = Field(
        default=None, max_length=bounds.CONFIGURATIONS, json_schema_extra=list_map("container")
    )
    """Configuration of each helper, and the Pods that run it. A change of it alone reaches helpers without a
    restart."""
    selector: Text | None = None
    """Label selector of the Pods, for /scale, autoscalers and disruption budgets."""
    parts: Items[ComposedPart] | None = Field(default=None, max_length=bounds.POD_PARTS)
    """Parts of the newest revision, those that parts include among them."""
    used_by: Items[UsedBy] | None = Field(default=None, max_length=bounds.USED_BY)
    """Objects that include this part: the first 100, those of other namespaces in front."""
    users: int | None = None
    """Number of objects whose Pods have this part, whether they include it themselves or by another part."""
    updated_users: int | None = None
    """Number of these objects whose rollout of the part as it is now is complete."""
    conditions: Items[Condition] | None = Field(
        default=None, max_length=bounds.CONDITIONS, json_schema_extra=list_map("type")
    )
    """Conditions of the object: Ready, Progressing, ReplicaFailure, …"""
