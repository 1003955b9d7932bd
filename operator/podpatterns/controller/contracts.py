"""Asks the adapters in Pods whether they have all that their contracts want.

One Pod per object, straight at its address as Prometheus does, at growing intervals while the answer stays
the same: the API server has no part in it, and nothing is written unless an answer differs (docs/adr/0010).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import aiohttp

from podpatterns.compose.adapter import CONTRACT_PAGE
from podpatterns.controller.key import Key
from podpatterns.controller.page import NoPage, ask_on, page_url, read_page
from podpatterns.controller.workqueue import WorkQueue
from podpatterns.replicas.contract import Answer, Missing, Question

FIRST, LONGEST = 1.0, 300.0
"""Seconds between two questions to the same Pod: the first pause, and what it grows to."""
ASKERS = 4
"""Questions under way at once: Pods that do not answer must not keep those waiting that do."""
MAX_MISSING = 20
"""Of what is told of an answer: what is in a status must stay small."""
MAX_WORD, MAX_REFUSAL = 128, 500
NO_ADAPTER = Answer(trouble="what is there is no adapter")


@dataclass(slots=True)
class Conversation:
    question: Question
    pause: float = FIRST
    answers: dict[str, Answer] = field(default_factory=dict)
    """By container."""


class Contracts:
    """`changed` gets the keys of the objects whose answers have changed."""

    def __init__(self, changed: Callable[[Iterable[Key]], None]) -> None:
        self._changed = changed
        self._conversations: dict[Key, Conversation] = {}
        self._queue: WorkQueue[Key] = WorkQueue()

    def answers(self, key: Key, question: Question | None) -> Mapping[str, Answer]:
        """What was said last, and that this is to be asked from now on."""
        if question is None:
            self._conversations.pop(key, None)
            return {}
        known = self._conversations.get(key)
        if known is None or known.question != question:
            # What another Pod said stays until this one has answered: it has the same rules.
            kept = known.answers if known else {}
            self._conversations[key] = Conversation(question, answers=kept)
            self._queue.add(key)
        return self._conversations[key].answers

    def forget(self, key: Key) -> None:
        self._conversations.pop(key, None)

    async def run(self) -> None:
        """Ask, for ever."""
        await ask_on(self._queue, ASKERS, self._ask)

    async def _ask(self, session: aiohttp.ClientSession, key: Key) -> None:
        conversation = self._conversations.get(key)
        if conversation is None:
            return
        question = conversation.question
        answers = {
            e.container: await _answer(session, page_url(question.address, e.port, CONTRACT_PAGE))
            for e in question.expositions
        }
        if self._conversations.get(key) is not conversation:
            return  # something else is to be asked by now
        if answers != conversation.answers:
            conversation.answers, conversation.pause = answers, FIRST
            self._changed([key])
        else:
            conversation.pause = min(LONGEST, 2 * conversation.pause)
        self._queue.add_after(key, conversation.pause)


async def _answer(session: aiohttp.ClientSession, url: str) -> Answer:
    try:
        return read_report(await read_page(session, url))
    except NoPage as error:
        return Answer(trouble=str(error))


def read_report(text: bytes) -> Answer:
    """Of what an adapter serves at /contract. Anything may listen there: it is believed in form only."""
    try:
        report = json.loads(text)
        missing = [Missing(_word(m["metric"]), _word(m["reason"])) for m in report["missing"][:MAX_MISSING]]
        refused = _word(report.get("refused", ""), MAX_REFUSAL)
        return Answer(_word(report["config"]), tuple(missing), " ".join(refused.split()))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return NO_ADAPTER


def _word(value: object, longest: int = MAX_WORD) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value[:longest]
