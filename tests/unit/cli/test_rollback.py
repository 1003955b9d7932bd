"""The patch of `podpatterns rollback`."""

from __future__ import annotations

from typing import Any

import click
import pytest

from podpatterns.cli.error import CommandError
from podpatterns.cli.rollback import back, chosen, with_present_claims
from podpatterns.replicas.history import Revision
from podpatterns.replicas.packed import Packed


def revision(number: int) -> Revision:
    data = Packed.of({"spec": {}, "template": {"spec": {}}})
    return Revision(f"site-{number}", f"u{number}", f"hash{number}", number, data)


def test_fields_are_written_back_and_new_ones_taken_out() -> None:
    said = {"template": {"new": 1}, "sidecars": [], "sharedVolumes": [{"name": "a"}]}
    assert back(said, {"template": {"old": 1}, "sidecars": [], "sharedMemory": "1Mi"}) == [
        {"op": "remove", "path": "/spec/sharedVolumes"},
        {"op": "add", "path": "/spec/template", "value": {"old": 1}},
        {"op": "add", "path": "/spec/sharedMemory", "value": "1Mi"},
    ]


def test_nothing_is_written_where_nothing_differs() -> None:
    assert back({"template": {}}, {"template": {}}) == []


SAID_NOW: dict[str, str] = {}
"""What each of these revisions says."""


def test_without_a_number_it_is_the_revision_before_the_newest() -> None:
    assert chosen([revision(2), revision(5), revision(6)], None, SAID_NOW).number == 5
    assert chosen([revision(2), revision(5)], 2, SAID_NOW).number == 2


def test_an_edit_of_which_no_pod_was_made_is_rolled_back_to_what_runs() -> None:
    refused = {"sharedMemory": "1Mi"}
    assert chosen([revision(2), revision(5)], None, refused).number == 5
    assert chosen([revision(2)], None, refused).number == 2


def test_a_revision_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(click.BadParameter, match="no revision 3, only 2, 5"):
        chosen([revision(2), revision(5)], 3, SAID_NOW)
    with pytest.raises(CommandError, match="no earlier revision"):
        chosen([revision(2)], None, SAID_NOW)


def test_claim_templates_stay_as_they_are_but_for_their_names() -> None:
    def asking(name: str, size: str) -> dict[str, Any]:
        return {"metadata": {"name": name}, "spec": {"resources": {"requests": {"storage": size}}}}

    earlier = {"template": {}, "volumeClaimTemplates": [asking("data", "1Gi"), asking("logs", "1Gi")]}
    present = {"template": {}, "volumeClaimTemplates": [asking("data", "2Gi"), asking("more", "1Gi")]}
    expected = [asking("data", "2Gi"), asking("logs", "1Gi")]
    assert with_present_claims(earlier, present) == {"template": {}, "volumeClaimTemplates": expected}
    assert with_present_claims({"template": {}}, present) == {"template": {}}
