"""Metrics of the operator itself, served beside its probes."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

SKIPPED_RECORDS = Counter(
    "podpatterns_skipped_records_total",
    "Records of the API server that could not be read and were left out.",
    ["resource"],
)
MALFORMED_WATCH_EVENTS = Counter(
    "podpatterns_malformed_watch_events_total",
    "Lines of watches that were no event; each is followed by a new list.",
    ["resource"],
)
RECONCILE_ERRORS = Counter(
    "podpatterns_reconcile_errors_total",
    "Reconciles that ended in an unforeseen error.",
    ["kind"],
)
LEADER = Gauge("podpatterns_leader", "1 while this instance leads, 0 while it stands by.")
