"""The client's settings."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from aiohttp import web
from kubernetes.aio.client import ApiClient
from kubernetes.aio.config import kube_config

from podpatterns.controller.apiserver import ApiError, ApiServer
from podpatterns.controller.process import _configuration
from tests.unit.controller.server import refusal, serving


@pytest.mark.parametrize("method", ["get", "replace", "delete"])
async def test_the_client_tries_nothing_again_by_itself(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would sleep for minutes in between, in the midst of a request."""
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.method)
        return refusal(500, reason="InternalError")

    async with serving(handler) as server:
        kubeconfig = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": server._configuration.host}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        (tmp_path / "config").write_text(yaml.safe_dump(kubeconfig))
        monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "config"))
        async with ApiClient(await _configuration()) as client:
            api = ApiServer(client)
            request = {
                "get": api.get("/x"),
                "replace": api.replace("/x", {}),
                "delete": api.delete("/x", "u"),
            }
            with pytest.raises(ApiError):
                await request.pop(method)
            for other in request.values():
                other.close()
    assert len(asked) == 1
