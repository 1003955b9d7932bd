"""The measurements, each giving its rows."""

from __future__ import annotations

from statistics import median, quantiles
from typing import TYPE_CHECKING

from bench.rampup import RampUp, ramped_up
from bench.replacement import replace_all, replacements
from bench.restart import Restart, restart
from bench.row import Goal, Row
from bench.subject import DEPLOYMENT, GENERATED, REPLICASET, STABLE, STATEFULSET
from bench.update import update
from testbed.cluster.progress import step
from testbed.usage import resident_mib

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bench.size import Size
    from bench.subject import Subject
    from bench.testbed import Testbed

SWIFTER = Goal("≤", 0.7)
AS_GOOD = Goal("≤", 1.0)
STEADY = Goal("≥", 0.9)
NONE = Goal("≤", 0)

PAIRS = ((GENERATED, REPLICASET, AS_GOOD), (STABLE, STATEFULSET, SWIFTER))


class Benches:
    """Each method that `NAMES` has, in that order: `defaults` is last as it changes the testbed."""

    NAMES = ("replacement", "large", "update", "many", "most", "defaults")

    def __init__(self, testbed: Testbed, size: Size) -> None:
        self._testbed = testbed
        self._size = size
        self._rates: list[float] = []
        """Pods per second in the runs of many objects."""

    async def run(self, name: str) -> list[Row]:
        bench: Callable[[], Awaitable[list[Row]]] = getattr(self, name)
        return await bench()

    async def replacement(self) -> list[Row]:
        return await _replacement_rows(self._testbed, self._size.replacements, self._size.rounds)

    async def large(self) -> list[Row]:
        """One object of many Pods; then all its Pods are deleted at once."""
        replaced: dict[Subject, list[float]] = {GENERATED: [], REPLICASET: []}

        async def delete_all(subject: Subject, run: RampUp) -> None:
            replaced[subject].append(1000 * await replace_all(self._testbed, subject, run))

        ours, theirs = await _alternately(self._testbed, 1, self._size.large, self._size.rounds, delete_all)
        what = f"1 object x {self._size.large} Pods"
        return [
            *_ramp_up_rows(what, ours, theirs),
            Row(f"{what}: CPU per Pod replaced", "ms", replaced[GENERATED], replaced[REPLICASET]),
        ]

    async def update(self) -> list[Row]:
        """A new image for one helper, against a Deployment's rolling update; fake nodes restart at once."""
        pods = self._size.updated
        ours, theirs = [
            [await update(self._testbed, subject, pods) for _ in range(self._size.rounds)]
            for subject in (STABLE, DEPLOYMENT)
        ]
        what = f"{pods} Pods, one helper's image"
        restarted = [u.restarted for u in ours], [u.restarted for u in theirs]
        return [
            Row(f"{what}: all updated", "s", [u.seconds for u in ours], [u.seconds for u in theirs], AS_GOOD),
            Row(f"{what}: applications restarted", "", *restarted, NONE, "ours"),
        ]

    async def many(self) -> list[Row]:
        ours, theirs = await _alternately(self._testbed, self._size.many, 1, self._size.rounds)
        self._rates = [run.rate for run in ours]
        return _ramp_up_rows(f"{self._size.many} objects x 1 Pod", ours, theirs)

    async def most(self) -> list[Row]:
        """At scale, once each, by processes started anew, so that none carries the weight of earlier runs."""
        if not self._rates:
            await self.many()
        (us, our_restart, our_memory), (them, their_restart, their_memory) = [
            await _at_scale(self._testbed, subject, self._size.most) for subject in (GENERATED, REPLICASET)
        ]
        what = f"{self._size.most} objects x 1 Pod"
        steadiness = us.rate / median(self._rates)
        writes = [our_restart.writes], [their_restart.writes]
        return [
            *_ramp_up_rows(what, [us], [them], goal=None),
            Row(f"{what}: rate against {self._size.many} objects", "", [steadiness], [], STEADY, "ours"),
            Row(f"{what}: resident memory", "MiB", our_memory[:1], their_memory[:1], AS_GOOD),
            Row(f"{what}: resident memory after a restart", "MiB", our_memory[1:], their_memory[1:]),
            Row(
                f"{what}: restart until in sync", "s", [our_restart.seconds], [their_restart.seconds], AS_GOOD
            ),
            Row(f"{what}: writes after a restart", "", *writes, NONE, "ours"),
        ]

    async def defaults(self) -> list[Row]:
        """kube-controller-manager with the client limits that it has by default; it keeps them."""
        self._testbed.limit_theirs()
        self._testbed.stop("theirs")
        self._testbed.launch("theirs")
        suffix = ", theirs at default limits"
        rows = await _replacement_rows(self._testbed, self._size.replacements, 1, suffix, goals=False)
        for objects, replicas in ((1, self._size.large), (self._size.many, 1)):
            ours, theirs = await _alternately(self._testbed, objects, replicas, 1)
            name = f"{objects} objects x {replicas} Pods: all Ready{suffix}"
            rows.append(Row(name, "s", [run.seconds for run in ours], [run.seconds for run in theirs]))
        return rows


async def _nothing(subject: Subject, run: RampUp) -> None:
    pass


async def _alternately(
    testbed: Testbed,
    objects: int,
    replicas: int,
    rounds: int,
    then: Callable[[Subject, RampUp], Awaitable[None]] = _nothing,
) -> tuple[list[RampUp], list[RampUp]]:
    """Ramps up ours and theirs, `then` does something with each while it is up.

    Who is first changes from round to round: the second meets what the first left behind.
    """
    runs: dict[Subject, list[RampUp]] = {GENERATED: [], REPLICASET: []}
    for number in range(rounds):
        with step(f"Round {number + 1} of {rounds}"):
            for subject in list(runs) if number % 2 == 0 else list(reversed(runs)):
                async with ramped_up(testbed, subject, objects, replicas) as run:
                    await then(subject, run)
                    runs[subject].append(run)
    return runs[GENERATED], runs[REPLICASET]


async def _at_scale(testbed: Testbed, subject: Subject, objects: int) -> tuple[RampUp, Restart, list[float]]:
    """With the resident memory before and after the restart."""
    testbed.stop(subject.side)
    testbed.launch(subject.side)
    async with ramped_up(testbed, subject, 1, 1):
        pass  # it works
    async with ramped_up(testbed, subject, objects, 1) as run:
        memory = [resident_mib(testbed.pid(subject.side))]
        restarted = await restart(testbed, subject, run.namespace, objects)
        memory.append(resident_mib(testbed.pid(subject.side)))
    return run, restarted, memory


async def _replacement_rows(
    testbed: Testbed, count: int, rounds: int, suffix: str = "", *, goals: bool = True
) -> list[Row]:
    subjects = [subject for ours, theirs, _ in PAIRS for subject in (ours, theirs)]
    latencies = [await replacements(testbed, subjects, count) for _ in range(rounds)]
    return [
        Row(
            f"Pod replaced, {ours} against {theirs}: p{percent}{suffix}",
            "ms",
            [_percentile(seconds[ours], percent) for seconds in latencies],
            [_percentile(seconds[theirs], percent) for seconds in latencies],
            goal if goals else None,
        )
        for ours, theirs, goal in PAIRS
        for percent in (50, 99)
    ]


def _percentile(seconds: Sequence[float], percent: int) -> float:
    """In milliseconds."""
    return 1000 * quantiles(seconds, n=100, method="inclusive")[percent - 1]


def _ramp_up_rows(
    name: str, ours: Sequence[RampUp], theirs: Sequence[RampUp], goal: Goal | None = AS_GOOD
) -> list[Row]:
    return [
        Row(f"{name}: all Ready", "s", [r.seconds for r in ours], [r.seconds for r in theirs], goal),
        Row(
            f"{name}: CPU per Pod created",
            "ms",
            [r.cpu_per_pod for r in ours],
            [r.cpu_per_pod for r in theirs],
        ),
    ]
