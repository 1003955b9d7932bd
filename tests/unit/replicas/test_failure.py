"""What kept the operator from its work."""

from __future__ import annotations

from podpatterns.replicas.failure import Failure, internal_error, name_taken, names_taken


class Broken(Exception):
    def __str__(self) -> str:
        raise RecursionError


def test_an_unforeseen_exception_is_told_short() -> None:
    found = internal_error(KeyError("image"))
    assert found == Failure("InternalError", "KeyError: 'image': the operator tries again, its log says more")
    assert len(internal_error(ValueError("x\x1b" * 10_000)).message) < 260
    assert internal_error(Broken()).message.startswith("Broken: the operator")


def test_a_servers_answer_of_any_length_is_cut() -> None:
    failure = Failure("Invalid\n" * 1000, "spec.containers[0]: \x00 " * 100_000)
    assert len(failure.reason.encode()) <= 64
    assert len(failure.message.encode()) <= 1024
    assert failure.message.isprintable()


def foreign(name: str, *owners: str) -> Failure:
    references = [{"kind": "ReplicaSet", "name": owner} for owner in owners]
    return name_taken({"metadata": {"name": name, "ownerReferences": references}})


def test_a_taken_name_says_whose_it_is() -> None:
    assert 'a Pod "site-0" exists already and has no owner: it is left alone' in foreign("site-0").message
    assert "and belongs to ReplicaSet a, ReplicaSet b:" in foreign("site-0", "a", "b").message
    assert len(foreign("site-0", *("o" * 60 for _ in range(1000))).message.encode()) < 1000


def test_several_taken_names_are_told_as_one_failure() -> None:
    assert names_taken({}) is None
    assert names_taken({"site-0": foreign("site-0")}) == foreign("site-0")
    many = names_taken({f"site-{i}": foreign(f"site-{i}") for i in (2, 1, 0)})
    assert many is not None
    assert many.reason == "PodNameTaken"
    assert many.message == foreign("site-0").message + "; so are 2 more"
