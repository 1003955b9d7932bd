"""The log's lines."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from typing import Any

from podpatterns.controller.key import Key
from podpatterns.controller.logs import OBJECT, JsonLines

SITE = Key("SidecarApp", "default", "site")


def line(level: int = logging.INFO, **extra: Any) -> dict[str, Any]:
    record = logging.getLogger("test").makeRecord(
        "test", level, "f", 1, "Pod %s", ("made",), None, extra=extra
    )
    found: dict[str, Any] = json.loads(JsonLines().format(record))
    return found


def test_a_line_has_its_message_and_fields() -> None:
    found = line(logging.WARNING, pod="site-0", duration=0.5, error=ValueError("no"))
    assert found.pop("timestamp").endswith("Z")
    assert found == {
        "severity": "warn",
        "logger": "test",
        "message": "Pod made",
        "pod": "site-0",
        "duration": 0.5,
        "error": "no",
    }


def test_a_key_becomes_kind_namespace_and_name() -> None:
    found = line(key=SITE)
    assert (found["kind"], found["namespace"], found["name"]) == SITE
    assert "key" not in found


async def test_the_object_in_work_is_that_of_its_own_task_and_of_those_that_it_starts() -> None:
    async def work(key: Key) -> str:
        OBJECT.set(key)
        [found] = await asyncio.gather(asyncio.to_thread(line))
        return str(found["name"])

    names = [str(number) for number in range(5)]
    tasks = [asyncio.create_task(work(Key("SidecarApp", "default", name))) for name in names]
    assert await asyncio.gather(*tasks) == names
    assert "name" not in line()


def test_an_object_of_kopfs_is_shown_as_ours() -> None:
    found = line(k8s_ref={"kind": "Adapter", "namespace": "ns", "name": "a", "uid": "u"}, settings=object())
    assert (found["kind"], found["namespace"], found["name"]) == ("Adapter", "ns", "a")
    assert not {"settings", "k8s_ref", "uid"} & found.keys()


def test_a_traceback_is_one_line() -> None:
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        record = logging.getLogger("test").makeRecord("test", 40, "f", 1, "m", (), sys.exc_info())
    text = JsonLines().format(record)
    assert "\n" not in text
    assert "ZeroDivisionError" in json.loads(text)["exc_info"]


def test_kopf_tells_what_is_wrong_and_no_more() -> None:
    program = (
        "import logging; from podpatterns.controller.logs import configure; configure('INFO');"
        "logging.getLogger('kopf.activities').info('Activity succeeded.');"
        "logging.getLogger('kopf.objects').warning('Watching failed.');"
        "logging.getLogger('podpatterns').info('Leading')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    messages = [json.loads(told)["message"] for told in done.stderr.splitlines()]
    assert messages == ["Watching failed.", "Leading"]
