"""Completion of work that ends: the Pods that are done, and what there is to record of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from podpatterns.api import bounds
from podpatterns.replicas.ordinal import ordinal, ordinals
from podpatterns.replicas.pod import Pod
from podpatterns.replicas.wanted import Wanted
from podpatterns.replicas.work import Work


def is_of_work(wanted: Wanted, pod: Pod) -> bool:
    """Return whether the Pod does the work that is counted, under this revision or an unchanged one."""
    unchanged = wanted.unchanged if wanted.work.revision == wanted.revision else ()
    return pod.is_of(pod.revision) and (pod.revision == wanted.work.revision or pod.revision in unchanged)


def awaits_count(wanted: Wanted, pod: Pod) -> bool:
    """Return whether the Pod has failed and no status counts it yet."""
    failed = wanted.works and pod.phase == "Failed" and is_of_work(wanted, pod)
    return failed and pod.uid not in wanted.work.failed_pods


def completed_ordinals(wanted: Wanted, pods: Sequence[Pod]) -> set[int]:
    """Return the ordinals whose work is done and whose Pods are gone: nobody makes them again."""
    if wanted.naming != "Stable" or not wanted.work.completed:
        return set()
    there = {ordinal(wanted, p.name) for p in pods if p.live or p.done}
    return set(wanted.work.completed.intersection(ordinals(wanted)).difference(there))


def completed_elsewhere(wanted: Wanted, pods: Sequence[Pod]) -> int:
    """Return the number of replicas whose work is done and whose Pods are gone."""
    if not wanted.works:
        return 0
    if wanted.naming == "Stable":
        return len(completed_ordinals(wanted, pods))
    there = sum(1 for p in pods if p.done and is_of_work(wanted, p))
    return max(0, min(wanted.work.succeeded, wanted.replicas) - there)


def tally(wanted: Wanted, pods: Sequence[Pod]) -> Work:
    """Return `wanted.work` with what the Pods show beyond it.

    A failure is a Pod that has failed, and with restartPolicy OnFailure each restart in a Pod that runs: a
    Job's count. A Pod that somebody deletes is none.
    """
    work = wanted.work
    kept = work.failed_pods & {p.uid for p in pods if not p.terminating}
    new = sorted(p.uid for p in pods if awaits_count(wanted, p) and not p.terminating)
    new = new[: max(0, bounds.FAILED_PODS - len(kept))]
    failed = work.failed + len(new)
    retries = sum(p.retries for p in pods if p.live and is_of_work(wanted, p)) if wanted.retries else 0
    done = [p for p in pods if p.done and is_of_work(wanted, p)]
    completed: set[int] = set()
    if wanted.naming == "Stable":
        there = {i for p in done if (i := ordinal(wanted, p.name)) is not None}
        completed.update(work.completed.union(there).intersection(ordinals(wanted)))
    return replace(
        work,
        succeeded=len(completed)
        if wanted.naming == "Stable"
        else len(done) + completed_elsewhere(wanted, pods),
        completed=frozenset(completed),
        failed=failed,
        failed_pods=kept.union(new),
        exceeded=work.exceeded or failed + retries > wanted.backoff_limit,
    )
