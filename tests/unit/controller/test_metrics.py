"""Names and labels of the operator's metrics."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from aiohttp import web
from prometheus_client import REGISTRY, Counter

from podpatterns.api.conditions import PodReason
from podpatterns.controller import metrics
from podpatterns.controller.apiserver import ApiError
from podpatterns.controller.histogram import Histogram
from tests.unit.controller.server import listing, refusal, serving

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"
OURS = [family for family in REGISTRY.collect() if family.name.startswith("podpatterns_")]


def names() -> set[str]:
    """Names as Prometheus has them, without what a histogram adds."""
    return {f"{f.name}_total" if f.type == "counter" else f.name for f in OURS}


def test_every_metric_is_in_the_document_and_no_other() -> None:
    documented = set(re.findall(r"^\| `(podpatterns_\w+)`", OPERATIONS.read_text(), re.MULTILINE))
    assert documented == names()


def test_no_label_has_a_value_that_users_choose() -> None:
    labels = {
        label
        for metric in vars(metrics).values()
        if isinstance(labelnames := getattr(metric, "_labelnames", None), tuple)
        for label in labelnames
    }
    assert labels == {
        *("action", "code", "kind", "outcome", "priority", "reason", "resource", "verb", "version"),
    }
    assert metrics.pod_reason("made up") == metrics.ready_reason("made up") == metrics.OTHER
    assert metrics.ready_reason(None) == metrics.OTHER
    assert metrics.pod_reason(PodReason.OUTDATED) == "Outdated"
    assert metrics.ready_reason("RollingOut") == "RollingOut"


def requests(verb: str, code: str) -> float:
    return REGISTRY.get_sample_value("podpatterns_api_requests_total", {"verb": verb, "code": code}) or 0


@pytest.mark.parametrize(
    ("verb", "code"), [("get", "200"), ("list", "200"), ("delete", "409"), ("create", "unanswered")]
)
async def test_requests_are_counted_by_verb_and_code(verb: str, code: str) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        if request.method == "DELETE":
            return refusal(409)
        if request.method == "POST":
            assert request.transport is not None
            request.transport.close()
        return listing([])

    before = requests(verb, code)
    async with serving(handle) as api:
        match verb:
            case "get":
                await api.get("/x")
            case "list":
                assert [page async for page in api.list_pages("/x")]
            case "delete":
                with pytest.raises(ApiError):
                    await api.delete("/x", "uid")
            case _:
                with pytest.raises(Exception, match="POST /x"):
                    await api.create("/x", {})
    assert requests(verb, code) == before + 1
    assert REGISTRY.get_sample_value("podpatterns_api_request_duration_seconds_count", {"verb": verb})


def test_counters_with_known_labels_are_looked_up_once() -> None:
    first = metrics.api_request("get", "200")
    assert isinstance(first, Counter)
    assert metrics.api_request("get", "200") is first


def test_a_histogram_counts_up_to_and_with_each_bound() -> None:
    histogram = Histogram("test_duration_seconds", "A test's.", ["kind"], buckets=(0.1, 1.0))
    try:
        for seconds in (0.05, 0.1, 0.5, 2.0):
            histogram.labels("a").observe(seconds)

        def sample(suffix: str, **labels: str) -> float | None:
            return REGISTRY.get_sample_value(f"test_duration_seconds{suffix}", {"kind": "a", **labels})

        assert [sample("_bucket", le=le) for le in ("0.1", "1.0", "+Inf")] == [2, 3, 4]
        assert sample("_count") == 4
        assert sample("_sum") == pytest.approx(2.65)
    finally:
        REGISTRY.unregister(histogram)
