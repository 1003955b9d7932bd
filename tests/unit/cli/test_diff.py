"""The verdict of `podpatterns diff` on an object before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from podpatterns.api import Ambassador
from podpatterns.cli.cluster import Cluster, Object
from podpatterns.cli.diff import DIFFERENT, FAILED, SAME, Verdict, compared, verdict
from podpatterns.cli.manifests import Manifest
from testbed.builders import ambassador, redis_upstream, sidecarapp, template
from testbed.manifests import manifest


def told(before: dict[str, Any] | None, after: dict[str, Any]) -> tuple[int, str]:
    old = {} if before is None else {("SidecarApp", "default", "site"): sidecarapp(**before)}
    found = verdict(sidecarapp(**after), old, {})
    return found.exit_code, found.text


def web(**fields: Any) -> dict[str, Any]:
    return template({"name": "web", "image": "nginx", **fields})


def test_an_image_goes_in_place() -> None:
    def site(image: str, **strategy: Any) -> dict[str, Any]:
        sidecars = [{"name": "sync", "image": image}]
        return {"template": web(), "sidecars": sidecars, "replicas": 2, "updateStrategy": strategy}

    found = told(site("sync:1"), site("sync:2"))
    assert found == (DIFFERENT, "updates 2 Pods in place: image of sync")
    assert told(site("sync:1"), site("sync:2", paused=True))[1].endswith("image of sync (waits: paused)")


def test_an_image_of_the_application_goes_in_place_where_that_is_asked_for() -> None:
    after = {"template": web(image="nginx:2")}
    policy = "updateStrategy.inPlace.containers is Helpers"
    found = told({"template": web()}, after)
    assert found == (DIFFERENT, f"replaces 1 Pod: spec.containers[web].image ({policy})")
    every = {**after, "updateStrategy": {"inPlace": {"containers": "All"}}}
    assert told({"template": web()}, every) == (DIFFERENT, "updates 1 Pod in place: image of web")


def test_anything_else_replaces_pods_and_names_the_field() -> None:
    found = told({"template": web()}, {"template": web(command=["sh"])})
    assert found == (DIFFERENT, "replaces 1 Pod: spec.containers[web].command")


def test_recreate_replaces_pods_whatever_changed() -> None:
    recreate = {"updateStrategy": {"type": "Recreate"}}
    found = told({"template": web()}, {"template": web(image="nginx:2"), **recreate})
    assert found == (DIFFERENT, "replaces 1 Pod: updateStrategy.type is Recreate")


def test_on_delete_pods_wait_for_somebody() -> None:
    for after, what in (
        (web(image="nginx:2"), "image of web"),
        (web(command=["sh"]), "spec.containers[web].command"),
    ):
        found = told({"template": web()}, {"template": after, "updateStrategy": {"type": "OnDelete"}})
        assert found == (DIFFERENT, f"replaces 1 Pod, each when you delete it: {what}")


def test_what_pods_are_not_made_from_changes_none() -> None:
    assert told({"template": web()}, {"template": web(), "replicas": 5}) == (SAME, "no Pod changes")


def test_another_order_changes_none_whatever_the_strategy() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    for strategy in ("InPlaceIfPossible", "Recreate"):
        after = {"template": web(env=env[::-1]), "updateStrategy": {"type": strategy}}
        assert told({"template": web(env=env)}, after) == (SAME, "no Pod changes")


def test_a_configuration_is_taken_up_by_containers_as_they_run() -> None:
    def shop(endpoint: str, **strategy: Any) -> Ambassador:
        upstreams = [redis_upstream(endpoints=[endpoint])]
        return ambassador(template=web(), upstreams=upstreams, updateStrategy=strategy)

    before = {("Ambassador", "default", "shop"): shop("redis-0:6379")}
    text = "no Pod changes: the new configuration is taken up as the containers run"
    assert verdict(shop("redis-1:6379"), before, {}) == Verdict(SAME, text)
    paused = verdict(shop("redis-1:6379", paused=True), before, {})
    assert paused == Verdict(SAME, f"{text} (waits: paused)")


def test_a_new_object_creates_pods() -> None:
    assert told(None, {"template": web()}) == (DIFFERENT, "creates 1 Pod")


def test_what_cannot_be_composed_is_told_with_its_field() -> None:
    twice = template({"name": "web", "image": "a"}, {"name": "web", "image": "b"})
    code, text = told({"template": web()}, {"template": twice})
    assert code == FAILED
    assert text.startswith("spec.template.spec.containers[1].name: ")


class Objects(Cluster):
    """A cluster in memory, of SidecarApps only."""

    def __init__(self, namespace: str, objects: Sequence[Object]) -> None:
        self.namespace, self._objects = namespace, objects

    def within(self, namespace: str) -> Objects:
        return Objects(namespace or self.namespace, self._objects)

    def beside(self, namespace: str) -> Objects:
        return self.within(namespace)

    def all(self, plural: str) -> list[Object]:
        inside = [o for o in self._objects if o["metadata"]["namespace"] == self.namespace]
        return inside if plural == "sidecarapps" else []

    def get(self, plural: str, name: str) -> Object | None:
        return next((o for o in self.all(plural) if o["metadata"]["name"] == name), None)

    def tried(self, plural: str, obj: Object, live: Object | None) -> Object:  # noqa: ARG002
        return {**obj, "metadata": {"namespace": self.namespace, **obj["metadata"]}}


def git(image: str, **status: Any) -> Object:
    sidecars, shared = [{"name": "git", "image": image}], {"namespaces": ["shop"]}
    spec = {"sidecars": sidecars, "sharedWith": shared}
    return {**manifest("SidecarApp", "git", spec, namespace="platform"), "status": status}


def site(image: str = "nginx") -> Object:
    part = {"kind": "SidecarApp", "name": "git", "namespace": "platform"}
    spec = {"template": template({"name": "web", "image": image}), "include": [part]}
    return manifest("SidecarApp", "site", spec, namespace="shop")


@pytest.mark.parametrize("files", [[git("git:2"), site()], [site(), git("git:2")]])
@pytest.mark.parametrize(
    ("there", "text"),
    [([], "creates 1 Pod"), ([git("git:1"), site()], "updates 1 Pod in place: image of git")],
)
def test_files_of_several_namespaces_are_compared_together(
    there: Sequence[Object], files: Sequence[Mapping[str, Any]], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    manifests = [Manifest("all.yaml", obj) for obj in files]
    assert compared(Objects("default", there), manifests) == DIFFERENT
    assert capsys.readouterr().out == f"sidecarapp/site: {text}\n"


def test_users_in_other_namespaces_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    user = {"kind": "SidecarApp", "name": "site", "namespace": "shop"}
    there = [git("git:1", usedBy=[user]), site()]
    compared(Objects("default", there), [Manifest("git.yaml", git("git:2"))])
    assert capsys.readouterr().out == (
        "sidecarapp/git: objects that are not compared include it, too: sidecarapp/site in namespace shop\n"
    )
