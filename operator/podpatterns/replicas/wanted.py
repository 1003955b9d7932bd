"""The desired state of an object's Pods, with every percentage already a number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from podpatterns.api import Pattern
from podpatterns.replicas.pod import ENDING
from podpatterns.replicas.reading import mapping
from podpatterns.replicas.work import NO_WORK, Work

PERCENT = 100
BACKOFF_LIMIT = 6
"""As a Job's."""


@dataclass(frozen=True, slots=True)
class Wanted:
    name: str
    replicas: int
    revision: str
    start: int = 0
    """The first ordinal, with Stable names."""
    ordered: bool = False
    """Pods are created and scaled down one after the other (podManagementPolicy OrderedReady)."""
    naming: Literal["Stable", "Generated"] = "Stable"
    replacement: Literal["TerminatingOrFailed", "Failed"] = "TerminatingOrFailed"
    update: Literal["InPlaceIfPossible", "Recreate", "OnDelete"] = "InPlaceIfPossible"
    max_unavailable: int = 1
    max_surge: int = 0
    partition: int = 0
    paused: bool = False
    min_ready_seconds: float = 0
    configuration: str = ""
    """The hash of the configuration of the newest revision's helpers; empty without helpers."""
    configuration_held: bool = False
    """True while a pause keeps that configuration from the helpers."""
    held_revision: str = ""
    """The revision from before the update under way, for Pods that the update is kept away from; empty
    without an update, or if the history has lost that revision."""
    in_place: frozenset[str] = frozenset()
    """The revisions whose Pods can be brought to the newest one in place."""
    unchanged: frozenset[str] = frozenset()
    """Those of them whose Pods are as the newest one's already."""
    restart_application: frozenset[str] = frozenset()
    """Those of them whose Pods restart a container of the application on that way."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """UID -> the API server's message, of each Pod that it refused to bring to the newest revision in
    place."""
    drain_seconds: float = 0
    """Seconds for which a Pod is out of its Services before its application restarts in place."""
    resize_timeout: float = 60
    """Seconds for which a node may defer a change of resources before the Pod is replaced."""
    known: frozenset[str] = frozenset()
    """The older revisions in the history, from which Pods can be made."""
    holds: bool = False
    """The spec can't become Pods: they are kept at the last good revision, replaced and scaled, no more."""
    unwritten: str = ""
    """The revision that the object asks for, where that could not be written; else empty."""
    runs_to_completion: bool = False
    """Its Pods do work that ends (restartPolicy OnFailure or Never)."""
    retries: bool = False
    """A container that fails is restarted in its Pod (restartPolicy OnFailure)."""
    backoff_limit: int = BACKOFF_LIMIT
    """Failures of work that ends after which one more makes it fail as a whole."""
    work: Work = NO_WORK
    """The work that the status has recorded."""

    @property
    def works(self) -> bool:
        """True if there is work to count: that of the newest revision, or while an update is paused that of
        the one before."""
        return self.runs_to_completion or self.work.revision not in ("", self.revision)

    @property
    def rolls_out(self) -> bool:
        """True if the operator replaces outdated Pods, and does not wait for a person to delete them."""
        return not self.paused and self.update != "OnDelete"

    def as_it_was(self, revision: str | None) -> str:
        """Return the revision for the successor of a Pod of `revision` (None: unknown) that an update is kept
        away from."""
        if revision and (revision == self.revision or revision in self.known):
            return revision
        return self.held_revision or self.revision

    @classmethod
    def of(cls, app: Pattern, revision: str) -> Wanted:
        """Return the desired state of an object that makes Pods.

        Rounding is Deployment's: maxUnavailable down, maxSurge up, and never both 0.
        """
        spec, strategy = app.spec, app.spec.update_strategy
        surge = resolve(strategy.max_surge, spec.replicas, up=True) if spec.pod_naming == "Generated" else 0
        unavailable = resolve(strategy.max_unavailable, spec.replicas, up=False)
        return cls(
            name=app.metadata.name,
            replicas=spec.replicas,
            revision=revision,
            start=spec.first_ordinal,
            ordered=spec.pod_naming == "Stable" and spec.pod_management_policy == "OrderedReady",
            naming=spec.pod_naming,
            replacement=spec.pod_replacement_policy,
            update=strategy.type,
            max_unavailable=unavailable or (0 if surge else 1),
            max_surge=surge,
            partition=strategy.partition,
            paused=strategy.paused,
            drain_seconds=strategy.in_place.drain_seconds,
            resize_timeout=strategy.in_place.resize_timeout_seconds,
            min_ready_seconds=spec.min_ready_seconds,
            runs_to_completion=_restart_policy(spec.template) in ENDING,
            retries=_restart_policy(spec.template) == "OnFailure",
            backoff_limit=BACKOFF_LIMIT if spec.backoff_limit is None else spec.backoff_limit,
        )

    @classmethod
    def holding(cls, app: Pattern, revision: str, template: Mapping[str, Any]) -> Wanted:
        """Return that of an object whose newest spec can't become Pods, or can't be kept in the history.

        Its counts and names hold. `revision` and `template` are the last good ones: missing Pods are made
        from them, and existing Pods are not changed.
        """
        return replace(
            cls.of(app, revision),
            paused=True,
            holds=True,
            runs_to_completion=_restart_policy(template) in ENDING,
            retries=_restart_policy(template) == "OnFailure",
        )


def _restart_policy(template: object) -> object:
    return mapping(mapping(template).get("spec")).get("restartPolicy")


def resolve(value: int | str, total: int, *, up: bool) -> int:
    """Return the count that a number or a percentage of `total` stands for."""
    if isinstance(value, int):
        return value
    share = int(value.removesuffix("%")) * total / PERCENT
    return math.ceil(share) if up else math.floor(share)
