"""The table of condition types and reasons: nothing outside it is ever reported."""

from __future__ import annotations

import ast
from enum import StrEnum
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

from podpatterns.api import conditions
from podpatterns.api.bounds import CONDITIONS, REASON
from podpatterns.api.conditions import FAILURES, REASONS, ConditionType, EventReason, PodReason, Reason
from podpatterns.cli.conditions import documented
from podpatterns.replicas.condition import Condition, told

PACKAGE = Path(conditions.__file__).parents[1]
ENUMERATIONS = (ConditionType, Reason, EventReason, PodReason)
WORDS_OF_KUBERNETES = {"Ready", "Available", "Pending", "OnDelete", "Conflict", "NotFound", "Failed"}
"""Pods' conditions and phases, types of updates and a server's answers have these words, too."""


@cache
def nodes() -> list[tuple[Path, ast.AST]]:
    return [
        (path, node)
        for path in PACKAGE.rglob("*.py")
        if path != Path(conditions.__file__)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant | ast.Attribute)
    ]


def test_no_other_file_writes_a_word_of_the_table() -> None:
    words = set(chain.from_iterable(ENUMERATIONS)) - WORDS_OF_KUBERNETES
    literals = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}: {node.value}"
        for path, node in nodes()
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in words
    ]
    assert literals == []


def test_every_word_of_the_table_is_used() -> None:
    used = {
        (node.value.id, node.attr)
        for _, node in nodes()
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    of_the_server = {reason.name for reason in FAILURES}
    members = {(table.__name__, member.name) for table in ENUMERATIONS for member in table}
    assert {(table, name) for table, name in members - used if name not in of_the_server} == set()


@pytest.mark.parametrize("table", ENUMERATIONS)
def test_every_word_says_what_it_means(table: type[StrEnum]) -> None:
    texts = documented(table)
    assert list(texts) == list(table)
    assert all(text.endswith(".") for text in texts.values())
    assert all(len(word.encode()) <= REASON and word.isalpha() for word in table)


def test_every_reason_belongs_to_a_condition() -> None:
    assert REASONS.keys() == set(ConditionType)
    assert len(REASONS) <= CONDITIONS
    assert {r for by_status in REASONS.values() for reasons in by_status.values() for r in reasons} == set(
        Reason
    )


def test_a_condition_is_made_of_the_table_alone() -> None:
    Condition(ConditionType.READY, True, Reason.PODS_AVAILABLE, "")
    with pytest.raises(ValueError, match="Well"):
        Condition("Well", True, Reason.PODS_AVAILABLE, "")  # type: ignore[arg-type] # mypy refuses it, too
    with pytest.raises(ValueError, match="add it to the table"):
        Condition(ConditionType.READY, True, "PodsAvailable", "")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Ready with status False and reason PodsAvailable"):
        Condition(ConditionType.READY, False, Reason.PODS_AVAILABLE, "")


def test_a_condition_of_another_operators_table_is_not_taken_over() -> None:
    known = {"type": "ContractSatisfied", "status": "True", "reason": "MetricsPresent", "message": "m"}
    expected = Condition(ConditionType.CONTRACT_SATISFIED, True, Reason.METRICS_PRESENT, "m")
    assert told({"conditions": [known]}, ConditionType.CONTRACT_SATISFIED) == expected
    for other in ({"reason": "AllMetrics"}, {"reason": "PodsAvailable"}):
        assert told({"conditions": [known | other]}, ConditionType.CONTRACT_SATISFIED) is None
