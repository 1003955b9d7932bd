"""How what a source says becomes metrics of the contract."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from podpatterns.api.model import Items, Model, Validation
from podpatterns.api.scalar import Label, LabelName, MetricName

MetricLabels = Annotated[dict[LabelName, Annotated[str, Field(max_length=256)]], Field(max_length=16)]


class Emission(Model):
    """One metric that a match yields."""

    metric: MetricName
    """The metric's name."""
    labels: MetricLabels | None = None
    """The metric's labels. ${code} stands for what the group named code matched."""
    when: str | None = Field(default=None, max_length=256)
    """A condition over the groups, such as code >= 500; without it, every match counts."""
    value: str | None = Field(default=None, max_length=128)
    """The group that holds the value. Default: each match counts 1."""
    scale: float | None = None
    """The value is multiplied by this: 0.001 makes seconds of milliseconds. Default: 1."""


class Rule(Model):
    """Takes one thing from a source and makes metrics of it."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation("has(self.path) != has(self.regex)", "give either path or regex"),
        Validation("has(self.metric) != has(self.emit)", "give either metric or emit"),
        Validation(
            "has(self.metric) || !(has(self.labels) || has(self.scale))",
            "labels and scale go with metric; inside emit each metric has its own",
        ),
    )

    source: Label
    """The source's name."""
    path: str | None = Field(default=None, min_length=1, max_length=256)
    """Where the value is: in JSON the keys on the way, with dots between them (http.hits); for prometheus,
    statsd and proc the name of the metric there."""
    regex: str | None = Field(default=None, min_length=1, max_length=1024)
    """For sources of type log: what a line looks like, in RE2 syntax. Lines that don't match are skipped.
    Named groups, (?P<code>\\d+), are there for emit."""
    metric: MetricName | None = None
    """The metric to make, when it is a single one."""
    labels: MetricLabels | None = None
    """The labels of that metric."""
    scale: float | None = None
    """The value is multiplied by this: 0.001 makes seconds of milliseconds. Default: 1."""
    emit: Items[Emission] | None = Field(default=None, min_length=1, max_length=16)
    """The metrics to make, when there are several or they depend on what matched."""
