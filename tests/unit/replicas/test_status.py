from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from podpatterns.api import Status
from podpatterns.api.conditions import Reason
from podpatterns.compose import Problem, compose
from podpatterns.replicas import Pod, Replacement, Wanted
from podpatterns.replicas.failure import Failure, internal_error, name_taken, refused
from podpatterns.replicas.observed import Observed
from podpatterns.replicas.status import (
    Usage,
    app_status,
    failed_status,
    part_status,
    unreadable_status,
)
from testbed.builders import (
    NOW,
    ambassador,
    old,
    pod,
    redis_upstream,
    sidecarapp,
    template,
    terminating,
    unready,
)

THEN, LATER = "1970-01-01T00:00:00Z", "1970-01-12T13:46:40Z"
REVISION = "site-new"


def status_of(
    replicas: int,
    pods: Sequence[Pod],
    *,
    problems: Sequence[Problem] = (),
    failure: Failure | None = None,
    previous: dict[str, Any] | None = None,
    replacements: Sequence[Replacement] = (),
    taken: Mapping[str, Failure] = MappingProxyType({}),
    error: Failure | None = None,
    unwritten: str = "",
    **spec: Any,
) -> dict[str, Any]:
    app = sidecarapp(replicas=replicas, template=template(), **spec)
    want = None if problems else Wanted.of(app, "new")
    if unwritten:
        want = replace(Wanted.holding(app, "new", template()), unwritten=unwritten)
    observed = Observed(pods, problems, failure, NOW, replacements, taken=taken, error=error)
    return app_status(app, want, observed, previous or {})


def condition(status: dict[str, Any], kind: str) -> tuple[str, str, str]:
    found = next(c for c in status["conditions"] if c["type"] == kind)
    return found["status"], found["reason"], found["message"]


def test_all_is_well() -> None:
    status = status_of(2, [pod("site-0"), pod("site-1")])
    counts = {k: v for k, v in status.items() if k.endswith("eplicas")}
    assert counts == {
        "replicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "updatedReplicas": 2,
        "terminatingReplicas": 0,
    }
    assert status["readyPods"] == "2/2"
    assert status["observedGeneration"] == 1
    assert status["currentRevision"] == status["updateRevision"] == REVISION
    assert condition(status, "Ready") == ("True", "PodsAvailable", "2 of 2 Pods are available")
    assert condition(status, "Progressing")[:2] == ("True", "RevisionComplete")
    assert condition(status, "ReplicaFailure")[:2] == ("False", "NoFailure")


def test_the_status_has_the_form_that_the_crd_gives_it() -> None:
    status = status_of(1, [pod("site-0")])
    assert Status.model_validate(status).manifest() == status


def test_ready_says_what_it_waits_for() -> None:
    status = status_of(3, [unready("site-0", reason="ImagePullBackOff"), terminating("site-1")])
    assert condition(status, "Ready") == (
        "False",
        "PodsNotAvailable",
        (
            "0 of 3 Pods are available; unhealthy: site-0 (ImagePullBackOff); "
            "waiting for site-1 (on node node-1) to terminate"
        ),
    )


def test_a_long_list_of_pods_is_cut() -> None:
    pods = [unready(f"site-{i}", reason="Evicted") for i in range(8)]
    assert condition(status_of(8, pods), "Ready")[2].endswith("site-4 (Evicted) and 3 more")


def test_ready_pods_are_available_only_after_a_while() -> None:
    status = status_of(1, [pod("site-0", ready_since=NOW - 5)], minReadySeconds=10)
    assert (status["readyReplicas"], status["availableReplicas"]) == (1, 0)


def test_during_a_rollout_the_current_revision_is_the_old_one() -> None:
    status = status_of(2, [old("site-0"), pod("site-1")], previous={"currentRevision": "site-old"})
    assert (status["currentRevision"], status["updateRevision"]) == ("site-old", REVISION)
    assert condition(status, "Progressing") == ("True", "RollingOut", "1 of 2 Pods have the newest revision")


def test_a_rollout_without_progress_says_so_and_what_is_not_well() -> None:
    stuck = unready("site-1", reason="ImagePullBackOff", message='Back-off pulling image "x"')
    previous = status_of(2, [pod("site-0"), stuck], progressDeadlineSeconds=60)
    previous["lastProgressTime"] = THEN
    status = status_of(2, [pod("site-0"), stuck], previous=previous, progressDeadlineSeconds=60)
    assert condition(status, "Progressing") == (
        "False",
        "ProgressDeadlineExceeded",
        (
            "2 of 2 Pods have the newest revision; no progress for 60 s; "
            'unhealthy: site-1 (ImagePullBackOff): Back-off pulling image "x"'
        ),
    )


def test_the_revision_from_before_stays_current_until_all_is_updated_and_available() -> None:
    previous = {"currentRevision": "site-old"}
    for there in ([pod("site-0"), unready("site-1")], [pod("site-0"), pod("site-1", restarting=True)]):
        assert status_of(2, there, previous=previous)["currentRevision"] == "site-old"
    assert status_of(2, [pod("site-0"), pod("site-1")], previous=previous)["currentRevision"] == REVISION


def test_a_paused_rollout_does_not_progress() -> None:
    status = status_of(1, [old("site-0")], updateStrategy={"paused": True})
    assert condition(status, "Progressing")[:2] == ("False", "Paused")


def test_problems_leave_revisions_as_they_were() -> None:
    problem = Problem("spec.sharedVolumes[0].name", "taken")
    previous = {"currentRevision": "site-a", "updateRevision": "site-b"}
    status = status_of(1, [old("site-0")], problems=[problem], previous=previous)
    assert condition(status, "Ready") == ("False", "InvalidSpec", "spec.sharedVolumes[0].name: taken")
    assert (status["currentRevision"], status["updateRevision"]) == ("site-a", "site-b")


def test_a_refusal_is_told_in_the_servers_words() -> None:
    failure = Failure(Reason.FORBIDDEN, "exceeded quota")
    status = status_of(1, [], failure=failure)
    assert condition(status, "ReplicaFailure") == ("True", "Forbidden", "exceeded quota")
    assert condition(status, "Ready") == ("False", "Forbidden", "0 of 1 Pods are available; exceeded quota")


def test_a_condition_that_did_not_turn_keeps_its_time() -> None:
    before = status_of(1, [pod("site-0")])
    for c in before["conditions"]:
        c["lastTransitionTime"] = THEN
    after = status_of(1, [unready("site-0")], previous=before)
    times = {c["type"]: c["lastTransitionTime"] for c in after["conditions"]}
    assert times == {"Ready": LATER, "Progressing": THEN, "Available": LATER, "ReplicaFailure": THEN}


def test_a_part_tells_who_uses_it() -> None:
    part = sidecarapp("git-sync")
    unused = part_status(part, Usage([], 0, 0), [], {}, NOW)
    assert "usedBy" not in unused
    assert condition(unused, "Ready") == ("True", "ReusablePart", "not included by any object yet")
    used = part_status(part, Usage([{"kind": "SidecarApp", "name": "site"}], 2, 1), [], unused, NOW)
    assert used["usedBy"] == [{"kind": "SidecarApp", "name": "site"}]
    assert (used["users"], used["updatedUsers"]) == (2, 1)
    assert condition(used, "Ready")[2] == "included by 1 object"


def test_an_unreadable_object_keeps_its_counts() -> None:
    status = unreadable_status(4, [Problem("spec.x", "unknown field")], {"replicas": 2}, NOW)
    assert (status["replicas"], status["observedGeneration"]) == (2, 4)
    assert condition(status, "Ready") == ("False", "InvalidSpec", "spec.x: unknown field")


def test_replacements_are_counted_and_the_last_ones_told_newest_first() -> None:
    first = status_of(
        1, [pod("site-0")], replacements=[Replacement("site-0", "a", "b", "Deleted", 0.0, 3.21)]
    )
    assert first["replacements"] == 1
    assert first["recentReplacements"] == [
        {
            "name": "site-0",
            "oldUID": "a",
            "newUID": "b",
            "reason": "Deleted",
            "time": THEN,
            "duration": "3.2s",
        }
    ]
    many = [Replacement("site-0", f"u{i}", f"u{i + 1}", "Evicted", 0.0, 1.0) for i in range(12)]
    later = status_of(1, [pod("site-0")], replacements=many, previous=first)
    assert later["replacements"] == 13
    assert [r["oldUID"] for r in later["recentReplacements"]] == [f"u{i}" for i in range(11, 1, -1)]
    assert status_of(1, [pod("site-0")], previous=later) == later


def test_a_pod_that_waits_for_a_secret_is_told_with_the_field_that_needs_it() -> None:
    upstream = redis_upstream(authSecretRef={"name": "redis", "key": "password"})
    app = ambassador(template=template(), upstreams=[upstream])
    composition = compose(app, {})
    waiting = [unready("shop-0", phase="Pending", mounting=True)]
    status = app_status(app, Wanted.of(app, "new"), Observed(waiting, (), None, NOW, (), composition), {})
    assert condition(status, "Ready")[2].endswith(
        "shop-0 waits for its volumes, which need Secret redis, key password "
        "(spec.upstreams[0].redis.authSecretRef)"
    )


def upstreams_healthy(pods: Sequence[Pod], **spec: Any) -> tuple[str, str, str]:
    app = ambassador(template=template(), **spec)
    composition = compose(app, {})
    observed = Observed(pods, (), None, NOW, (), composition)
    status = app_status(app, Wanted.of(app, "new"), observed, {})
    assert status["configurations"] == [
        {"container": container, "hash": file.hash}
        for container, file in zip(composition.proxies, composition.files, strict=True)
    ]
    return condition(status, "UpstreamsHealthy")


def test_upstreams_are_as_well_as_the_proxies_say() -> None:
    assert upstreams_healthy([pod("shop-0")])[:2] == ("True", "EndpointsHealthy")
    assert upstreams_healthy([pod("shop-0", unready=("init",))])[:2] == ("True", "EndpointsHealthy")
    assert upstreams_healthy([pod("shop-0", phase="Pending")])[:2] == ("False", "NotRunning")
    down = upstreams_healthy([pod("shop-0"), unready("shop-1", unready=("ambassador",))])
    assert down[:2] == ("False", "EndpointsUnhealthy")
    assert "shop-1 (ambassador)" in down[2]


def test_upstreams_that_nobody_checks_are_not_known_to_be_healthy() -> None:
    def http(name: str, port: int, **more: Any) -> dict[str, Any]:
        listen = {"port": port}
        return {"name": name, "protocol": "http", "listen": listen, "endpoints": [f"{name}:80"], **more}

    checked = [redis_upstream(), http("www", 8001, healthCheck={})]
    upstreams = [*checked, *(http(f"api-{i}", 8002 + i) for i in range(7))]
    assert upstreams_healthy([pod("shop-0")], upstreams=upstreams) == (
        "Unknown",
        "NotChecked",
        (
            "nobody checks the endpoints of api-0, api-1, api-2, api-3, api-4 and 2 more: "
            "give each a healthCheck"
        ),
    )
    assert upstreams_healthy([pod("shop-0")], upstreams=checked)[:2] == ("True", "EndpointsHealthy")
    down = [pod("shop-0"), unready("shop-1", unready=("haproxy",))]
    assert upstreams_healthy(down, upstreams=upstreams)[:2] == ("False", "EndpointsUnhealthy")
    assert upstreams_healthy([pod("shop-0", phase="Pending")], upstreams=upstreams)[1] == "NotRunning"


def test_a_taken_name_is_told_while_its_slot_is_empty() -> None:
    taken = {"site-0": name_taken({"metadata": {"name": "site-0"}})}
    status = status_of(2, [pod("site-1")], taken=taken)
    assert condition(status, "ReplicaFailure") == ("True", "PodNameTaken", taken["site-0"].message)
    assert condition(status, "Ready")[1] == "PodNameTaken"
    both = status_of(2, [pod("site-1")], taken=taken, failure=Failure(Reason.FORBIDDEN, "exceeded quota"))
    assert condition(both, "ReplicaFailure")[1] == "Forbidden"


def test_an_unforeseen_exception_is_not_ready_however_the_pods_are() -> None:
    status = status_of(1, [pod("site-0")], error=internal_error(KeyError("image")))
    assert condition(status, "Ready") == (
        "False",
        "InternalError",
        "1 of 1 Pods are available; KeyError: 'image': the operator tries again; its log has the details",
    )
    assert status["availableReplicas"] == 1
    assert condition(status, "ReplicaFailure")[0] == "False"


def test_a_failed_api_server_is_not_an_error_of_the_operators_own() -> None:
    error = refused("InternalError", "ConfigMap site: failed calling webhook")
    status = status_of(1, [pod("site-0")], error=error)
    assert condition(status, "Ready")[0] == "True"
    assert condition(status, "ReplicaFailure") == ("True", "WriteRefused", error.message)


def test_not_even_the_status_could_be_told() -> None:
    previous = {"replicas": 2, "usedBy": [{"kind": "SidecarApp", "name": "site"}]}
    status = failed_status(4, KeyError("image"), previous, NOW)
    assert (status["replicas"], status["observedGeneration"]) == (2, 4)
    assert status["usedBy"] == previous["usedBy"]
    assert condition(status, "Ready")[1] == "InternalError"


def test_a_revision_that_could_not_be_written_is_not_ready_until_the_pods_have_it() -> None:
    error = Failure(Reason.FORBIDDEN, "ControllerRevision site-new: exceeded quota")
    told = "ControllerRevision site-new: exceeded quota"
    status = status_of(1, [old("site-0")], error=error)
    assert condition(status, "Ready") == ("False", "Forbidden", f"1 of 1 Pods are available; {told}")
    assert condition(status, "Progressing")[:2] == ("False", "Forbidden")
    assert condition(status, "ReplicaFailure") == ("True", "Forbidden", told)
    assert condition(status_of(1, [pod("site-0")], error=error), "Ready")[0] == "True"
    held = status_of(1, [pod("site-0")], error=error, unwritten="newer")
    assert condition(held, "Ready") == ("False", "Forbidden", f"1 of 1 Pods are available; {told}")
    assert condition(held, "Progressing")[:2] == ("False", "Forbidden")
    assert condition(held, "Available")[0] == "True"
    assert status_of(1, [pod("site-0")], error=error, unwritten="newer", previous=held) == held


def test_a_pod_between_two_revisions_is_not_updated() -> None:
    status = status_of(1, [pod("site-0", between="other")])
    assert status["updatedReplicas"] == 0
    assert condition(status, "Progressing")[1] == "RollingOut"


def test_many_problems_are_told_as_far_as_there_is_room() -> None:
    problems = [Problem(f"spec.x[{i}]", "bad") for i in range(4000)]
    message = condition(status_of(1, [], problems=problems), "Ready")[2]
    assert message.startswith("spec.x[0]: bad; spec.x[1]: bad; ")
    assert message.endswith("spec.x[19]: bad; and 3980 more")
    assert condition(unreadable_status(1, problems, {}, NOW), "Ready")[2] == message


def test_many_users_are_counted_and_some_are_named() -> None:
    users = [{"kind": "SidecarApp", "name": f"site-{i}"} for i in range(100_000)]
    status = part_status(sidecarapp("git-sync"), Usage(users, 0, 0), [], {}, NOW)
    assert status["usedBy"] == users[:100]
    assert condition(status, "Ready")[2] == "included by 100000 objects, of which status.usedBy names 100"
