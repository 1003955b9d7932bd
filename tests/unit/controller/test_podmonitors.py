"""Which refusals of a PodMonitor are for people."""

from __future__ import annotations

import pytest

from podpatterns.controller.apiserver import ApiError
from podpatterns.controller.podmonitors import passing

FORBIDDEN = 'podmonitors.monitoring.coreos.com "adapter-shop" is forbidden: '
GOING = f"{FORBIDDEN}unable to create new content in namespace shop because it is being terminated"

CAUSES = {"causes": [{"reason": "NamespaceTerminating"}]}


@pytest.mark.parametrize(
    ("error", "quiet"),
    [
        (ApiError(403, {"reason": "Forbidden", "message": GOING, "details": CAUSES}, None), True),
        (ApiError(429, {"reason": "TooManyRequests"}, 1.0), True),
        (ApiError(404, {"reason": "NotFound"}, None), True),
        (ApiError(403, {"reason": "Forbidden", "message": f"{FORBIDDEN}exceeded quota"}, None), False),
        (ApiError(422, {"reason": "Invalid"}, None), False),
    ],
)
def test_what_nobody_can_mend_is_not_told(error: ApiError, *, quiet: bool) -> None:
    assert passing(error) is quiet
