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
    """The metric's name. The contract knows its type; otherwise it is a counter with _total at its end, and a
    gauge without. A histogram of which a source knows only totals is given as <name>_sum and <name>_count."""
    labels: MetricLabels | None = None
    """The metric's labels. ${code} stands for the value of the group named code. There are no others but the
    contract's own; what falls together is added up."""
    when: str | None = Field(default=None, max_length=256)
    """A condition over the groups, such as code >= 500 && method != "GET": comparisons of groups, numbers
    and texts in double quotes, joined by &&, || and !. Numbers are compared as numbers. Without a condition,
    every match counts."""
    value: str | None = Field(default=None, max_length=128)
    """The group that holds the value. Default: each line of a log counts 1; of other sources, the value that
    the path leads to."""
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
    """Where the value is. For json a JMESPath expression, in its simplest form the keys on the way, with dots
    between them (http.hits); of a list each element is taken, and the fields of objects are groups:
    items(endpoints)[*].{route: [0], hits: [1].hits}. For prometheus and proc the name of the metric there;
    its labels are groups. For statsd the name as well, in which * stands for one part between dots
    (api.*.hits), which is the group 1, 2 and so on; tags are groups, too."""
    regex: str | None = Field(default=None, min_length=1, max_length=1024)
    """For sources of type log: what a line looks like, in RE2 syntax. Lines that don't match are skipped.
    Named groups, (?P<code>\\d+), are there for emit."""
    metric: MetricName | None = None
    """The metric to make, when it is a single one; its type follows as in emit."""
    labels: MetricLabels | None = None
    """The labels of that metric, as in emit."""
    scale: float | None = None
    """The value is multiplied by this: 0.001 makes seconds of milliseconds. Default: 1."""
    emit: Items[Emission] | None = Field(default=None, min_length=1, max_length=16)
    """The metrics to make, when there are several or they depend on what matched."""
