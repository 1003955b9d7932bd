"""Metrics of the operator itself: what is counted as it happens, and the gauges that are set at a scrape.

No label has a value that users choose, so that their number is bounded. What each metric means stands in
docs/operations.md, too.
"""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Gauge, disable_created_metrics

from podpatterns import __version__
from podpatterns.api import KINDS
from podpatterns.api.conditions import PodReason, Reason
from podpatterns.controller.histogram import Histogram

disable_created_metrics()  # one more series for each: Prometheus has no use for them

OTHER = "Other"
"""Value of a label for what is not in its table."""
POD_REASONS = frozenset(
    [
        *(reason.value for reason in PodReason),
        *("Failed", "Succeeded"),
        # The kubelet's and the control plane's own.
        *(
            "DeadlineExceeded",
            "Evicted",
            "NodeAffinity",
            "NodeLost",
            "NodeShutdown",
            "OutOfcpu",
            "OutOfmemory",
        ),
        *("OutOfpods", "Preempting", "Shutdown", "Terminated", "UnexpectedAdmissionError"),
    ]
)
READY_REASONS = frozenset(reason.value for reason in Reason)

LATENCY = (0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0)
"""Bounds, in seconds, of what should take milliseconds."""
REPLACEMENT = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

BUILD_INFO = Gauge("podpatterns_build_info", "1, with the version of the operator.", ["version"])
BUILD_INFO.labels(__version__).set(1)
LEADER = Gauge("podpatterns_leader", "1 while this instance is the leader, 0 otherwise.")

QUEUE_DEPTH = Gauge(
    "podpatterns_workqueue_depth", "Keys in the work queue that wait for a worker.", ["priority"]
)
QUEUE_AGE = Gauge(
    "podpatterns_workqueue_oldest_key_seconds",
    "Seconds since the key that has waited for the longest was added; 0 where none waits.",
    ["priority"],
)
QUEUE_ADDS = Counter("podpatterns_workqueue_adds_total", "Keys added to the work queue.", ["priority"])
QUEUE_DURATION = Histogram(
    "podpatterns_workqueue_queue_duration_seconds",
    "Seconds from the addition of a key until a worker gets it.",
    ["priority"],
    buckets=LATENCY,
)
QUEUE_RETRIES = Counter("podpatterns_workqueue_retries_total", "Keys added after a failure, with a back-off.")
LONGEST_RECONCILE = Gauge(
    "podpatterns_workqueue_longest_running_processor_seconds",
    "Seconds since the key that has been in work for the longest was handed out.",
)

RECONCILES = Counter("podpatterns_reconcile_total", "Reconciles.", ["kind", "outcome"])
RECONCILE_DURATION = Histogram(
    "podpatterns_reconcile_duration_seconds", "Seconds of a reconcile.", ["kind"], buckets=LATENCY
)
RECONCILE_ERRORS = Counter(
    "podpatterns_reconcile_errors_total",
    "Reconciles that ended in an unexpected error.",
    ["kind"],
)
for _kind in KINDS:
    RECONCILE_ERRORS.labels(_kind.kind)  # from 0 on: an increase needs two values
POD_ACTIONS = Counter(
    "podpatterns_pod_actions_total",
    "Pods that the operator created, deleted, updated in place, refreshed, adopted or released.",
    ["kind", "action", "reason"],
)
REPLACEMENT_DURATION = Histogram(
    "podpatterns_pod_replacement_duration_seconds",
    "Seconds from the end of a Pod until its successor was ready.",
    ["kind", "reason"],
    buckets=REPLACEMENT,
)

API_REQUESTS = Counter(
    "podpatterns_api_requests_total", "Requests to the API server, those of kopf left out.", ["verb", "code"]
)
API_REQUEST_DURATION = Histogram(
    "podpatterns_api_request_duration_seconds",
    "Seconds until the API server's answer begins.",
    ["verb"],
    buckets=LATENCY,
)
WATCH_AGE = Gauge(
    "podpatterns_watch_age_seconds",
    "Seconds since the last event or bookmark of a watch, of which there is one a minute.",
    ["resource"],
)
WATCH_RESTARTS = Counter(
    "podpatterns_watch_restarts_total", "Watches begun again after one had ended.", ["resource", "reason"]
)
RESYNC_AGE = Gauge(
    "podpatterns_resync_age_seconds",
    "Seconds since the last whole list of our kinds began, of which there is one in five minutes.",
)
CACHE_OBJECTS = Gauge("podpatterns_cache_objects", "Objects in the caches.", ["resource"])
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

OBJECTS = Gauge("podpatterns_objects", "Objects of our kinds.", ["kind"])
NOT_READY = Gauge(
    "podpatterns_objects_not_ready", "Objects whose condition Ready is not True.", ["kind", "reason"]
)
LONGEST_NOT_READY = Gauge(
    "podpatterns_objects_not_ready_longest_seconds",
    "Seconds for which the object that is not ready for the longest is not.",
    ["kind", "reason"],
)


def pod_reason(reason: str) -> str:
    """Return the reason as a label's value: whoever may write a Pod's status can make up others."""
    return reason if reason in POD_REASONS else OTHER


def ready_reason(reason: object) -> str:
    """Return the reason of the condition Ready as a label's value."""
    return reason if isinstance(reason, str) and reason in READY_REASONS else OTHER


@cache
def api_request(verb: str, code: str) -> Counter:
    """Return the counter of requests with these labels; a look-up by `labels` costs more than the count."""
    return API_REQUESTS.labels(verb, code)


@cache
def reconciles(kind: str, outcome: str) -> Counter:
    return RECONCILES.labels(kind, outcome)


@cache
def pod_actions(kind: str, action: str, reason: str) -> Counter:
    return POD_ACTIONS.labels(kind, action, reason)
