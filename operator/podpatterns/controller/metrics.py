"""Metrics of the operator itself, served beside its probes."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

SKIPPED_RECORDS = Counter(
    "podpatterns_skipped_records_total",
    "Objects from the API server that could not be read and were skipped.",
    ["resource"],
)
MALFORMED_WATCH_EVENTS = Counter(
    "podpatterns_malformed_watch_events_total",
    "Malformed events of watches; each causes a relist.",
    ["resource"],
)
RECONCILE_ERRORS = Counter(
    "podpatterns_reconcile_errors_total",
    "Reconciles that ended in an unexpected error.",
    ["kind"],
)
LEADER = Gauge("podpatterns_leader", "1 while this instance is the leader, 0 otherwise.")
