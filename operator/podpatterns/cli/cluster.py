"""The cluster as the commands for people reach it: with the kubeconfig that kubectl uses."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from podpatterns import __version__
from podpatterns.api import GROUP, KINDS, VERSION, Kind
from podpatterns.cli.error import CommandError

if TYPE_CHECKING:
    from kubernetes.client import CustomObjectsApi

Object = dict[str, Any]
FIELD_MANAGER = "podpatterns-cli"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
BY_NAME = {name: kind for kind in KINDS for name in (kind.singular, kind.plural, kind.short_name)}


class Cluster:
    """One namespace of the cluster. A refusal ends the command with the API server's message."""

    def __init__(self, namespace: str | None, context: str | None) -> None:
        # Slow to import, and not needed by every command.
        from kubernetes import config  # noqa: PLC0415
        from kubernetes.client import ApiClient, ApiException, CustomObjectsApi  # noqa: PLC0415
        from kubernetes.config import ConfigException  # noqa: PLC0415

        file = os.environ.get("KUBECONFIG")
        try:
            config.load_kube_config(file, context)
            contexts, active = config.list_kube_config_contexts(file)
        except ConfigException as error:
            raise CommandError(f"kubeconfig: {error}") from None
        chosen = next((c for c in contexts if c["name"] == context), active)
        self.namespace = namespace or chosen["context"].get("namespace") or "default"
        client = ApiClient()
        client.user_agent = f"{FIELD_MANAGER}/{__version__}"
        self._api: CustomObjectsApi = CustomObjectsApi(client)
        self._refused = ApiException

    def get(self, plural: str, name: str) -> Object | None:
        """Return an object of ours, or None if there is none of that name."""
        try:
            found: Object = self._api.get_namespaced_custom_object(
                GROUP, VERSION, self.namespace, plural, name
            )
        except self._refused as error:
            if error.status == 404:
                return None
            raise _refusal(error) from None
        return found

    def existing(self, text: str) -> Object:
        """Return the object that [KIND/]NAME means; without one, or with several, the command ends."""
        kinds, name = kinds_and_name(text)
        found = [obj for kind in kinds if (obj := self.get(kind.plural, name)) is not None]
        if not found:
            told = ", ".join(k.singular for k in kinds)
            raise CommandError(f'there is no {told} "{name}" in namespace {self.namespace}')
        if len(found) > 1:
            told = " or ".join(f"{obj['kind'].lower()}/{name}" for obj in found)
            raise CommandError(f'more than one kind has a "{name}": say {told}')
        return found[0]

    def all(self, plural: str) -> list[Object]:
        return self._all(GROUP, VERSION, plural, "")

    def revisions(self, labels: Mapping[str, str]) -> list[Object]:
        """Return the ControllerRevisions."""
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        return self._all("apps", "v1", "controllerrevisions", selector)

    def patch(self, plural: str, name: str, operations: Sequence[Mapping[str, Any]]) -> None:
        """Write a JSON patch (RFC 6902)."""
        self._patch(plural, name, list(operations), JSON_PATCH)

    def merge(self, plural: str, name: str, changes: Mapping[str, Any]) -> None:
        """Write a JSON merge patch (RFC 7396)."""
        self._patch(plural, name, dict(changes), MERGE_PATCH)

    def _patch(self, plural: str, name: str, body: object, content_type: str) -> None:
        try:
            self._api.patch_namespaced_custom_object(
                GROUP,
                VERSION,
                self.namespace,
                plural,
                name,
                body,
                field_manager=FIELD_MANAGER,
                _content_type=content_type,
            )
        except self._refused as error:
            raise _refusal(error) from None

    def tried(self, plural: str, obj: Object, live: Object | None) -> Object:
        """Return the object as the API server would keep it in place of `live`, defaults filled in."""
        try:
            if live is None:
                created: Object = self._api.create_namespaced_custom_object(
                    GROUP, VERSION, self.namespace, plural, obj, dry_run="All", field_manager=FIELD_MANAGER
                )
                return created
            wanted = {**live, "spec": obj["spec"]}
            replaced: Object = self._api.replace_namespaced_custom_object(
                GROUP,
                VERSION,
                self.namespace,
                plural,
                obj["metadata"]["name"],
                wanted,
                dry_run="All",
                field_manager=FIELD_MANAGER,
            )
            return replaced
        except self._refused as error:
            raise _refusal(error) from None

    def _all(self, group: str, version: str, plural: str, selector: str) -> list[Object]:
        try:
            found: Object = self._api.list_namespaced_custom_object(
                group, version, self.namespace, plural, label_selector=selector
            )
        except self._refused as error:
            raise _refusal(error) from None
        return list(found["items"])


def kinds_and_name(text: str) -> tuple[Sequence[Kind], str]:
    """Return the kinds and the name that [KIND/]NAME can mean."""
    kind, slash, name = text.rpartition("/")
    found = BY_NAME.get(kind.lower())
    if not name or (slash and found is None):
        kinds = ", ".join(k.singular for k in KINDS)
        raise click.UsageError(f"{text}: [KIND/]NAME is expected, KIND one of {kinds}")
    return (found,) if found else KINDS, name


def plural_of(obj: Object) -> str:
    """Return the plural of the object's kind, which is in its path."""
    return next(kind.plural for kind in KINDS if kind.kind == obj["kind"])


def _refusal(error: Any) -> CommandError:
    try:
        message = json.loads(error.body)["message"]
    except (ValueError, TypeError, KeyError):
        message = str(error.reason or error)
    return CommandError(message)
