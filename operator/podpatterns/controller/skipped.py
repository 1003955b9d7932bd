"""Records that can't be read are skipped one by one, so that all others are served."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from podpatterns.controller.key import Key
from podpatterns.controller.metrics import SKIPPED_RECORDS

REMEMBERED = 1_000
"""Skipped records that are remembered, so that one which changes often does not fill the log."""
ERROR_LENGTH = 300

log = logging.getLogger(__name__)


class Skipped:
    """The guard of a cache against unreadable records; `resource` is their plural in the API."""

    def __init__(self, resource: str) -> None:
        self._resource = resource
        self._count = SKIPPED_RECORDS.labels(resource)
        self._logged: OrderedDict[str, None] = OrderedDict()

    def guard(self, take: Callable[[], set[Key]], obj: Any) -> set[Key]:
        """Return the keys that `take` returns; if it raises, count and log the record, and return none."""
        try:
            return take()
        except Exception as error:
            self._count.inc()
            self._log(name_of(obj), error)
            return set()

    def _log(self, name: str, error: Exception) -> None:
        if name in self._logged:
            self._logged.move_to_end(name)
            return
        self._logged[name] = None
        if len(self._logged) > REMEMBERED:
            self._logged.popitem(last=False)
        # Without a traceback: that of a RecursionError is longer than all else.
        log.error(
            "Record skipped: unreadable",
            extra={"resource": self._resource, "object": name, "error": repr(error)[:ERROR_LENGTH]},
        )


def uid_of(obj: Any) -> str:
    """Return the UID, empty if the object has none."""
    return _text(obj, "uid")


def name_of(obj: Any) -> str:
    """Return NAMESPACE/NAME, as far as the object has them."""
    return f"{_text(obj, 'namespace')}/{_text(obj, 'name')}"


def _text(obj: Any, field: str) -> str:
    meta = obj.get("metadata") if isinstance(obj, dict) else None
    value = meta.get(field) if isinstance(meta, dict) else None
    return value if isinstance(value, str) else ""
