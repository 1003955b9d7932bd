"""Rules of an Adapter, which turn the data of sources into metrics of the contract."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from podpatterns.api.model import Items, Model, Validation
from podpatterns.api.scalar import Label, LabelName, MetricName

MetricLabels = Annotated[dict[LabelName, Annotated[str, Field(max_length=256)]], Field(max_length=16)]
Value = Annotated[str, Field(max_length=256)]
ValueMap = Annotated[dict[Value, Value], Field(max_length=64)]
Aggregation = Literal["sum", "min", "max", "avg"]


class Emission(Model):
    """Metric that a match produces."""

    metric: MetricName
    """Name of the metric. Its type comes from the contract; otherwise it is a counter if the name ends in
    _total, and a gauge if not. For a histogram of which the source has only totals, give <name>_sum and
    <name>_count."""
    labels: MetricLabels | None = None
    """Labels of the metric. ${code} stands for the value of the group named code. The contract adds its own
    labels; series with equal labels are summed."""
    when: str | None = Field(default=None, max_length=256)
    """Condition over the groups, such as code >= 500 && method != "GET": comparisons of groups, numbers and
    double-quoted strings, joined by &&, || and !. Numbers compare as numbers. Default: every match counts."""
    value: str | None = Field(default=None, max_length=128)
    """Group that holds the value. Default: 1 for each line of a log; for other sources, the value at the
    path."""
    scale: float | None = None
    """Factor of the value: 0.001 turns milliseconds into seconds. Default: 1."""
    aggregation: Aggregation | None = None
    """Aggregation of a gauge that gets several values, of this rule or of others: sum, min, max or avg.
    Counters and histograms are always summed. Default: sum."""


class DerivedGroup(Model):
    """Group made of another group, by a regular expression or by a table of values."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation("has(self.regex) != has(self.map)", "give either regex or map"),
        Validation(
            "has(self.regex) == has(self.replacement)",
            "belongs to regex: required with it, and with it alone",
            ".replacement",
        ),
    )

    name: LabelName
    """Name of the group. It may be that of a group of the source, in place of which it stands then."""
    from_: str = Field(alias="from", min_length=1, max_length=128)
    """Group that it is made of: one that the source gives, or one listed before."""
    regex: str | None = Field(default=None, min_length=1, max_length=1024)
    """Regular expression for the whole value, in RE2 syntax: (\\d)\\d\\d."""
    replacement: str | None = Field(default=None, min_length=1, max_length=256)
    """Value if the expression matches, in which ${1} stands for its first group: ${1}xx."""
    map: ValueMap | None = None
    """Table from values to values, such as "0": ok."""
    default: str | None = Field(default=None, max_length=256)
    """Value if the expression doesn't match or the table lacks the value. Default: empty, and a label of it
    is left out."""


class Rule(Model):
    """Rule that turns one item of a source into metrics."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation("has(self.path) != has(self.regex)", "give either path or regex"),
        Validation("has(self.metric) != has(self.emit)", "give either metric or emit"),
        Validation(
            "has(self.metric) || !(has(self.labels) || has(self.scale) || has(self.aggregation))",
            "labels, scale and aggregation go with metric; inside emit each metric has its own",
        ),
    )

    source: Label
    """Name of the source."""
    path: str | None = Field(default=None, min_length=1, max_length=256)
    """Path of the value. json: a JMESPath expression, in its simplest form the keys joined by dots
    (http.hits); each element of a list is a match, and the fields of objects are groups:
    items(endpoints)[*].{route: [0], hits: [1].hits}. prometheus and proc: name of the source's metric; its
    labels are groups. Two metrics of prometheus may be joined by +, -, * or / between spaces
    (pool_used / pool_max): each series of the first with that of the second that has the same labels.
    statsd: name of the metric, in which * stands for one part between dots (api.*.hits) and is the group 1,
    2 and so on; tags are groups, too. log and syslog with a format: a JMESPath expression as for json,
    applied to each line; @ is the whole line."""
    identity: str | None = Field(default=None, min_length=1, max_length=256)
    """JMESPath expression for the identity of a list's elements, for a source of type json, such as id: a
    total keeps its history if the order changes. Default: the index of the element. Members of objects are
    identified by their key."""
    regex: str | None = Field(default=None, min_length=1, max_length=1024)
    """Regular expression for the lines of a source of type log or syslog without a format, in RE2 syntax.
    Lines without a match are skipped. Its named groups, (?P<code>\\d+), can be used in emit."""
    groups: Items[DerivedGroup] = Field(default=(), max_length=16)
    """Groups made of others, for labels, conditions and values."""
    metric: MetricName | None = None
    """Name of the metric, for a rule with a single one; its type follows as in emit."""
    labels: MetricLabels | None = None
    """Labels of that metric, as in emit."""
    scale: float | None = None
    """Factor of the value: 0.001 turns milliseconds into seconds. Default: 1."""
    aggregation: Aggregation | None = None
    """Aggregation of that metric, as in emit."""
    emit: Items[Emission] | None = Field(default=None, min_length=1, max_length=16)
    """Metrics to produce, for a rule with several or with conditions."""
