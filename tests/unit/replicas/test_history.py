"""The history: what is kept, how it is counted, what goes."""

from __future__ import annotations

import json

from podpatterns.compose import compose
from podpatterns.replicas.history import Revision, beyond_limit, manifest, next_number, read
from tests.builders import sidecarapp, template


def revision(number: int) -> Revision:
    return Revision(f"site-{number}", f"uid-{number}", f"hash{number}", number, {}, {"spec": {}})


def test_a_revision_is_read_as_it_was_written() -> None:
    app = sidecarapp(
        template=template(), sidecars=[{"name": "helper", "image": "helper:1"}], uid="0123456789abcdef"
    )
    composition = compose(app, {})
    written = json.loads(json.dumps(manifest(app, composition, 3)))
    assert written["metadata"]["name"] == f"site-{composition.revision}-01234567"
    found = read({**written, "metadata": {**written["metadata"], "uid": "u"}})
    assert (found.number, found.hash, found.template) == (3, composition.revision, composition.template)
    assert found.words == {
        "template": template(),
        "sidecars": [{"name": "helper", "image": "helper:1"}],
    }, "what the author wrote, defaults left out"


def test_revisions_are_counted_upwards_though_some_are_gone() -> None:
    assert next_number([]) == 1
    assert next_number([revision(4), revision(7)]) == 8


def test_the_oldest_go_first_and_those_in_use_do_not_count() -> None:
    every = [revision(n) for n in (3, 1, 2, 4)]
    assert [r.number for r in beyond_limit(every, {"hash4"}, limit=2)] == [1]
    assert [r.number for r in beyond_limit(every, {"hash1", "hash4"}, limit=0)] == [2, 3]
    assert beyond_limit(every, {"hash4"}, limit=10) == []
