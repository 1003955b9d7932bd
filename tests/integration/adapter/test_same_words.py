"""What the operator says of an Adapter's rules, the adapter says in the same words."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.adapter import SOURCES
from e2e.cluster.own_programs import own_program
from podpatterns.compose import adapter_problems
from tests.builders import adapter

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

PIECES = (
    *("a", "0", "<", ">", "-", "&", "&&", "--", "~~", "(", ")", "(?:", "(?=", "(?#", "(?>", "(?i)"),
    *("(?P<x>", "(?<y>", "(?P=x)", "[", "]", "[^", "[:alpha:]", "*", "+", "?", "|", "^", "$", "."),
    *("{2}", "{2,", "}", r"\d", r"\pL", r"\0", r"\1", r"\101", r"\x{41}", r"\Q", r"\E", r"\[", r"\z", "\\"),
)
WORDS = (
    *("app", "x", "total", "count", "sum", "bucket", "seconds", "ms", "kilobytes", "minutes", "S"),
    *("gauge", "counter", "histogram", "fooBar", "a:b", "info", "ratio", "adapter"),
)


def both(tmp_path: Path, *rules: dict[str, Any]) -> tuple[set[str], set[str]]:
    """What the operator and what the adapter says of an Adapter with these rules."""
    spec: dict[str, Any] = {"contract": CONTRACT, "sources": [STATSD, LOG, PROC], "rules": list(rules)}
    file = tmp_path / "adapter.yaml"
    file.write_text(yaml.safe_dump(spec))
    said = subprocess.run(
        [own_program(SOURCES), f"--config={file}", "--check"], capture_output=True, text=True, check=False
    )
    return {str(p).removeprefix("spec.") for p in adapter_problems(adapter(**spec).spec)}, set(
        said.stdout.splitlines()
    )


@pytest.mark.parametrize("seed", range(10))
def test_the_operator_refuses_no_regex_that_the_adapter_takes(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    regexes = ["".join(chance.choices(PIECES, k=chance.randint(1, 7))) for _ in range(128)]
    refused: list[set[str]] = []
    for lines in both(tmp_path, *({"source": "l", "regex": r, "metric": "app_t"} for r in regexes)):
        of_regexes = [line for line in lines if ".regex: not a regular" in line]
        refused.append({regexes[int(line.split("[")[1].split("]")[0])] for line in of_regexes})
    assert refused[0] <= refused[1]
    assert len(refused[0]) > len(refused[1]) / 3


def rule(chance: random.Random) -> dict[str, Any]:
    source = chance.choice(["s", "l", "p", "nobody"])
    name = "_".join(chance.choices(WORDS, k=chance.randint(1, 4)))
    made: dict[str, Any] = {"source": source, "metric": chance.choice([name, "app_x_total", "app_t"])}
    made |= {"regex": "(?P<g>x)"} if source == "l" else {"path": chance.choice(["p", "process_threads"])}
    if chance.random() < 0.5:
        label = chance.choice(["team", "le", "__a", "b"])
        made["labels"] = {label: chance.choice(["", "x", "${g}", "${h}", "${", "${}"])}
    if chance.random() < 0.3:
        made["scale"] = chance.choice([0.5, -1.0, 0.0])
    return made


@pytest.mark.parametrize("seed", range(30))
def test_of_any_rules_both_say_the_same(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    ours, said = both(tmp_path, *(rule(chance) for _ in range(4)))
    # Names that OpenMetrics can't tell apart are left for the adapter to find.
    assert ours == {line for line in said if "cannot both be there" not in line}
