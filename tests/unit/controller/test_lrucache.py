"""The cache and its bound."""

from __future__ import annotations

from podpatterns.controller.lrucache import LruCache


def test_what_was_not_used_for_longest_goes_first() -> None:
    cache: LruCache[str, str] = LruCache(10)
    assert cache.put("a", "A", 4) == []
    assert cache.put("b", "B", 4) == []
    assert cache.get("a") == "A"
    assert cache.put("c", "C", 4) == ["B"]
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == ("A", None, "C")


def test_a_value_too_large_for_it_is_kept_alone() -> None:
    cache: LruCache[str, str] = LruCache(10)
    cache.put("a", "A", 4)
    assert cache.put("b", "B", 400) == ["A"]
    assert cache.get("b") == "B"
    assert cache.put("a", "A", 4) == ["B"]


def test_a_value_counts_once() -> None:
    cache: LruCache[str, str] = LruCache(10)
    for n in range(5):
        assert cache.put("a", f"A{n}", 4) == []
    cache.drop("a")
    cache.drop("a")
    assert cache.put("b", "B", 10) == []
    assert cache.get("a") is None
