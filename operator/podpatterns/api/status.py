"""What the operator reports about an object."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from podpatterns.api import bounds
from podpatterns.api.model import Items, Model, list_map
from podpatterns.api.scalar import KindName, Time

Text = Annotated[str, Field(max_length=bounds.TEXT)]


class Observed(Model):
    """A part of status. Fields of a newer operator, left behind by a downgrade, are passed over."""

    model_config = ConfigDict(extra="ignore")


class Condition(Observed):
    """A metav1.Condition."""

    type: Text
    """What is judged, such as Ready or Progressing."""
    status: Literal["True", "False", "Unknown"]
    """True, False or Unknown."""
    reason: str = Field(max_length=bounds.REASON)
    """Why, as one CamelCase word for programs."""
    message: str = Field(max_length=bounds.MESSAGE)
    """Why, as a sentence for people: the field, what is wrong with it, what to do."""
    observed_generation: int | None = None
    """The metadata.generation that was judged."""
    last_transition_time: Time
    """When status last changed from one value to another."""


class Replacement(Observed):
    """A Pod that took the place of another."""

    name: Text
    """The new Pod's name."""
    old_uid: Text = Field(alias="oldUID")
    """UID of the Pod that went."""
    new_uid: Text = Field(alias="newUID")
    """UID of the Pod that came."""
    reason: str = Field(max_length=bounds.REASON)
    """Why the old Pod went, as one CamelCase word: Deleted, Failed, Evicted, Outdated, …"""
    time: Time
    """When the new Pod was created."""
    duration: Text
    """How long it took from the old Pod's leaving until the new one was ready, such as 3.2s."""


class LaggingPod(Observed):
    """A Pod whose helper runs another configuration than it is given."""

    pod: Text
    """The Pod's name."""
    hash: Text
    """Of the configuration that it runs; empty when it runs none."""
    refused: str | None = Field(default=None, max_length=bounds.REFUSAL)
    """Why it does not take up the one that it is given, in the helper's own words. Absent when it has not
    come to that: the kubelet takes a while to bring it."""


class Configuration(Observed):
    """What a helper should run, and what it runs."""

    container: Text
    """The helper's container."""
    hash: Text
    """The first 10 hex digits of its configuration file's SHA-256."""
    running_pods: int | None = None
    """In how many Pods of the newest revision the helper has told that it runs this one. Absent: in none."""
    lagging_pods: Items[LaggingPod] | None = Field(
        default=None, max_length=bounds.LAGGING_PODS, json_schema_extra=list_map("pod")
    )
    """The Pods of the newest revision in which it has told that it runs another one: the first 10 by name."""


class UsedBy(Observed):
    """An object that includes this one."""

    kind: KindName
    """The object's kind."""
    name: Text
    """The object's name, in the same namespace."""


class Status(Observed):
    """What was last observed."""

    observed_generation: int | None = None
    """The metadata.generation that the rest of status is about. Smaller than metadata.generation, the last
    change of the object isn't reflected here yet."""
    replicas: int | None = None
    """Pods that exist and are not being deleted."""
    ready_replicas: int | None = None
    """Pods whose containers are all ready."""
    updated_replicas: int | None = None
    """Pods of the newest revision, with all that it changed in them carried out by their nodes."""
    available_replicas: int | None = None
    """Pods that have been ready for minReadySeconds."""
    terminating_replicas: int | None = None
    """Pods that are being deleted and are not gone yet."""
    replacements: int | None = None
    """How many Pods have been replaced since the object was created."""
    recent_replacements: Items[Replacement] | None = Field(
        default=None, max_length=bounds.RECENT_REPLACEMENTS
    )
    """The last replacements, newest first: which Pod took whose place, and why."""
    current_revision: Text | None = None
    """The revision that the Pods had before the update under way; equal to updateRevision when none is."""
    update_revision: Text | None = None
    """The newest revision."""
    last_progress_time: Time | None = None
    """When an update last moved on: it began, a Pod got the newest revision, or one became available."""
    configurations: Items[Configuration] | None = Field(
        default=None, max_length=bounds.CONFIGURATIONS, json_schema_extra=list_map("container")
    )
    """The configuration that each helper is given, and which Pods run it. A change of it alone rolls in while
    the containers run."""
    selector: Text | None = None
    """The label selector of the Pods, for /scale, autoscalers and disruption budgets."""
    used_by: Items[UsedBy] | None = Field(
        default=None, max_length=bounds.USED_BY, json_schema_extra=list_map("kind", "name")
    )
    """Objects that include this part: the first 100 by kind and name."""
    conditions: Items[Condition] | None = Field(
        default=None, max_length=bounds.CONDITIONS, json_schema_extra=list_map("type")
    )
    """How the object fares, one judgement each: Ready, Progressing, ReplicaFailure, …"""
