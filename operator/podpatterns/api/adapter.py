"""Adapter: the helper makes the application look like every other one."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from podpatterns.api.model import Items, Model, Validation, list_map
from podpatterns.api.pattern import Pattern, PatternSpec
from podpatterns.api.rule import MetricLabels, Rule
from podpatterns.api.scalar import Port
from podpatterns.api.source import Source


class Contract(Model):
    """The monitoring model that the application is made to follow."""

    name: Literal["red/v1"] = "red/v1"
    """red/v1: rate, errors and duration, as app_requests_total, app_errors_total and
    app_request_duration_seconds. Default: red/v1."""
    labels: MetricLabels | None = None
    """Labels put on every metric."""


class Metrics(Model):
    """Where the metrics are offered."""

    port: Port = 9090
    """The port of the Pod that Prometheus scrapes. Default: 9090."""
    path: Annotated[str, Field(max_length=256, pattern="^/")] = "/metrics"
    """The path that Prometheus scrapes. Default: /metrics."""
    max_series: int = Field(default=2000, ge=1)
    """How many series there may be; what is beyond is dropped and counted, so that a label with endless
    values does no harm. Default: 2000."""


class AdapterSpec(PatternSpec):
    """What is wanted."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "!has(self.rules) || self.rules.all(r, self.sources.exists(s, s.name == r.source))",
            "a rule refers to a source that isn't declared",
            ".rules",
        ),
        Validation(
            "!has(self.rules) || self.rules.all(r, self.sources.all(s,"
            " s.name != r.source || has(r.regex) == (s.type == 'log')))",
            "a rule has regex when its source is of type log, and path otherwise",
            ".rules",
        ),
    )

    contract: Contract = Contract()
    """The monitoring model that the application is made to follow."""
    metrics: Metrics = Metrics()
    """Where the metrics are offered."""
    sources: Items[Source] = Field(min_length=1, max_length=32, json_schema_extra=list_map("name"))
    """Where the application tells about itself."""
    rules: Items[Rule] = Field(default=(), max_length=128)
    """How what the sources say becomes metrics. Each rule is applied to what its source yields."""


class Adapter(Pattern):
    """An application and a helper that makes it look like every other one: whatever it tells about itself, in
    JSON, in logs, by StatsD, comes out as the same few metrics. Without a template it is a reusable part."""

    kind: Literal["Adapter"] = "Adapter"
    spec: AdapterSpec
    """What is wanted."""
