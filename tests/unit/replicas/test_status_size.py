"""A status is small, whatever it is about."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from podpatterns.api import Status
from podpatterns.api.conditions import INVALID, Reason
from podpatterns.compose import Composition, File, Problem
from podpatterns.compose.podfragment import MetricsEndpoint
from podpatterns.replicas import Pod, Replacement, Wanted
from podpatterns.replicas.configuration import Address, ConfigurationTargets, Running
from podpatterns.replicas.contract import Answer, ContractTargets, Missing
from podpatterns.replicas.failure import internal_error, name_taken, refused
from podpatterns.replicas.observed import Observed
from podpatterns.replicas.status import Usage, app_status, failed_status, part_status, unreadable_status
from testbed.builders import NOW, sidecarapp, template

LIMIT = 64 * 1024
LABEL = "c" * 63

words = st.sampled_from(
    ["", "x" * 100_000, '"' * 5_000, "\\" * 5_000, "ä" * 5_000, "\x00" * 5_000, "\U0001f4a9" * 5_000]
)
reasons = words | st.sampled_from(list(Reason))
counts = st.sampled_from([0, 1, 40, 1000])


def compositions(draw: st.DrawFn, number: int) -> Composition:
    altered = draw(st.booleans())
    names = [f"{i:04}{LABEL}"[:63] for i in range(number)]
    return Composition(
        template={},
        revision="new",
        files=tuple(File(n, n, "", 1, "/", altered=altered) for n in names),
        proxies=tuple(names),
        secrets=tuple(f"Secret {n}" for n in names),
        metrics_endpoints=tuple(MetricsEndpoint(n, 1, "/", draw(words), "h") for n in names[:32]),
    )


@st.composite
def pods(draw: st.DrawFn, composition: Composition) -> list[Pod]:
    names = composition.proxies
    finalizers = tuple("f" * 128 for _ in range(draw(st.sampled_from([0, 4]))))
    said = draw(words)[:400]
    return [
        Pod(
            f"{i:04}{LABEL}"[:63],
            f"u{i}",
            "new",
            0.0,
            phase="Running",
            address="10.0.0.1",
            terminating=draw(st.booleans()),
            finalizers=finalizers,
            reason="R" * 64,
            message=said,
            container=names[0] if names else "",
            exit_code=1,
            termination_message=said,
            unready=names,
            mounting=True,
        )
        for i in range(draw(st.sampled_from([0, 1, 30])))
    ]


@st.composite
def observations(draw: st.DrawFn) -> Observed:
    composition = compositions(draw, draw(counts))
    there = draw(pods(composition))
    addresses = tuple(Address(p.name, p.uid, p.address) for p in there)
    running = Running(draw(words), draw(words), answered=draw(st.booleans()))
    failure = refused(draw(reasons), draw(words))
    missing = tuple(Missing(draw(words), draw(words)) for _ in range(3)) * draw(counts)
    return Observed(
        there,
        [Problem(draw(words), draw(words), draw(st.sampled_from(INVALID)))] * draw(counts),
        draw(st.none() | st.just(failure)),
        NOW,
        [Replacement(LABEL, LABEL, LABEL, "R" * 64, NOW, 1.0)] * draw(counts),
        draw(st.none() | st.just(composition)),
        ContractTargets(LABEL, "10.0.0.1", composition.metrics_endpoints),
        {
            e.container: Answer(draw(st.sampled_from(["h", "other"])), missing, draw(words), draw(words))
            for e in composition.metrics_endpoints
        },
        ConfigurationTargets(composition.files, addresses),
        draw(
            st.none() | st.just({(a.uid, f.container): running for a in addresses for f in composition.files})
        ),
        {LABEL: name_taken({"metadata": {"name": draw(words)}})} if draw(st.booleans()) else {},
        draw(
            st.none()
            | st.just(internal_error(ValueError(draw(words))))
            | st.just(refused(draw(reasons), f"ControllerRevision {LABEL}: {draw(words)}"))
        ),
    )


def check(status: dict[str, Any]) -> None:
    for ascii_only in (False, True):
        assert len(json.dumps(status, ensure_ascii=ascii_only).encode()) < LIMIT
    for condition in status["conditions"]:
        assert len(condition["message"].encode()) <= 1024
        assert condition["message"].isprintable()
    assert Status.model_validate(status).manifest() == status


@given(observations(), st.booleans())
@settings(max_examples=settings().max_examples * 2 // 5)
def test_a_status_is_bounded_whatever_was_observed(observed: Observed, composed: bool) -> None:
    app = sidecarapp("n" * 57, template=template(), replicas=30)
    want = Wanted.of(app, "new") if composed or not observed.problems else None
    first = app_status(app, want, observed, {})
    check(first)
    check(app_status(app, want, replace(observed, running=None, answers={}), first))
    check(unreadable_status(1, observed.problems, first, NOW))
    check(failed_status(1, ValueError("x" * 100_000), first, NOW))


def test_what_an_older_operator_wrote_does_not_stay_beyond_the_bounds() -> None:
    users = [{"kind": "SidecarApp", "name": "n" * 57} for _ in range(100_000)]
    lagging = [{"pod": LABEL, "hash": "h", "refused": "r" * 10_000} for _ in range(100)]
    previous = {
        "usedBy": users,
        "configurations": [{"container": f"{i}", "hash": "h", "laggingPods": lagging} for i in range(100)],
        "conditions": [
            {
                "type": "Ready",
                "status": "False",
                "reason": "InvalidSpec",
                "message": "m" * 100_000,
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }
        ],
    }
    check(unreadable_status(1, [Problem("spec", "bad")], previous, NOW))
    check(part_status(sidecarapp("n" * 57), Usage(users, 1, 1), [], previous, NOW))
    app = sidecarapp(template=template())
    check(app_status(app, None, Observed([], [Problem("spec", "bad")], None, NOW), previous))
