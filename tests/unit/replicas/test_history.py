"""The history: what is kept, how it is counted, what goes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from podpatterns.compose import compose
from podpatterns.compose.labels import HASH, REVISION
from podpatterns.replicas.history import (
    NotGenuine,
    Revision,
    TooLarge,
    beyond_limit,
    content_hash,
    copies,
    manifest,
    next_number,
    read,
)
from podpatterns.replicas.packed import Packed
from testbed.builders import sidecarapp, template


def revision(number: int) -> Revision:
    data = Packed.of({"spec": {}, "template": {"spec": {}}})
    return Revision(f"site-{number}", f"uid-{number}", f"hash{number}", number, data)


def written() -> dict[str, Any]:
    """A ControllerRevision as the API server gives it back."""
    app = sidecarapp(template=template(), uid="0123456789abcdef")
    manifested: dict[str, Any] = json.loads(json.dumps(manifest(app, compose(app, {}), 3)))
    manifested["metadata"]["uid"] = "u"
    return manifested


def test_a_revision_is_read_as_it_was_written() -> None:
    app = sidecarapp(
        template=template(), sidecars=[{"name": "helper", "image": "helper:1"}], uid="0123456789abcdef"
    )
    composition = compose(app, {})
    written = json.loads(json.dumps(manifest(app, composition, 3)))
    assert written["metadata"]["name"] == f"site-{composition.revision}-01234567"
    found = read({**written, "metadata": {**written["metadata"], "uid": "u"}}, "site")
    assert (found.number, found.hash, found.template) == (3, composition.revision, composition.template)
    assert found.spec == {
        "template": template(),
        "sidecars": [{"name": "helper", "image": "helper:1"}],
    }, "what the author wrote, defaults left out"


def test_one_that_no_server_takes_is_not_made() -> None:
    env = [{"name": "LONG", "value": "x" * 900_000}]
    app = sidecarapp(template={"spec": {"containers": [{"name": "web", "image": "web:1", "env": env}]}})
    with pytest.raises(TooLarge, match="are too large for the history"):
        manifest(app, compose(app, {}), 1)


def test_revisions_are_counted_upwards_though_some_are_gone() -> None:
    assert next_number([]) == 1
    assert next_number([revision(4), revision(7)]) == 8


def test_the_oldest_go_first_and_those_in_use_do_not_count() -> None:
    every = [revision(n) for n in (3, 1, 2, 4)]
    assert [r.number for r in beyond_limit(every, {"hash4"}, limit=2)] == [1]
    assert [r.number for r in beyond_limit(every, {"hash1", "hash4"}, limit=0)] == [2, 3]
    assert beyond_limit(every, {"hash4"}, limit=10) == []


def test_of_one_hash_the_first_that_was_written_counts() -> None:
    """Anybody can write another with a hash that fits its content; no one can have written it before."""

    def of_one_hash(name: str, second: int) -> Revision:
        return replace(revision(9), name=name, uid=name, hash="h", created=f"2026-01-01T00:00:{second:02}Z")

    own, forged = of_one_hash("site-h-01234567", 5), of_one_hash("site-h-00000000", 6)
    adopted, before = of_one_hash("site-h-89abcdef", 4), of_one_hash("site-h-00000000", 5)
    assert copies([forged, own, revision(1)], "0123456789abcdef") == [forged]
    assert copies([forged, adopted], "0123456789abcdef") == [forged]
    assert copies([before, own], "0123456789abcdef") == [before], "in one second the UID tells"
    assert copies([revision(1), revision(2)], "0123456789abcdef") == []


FORGERIES: list[Any] = [
    pytest.param(lambda r: r["data"]["template"]["spec"].update(hostPID=True), id="another template"),
    pytest.param(lambda r: r["data"]["spec"].update(replicas=3), id="other words"),
    pytest.param(lambda r: r["metadata"]["annotations"].pop(HASH), id="no hash"),
    pytest.param(lambda r: r["metadata"].pop("annotations"), id="no annotations"),
    pytest.param(lambda r: r["metadata"]["labels"].pop(REVISION), id="no revision"),
    pytest.param(lambda r: r["metadata"]["labels"].update({REVISION: "0123456789"}), id="another revision"),
    pytest.param(lambda r: r["metadata"].update(name="mine"), id="another name"),
    pytest.param(lambda r: r.update(data=None), id="no data"),
    pytest.param(lambda r: r.update(data=[1]), id="a list"),
    pytest.param(lambda r: r.update(revision=None), id="no number"),
]


@pytest.mark.parametrize("forge", FORGERIES)
def test_what_no_operator_wrote_is_not_read(forge: Any) -> None:
    genuine = written()
    read(genuine, "site")
    forge(genuine)
    with pytest.raises(NotGenuine):
        read(genuine, "site")


def test_content_without_a_pod_template_is_not_read_though_its_hash_fits() -> None:
    revision = written()
    revision["data"]["template"] = {"spec": None}
    revision["metadata"]["annotations"][HASH] = content_hash(revision["data"])
    with pytest.raises(NotGenuine, match="no Pod template"):
        read(revision, "site")


def test_the_hash_of_content_survives_what_json_readers_do_to_numbers() -> None:
    assert content_hash({"a": 10**21, "b": 1}) == content_hash({"b": 1, "a": float(10**21)})
    assert content_hash({"a": 1}) != content_hash({"a": 2})
