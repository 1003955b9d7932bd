"""Asks the adapters in Pods whether they have all that their contracts want.

One Pod per object, straight at its address as Prometheus does, at growing intervals unless it comes nearer
to its contract: the API server has no part in it, and only an answer that differs is written (docs/adr/0010).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import aiohttp

from podpatterns.api.text import shown
from podpatterns.compose.adapter import CONTRACT_PAGE
from podpatterns.controller.key import Key
from podpatterns.controller.pace import Pace
from podpatterns.controller.page import NoPage, ask_on, new_queue, page_url, read_hash, read_page
from podpatterns.replicas.contract import Answer, Missing, Question

ASKERS = 32
"""Questions under way at once: Pods that do not answer must not keep those waiting that do."""
MAX_MISSING = 20
"""Of what is told of an answer: what is in a status must stay small."""
MAX_WORD, MAX_REFUSAL = 128, 500
"""Bytes."""
NO_ADAPTER = Answer(trouble="the answer is not an adapter's")


@dataclass(slots=True)
class Conversation:
    question: Question
    answers: dict[str, Answer] = field(default_factory=dict)
    """By container."""
    pace: Pace = field(default_factory=Pace)


class Contracts:
    """`changed` gets the keys of the objects whose answers have changed."""

    def __init__(self, changed: Callable[[Iterable[Key]], None]) -> None:
        self._changed = changed
        self._conversations: dict[Key, Conversation] = {}
        self._queue = new_queue(ASKERS)

    def answers(self, key: Key, question: Question | None) -> Mapping[str, Answer]:
        """What was said last, and that this is to be asked from now on."""
        if question is None:
            self.forget(key)
            return {}
        known = self._conversations.get(key)
        if known is None or known.question != question:
            # What another Pod said stays until this one has answered: it has the same rules.
            kept = known.answers if known else {}
            self._conversations[key] = Conversation(question, answers=kept)
            self._queue.add(key)
        return self._conversations[key].answers

    def forget(self, key: Key) -> None:
        """The object is gone, or has nobody to ask."""
        self._conversations.pop(key, None)
        self._queue.forget(key)

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
            for e in question.endpoints
        }
        if self._conversations.get(key) is not conversation:
            return  # something else is to be asked by now
        changed = answers != conversation.answers
        if changed:
            conversation.answers = answers
            self._changed([key])
        pause = conversation.pace.next(lacking(question, answers), changed=changed, now=time.monotonic())
        self._queue.add_after(key, pause)


def lacking(question: Question, answers: Mapping[str, Answer]) -> int:
    """Return how far the adapters are from their contracts: no answer counts more than any, an answer of
    another configuration more than all that can be missing."""
    total = 0
    for endpoint in question.endpoints:
        answer = answers[endpoint.container]
        if answer.trouble:
            total += MAX_MISSING + 2
        elif answer.hash != endpoint.hash:
            total += MAX_MISSING + 1
        else:
            total += len(answer.missing)
    return total


async def _answer(session: aiohttp.ClientSession, url: str) -> Answer:
    try:
        return read_report(await read_page(session, url))
    except NoPage as error:
        return Answer(trouble=str(error))


def read_report(text: bytes) -> Answer:
    """Of what an adapter serves at /contract. Anything may listen there: it is believed in form only."""
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
