"""Order of Stable Pods (podManagementPolicy OrderedReady): which may be created or scaled down next.

As StatefulSet's, but for one thing: there an unhealthy Pod also holds up the rollout that would correct it
(https://github.com/kubernetes/kubernetes/issues/67250). Here a Pod that the order keeps from being created
counts as nobody's outage, so that an outdated, unhealthy one is replaced at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice

from podpatterns.replicas.completion import completed_ordinals
from podpatterns.replicas.ordinal import is_condemned, ordinal, ordinals
from podpatterns.replicas.pod import Pod
from podpatterns.replicas.wanted import Wanted


def in_turn(
    wanted: Wanted, free: Iterator[tuple[int, str]], is_up: Callable[[int], bool]
) -> Iterator[tuple[int, str]]:
    """Yield the first of the free slots (ordinal and name), if all lower ones are up."""
    for index, name in islice(free, 1):
        if all(map(is_up, range(wanted.start, index))):
            yield index, name


def last_to_leave(wanted: Wanted, pods: Sequence[Pod], chosen: Sequence[Pod]) -> list[Pod]:
    """Return those of the chosen that may be deleted now: of condemned ones the highest ordinal alone, and
    none before the last one is gone."""
    condemned = [p for p in chosen if _is_scaled_down(wanted, p)]
    others = [p for p in chosen if not _is_scaled_down(wanted, p)]
    if not condemned or any(p.terminating and _is_scaled_down(wanted, p) for p in pods):
        return others
    return [max(condemned, key=lambda p: ordinal(wanted, p.name) or 0), *others]


def kept_waiting(wanted: Wanted, live: Sequence[Pod], up: Collection[str]) -> int:
    """Return the number of missing Pods that wait for an unhealthy one with a lower ordinal."""
    unhealthy = [
        index
        for p in live
        if p.name not in up and (index := ordinal(wanted, p.name)) is not None and index in ordinals(wanted)
    ]
    if not wanted.ordered or not unhealthy:
        return 0
    present = {ordinal(wanted, p.name) for p in live} | completed_ordinals(wanted, live)
    above = range(min(unhealthy), wanted.start + wanted.replicas)
    return sum(1 for i in above if i not in present)


def _is_scaled_down(wanted: Wanted, pod: Pod) -> bool:
    return is_condemned(wanted, pod.name) and ordinal(wanted, pod.name) is not None
