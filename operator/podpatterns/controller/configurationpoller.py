"""Polls the helpers in Pods: which configuration do they run?

A helper that runs the one it is given is polled no more: where nothing changes there are no polls
(docs/adr/0011).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace

from podpatterns.api.text import shown
from podpatterns.compose.helpers.proxy import CONFIG_PAGE
from podpatterns.controller.endpoint import read_hash
from podpatterns.controller.key import Key
from podpatterns.controller.poller import Poller
from podpatterns.replicas.configuration import NO_ANSWER, Answers, Running, Target, current

MAX_REFUSAL = 500
"""Bytes: what is in a status must stay small."""
MAX_REFUSALS = 10
"""Different ones that are kept of an object's Pods; a status names no more Pods that lag."""
ONE_MORE = "its log tells why"
"""In place of a further one."""


class Configurations(Poller[Target, Running]):
    def __init__(self, changed: Callable[[Iterable[Key]], None]) -> None:
        super().__init__(
            changed,
            read=read_running,
            unreachable=lambda _: NO_ANSWER,
            lacking=lambda hash_, running: int(not current(hash_, running)),
            until_current=True,
            keep=bounded,
        )


def bounded(answers: Answers) -> Answers:
    """Return the answers with a few different refusals: each of 10,000 Pods could have another."""
    kept: dict[str, str] = {"": "", ONE_MORE: ONE_MORE}
    for answer in answers.values():
        if len(kept) < MAX_REFUSALS + 2:
            kept.setdefault(answer.refused, answer.refused)
    return {
        target: replace(answer, refused=kept.get(answer.refused, ONE_MORE)) if answer.refused else answer
        for target, answer in answers.items()
    }


def read_running(text: bytes, path: str) -> Running:
    """Read what a helper serves at that path. Anything may listen there: it is believed in form only."""
    try:
        if path == CONFIG_PAGE:
            first, *more = text.decode().splitlines() or [""]
            told, refused = first.strip(), " ".join(more)
        else:
            report = json.loads(text)
            told, refused = report["config"], report.get("refused", "")
        return Running(read_hash(told), shown(refused, MAX_REFUSAL))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return NO_ANSWER
