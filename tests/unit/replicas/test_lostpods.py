"""The Pods that a paused object has lost."""

from __future__ import annotations

from podpatterns.replicas.lostpods import LostPods
from testbed.builders import pod, wanted


def test_pods_of_a_paused_object_come_back_as_they_were() -> None:
    record, paused = LostPods(), wanted(replicas=3, paused=True)
    pods = [pod("site-0", revision="old"), pod("site-1", revision="new"), pod("site-2", revision="old")]
    assert record.observe(paused, pods) == {}
    for _ in range(2):
        assert record.observe(paused, pods[:1]) == {"site-1": "new", "site-2": "old"}
    assert record.observe(wanted(replicas=2, paused=True), pods[:1]) == {"site-1": "new"}
    assert record.observe(wanted(replicas=3), pods[:1]) == {}
    assert record.observe(paused, pods[:1]) == {}, "they were not wanted back meanwhile"


def test_of_generated_names_only_so_many_are_remembered_as_are_missing() -> None:
    record, paused = LostPods(), wanted(replicas=2, paused=True, naming="Generated")
    record.observe(paused, [pod("site-a"), pod("site-b")])
    record.observe(paused, [pod("site-b")])
    assert record.observe(paused, []).keys() == {"site-a", "site-b"}
    for n in range(100):
        assert len(record.observe(paused, [pod(f"site-{n}")])) <= 1
    assert record.observe(paused, [pod("site-y"), pod("site-z")]) == {}
