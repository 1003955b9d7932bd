"""The strings and numbers of the API that have a syntax of their own."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from podpatterns.api.model import Validation

QUANTITY_LENGTH = 64
QUANTITY_SCHEMA = {
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "pattern": r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$",
    "maxLength": QUANTITY_LENGTH,
    "x-kubernetes-int-or-string": True,
}

_PERCENTAGE_SCHEMA = {
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "maxLength": 4,
    "minimum": 0,
    "pattern": "^(100|[1-9]?[0-9])%$",
    "x-kubernetes-int-or-string": True,
}

_QUANTITY = re.compile(str(QUANTITY_SCHEMA["pattern"]))
_PERCENTAGE = re.compile(str(_PERCENTAGE_SCHEMA["pattern"]))


def _quantity(value: object) -> int | str:
    if isinstance(value, str) and len(value) <= QUANTITY_LENGTH and _QUANTITY.fullmatch(value):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise PydanticCustomError("quantity", "Input should be a quantity such as 64Mi or 1.5G")


def _count_or_percentage(value: object) -> int | str:
    if isinstance(value, str) and _PERCENTAGE.fullmatch(value):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise PydanticCustomError("percentage", "Input should be a number of Pods or a percentage up to 100%")


Quantity = Annotated[int | str, PlainValidator(_quantity), WithJsonSchema(QUANTITY_SCHEMA)]
"""A Kubernetes quantity, as it was written: `64Mi`, `1.5G`, `1000`."""

Bytes = Annotated[
    str,
    Field(max_length=9, pattern="^([1-9][0-9]{0,8}|[1-9][0-9]{0,5}(k|Ki)|[1-9][0-9]{0,2}Mi?|1Gi?)$"),
]
"""A number of bytes from 1 to 1Gi, as a Kubernetes quantity: `64Mi`."""

CountOrPercentage = Annotated[
    int | str, PlainValidator(_count_or_percentage), WithJsonSchema(_PERCENTAGE_SCHEMA)
]
"""A number of Pods, or a share of spec.replicas such as `25%`."""

Duration = Annotated[
    str,
    Field(
        max_length=32,
        pattern=r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$",
        json_schema_extra={
            "x-kubernetes-validations": [
                Validation("duration(self) > duration('0s')", "must be longer than 0").manifest()
            ]
        },
    ),
]
"""A span of time above 0 in Go's notation: `500ms`, `1m30s`."""

Time = Annotated[str, Field(max_length=64, json_schema_extra={"format": "date-time"})]
"""A metav1.Time: `2026-01-31T12:00:00Z`."""

Label = Annotated[str, Field(max_length=63, pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
"""A DNS label, as containers and volumes are named."""

ObjectName = Annotated[
    str, Field(max_length=253, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
]
"""A DNS subdomain, as objects are named."""

KindName = Literal["SidecarApp", "Ambassador", "Adapter"]

Port = Annotated[int, Field(ge=1, le=65535)]

MountPath = Annotated[str, Field(max_length=1024, pattern="^/[^:]*$")]
"""An absolute path inside a container."""

RelativePath = Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[^/]")]
"""A path inside a volume."""

EnvironmentName = Annotated[str, Field(max_length=128, pattern="^[A-Za-z_][A-Za-z0-9_]*$")]

_NAME = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*"

HostName = Annotated[str, Field(max_length=253, pattern=f"^{_NAME}$")]

# In RE2, where \w and \d are ASCII. A rule and no pattern: of a pattern the API server shows people the whole
# expression, and nothing else.
_ENDPOINT = (
    r"^(\w([\w-]{0,61}\w)?(\.\w([\w-]{0,61}\w)?)*\.?|\[[0-9A-Fa-f:.]+\])"
    r":([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])$"
)

Endpoint = Annotated[
    str,
    Field(
        max_length=259,
        json_schema_extra={
            "x-kubernetes-validations": [
                Validation(
                    f"self.matches(r'{_ENDPOINT}')",
                    "must be host:port, such as db.shop:5432 or [2001:db8::1]:5432",
                ).manifest()
            ]
        },
    ),
]
"""A host name or address and a port: `api.example.com:443`, `[2001:db8::1]:443`."""

OtlpEndpoint = Annotated[
    str,
    Field(
        max_length=2048,
        pattern=r"^https?://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$",
    ),
]
"""The address of a receiver, with neither user nor query: `http://collector:4318`. The adapter has the same
pattern."""

HttpUrl = Annotated[str, Field(max_length=2048, pattern="^https?://[^/]")]

MetricName = Annotated[str, Field(max_length=128, pattern="^[a-zA-Z_:][a-zA-Z0-9_:]*$")]
"""A metric's name in Prometheus's data model."""

LabelName = Annotated[str, Field(max_length=128, pattern="^[a-zA-Z_][a-zA-Z0-9_]*$")]
"""A metric label's name in Prometheus's data model."""
