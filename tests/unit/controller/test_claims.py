"""Claims of which a change is refused."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import pytest

from podpatterns.compose.claims import claim_manifest
from podpatterns.controller import claims as controller_claims
from podpatterns.controller.apiserver import ApiError
from podpatterns.controller.claims import AT_ONCE, Claims, ClaimsState
from podpatterns.controller.objectstore import read
from podpatterns.replicas import Wanted
from testbed.builders import NOW, pod, sidecarapp, template
from tests.unit.controller.memoryapi import MemoryApi
from tests.unit.controller.test_compositions import raw

CLAIMS = "/api/v1/namespaces/default/persistentvolumeclaims"


def claims(size: str) -> list[dict[str, Any]]:
    return [{"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": size}}}}]


def sizes(api: MemoryApi) -> dict[str, str]:
    return {c["metadata"]["name"]: c["spec"]["resources"]["requests"]["storage"] for c in api.of(CLAIMS)}


class Storage(MemoryApi):
    """An API server that lets claims of one Pod not be enlarged."""

    refusals = 0

    async def strategic_patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if path.endswith("/data-site-0"):
            self.refusals += 1
            raise ApiError(HTTPStatus.FORBIDDEN, {"reason": "Forbidden", "message": "no"}, None)
        return await super().strategic_patch(path, body)


async def test_one_that_is_refused_for_ever_holds_up_no_other_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = 0.0
    monkeypatch.setattr(controller_claims, "time", SimpleNamespace(monotonic=lambda: clock))
    api, state = Storage(lambda: NOW), ClaimsState()
    old, new = (
        sidecarapp(replicas=AT_ONCE + 2, template=template(), volumeClaimTemplates=claims(size))
        for size in ("1Gi", "2Gi")
    )
    pods = [pod(f"site-{i}") for i in range(AT_ONCE + 2)]
    for one in pods:
        await api.create(CLAIMS, claim_manifest(old, old.spec.volume_claim_templates[0], one.name))
    entry, wanted = read(raw("site")), Wanted.of(new, "new")
    waits: list[float] = []
    for _ in range(6):
        wait = await Claims(api).compare(entry, new, wanted, pods, state)
        assert wait is not None, "nothing else would bring the next try"
        waits.append(wait)
        clock += wait
    assert [pod for pod, size in sizes(api).items() if size != "2Gi"] == ["data-site-0"]
    assert state.findings
    assert state.findings.found.keys() == {"data-site-0"}
    assert not state.findings.pending
    assert api.refusals == sum(wait > 0 for wait in waits)
    assert 0 < waits[-3] < waits[-2] < waits[-1], "at growing intervals"
