"""Asks the helpers in Pods which configuration they run, until they run the one that they are given.

All Pods of an object in one round, at growing intervals unless more of them run what they should. A helper
that does is asked no more: where nothing changes there are no questions (docs/adr/0011).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import aiohttp

from podpatterns.api.text import shown
from podpatterns.compose import File
from podpatterns.compose.helpers.proxy import CONFIG_PAGE
from podpatterns.controller.fairsemaphore import FairSemaphore
from podpatterns.controller.key import Key
from podpatterns.controller.pace import FIRST, Pace
from podpatterns.controller.page import NoPage, ask_on, new_queue, page_url, read_hash, read_page
from podpatterns.replicas.configuration import (
    NO_ANSWER,
    Address,
    Answers,
    Inquiry,
    Place,
    Running,
    current,
)

QUESTIONS = 32
"""Under way at once, and rounds as well: Pods that do not answer must not keep those waiting that do."""
MAX_REFUSAL = 500
"""Bytes: what is in a status must stay small."""
MAX_REFUSALS = 10
"""Different ones that are kept of an object's Pods; a status names no more Pods that lag."""
ONE_MORE = "its log tells why"
"""In place of a further one."""


@dataclass(slots=True)
class Conversation:
    inquiry: Inquiry
    answers: Answers | None = None
    """None before the first round."""
    pace: Pace = field(default_factory=Pace)


class Configurations:
    """`changed` gets the keys of the objects whose Pods have told something new."""

    def __init__(self, changed: Callable[[Iterable[Key]], None]) -> None:
        self._changed = changed
        self._conversations: dict[Key, Conversation] = {}
        self._queue = new_queue(QUESTIONS)
        self._questions = FairSemaphore(QUESTIONS)

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
            known.inquiry, known.pace = inquiry, Pace()
            if known.answers is not None:
                asked = {place for place, _, _ in inquiry.places()}
                known.answers = {place: said for place, said in known.answers.items() if place in asked}
            # A moment later: where one Pod has come more will come.
            self._queue.add_after(key, FIRST)
        return known.answers

    def forget(self, key: Key) -> None:
        """The object is gone, or has nobody to ask."""
        self._conversations.pop(key, None)
        self._queue.forget(key)

    async def run(self) -> None:
        """Ask, for ever."""
        await ask_on(self._queue, QUESTIONS, self._round)

    async def _round(self, session: aiohttp.ClientSession, key: Key) -> None:
        conversation = self._conversations.get(key)
        if conversation is None:
            return
        before = conversation.answers
        told = await self._ask_all(session, key, conversation)
        if self._conversations.get(key) is not conversation:
            return  # the object is gone
        # Others may be asked by now; those that went are of no interest any more.
        asked = {place: file for place, _, file in conversation.inquiry.places()}
        kept = {**(conversation.answers or {}), **told}
        conversation.answers = answers = {place: kept[place] for place in asked if place in kept}
        if answers != before:
            self._changed([key])
        lacking = sum(not current(file, answers.get(place)) for place, file in asked.items())
        pause = conversation.pace.next(lacking, changed=answers != before, now=time.monotonic())
        if lacking:
            self._queue.add_after(key, pause)

    async def _ask_all(
        self, session: aiohttp.ClientSession, key: Key, conversation: Conversation
    ) -> dict[Place, Running]:
        """Ask those who may not be current. Thousands of Pods get no more tasks than can ask at once."""
        before = conversation.answers or {}
        places = conversation.inquiry.places()
        todo = [(place, pod, file) for place, pod, file in places if not current(file, before.get(place))]
        rest = iter(todo)
        told: dict[Place, Running] = {}
        refusals = {r.refused: r.refused for r in before.values() if r.refused not in ("", ONE_MORE)}

        async def ask() -> None:
            for place, pod, file in rest:
                if self._conversations.get(key) is not conversation:
                    return
                async with self._questions.slot(key.namespace):
                    told[place] = bounded(await _ask(session, pod, file), refusals)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(QUESTIONS, len(todo))):
                tasks.create_task(ask())
        return told


async def _ask(session: aiohttp.ClientSession, pod: Address, file: File) -> Running:
    try:
        text = await read_page(session, page_url(pod.ip, file.port, file.page))
    except NoPage:
        return NO_ANSWER
    return read_running(text, file.page)


def bounded(running: Running, refusals: dict[str, str]) -> Running:
    """Return what is kept of it: `refusals` has those that are kept already, and gets a new one if there is
    room. Each of 10,000 Pods could have another."""
    told = running.refused
    if not told:
        return running
    if told not in refusals and len(refusals) < MAX_REFUSALS:
        refusals[told] = told
    return replace(running, refused=refusals.get(told, ONE_MORE))


def read_running(text: bytes, page: str) -> Running:
    """Of what a helper tells. Anything may listen there: it is believed in form only."""
    try:
        if page == CONFIG_PAGE:
            first, *more = text.decode().splitlines() or [""]
            told, refused = first.strip(), " ".join(more)
        else:
            report = json.loads(text)
            told, refused = report["config"], report.get("refused", "")
        return Running(read_hash(told), shown(refused, MAX_REFUSAL))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return NO_ANSWER
