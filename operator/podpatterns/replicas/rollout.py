"""Rollouts: which Pods are brought to the newest revision now, in place or by replacement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from podpatterns.api.conditions import PodReason
from podpatterns.replicas.actions import MOST_AT_ONCE
from podpatterns.replicas.drain import drains
from podpatterns.replicas.order import kept_waiting
from podpatterns.replicas.ordinal import is_below_partition, is_condemned, ordinal
from podpatterns.replicas.pod import Pod
from podpatterns.replicas.scaledown import stable_rank
from podpatterns.replicas.wanted import Wanted


def is_outdated(wanted: Wanted, pod: Pod) -> bool:
    """Return whether the update is to reach the Pod, of which `partition` keeps some with generated names."""
    if is_condemned(wanted, pod.name):
        return not wanted.holds or ordinal(wanted, pod.name) is not None
    if wanted.naming == "Stable" and is_below_partition(wanted, ordinal(wanted, pod.name)):
        return False
    return wanted.rolls_out and not pod.is_of(wanted.revision)


def judged(wanted: Wanted, pod: Pod, now: float) -> Pod:
    """Return the Pod, with the reason if it can't be brought to the newest revision in place after all."""
    if not wanted.rolls_out:
        return pod
    why = wanted.refused.get(pod.uid, "")
    if (
        pod.resize_pending
        and pod.revision == wanted.revision
        and pod.resize_left(now, wanted.resize_timeout) <= 0
    ):
        why = f"Resize{pod.resize_pending}"
        why = f"{why}: {pod.message}" if pod.reason == why and pod.message else why
    return replace(pod, not_in_place=why) if why else pod


def is_updated_in_place(wanted: Wanted, pod: Pod) -> bool:
    if pod.not_in_place or (drains(wanted, pod) and pod.in_service is None):
        return False
    labelled = pod.revision in wanted.unchanged and (pod.live or pod.done)
    can = wanted.update == "InPlaceIfPossible" and pod.revision in wanted.in_place and pod.live
    # One between two revisions can be brought on, but nobody knows how to bring it back.
    return (labelled or can) and pod.between in ("", wanted.revision) and not is_condemned(wanted, pod.name)


def misses_configuration(wanted: Wanted, pod: Pod) -> bool:
    """A Pod that never had the annotation, as an older operator made it, waits for the kubelet's own sync."""
    another = pod.configuration not in ("", wanted.configuration)
    return another and pod.revision == wanted.revision and not (wanted.holds or wanted.configuration_held)


def why_outdated(wanted: Wanted, pod: Pod) -> str:
    beyond = is_condemned(wanted, pod.name) and ordinal(wanted, pod.name) is not None
    return PodReason.SCALED_DOWN if beyond else PodReason.OUTDATED


def outdated_pods(wanted: Wanted, live: Sequence[Pod], done: int, now: float) -> list[Pod]:
    """Return the Pods to bring up to date now: the unavailable before the available, then what was begun,
    then the highest ordinal first.

    A Pod in flight is one that is missing, or new and not yet available, or new and not yet as its node wants
    it. Never are more in flight than maxUnavailable + maxSurge, so that a bad revision can't spread further.
    Pods that are done are among `live` and count as available; `done` counts those that are gone since.
    """
    old = [p for p in live if is_outdated(wanted, p)]
    if not old:
        return []
    available = {p.uid for p in live if p.available(now, wanted.min_ready_seconds) or p.done}
    new_in_flight = sum(
        1
        for p in live
        if not is_outdated(wanted, p) and (p.uid not in available or (p.settling and not p.not_in_place))
    )
    up = {p.name for p in live if p.uid in available}
    missing = max(0, wanted.replicas - len(live) - done)
    in_flight = new_in_flight + max(0, missing - kept_waiting(wanted, live, up))
    may_lose = len(available) + done - (wanted.replicas - wanted.max_unavailable)
    chosen: list[Pod] = []
    old.sort(key=lambda p: (p.uid in available, p.between == "", *stable_rank(wanted, p, now)))
    if wanted.naming == "Generated":
        old = old[: max(0, len(old) - wanted.partition)]
    for pod in old:
        if in_flight >= wanted.max_unavailable + wanted.max_surge or len(chosen) == MOST_AT_ONCE:
            break
        if pod.uid in available:
            if may_lose <= 0:
                break
            may_lose -= 1
        in_flight += 1
        chosen.append(pod)
    return chosen


def needs_surge(wanted: Wanted, pods: Sequence[Pod]) -> bool:
    """A rollout goes on that needs Pods beyond the number wanted, with generated names.

    What can be brought up to date where it is needs nobody to stand in, if it may be missing for a moment.
    """
    old = [p for p in pods if not p.is_of(wanted.revision)]
    in_place = all(is_updated_in_place(wanted, p) for p in old)
    return wanted.rolls_out and len(old) > wanted.partition and not (in_place and wanted.max_unavailable)
