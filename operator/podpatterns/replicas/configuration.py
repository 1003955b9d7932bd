"""The configuration that helpers in Pods run: status.configurations, and the condition ConfigurationCurrent.

The composition has the newest configuration. Only a helper knows which one it runs: each is polled until that
is the newest (docs/adr/0011).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from podpatterns.api.conditions import ConditionType, Reason
from podpatterns.api.text import MESSAGE_LENGTH, listed, shown
from podpatterns.compose import Composition, File
from podpatterns.replicas.condition import Condition
from podpatterns.replicas.endpoint import Endpoint, reachable
from podpatterns.replicas.pod import Pod

LAGGING_SHOWN, LAGGING_SHOWN_IN_ALL = 10, 30
"""Pods named in a status, of one helper and of all; the counts tell of the others."""
HELPERS_SHOWN = 100
"""Helpers whose configuration the status has: more than any real Pod has."""
HASH_SHOWN, REFUSAL_SHOWN = 64, 250
"""Bytes of a helper's words."""
ORDER = (Reason.CONFIGURATION_REFUSED, Reason.CONFIGURATION_PROGRESSING, Reason.UNREACHABLE)
"""Reasons by severity: a fault comes before what is unknown."""
TOLD_SHOWN = 3
"""Helpers named in a message."""

Target = tuple[str, str]
"""A helper: the UID of its Pod, and the name of its container."""


@dataclass(frozen=True, slots=True)
class Running:
    """A helper's answer about its configuration."""

    hash: str = ""
    """The hash of the configuration that it runs; empty when it runs none."""
    refused: str = ""
    """The helper's reason to refuse a newer one; empty when it refuses none."""
    answered: bool = True


NO_ANSWER = Running(answered=False)


@dataclass(frozen=True, slots=True)
class Address:
    """A Pod to poll."""

    name: str
    uid: str
    ip: str


@dataclass(frozen=True, slots=True)
class ConfigurationTargets:
    """The helpers to poll: each of `files` has one, in each of `pods`."""

    files: tuple[File, ...]
    pods: tuple[Address, ...]

    def endpoints(self) -> Iterator[tuple[Target, Endpoint]]:
        for file in self.files:
            for pod in self.pods:
                yield (pod.uid, file.container), Endpoint(pod.ip, file.port, file.page, file.hash)


Answers = Mapping[Target, Running]


def configuration_targets(
    composition: Composition, revision: str, pods: Sequence[Pod]
) -> ConfigurationTargets | None:
    """Return the helpers in running Pods of the newest revision; None without any helper."""
    if not composition.files:
        return None
    found = sorted(reachable(pods, revision), key=lambda p: p.name)
    return ConfigurationTargets(composition.files, tuple(Address(p.name, p.uid, p.address) for p in found))


def current(hash_: str, running: Running | None) -> bool:
    """Tell whether the helper runs the configuration with that hash, and need not be polled any more."""
    return running is not None and running.hash == hash_ and not running.refused


def configurations(
    files: Sequence[File],
    targets: ConfigurationTargets | None,
    answers: Answers | None,
    previous: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Return status.configurations. Before the first poll an entry with the same hash stays as it is."""
    before = {(entry["container"], entry["hash"]): entry for entry in previous}
    told = []
    for file in files:
        entry: dict[str, Any] = {"container": file.container, "hash": file.hash}
        if answers is None:
            told.append(before.get((file.container, file.hash), entry))
            continue
        pods = targets.pods if targets else ()
        said = [(pod, answers.get((pod.uid, file.container), NO_ANSWER)) for pod in pods]
        if running := sum(1 for _, answer in said if answer.hash == file.hash):
            entry["runningPods"] = running
        others = [(pod, a) for pod, a in said if a.answered and a.hash != file.hash]
        if lagging := [_lagging(pod, answer) for pod, answer in others[:LAGGING_SHOWN]]:
            entry["laggingPods"] = lagging
        told.append(entry)
    return bounded(told)


def _lagging(pod: Address, answer: Running) -> dict[str, str]:
    refused = {"refused": _words(answer)} if answer.refused else {}
    return {"pod": pod.name, "hash": _hash(answer), **refused}


def bounded(told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return as much of status.configurations as a status has room for."""
    room = LAGGING_SHOWN_IN_ALL
    result = []
    for entry in told[:HELPERS_SHOWN]:
        kept = {key: value for key, value in entry.items() if key != "laggingPods"}
        if lagging := entry.get("laggingPods", ())[: min(LAGGING_SHOWN, room)]:
            kept["laggingPods"] = [{k: shown(v, REFUSAL_SHOWN) for k, v in pod.items()} for pod in lagging]
            room -= len(lagging)
        result.append(kept)
    return result


def configuration_current(
    targets: ConfigurationTargets | None,
    answers: Answers | None,
    previous: Condition | None = None,
    *,
    held: bool = False,
) -> Iterator[Condition]:
    """Yield the condition; before the first answer, the previous one. `held`: a pause keeps the newest
    configuration from the helpers."""
    if targets is None:
        return
    if held:
        message = "spec.updateStrategy.paused keeps the newest configuration from the helpers"
        yield _condition(None, Reason.PAUSED, message)
        return
    if previous and answers is None:
        yield previous
        return
    if not targets.pods:
        yield _condition(None, Reason.NOT_RUNNING, "no Pod of the newest revision runs yet")
        return
    said = answers or {}
    wrong: dict[Reason, list[tuple[File, Address, Running]]] = {}
    for file, pod in product(targets.files, targets.pods):
        answer = said.get((pod.uid, file.container), NO_ANSWER)
        if fault := _fault(file, answer):
            wrong.setdefault(fault, []).append((file, pod, answer))
    if not wrong:
        yield _condition(True, Reason.ALL_CURRENT, "every helper runs the newest configuration")
        return
    worst = min(wrong, key=ORDER.index)
    told = [_told(worst, *of) for of in wrong[worst][:TOLD_SHOWN]]
    status = False if worst is Reason.CONFIGURATION_REFUSED else None
    message = listed(told, TOLD_SHOWN, MESSAGE_LENGTH, "; ", total=len(wrong[worst]))
    yield _condition(status, worst, message)


def _fault(file: File, running: Running) -> Reason | None:
    """Return the reason why a helper isn't current; None when it is."""
    if current(file.hash, running):
        return None
    if running.refused:
        return Reason.CONFIGURATION_REFUSED
    return Reason.CONFIGURATION_PROGRESSING if running.answered else Reason.UNREACHABLE


def _told(fault: Reason, file: File, pod: Address, running: Running) -> str:
    who = f"{file.container} in {pod.name}"
    if fault is Reason.CONFIGURATION_REFUSED:
        return f"{who} refuses the newest configuration and {_goes_on(file, running)}: {_words(running)}"
    if fault is Reason.CONFIGURATION_PROGRESSING:
        return f"{who} runs {_hash(running) or 'none'} and not {file.hash} yet"
    return f"{who} has not answered yet: the operator polls port {file.port} of the Pod"


def _goes_on(file: File, running: Running) -> str:
    if running.hash == file.hash:
        return f"goes on with {file.hash} as it was"  # a Secret that it speaks of has changed
    return f"goes on with {_hash(running)}, not {file.hash}" if running.hash else "runs none"


def _hash(running: Running) -> str:
    return shown(running.hash, HASH_SHOWN)


def _words(running: Running) -> str:
    return shown(running.refused, REFUSAL_SHOWN)


def _condition(status: bool | None, reason: Reason, message: str) -> Condition:
    return Condition(ConditionType.CONFIGURATION_CURRENT, status, reason, message)
