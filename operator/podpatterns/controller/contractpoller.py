"""Polls the adapters of one Pod of each object: have they all that their contracts want (docs/adr/0010)?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from podpatterns.api.text import shown
from podpatterns.controller.endpoint import read_hash
from podpatterns.controller.key import Key
from podpatterns.controller.poller import Poller
from podpatterns.replicas.contract import Answer, Missing

MAX_MISSING = 20
"""Metrics that are kept of an answer: what is in a status must stay small."""
MAX_WORD, MAX_REFUSAL = 128, 500
"""Bytes."""
NO_ADAPTER = Answer(trouble="the answer is not an adapter's")


class Contracts(Poller[str, Answer]):
    """Its targets are the adapters' containers: the answers of another Pod stay until this one's come."""

    def __init__(self, changed: Callable[[Iterable[Key]], None]) -> None:
        super().__init__(
            changed,
            read=lambda text, _: read_report(text),
            unreachable=lambda why: Answer(trouble=why),
            lacking=lacking,
            until_current=False,
        )


def lacking(hash_: str, answer: Answer | None) -> int:
    """Return how far an adapter is from its contract: no answer counts more than any, an answer of another
    configuration more than all that can be missing."""
    if answer is None or answer.trouble:
        return MAX_MISSING + 2
    if answer.hash != hash_:
        return MAX_MISSING + 1
    return len(answer.missing)


def read_report(text: bytes) -> Answer:
    """Read what an adapter serves at /contract. Anything may listen there: it is believed in form only."""
    try:
        report = json.loads(text)
        missing = [
            Missing(shown(m["metric"], MAX_WORD), shown(m["reason"], MAX_WORD))
            for m in report["missing"][:MAX_MISSING]
        ]
        refused = shown(report.get("refused", ""), MAX_REFUSAL)
        return Answer(read_hash(report["config"]), tuple(missing), refused)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return NO_ADAPTER
