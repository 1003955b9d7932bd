"""Requests as another user, whose rights are those that RBAC gives to the name."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    import ssl

KEPT_SECONDS = 10.0
"""Time without a request after which the API server may have closed the connection."""
APPLY = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"


@dataclass(frozen=True)
class Answer:
    code: int
    body: dict[str, Any]

    @property
    def ok(self) -> bool:
        return self.code < HTTPStatus.BAD_REQUEST

    @property
    def message(self) -> str:
        """Why it was refused; empty if it was not."""
        return "" if self.ok else str(self.body.get("message", self.code))


class Impersonated:
    """A user, by an administrator's connection. Nothing is stored unless `dry_run` is false."""

    def __init__(self, url: str, tls: ssl.SSLContext, user: str) -> None:
        self.user = user
        address = urlsplit(url)
        assert address.hostname
        self._connection = http.client.HTTPSConnection(
            address.hostname, address.port, context=tls, timeout=30
        )
        self._used = 0.0
        self._headers = {"Impersonate-User": user, "Impersonate-Group": "system:authenticated"}

    def create(self, path: str, obj: dict[str, Any], *, dry_run: bool = True) -> Answer:
        return self.request("POST", path, obj, dry_run=dry_run)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        content_type: str = "application/json",
        *,
        dry_run: bool = True,
        **query: str,
    ) -> Answer:
        """Return the answer to any write. Only without a body is `query` a deletion's."""
        query = {**query, **({"dryRun": "All"} if dry_run else {})}
        headers = {**self._headers, "Content-Type": content_type}
        if time.monotonic() - self._used > KEPT_SECONDS:
            self._connection.close()
        text = None if body is None else json.dumps(body)
        self._connection.request(method, f"{path}?{urlencode(query)}", text, headers)
        response = self._connection.getresponse()
        answer = Answer(response.status, json.loads(response.read()))
        self._used = time.monotonic()
        return answer

    def close(self) -> None:
        self._connection.close()
