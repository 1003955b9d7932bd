"""The rules for names of metrics, by Prometheus's conventions: https://prometheus.io/docs/practices/naming

The adapter refuses names by promlint, the linter of Prometheus's Go client. These are its rules, with its
messages, so that a name that the adapter would refuse is refused before there is a Pod. A test compares the
two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

MetricType = Literal["counter", "gauge", "histogram"]

BASE_UNITS = (
    "amperes bytes celsius grams joules kelvin meters metres seconds volts".split()  # noqa: SIM905 (a table)
)
UNITS = {unit: unit for unit in BASE_UNITS} | {
    "minutes": "seconds",
    "hours": "seconds",
    "days": "seconds",
    "weeks": "seconds",
    "kelvins": "kelvin",
    "fahrenheit": "celsius",
    "rankine": "celsius",
    "inches": "meters",
    "yards": "meters",
    "miles": "meters",
    "bits": "bytes",
    "calories": "joules",
    "pounds": "grams",
    "ounces": "grams",
}
PREFIXES = (
    *("pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "kibi", "mega"),
    *("mibi", "giga", "gibi", "tera", "tebi", "peta", "pebi"),
)
ABBREVIATIONS = ("s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d")


def offences(name: str, kind: MetricType) -> list[str]:
    """Return the violations in the name of a metric of that type, sorted."""
    return sorted(set(_offences(name, kind)))


def _offences(name: str, kind: MetricType) -> Iterator[str]:
    if kind == "counter" and not name.endswith("_total"):
        yield 'counter metrics should have "_total" suffix'
    if kind != "counter" and name.endswith("_total"):
        yield 'non-counter metrics should not have "_total" suffix'
    if kind != "histogram" and name.endswith("_bucket"):
        yield 'non-histogram metrics should not have "_bucket" suffix'
    for part in ("count", "sum"):
        if kind != "histogram" and name.endswith(f"_{part}"):
            yield f'non-histogram and non-summary metrics should not have "_{part}" suffix'
    if unit := _other_unit(name):
        yield f'use base unit "{unit[1]}" instead of "{unit[0]}"'
    words = set(name.lower().split("_")[1:])
    if kind in words:
        yield f"metric name should not include type '{kind}'"
    if ":" in name:
        yield "metric names should not contain ':'"
    if re.search("[a-z][A-Z]", name):
        yield "metric names should be written in 'snake_case' not 'camelCase'"
    if not words.isdisjoint(ABBREVIATIONS):
        yield "metric names should not contain abbreviated units"


def _other_unit(name: str) -> tuple[str, str] | None:
    """Return the first unit in the name and its base unit, if that is another one."""
    for word in name.split("_"):
        prefixes = [p for p in PREFIXES if word.startswith(p)] if word.startswith(PREFIXES) else []
        for stem in (word, *(word.removeprefix(p) for p in prefixes)):
            if stem in UNITS:
                return (word, UNITS[stem]) if UNITS[stem] != word else None
    return None
