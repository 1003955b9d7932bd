"""What the operator says of an Adapter's rules, the adapter says in the same words."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from e2e.adapter import SOURCES
from e2e.cluster.own_programs import own_program
from podpatterns.api.otlp import Otlp
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
JSON = {"name": "j", "type": "json", "json": {"url": "http://127.0.0.1/"}}
PAGE = {"name": "m", "type": "prometheus", "prometheus": {"url": "http://127.0.0.1/"}}
EACH_SOURCE = [STATSD, LOG, PROC, JSON, PAGE]

PIECES = (
    *("a", "0", "<", ">", "-", "&", "&&", "--", "~~", "(", ")", "(?:", "(?=", "(?#", "(?>", "(?i)"),
    *("(?P<x>", "(?<y>", "(?P=x)", "[", "]", "[^", "[:alpha:]", "*", "+", "?", "|", "^", "$", "."),
    *("{2}", "{2,", "}", r"\d", r"\pL", r"\0", r"\1", r"\101", r"\x{41}", r"\Q", r"\E", r"\[", r"\z", "\\"),
)
PATHS = (
    *("a", "b.c", "http", ".", "..", "[", "[0]", "[*]", "[]", "[?", "]", "{", "}", "a: b", ":", "(", ")"),
    *("items(", "@", "$", "$x", "&", "&&", "||", "|", "!", "!=", "==", "<", "`1`", "`x`", "``", "`", "'r'"),
    *('"x"', '"', "'", "0", "-1", "1.5", "*", ".*", ",", "+", "-", "/", "//", "%", "\u00d7", "=", "let "),
    *(" in ", "[1:2]", "[::-1]", " ", "\\", "[0, 1]", "{a: b, c: d}", "é", "#", "a-b", '`{"a":1}`', "`\\``"),
)
CONDITIONS = (
    *("g", "h", "type", "func", "5", "-5", "1.5", ".5", "1e3", "08", "0x1p2", "5xx", '"GET"', '"a\\d"'),
    *('"a\\n"', "'x'", "'GET'", '"', "`r`", "(", ")", "(", ")", "!", "&&", "||", "==", "!=", "<", "<=", ">"),
    *(">=", "-", "<-", "+", "*", "=", " ", " ", " ", ",", ".", "g.h", "f(x)", "[0]", "&", "|", "{", "_"),
    *("#", ";", "é", "//", "/*", "*/", "\n", "g == 5", 'g == "x" && g != 3', "(g < 3)", "!(g > 1)", "g =5"),
)
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
    """What the adapter says of an Adapter's spec."""
    file = tmp_path / "adapter.yaml"
    file.write_text(yaml.safe_dump(spec))
    said = subprocess.run(
        [own_program(SOURCES), f"--config={file}", "--check"], capture_output=True, text=True, check=False
    )
    return set(said.stdout.splitlines())


def both(tmp_path: Path, *rules: dict[str, Any]) -> tuple[set[str], set[str]]:
    """What the operator and what the adapter says of an Adapter with these rules."""
    spec: dict[str, Any] = {
        "contract": CONTRACT,
        "sources": [STATSD, LOG, PROC, JSON, PAGE],
        "rules": list(rules),
    }
    ours = adapter_problems(adapter(**spec).spec)
    return {str(p).removeprefix("spec.") for p in ours}, checked(tmp_path, spec)


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


@pytest.mark.parametrize("seed", range(10))
def test_the_operator_refuses_no_path_that_the_adapter_takes(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    paths = ["".join(chance.choices(PATHS, k=chance.randint(1, 6))) for _ in range(128)]
    refused: list[set[str]] = []
    for lines in both(tmp_path, *({"source": "j", "path": p, "metric": "app_t"} for p in paths)):
        of_paths = [line for line in lines if ".path: not a JMESPath" in line]
        refused.append({paths[int(line.split("[")[1].split("]")[0])] for line in of_paths})
    assert refused[0] <= refused[1]
    assert len(refused[0]) > len(refused[1]) / 5


@pytest.mark.parametrize("seed", range(10))
def test_of_any_condition_both_say_the_same_or_the_operator_nothing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    conditions = [" " + "".join(chance.choices(CONDITIONS, k=chance.randint(1, 6))) for _ in range(128)]
    emit = [{"metric": "app_t", "value": "g", "when": condition} for condition in conditions]
    rules = [
        {"source": "l", "regex": "(?P<g>x)(?P<type>y)", "emit": emit[i : i + 16]} for i in range(0, 128, 16)
    ]
    ours, said = ({line for line in lines if ".when: " in line} for lines in both(tmp_path, *rules))
    places = {line.split(".when: ")[0] for line in said}
    # Of what is no condition at all, Go's parser has more to say.
    alike = {line for line in ours if "not a condition" not in line}
    assert alike <= said
    assert {line.split(".when: ")[0] for line in ours} <= places
    assert len(ours) > len(said) / 2


@pytest.mark.parametrize(
    "condition",
    [
        "h > 1",
        "g",
        "g > ",
        "g = 5",
        "(g > 5",
        "g > 5)",
        'g == "x',
        "g == 'GET'",
        "g > 5 and g",
        "g b",
        "g + 1",
        "!g",
        "g > 1 &&",
        "g === 1",
        "g > 1 | g < 0",
    ],
)
def test_of_a_usual_mistake_both_say_the_same(tmp_path: Path, condition: str) -> None:
    emit = [
        {"metric": "app_x_total", "labels": {"team": "a"}, "when": condition},
        {"metric": "app_t", "value": "g"},
    ]
    ours, said = both(tmp_path, {"source": "l", "regex": "(?P<g>x)", "emit": emit})
    assert ours == said
    assert len(said) == 1


def test_of_names_that_clash_both_say_the_same(tmp_path: Path) -> None:
    names = ("app_t_total", "app_t", "app_x", "app_x_created", "app_y", "app_y_total", "app_z_sum", "app_z")
    ours, said = both(tmp_path, *({"source": "m", "path": "x", "metric": name} for name in names))
    assert ours == said
    assert {line.split(":")[0] for line in said if "cannot both be there" in line} == {
        f"rules[{i}].metric" for i in (1, 3, 5, 7)
    }


def rule(chance: random.Random) -> dict[str, Any]:
    source = chance.choice(["s", "l", "p", "m", "nobody"])
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
