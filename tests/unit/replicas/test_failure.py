"""The failures of the operator's work."""

from __future__ import annotations

import pytest

from podpatterns.api.conditions import Reason
from podpatterns.replicas.failure import Failure, internal_error, name_taken, names_taken, refused


class Broken(Exception):
    def __str__(self) -> str:
        raise RecursionError


def test_an_unforeseen_exception_is_told_short() -> None:
    found = internal_error(KeyError("image"))
    told = "KeyError: 'image': the operator tries again; its log has the details"
    assert found == Failure(Reason.INTERNAL_ERROR, told)
    assert len(internal_error(ValueError("x\x1b" * 10_000)).message) < 260
    assert internal_error(Broken()).message.startswith("Broken: the operator")


def test_a_servers_own_reason_is_kept_where_the_table_has_it() -> None:
    assert refused("Forbidden", "exceeded quota") == Failure(Reason.FORBIDDEN, "exceeded quota")


@pytest.mark.parametrize("word", ["Teapot", "PodsAvailable", "InternalError", ""])
def test_another_reason_of_a_server_goes_into_the_message(word: str) -> None:
    assert refused(word, "no") == Failure(Reason.WRITE_REFUSED, f"{word}: no")


def test_a_servers_answer_of_any_length_is_cut() -> None:
    failure = refused("Invalid\n" * 1000, "spec.containers[0]: \x00 " * 100_000)
    assert failure.reason is Reason.WRITE_REFUSED
    assert len(failure.message.encode()) <= 1024
    assert failure.message.isprintable()


def foreign(name: str, *owners: str) -> Failure:
    references = [{"kind": "ReplicaSet", "name": owner} for owner in owners]
    return name_taken({"metadata": {"name": name, "ownerReferences": references}})


def test_a_taken_name_says_whose_it_is() -> None:
    told = 'a Pod "site-0" exists already and has no owner: the operator leaves it alone'
    assert told in foreign("site-0").message
    assert "and belongs to ReplicaSet a, ReplicaSet b:" in foreign("site-0", "a", "b").message
    assert len(foreign("site-0", *("o" * 60 for _ in range(1000))).message.encode()) < 1000


def test_several_taken_names_are_told_as_one_failure() -> None:
    assert names_taken({}) is None
    assert names_taken({"site-0": foreign("site-0")}) == foreign("site-0")
    many = names_taken({f"site-{i}": foreign(f"site-{i}") for i in (2, 1, 0)})
    assert many is not None
    assert many.reason == "PodNameTaken"
    assert many.message == foreign("site-0").message + "; 2 more Pods can't be created"
