"""What the operator says of an Adapter's rules, the adapter says in the same words; what only the adapter can
read, it refuses itself."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from podpatterns.api.metrics import Otlp
from podpatterns.compose import adapter_problems
from testbed.adapter import SOURCES
from testbed.builders import adapter
from testbed.cluster.own_programs import own_program

CONTRACT: dict[str, Any] = {
    "name": "custom",
    "metrics": [
        {"name": "app_x_total", "type": "counter", "labels": ["team"]},
        {"name": "app_t", "type": "gauge"},
    ],
}
STATSD = {"name": "s", "type": "statsd", "statsd": {"port": 8125}}
LOG = {"name": "l", "type": "log", "log": {"volume": "v", "path": "x"}}
PROC = {"name": "p", "type": "proc", "proc": {"command": "x"}}
JSON = {"name": "j", "type": "json", "json": {"url": "http://127.0.0.1/"}}
SYSLOG = {"name": "y", "type": "syslog", "syslog": {"port": 5140}}
OBJECTS = {"name": "z", "type": "syslog", "syslog": {"port": 5141, "format": "json"}}
PAGE = {"name": "m", "type": "prometheus", "prometheus": {"url": "http://127.0.0.1/"}}

ADDRESSES = (
    *(
        "collector",
        "a.b",
        "[::1]",
        "127.0.0.1",
        ":4318",
        ":port",
        ":99999",
        "/",
        "/v1/metrics",
        "//",
        "?x",
        "#",
    ),
    *("u:p@", "%41", "%zz", " ", "é", "_", "-", "[", "\n"),
)
WORDS = (
    *("app", "x", "total", "count", "sum", "bucket", "seconds", "ms", "kilobytes", "minutes", "S"),
    *("gauge", "counter", "histogram", "fooBar", "a:b", "info", "ratio", "adapter", "created"),
)


def checked(tmp_path: Path, spec: dict[str, Any]) -> set[str]:
    """Return what the adapter says of an Adapter's spec, but for its warnings."""
    file = tmp_path / "adapter.yaml"
    file.write_text(yaml.safe_dump(spec))
    said = subprocess.run(
        [own_program(SOURCES), f"--config={file}", "--check"], capture_output=True, text=True, check=False
    )
    return {line for line in said.stdout.splitlines() if not line.startswith("warning: ")}


def both(tmp_path: Path, *rules: dict[str, Any]) -> tuple[set[str], set[str]]:
    """What the operator and what the adapter says of an Adapter with these rules."""
    spec: dict[str, Any] = {
        "contract": CONTRACT,
        "sources": [STATSD, LOG, PROC, JSON, PAGE, SYSLOG, OBJECTS],
        "rules": list(rules),
    }
    ours = adapter_problems(adapter(**spec).spec)
    return {str(p).removeprefix("spec.") for p in ours}, checked(tmp_path, spec)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (
            {"source": "l", "regex": r"(\d+", "metric": "app_t"},
            "regex: not a regular expression in RE2 syntax",
        ),
        ({"source": "j", "path": "http..hits", "metric": "app_t"}, "path: not a JMESPath expression such as"),
        (
            {"source": "l", "regex": "(?P<g>x)", "emit": [{"metric": "app_t", "when": "g > "}]},
            "emit[0].when: not a condition such as",
        ),
        (
            {"source": "l", "regex": "(?P<g>x)", "emit": [{"metric": "app_t", "value": "h"}]},
            'emit[0].value: the regex has no group "h"',
        ),
        (
            {"source": "l", "regex": "(?P<g>x)", "metric": "app_t", "labels": {"a": "${h}"}},
            'labels.a: the regex has no group "h"',
        ),
    ],
)
def test_what_the_operator_leaves_to_the_adapter(tmp_path: Path, rule: dict[str, Any], told: str) -> None:
    made = {"source": "s", "path": "x", "metric": "app_x_total", "labels": {"team": "a"}}
    ours, said = both(tmp_path, made, rule)
    assert ours == set()
    assert len([line for line in said if line.startswith(f"rules[1].{told}")]) == 1


def test_of_names_that_clash_both_say_the_same(tmp_path: Path) -> None:
    names = ("app_t_total", "app_t", "app_x", "app_x_created", "app_y", "app_y_total", "app_z_sum", "app_z")
    ours, said = both(tmp_path, *({"source": "m", "path": "x", "metric": name} for name in names))
    assert ours == said
    assert {line.split(":")[0] for line in said if "cannot both be there" in line} == {
        f"rules[{i}].metric" for i in (1, 3, 5, 7)
    }


def rule(chance: random.Random) -> dict[str, Any]:
    source = chance.choice(["s", "l", "p", "m", "y", "z", "nobody"])
    name = "_".join(chance.choices(WORDS, k=chance.randint(1, 4)))
    made: dict[str, Any] = {"source": source, "metric": chance.choice([name, "app_x_total", "app_t"])}
    if source in "ly":
        made["regex"] = "(?P<g>x)"
    else:
        made["path"] = chance.choice(["p", "process_threads", *(["a / b", "a + b"] if source == "m" else ())])
    if chance.random() < 0.5:
        label = chance.choice(["team", "le", "__a", "b"])
        made["labels"] = {label: chance.choice(["", "x", "${g}", "${", "${}"])}
    if chance.random() < 0.3:
        made["scale"] = chance.choice([0.5, -1.0, 0.0])
    if chance.random() < 0.3:
        made["aggregation"] = chance.choice(["sum", "max"])
    if chance.random() < 0.1:
        made["identity"] = "id"
    return made


@pytest.mark.parametrize("seed", range(30))
def test_of_any_rules_both_say_the_same(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    ours, said = both(tmp_path, *(rule(chance) for _ in range(4)))
    assert ours == said


@pytest.mark.parametrize("seed", range(10))
def test_of_a_receivers_address_both_say_the_same(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(10):
        endpoint = chance.choice(("http://", "https://")) + "".join(chance.choices(ADDRESSES, k=3))
        said = checked(tmp_path, {"metrics": {"otlp": {"endpoint": endpoint}}})
        of_it = [line for line in said if line.startswith("metrics.otlp.endpoint: ")]
        try:
            Otlp.model_validate({"endpoint": endpoint})
        except ValidationError:
            assert of_it
        else:
            assert not of_it
