"""The figures in a row of the bench."""

from __future__ import annotations

from bench.row import Goal, Row, table


def test_medians_over_rounds_make_the_ratio() -> None:
    row = Row("Pod replaced", "ms", [30, 10, 20], [40, 50, 10], Goal("≤", 0.7))
    shown = row.as_json()
    assert (shown["ours"], shown["theirs"], shown["ratio"], shown["holds"]) == (20, 40, 0.5, True)
    assert shown["goal"] == "ratio ≤ 0.7"
    assert shown["ours_rounds"] == [30, 10, 20]


def test_a_goal_may_be_for_our_figure_alone() -> None:
    none_allowed = Goal("≤", 0)
    assert Row("writes", "", [0], [7], none_allowed, "ours").holds
    assert not Row("writes", "", [1], [7], none_allowed, "ours").holds
    assert not Row("rate", "", [0.89], [], Goal("≥", 0.9), "ours").holds


def test_without_a_goal_nothing_holds_or_fails() -> None:
    row = Row("CPU", "ms", [4], [2])
    assert (row.ratio, row.holds) == (2, None)


def test_nothing_to_compare_with_gives_no_ratio() -> None:
    assert Row("rate", "", [0.95], []).ratio is None
    assert Row("writes", "", [3], [0]).ratio is None


def test_the_table_shows_the_spread_and_who_failed() -> None:
    shown = table([Row("Ready", "s", [1.5, 2.5], [1, 3], Goal("≤", 0.9))])
    assert "Ready [s]" in shown
    assert "2 (1.5-2.5)" in shown
    assert "NO" in shown
