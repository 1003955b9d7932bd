"""Revisions are kept, listed and gone back to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import Result

from testbed.cluster.kubectl import Kubectl
from testbed.eventually import eventually
from tests.integration.controller.sites import Sites, sidecarapp


def helper(image: str) -> list[dict[str, Any]]:
    return [{"name": "helper", "image": image}]


def revisions(kubectl: Kubectl, name: str = "site") -> dict[int, str]:
    """Numbers and hashes."""
    labels = f"--selector=podpatterns.dev/name={name}"
    items = kubectl.get("controllerrevisions", labels)["items"]
    return {item["revision"]: item["metadata"]["labels"]["podpatterns.dev/revision"] for item in items}


def test_each_change_is_a_revision_and_an_old_one_is_reused(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready(replicas=2)
    before = sites.uids()
    sites.ready(replicas=2, sidecars=helper("helper:2"))
    first, second = (revisions(kubectl)[n] for n in (1, 2))
    sites.ready(replicas=2)
    assert revisions(kubectl) == {2: second, 3: first}
    assert sites.uids() == before
    [owner] = kubectl.get("controllerrevisions")["items"][0]["metadata"]["ownerReferences"]
    assert owner["uid"] == sites.get()["metadata"]["uid"]


def test_a_change_right_after_the_creation_finds_the_revision_before_it(
    sites: Sites, kubectl: Kubectl
) -> None:
    for name in ("red", "green", "blue"):
        sites.apply(name)
        eventually(lambda: sites.pods(name))  # noqa: B023 (called at once)
        before = sites.uids(name)
        sites.ready(name, sidecars=helper("helper:2"))
        assert sites.uids(name) == before
        assert sorted(revisions(kubectl, name)) == [1, 2]


def test_only_so_many_are_kept(sites: Sites, kubectl: Kubectl) -> None:
    for image in range(5):
        sites.ready(revisionHistoryLimit=1, image=f"web:{image}")
    eventually(lambda: sorted(revisions(kubectl)), until=lambda numbers: numbers == [4, 5])


def test_rollback_leaves_what_matches_already(sites: Sites, kubectl: Kubectl, podpatterns: Any) -> None:
    sites.ready(replicas=3)
    before = {p["metadata"]["name"]: p for p in sites.pods()}
    sites.apply(replicas=3, sidecars=helper("helper:missing"))
    eventually(
        sites.pods, until=lambda pods: any("missing" in p["spec"]["initContainers"][0]["image"] for p in pods)
    )
    result = podpatterns("rollback", "site")
    assert result.output == "sidecarapp/site rolled back to revision 1\n"
    sites.wait_until_ready()
    after = {p["metadata"]["name"]: p for p in sites.pods()}
    assert {n: p["metadata"]["uid"] for n, p in after.items()} == sites.uids()
    for name in ("site-0", "site-1"):
        assert after[name]["metadata"]["generation"] == before[name]["metadata"]["generation"]
    assert podpatterns("rollback", "site", "--to-revision", "3").output.endswith("in revision 3\n")


def test_history_tells_what_each_revision_changed(sites: Sites, podpatterns: Any) -> None:
    sites.ready()
    sites.ready(sidecars=helper("helper:2"))
    web = {"name": "web", "image": "web:1", "command": ["serve"]}
    sites.ready(sidecars=helper("helper:2"), template={"spec": {"containers": [web]}})
    lines = podpatterns("history", "sca/site").output.splitlines()
    assert [line.split()[0] for line in lines] == ["REVISION", "1", "2", "3"]
    assert lines[2].endswith("image of helper")
    assert lines[3].endswith("spec.terminationGracePeriodSeconds (current)")
    assert "spec.containers[web].command" in lines[3]


def test_diff_says_beforehand_what_happens(sites: Sites, podpatterns: Any, tmp_path: Path) -> None:
    sites.apply_part("git-sync", image="git-sync:1")
    include = [{"kind": "SidecarApp", "name": "git-sync"}]
    sites.ready(include=include)
    file = tmp_path / "change.yaml"

    def diff(*objects: dict[str, Any]) -> Result:
        file.write_text("---\n".join(json.dumps(o) + "\n" for o in objects))
        result: Result = podpatterns("diff", "-f", str(file))
        return result

    same = diff(sidecarapp(include=include))
    assert (same.exit_code, same.output) == (0, "sidecarapp/site: no Pod changes\n")
    part = sidecarapp("git-sync")
    part["spec"] = {"sidecars": [{"name": "git-sync", "image": "git-sync:2"}]}
    assert diff(part).output == "sidecarapp/site: updates 1 Pod in place: image of git-sync\n"
    alone = diff(sidecarapp())
    assert (alone.exit_code, alone.output) == (1, "sidecarapp/site: replaces 1 Pod: spec.initContainers\n")
    refused = diff(sidecarapp(replicas=-1))
    assert refused.exit_code == 2
    assert "spec.replicas" in refused.output
    named = sidecarapp(include=include)
    named["metadata"]["namespace"] = sites.get()["metadata"]["namespace"]
    assert diff(named).exit_code == 0
    named["metadata"]["namespace"] = "other"
    assert diff(named).exit_code == 2
    assert sites.get()["metadata"]["generation"] == 1


def test_rollback_of_an_edit_that_was_refused_leads_to_what_runs(sites: Sites, podpatterns: Any) -> None:
    sites.ready(sidecars=helper("helper:1"))
    sites.ready(sidecars=helper("helper:2"))
    before = sites.uids()
    sites.apply(sidecars=helper("helper:2"), include=[{"kind": "Adapter", "name": "nobody"}])
    eventually(lambda: sites.condition("Ready"), until=lambda ready: ready["reason"] == "PartNotFound")
    sites.apply(sidecars=[{"name": "web", "image": "helper:2"}])  # as a container of the template is called
    result = podpatterns("rollback", "site")
    assert result.output == "sidecarapp/site rolled back to revision 2\n"
    sites.wait_until_ready()
    assert sites.uids() == before


def test_history_and_rollback_of_what_has_none(sites: Sites, podpatterns: Any) -> None:
    sites.apply_part("git-sync", image="git-sync:1")
    for command in ("history", "rollback"):
        result = podpatterns(command, "git-sync")
        assert (result.exit_code, "is a part and makes no Pods" in result.output) == (2, True)
        result = podpatterns(command, "nobody")
        assert 'there is no sidecarapp, ambassador, adapter "nobody"' in result.output


def test_revisions_are_orphaned_and_adopted_as_pods_are(sites: Sites, kubectl: Kubectl) -> None:
    """Orphaning patches them, which the server refuses where their data is not in its own words."""
    said = {"metadata": {"annotations": {"note": "Größe < 3 & > 1"}}}
    template = {**sidecarapp()["spec"]["template"], **said}
    sites.ready(template=template)
    before = sites.uids()
    kubectl("delete", "sidecarapp", "site", "--cascade=orphan")
    sites.apply(template=template, sidecars=helper("helper:2"))
    sites.wait_until_ready()
    assert sites.uids() == before
    uid = sites.get()["metadata"]["uid"]
    for item in kubectl.get("controllerrevisions")["items"]:
        assert [o["uid"] for o in item["metadata"]["ownerReferences"]] == [uid]
    assert sorted(revisions(kubectl)) == [1, 2]


def test_an_object_made_anew_has_a_history_of_its_own(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready()
    sites.ready(image="web:2")
    kubectl("delete", "sidecarapp", "site")
    sites.ready(image="web:2")
    uid = sites.get()["metadata"]["uid"]
    items = kubectl.get("controllerrevisions")["items"]
    assert [i["revision"] for i in items if i["metadata"]["ownerReferences"][0]["uid"] == uid] == [1]
