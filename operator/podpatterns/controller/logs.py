"""The log: JSON lines, each with the object that it is about.

Whoever logs gives a constant message and fields (`extra`); the manager says once which object is in work, and
every line until the next has its kind, namespace and name.
"""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from podpatterns.controller.key import Key

OBJECT: ContextVar[Key | None] = ContextVar("OBJECT", default=None)
"""The object in work, in this task and in those that it starts."""

SEVERITIES = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    logging.WARNING: "warn",
    logging.ERROR: "error",
    logging.CRITICAL: "fatal",
}
QUIET = {
    # kopf tells of its start, its login and every event that it passes on.
    "kopf": logging.WARNING,
    # Its election says what ours says.
    "kubernetes": logging.WARNING,
    # Every probe would be a line.
    "aiohttp.access": logging.WARNING,
    # kopf leaves tasks behind where it is restarted.
    "asyncio": logging.CRITICAL,
}
"""Loggers of libraries, and the least severe messages that they may write."""
ENCODER = json.JSONEncoder(default=str)
NOT_FIELDS = frozenset(
    [*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "k8s_ref", "k8s_skip", "settings"]
)


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "timestamp": time.replace("+00:00", "Z"),
            "severity": SEVERITIES.get(record.levelno, record.levelname),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields = vars(record)
        if isinstance(of_kopf := fields.get("k8s_ref"), dict):
            line |= {field: of_kopf[field] for field in Key._fields if field in of_kopf}
        elif key := fields.get("key") or OBJECT.get():
            line |= key._asdict()
        line |= {k: v for k, v in fields.items() if k not in NOT_FIELDS and k != "key"}
        if record.exc_info:
            line["exc_info"] = self.formatException(record.exc_info)
        return ENCODER.encode(line)


def configure(level: str) -> None:
    """Write the log to standard error, from this level on."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(least)
