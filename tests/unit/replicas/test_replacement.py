"""The record of replacements, from one look to the next."""

from __future__ import annotations

from podpatterns.replicas import Pod, Replacement, Replacements
from testbed.builders import NOW, failed, pod, terminating, unready


def successor(name: str, **fields: object) -> Pod:
    return pod(name, uid=f"new-uid-of-{name}", created=NOW + 2, **fields)


def test_a_deleted_pod_and_its_successor_under_the_same_name() -> None:
    record = Replacements()
    assert record.observe([pod("site-0"), pod("site-1")], 2, {}, NOW) == []
    assert record.observe([terminating("site-0"), pod("site-1")], 2, {}, NOW + 1) == []
    assert record.observe([pod("site-1")], 2, {}, NOW + 2) == []
    assert record.observe([successor("site-0", ready_since=None), pod("site-1")], 2, {}, NOW + 3) == []
    [done] = record.observe([successor("site-0", ready_since=NOW + 4), pod("site-1")], 2, {}, NOW + 4)
    assert done == Replacement("site-0", "uid-of-site-0", "new-uid-of-site-0", "Deleted", NOW + 2, 3.0)
    pods = [successor("site-0", ready_since=NOW + 4), pod("site-1")]
    assert record.observe(pods, 2, {}, NOW + 5, {"new-uid-of-site-0"}) == []


def test_what_was_completed_is_told_until_it_is_recorded() -> None:
    record = Replacements()
    record.observe([pod("site-0")], 1, {}, NOW)
    record.observe([], 1, {}, NOW + 1)
    [done] = record.observe([successor("site-0")], 1, {}, NOW + 2)
    assert record.observe([successor("site-0")], 1, {}, NOW + 3) == [done], "the status could not be written"
    assert record.observe([successor("site-0")], 1, {}, NOW + 4, {done.new_uid}) == []


def test_the_newest_that_is_recorded_stands_for_those_before_it() -> None:
    """The status keeps only the last few."""
    record = Replacements()
    names = [f"site-{i}" for i in range(3)]
    record.observe([pod(name) for name in names], 3, {}, NOW)
    record.observe([], 3, {}, NOW + 1)
    record.observe([successor("site-0")], 3, {}, NOW + 2)
    record.observe([successor("site-0"), successor("site-1")], 3, {}, NOW + 3)
    done = record.observe([successor(name) for name in names], 3, {}, NOW + 4, {"new-uid-of-site-1"})
    assert [r.name for r in done] == ["site-2"]


def test_generated_names_are_matched_in_the_order_of_leaving() -> None:
    record = Replacements()
    record.observe([pod("site-a"), pod("site-b")], 2, {}, NOW)
    record.observe([pod("site-b")], 2, {}, NOW + 1)
    record.observe([], 2, {}, NOW + 2)
    done = record.observe([successor("site-c"), successor("site-d")], 2, {}, NOW + 3)
    assert {r.old_uid for r in done} == {"uid-of-site-a", "uid-of-site-b"}


def test_reasons() -> None:
    record = Replacements()
    record.observe([pod("site-0"), pod("site-1"), pod("site-2")], 3, {}, NOW)
    gone = [failed("site-0", reason="Evicted"), terminating("site-1"), terminating("site-2")]
    record.observe(gone, 3, {"uid-of-site-1": "Outdated"}, NOW + 1)
    done = record.observe([successor(f"site-{i}") for i in range(3)], 3, {}, NOW + 2)
    assert {r.name: r.reason for r in done} == {
        "site-0": "Evicted",
        "site-1": "Outdated",
        "site-2": "Deleted",
    }


def test_scaling_replaces_nothing() -> None:
    record = Replacements()
    record.observe([pod("site-0"), pod("site-1")], 2, {}, NOW)
    record.observe([pod("site-0")], 1, {"uid-of-site-1": "ScaledDown"}, NOW + 1)
    assert record.observe([pod("site-0"), successor("site-1")], 2, {}, NOW + 2) == []


def test_a_successor_that_dies_before_it_is_ready_is_replaced_in_its_turn() -> None:
    record = Replacements()
    record.observe([pod("site-0")], 1, {}, NOW)
    record.observe([unready("site-0", uid="second")], 1, {}, NOW + 1)
    [done] = record.observe([successor("site-0")], 1, {}, NOW + 2)
    assert (done.old_uid, done.new_uid) == ("second", "new-uid-of-site-0")


def test_a_pod_that_was_failed_and_runs_again_is_replaced_by_nobody() -> None:
    record = Replacements()
    record.observe([pod("site-0")], 1, {}, NOW)
    record.observe([failed("site-0")], 1, {}, NOW + 1)
    assert record.observe([pod("site-0")], 1, {}, NOW + 2) == []
    record.observe([], 1, {}, NOW + 3)
    [done] = record.observe([successor("site-0")], 1, {}, NOW + 4)
    assert (done.old_uid, done.new_uid) == ("uid-of-site-0", "new-uid-of-site-0")
