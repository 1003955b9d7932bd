"""Asks the helpers in Pods which configuration they run, until they run the one that they are given.

All Pods of an object in one round, at growing intervals while their answers stay the same. A helper that runs
what it should is asked no more: where nothing changes there are no questions (docs/adr/0011).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import aiohttp

from podpatterns.compose import File
from podpatterns.compose.proxy import CONFIG_PAGE
from podpatterns.controller.key import Key
from podpatterns.controller.page import NoPage, ask_on, page_url, read_page
from podpatterns.controller.workqueue import WorkQueue
from podpatterns.replicas.configuration import (
    NO_ANSWER,
    Address,
    Answers,
    Inquiry,
    Place,
    Running,
    current,
)

FIRST, LONGEST = 1.0, 300.0
"""Seconds between two rounds: the first pause, and what it grows to."""
QUESTIONS = 16
"""Under way at once: Pods that do not answer must not keep those waiting that do."""
MAX_HASH, MAX_REFUSAL = 64, 500
"""Characters that are believed: what is in a status must stay small."""


@dataclass(slots=True)
class Conversation:
    inquiry: Inquiry
    answers: dict[Place, Running] | None = None
    """None before the first round."""
    pause: float = FIRST


class Configurations:
    """`changed` gets the keys of the objects whose Pods have told something new."""

    def __init__(self, changed: Callable[[Iterable[Key]], None]) -> None:
        self._changed = changed
        self._conversations: dict[Key, Conversation] = {}
        self._queue: WorkQueue[Key] = WorkQueue()
        self._questions = asyncio.Semaphore(QUESTIONS)

    def answers(self, key: Key, inquiry: Inquiry | None) -> Answers | None:
        """What was said last, and that this is to be found out from now on; None before anybody was asked."""
        if inquiry is None:
            self.forget(key)
            return None
        known = self._conversations.get(key)
        if known is None:
            known = self._conversations[key] = Conversation(inquiry)
            self._queue.add_after(key, FIRST)
        elif known.inquiry != inquiry:
            known.inquiry, known.pause = inquiry, FIRST
            if known.answers is not None:
                asked = {place for place, _, _ in inquiry.places()}
                known.answers = {place: said for place, said in known.answers.items() if place in asked}
            # A moment later: where one Pod has come more will come.
            self._queue.add_after(key, FIRST)
        return known.answers

    def forget(self, key: Key) -> None:
        self._conversations.pop(key, None)

    async def run(self) -> None:
        """Ask, for ever."""
        await ask_on(self._queue, QUESTIONS, self._round)

    async def _round(self, session: aiohttp.ClientSession, key: Key) -> None:
        conversation = self._conversations.get(key)
        if conversation is None:
            return
        before = conversation.answers
        open_places = [
            (place, pod, file)
            for place, pod, file in conversation.inquiry.places()
            if not current(file, (before or {}).get(place))
        ]
        said = await asyncio.gather(*(self._ask(session, pod, file) for _, pod, file in open_places))
        if self._conversations.get(key) is not conversation:
            return  # the object is gone
        # Others may be asked by now; those that went are of no interest any more.
        asked = {place: file for place, _, file in conversation.inquiry.places()}
        told = {place: answer for (place, _, _), answer in zip(open_places, said, strict=True)}
        kept = {**(conversation.answers or {}), **told}
        conversation.answers = {place: answer for place, answer in kept.items() if place in asked}
        if conversation.answers != before:
            conversation.pause = FIRST
            self._changed([key])
        else:
            conversation.pause = min(LONGEST, 2 * conversation.pause)
        if not all(current(file, conversation.answers.get(place)) for place, file in asked.items()):
            self._queue.add_after(key, conversation.pause)

    async def _ask(self, session: aiohttp.ClientSession, pod: Address, file: File) -> Running:
        async with self._questions:
            try:
                text = await read_page(session, page_url(pod.ip, file.port, file.page))
            except NoPage:
                return NO_ANSWER
        return read_running(text, file.page)


def read_running(text: bytes, page: str) -> Running:
    """Of what a helper tells. Anything may listen there: it is believed in form only."""
    try:
        if page == CONFIG_PAGE:
            first, *more = text.decode().splitlines() or [""]
            told, refused = first.strip(), " ".join(more)
        else:
            report = json.loads(text)
            told, refused = report["config"], report.get("refused", "")
        if told and not told.isalnum():
            return NO_ANSWER
        return Running(told[:MAX_HASH], " ".join(refused.split())[:MAX_REFUSAL])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return NO_ANSWER
