"""Adapter: the helper gives the application the same metrics as every other one."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from podpatterns.api.effect import ConfiguresHelper
from podpatterns.api.helper import HelperContainer
from podpatterns.api.metrics import Metrics
from podpatterns.api.model import LIST_SET, Items, Model, Validation, list_map
from podpatterns.api.pattern import Pattern, PatternSpec
from podpatterns.api.rule import MetricLabels, Rule
from podpatterns.api.scalar import LabelName, MetricName
from podpatterns.api.source import Source

Buckets = Annotated[Items[float], Field(min_length=1, max_length=64)]


class ContractMetric(Model):
    """Metric that a custom contract requires."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "!has(self.buckets) || self.type == 'histogram'", "only a histogram has buckets", ".buckets"
        ),
    )

    name: MetricName
    """Name of the metric. The adapter warns if it is against Prometheus's conventions: _total at the end of
    counters and of nothing else, base units such as seconds, bytes and ratio."""
    type: Literal["counter", "gauge", "histogram"]
    """Type of the metric."""
    labels: Items[LabelName] = Field(default=(), max_length=16, json_schema_extra=dict(LIST_SET))
    """Labels that each of its series must have, from the rule that produces it or from contract.labels."""
    buckets: Buckets | None = None
    """Upper bounds of a histogram's buckets, ascending; the adapter adds +Inf. Default: buckets of the
    contract."""
    help: str | None = Field(default=None, min_length=1, max_length=512)
    """Help text of the metric. Default: none."""


class Contract(Model):
    """Monitoring contract of the application. The adapter compares its metrics with it. A metric of the
    contract has the type given there; any other is a counter if its name ends in _total, and a gauge
    otherwise."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "(has(self.name) && self.name == 'custom') == has(self.metrics)",
            "belongs to the contract custom: required with it, and with it alone",
            ".metrics",
        ),
    )

    name: Literal["red/v1", "use/v1", "custom"] | None = None
    """Name of the contract. red/v1: rate, errors and duration of requests, as app_requests_total,
    app_errors_total and app_request_duration_seconds (histogram). use/v1: utilization, saturation and errors
    of resources, as app_resource_utilization_ratio (0 to 1), app_resource_saturation (queue length) and
    app_resource_errors_total, each with the label resource. custom: the list in metrics. Default: none. No
    metric is required then, and the metrics of red/v1 and use/v1 keep their types."""
    labels: MetricLabels | None = None
    """Labels to add to every metric."""
    metrics: Items[ContractMetric] | None = Field(
        default=None, min_length=1, max_length=64, json_schema_extra=list_map("name")
    )
    """Metrics that the contract custom requires."""
    buckets: Buckets | None = None
    """Upper bounds of the buckets of histograms without buckets of their own, ascending; the adapter adds
    +Inf. Default: 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5 and 10."""


class AdapterSpec(PatternSpec):
    """Desired state."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "!has(self.rules) || self.rules.all(r, self.sources.exists(s, s.name == r.source))",
            "a rule refers to a source that isn't declared",
            ".rules",
        ),
        Validation(
            "!has(self.rules) || self.rules.all(r, self.sources.all(s,"
            " s.name != r.source"
            " || has(r.regex) == (has(s.log) && (!has(s.log.format) || s.log.format == 'regex')"
            " || has(s.syslog) && (!has(s.syslog.format) || s.syslog.format == 'regex'))))",
            "a rule has regex when its source gives lines without a format, and path otherwise",
            ".rules",
        ),
    )

    contract: ConfiguresHelper[Contract] = Contract()
    """Monitoring contract of the application."""
    metrics: Metrics = Metrics()
    """Metrics endpoint of the Pod."""
    adapter: HelperContainer = HelperContainer()
    """Container of the metrics adapter."""
    sources: Items[Source] = Field(min_length=1, max_length=32, json_schema_extra=list_map("name"))
    """Sources of the application's own metrics."""
    rules: ConfiguresHelper[Items[Rule]] = Field(default=(), max_length=128)
    """Rules that turn the data of sources into metrics. The adapter applies each rule to the data of its
    source."""


class Adapter(Pattern):
    """Application and a helper that gives it the same metrics as every other application: from JSON, logs,
    StatsD and more. Without a template it is a reusable part."""

    kind: Literal["Adapter"] = "Adapter"
    spec: AdapterSpec
    """Desired state."""
