"""Actions on Pods, told in the log and counted."""

from __future__ import annotations

import logging
import time
from typing import Literal

from podpatterns.controller import metrics
from podpatterns.controller.key import Key

PAST = {
    "Create": "Pod created",
    "Delete": "Pod deleted",
    "Update": "Pod updated in place",
    "Refresh": "Pod refreshed",
    "Adopt": "Pod adopted",
    "Release": "Pod released",
    "Drain": "Pod taken out of its Services",
    "Serve": "Pod put into its Services",
}
Verb = Literal["Create", "Delete", "Update", "Refresh", "Adopt", "Release", "Drain", "Serve"]

log = logging.getLogger(__name__)


def done(
    action: Verb, key: Key, pod: str, began: float, *, revision: str, reason: str = "", detail: str = ""
) -> None:
    """Tell of an action that succeeded, and count it.

    `began` is its start in monotonic seconds, `reason` one word, `detail` what it is about.
    """
    metrics.pod_actions(key.kind, action, metrics.pod_reason(reason) if reason else "").inc()
    fields = {"reason": reason, "detail": detail}
    log.info(
        PAST[action],
        extra={
            "key": key,
            "action": action,
            "pod": pod,
            **{field: text for field, text in fields.items() if text},
            "revision": revision,
            "duration": round(time.monotonic() - began, 3),
        },
    )


def replaced(key: Key, pod: str, reason: str, duration: float) -> None:
    """Tell of a Pod that took over from another, and measure how long it took."""
    metrics.REPLACEMENT_DURATION.labels(key.kind, metrics.pod_reason(reason)).observe(duration)
    extra = {"key": key, "action": "Replace", "pod": pod, "reason": reason, "duration": duration}
    log.info("Pod replaced", extra=extra)
