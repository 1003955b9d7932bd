"""The verb, resource and namespace of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Route(NamedTuple):
    verb: str
    """As in RBAC: get, list, watch, create, update, patch, delete; `continue` for further pages of a list."""
    resource: str
    """The plural, with the subresource: pods, sidecarapps/status."""
    namespace: str
    """Empty for all namespaces."""

    @classmethod
    def of(cls, method: str, path: str, query: Mapping[str, str]) -> Route:
        words = path.strip("/").split("/")
        words = words[2:] if words[0] == "api" else words[3:]
        namespace = ""
        if len(words) > 2 and words[0] == "namespaces":
            namespace, words = words[1], words[2:]
        resource, name, *subresource = [*words, "", ""][: max(2, len(words))]
        verb = VERBS.get(method) or ("get" if name else _of_many(query))
        return cls(verb, "/".join([resource, *filter(None, subresource)]), namespace)


def _of_many(query: Mapping[str, str]) -> str:
    if query.get("watch") == "true":
        return "watch"
    return "continue" if "continue" in query else "list"
