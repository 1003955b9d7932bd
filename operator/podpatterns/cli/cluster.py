"""The cluster as the commands for people reach it: with the kubeconfig that kubectl uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import Any
from urllib.parse import quote

import click

from podpatterns.api.names import API_VERSION, BY_KIND, GROUP, KIND_LABEL, KINDS, NAME_LABEL, Kind
from podpatterns.cli.connection import FIELD_MANAGER, Connection, Object, Refusal
from podpatterns.cli.error import CommandError
from podpatterns.cli.kubeconfig import login

__all__ = ["Cluster", "Object", "kinds_and_name", "named", "owner_uid", "plural_of"]

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
BY_NAME = {name: kind for kind in KINDS for name in (kind.singular, kind.plural, kind.short_name)}
OURS = f"/apis/{API_VERSION}"
MANAGER = {"fieldManager": FIELD_MANAGER}


class Cluster:
    """One namespace of the cluster, or all of them. A refusal ends the command with the API server's
    message."""

    def __init__(
        self, namespace: str | None, context: str | None = None, kubeconfig: str | None = None
    ) -> None:
        self._connection = Connection(lambda: login(kubeconfig, context))
        self.namespace = namespace or self._connection.namespace
        self._chosen = namespace
        self._scope = f"/namespaces/{quote(self.namespace)}"

    def within(self, namespace: str) -> Cluster:
        """Return the cluster in the namespace that files name; empty if they name none."""
        if namespace and self._chosen and namespace != self._chosen:
            raise CommandError(f"the files say namespace {namespace}, and --namespace says {self._chosen}")
        return self._scoped(f"/namespaces/{quote(namespace)}", namespace) if namespace else self

    def beside(self, namespace: str) -> Cluster:
        """Return the cluster in another namespace, such as that of a part."""
        return self._scoped(f"/namespaces/{quote(namespace)}", namespace)

    def everywhere(self) -> Cluster:
        """Return the cluster with all its namespaces."""
        return self._scoped("", "")

    def _scoped(self, scope: str, namespace: str) -> Cluster:
        other = copy(self)
        other._scope, other.namespace = scope, namespace
        return other

    def get(self, plural: str, name: str) -> Object | None:
        """Return an object of ours, or None if there is none of that name."""
        return self._found(f"{self._ours(plural)}/{quote(name)}")

    def existing(self, text: str) -> Object:
        """Return the object that [KIND/]NAME means; without one, or with several, the command ends."""
        kinds, name = kinds_and_name(text)
        found = [obj for kind in kinds if (obj := self.get(kind.plural, name)) is not None]
        if not found:
            told = ", ".join(k.singular for k in kinds)
            raise CommandError(f'there is no {told} "{name}" in namespace {self.namespace}')
        if len(found) > 1:
            told = " or ".join(named(obj) for obj in found)
            raise CommandError(f'more than one kind has a "{name}": say {told}')
        return found[0]

    def all(self, plural: str) -> list[Object]:
        """Return all objects of a kind. The items of a list lack what says of which kind they are."""
        kind = next(k.kind for k in KINDS if k.plural == plural)
        whole = {"apiVersion": API_VERSION, "kind": kind}
        return [{**whole, **obj} for obj in self._list(self._ours(plural))]

    def revisions(self, labels: Mapping[str, str]) -> list[Object]:
        """Return the ControllerRevisions."""
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        return self._list(f"/apis/apps/v1{self._scope}/controllerrevisions", selector)

    def pods(self) -> list[Object]:
        """Return the Pods that objects of ours have made."""
        return self._list(self._pods, NAME_LABEL)

    def pods_of(self, obj: Object) -> list[Object]:
        """Return the Pods that an object controls, by name."""
        kind, meta = obj["kind"], obj["metadata"]
        found = self._list(self._pods, f"{KIND_LABEL}={kind},{NAME_LABEL}={meta['name']}")
        return sorted(
            (p for p in found if owner_uid(p) == meta["uid"]), key=lambda p: str(p["metadata"]["name"])
        )

    def pod(self, name: str) -> Object | None:
        return self._found(f"{self._pods}/{quote(name)}")

    def delete_pod(self, name: str, uid: str) -> None:
        """Delete the Pod with that UID and no other; the grace period is the Pod's own."""
        body = {"preconditions": {"uid": uid}}
        self._connection.request("DELETE", f"{self._pods}/{quote(name)}", None, body)

    def log(self, pod: str, query: Mapping[str, str]) -> Iterator[str]:
        """Yield the lines of a container's log."""
        return self._connection.lines(f"{self._pods}/{quote(pod)}/log", query)

    def patch(self, plural: str, name: str, operations: Sequence[Mapping[str, Any]]) -> None:
        """Write a JSON patch (RFC 6902)."""
        self._patch(plural, name, list(operations), JSON_PATCH)

    def merge(self, plural: str, name: str, changes: Mapping[str, Any]) -> None:
        """Write a JSON merge patch (RFC 7396)."""
        self._patch(plural, name, dict(changes), MERGE_PATCH)

    def tried(self, plural: str, obj: Object, live: Object | None) -> Object:
        """Return the object as the API server would keep it in place of `live`, defaults filled in."""
        query, path = {"dryRun": "All", **MANAGER}, self._ours(plural)
        if live is None:
            return self._connection.request("POST", path, query, obj)
        path = f"{path}/{quote(obj['metadata']['name'])}"
        return self._connection.request("PUT", path, query, {**live, "spec": obj["spec"]})

    @property
    def _pods(self) -> str:
        return f"/api/v1{self._scope}/pods"

    def _ours(self, plural: str) -> str:
        return f"{OURS}{self._scope}/{plural}"

    def _found(self, path: str) -> Object | None:
        try:
            return self._connection.request("GET", path)
        except Refusal as error:
            if not error.not_found:
                raise
            return None

    def _list(self, path: str, selector: str = "") -> list[Object]:
        query = {"labelSelector": selector} if selector else {}
        found = self._connection.request("GET", path, query)
        return list(found.get("items") or ())

    def _patch(self, plural: str, name: str, body: Any, content_type: str) -> None:
        path = f"{self._ours(plural)}/{quote(name)}"
        self._connection.request("PATCH", path, MANAGER, body, content_type)


def kinds_and_name(text: str) -> tuple[Sequence[Kind], str]:
    """Return the kinds and the name that [KIND/]NAME can mean."""
    kind, slash, name = text.rpartition("/")
    found = BY_NAME.get(kind.lower().removesuffix(f".{GROUP}"))
    if not name or (slash and found is None):
        kinds = ", ".join(k.singular for k in KINDS)
        raise click.UsageError(f"{text}: [KIND/]NAME is expected, KIND one of {kinds}")
    return (found,) if found else KINDS, name


def named(obj: Mapping[str, Any]) -> str:
    """Return the object's kind and name as commands take them."""
    return f"{obj['kind'].lower()}/{obj['metadata']['name']}"


def owner_uid(pod: Mapping[str, Any]) -> str:
    """Return the UID of the Pod's controller; empty without one."""
    owners = pod["metadata"].get("ownerReferences") or ()
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")


def plural_of(obj: Mapping[str, Any]) -> str:
    """Return the plural of the object's kind, which is in its path."""
    return BY_KIND[obj["kind"]].plural
