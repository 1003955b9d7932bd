"""What the operator takes from a page that any program might serve."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpatterns.controller.contracts import MAX_MISSING, MAX_WORD, NO_ADAPTER, read_report
from podpatterns.controller.page import MAX_BYTES
from podpatterns.replicas.contract import Answer, Missing


def report(**fields: Any) -> bytes:
    whole = {"contract": "red/v1", "config": "0c2a566418", "satisfied": True, "missing": []}
    return json.dumps({**whole, **fields}).encode()


def test_a_report() -> None:
    missing = [{"metric": "app_errors_total", "reason": "absent"}]
    assert read_report(report(missing=missing)) == Answer(
        "0c2a566418", (Missing("app_errors_total", "absent"),)
    )


def test_a_report_is_kept_small() -> None:
    missing = [{"metric": "m" * 1000, "reason": "absent"}] * 1000
    found = read_report(report(missing=missing))
    assert len(found.missing) == MAX_MISSING
    assert len(found.missing[0].metric) == MAX_WORD


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>",
        b"[" * MAX_BYTES,
        b"[]",
        b"3",
        b"{}",
        report(config=3),
        report(missing=None),
        report(missing=[3]),
        b"\xff",
    ],
)
def test_something_else_is_no_adapter(text: bytes) -> None:
    assert read_report(text) == NO_ADAPTER


@given(st.binary() | st.recursive(st.none() | st.text(), st.lists).map(lambda v: report(missing=v)))
def test_whatever_is_there_does_no_harm(text: bytes) -> None:
    assert read_report(text).trouble or read_report(text).hash
