"""What comes of a PodMonitor that is refused."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from podpatterns.compose import compose
from podpatterns.controller.apiserver import ApiError
from podpatterns.controller.key import Key
from podpatterns.controller.podmonitors import PodMonitors, passing
from podpatterns.controller.refusal import Refusal
from testbed.builders import adapter, template
from testbed.eventually import eventually
from tests.unit.controller.server import listing, refusal, serving

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


async def test_a_refused_one_waits_until_the_object_is_corrected() -> None:
    """As every other kind of write does."""
    writes: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        if request.method == "GET":
            return listing([])
        writes.append(request.method)
        return refusal(403, reason="Forbidden", message=f"{FORBIDDEN}exceeded quota")

    news: list[Key] = []
    key, refused = Key("Adapter", "shop", "site"), Refusal()
    async with serving(handle) as api:
        monitors = PodMonitors(api, news.extend)
        listed = asyncio.create_task(monitors.run())

        async def is_listed() -> bool:
            return monitors._found is not None

        await eventually(is_listed)
        for generation in (1, 1, 1, 2):
            app = adapter("site", template=template())
            app = app.model_copy(
                update={"metadata": app.metadata.model_copy(update={"generation": generation})}
            )
            assert "exceeded quota" in await monitors.keep(key, app, compose(app, {}), refused)
            refused._until += 60
        listed.cancel()
    assert writes == ["POST", "POST"]
