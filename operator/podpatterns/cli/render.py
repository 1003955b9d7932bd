"""`podpatterns render`: the objects that the operator would make of files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from podpatterns.api import InvalidObject, Pattern, parse
from podpatterns.cli.error import CommandError
from podpatterns.cli.explain import explained
from podpatterns.cli.helperimages import helper_images
from podpatterns.cli.manifests import Manifest, read_manifests
from podpatterns.cli.options import files_option, output_option
from podpatterns.cli.output import manifests
from podpatterns.compose import (
    CannotCompose,
    Composition,
    HelperImages,
    compose,
    config_map_manifest,
    pod_manifest,
)
from podpatterns.compose.claims import claim_manifest
from podpatterns.compose.podmonitor import pod_monitor
from podpatterns.replicas import Wanted
from podpatterns.replicas.ordinal import ordinals, stable_name

Object = dict[str, Any]


@click.command()
@files_option
@click.option("--explain", is_flag=True, help="Say of each field of the Pods what it comes from.")
@helper_images
@output_option("yaml", "json", "name")
def render(files: tuple[str, ...], explain: bool, images: HelperImages, output: str | None) -> None:
    """Show the objects that the operator would make of the files, without a cluster.

    These are each application's Pods (one with a generateName where podNaming is Generated) and their
    PersistentVolumeClaims, the ConfigMap of their helpers, and the PodMonitor of their adapters. Included
    parts have to be in the files, those of other namespaces too. The owner reference is left out where a
    file does not tell the object's UID, so that kubectl takes them.
    """
    written = [(one, _model(one)) for one in read_manifests(files)]
    available = [model for _, model in written]
    applications = [(one, app) for one, app in written if app.spec.template is not None]
    if not applications:
        raise CommandError(f"{', '.join(files)}: all objects are parts, which make no Pods")
    shown: list[Object] = []
    for manifest, app in applications:
        try:
            composition = compose(app, available, images)
        except CannotCompose as error:
            raise CommandError(f"{manifest.where}: {error}") from None
        if explain:
            click.echo(explained(app, available, images, rendered(app, composition)), nl=False)
        else:
            shown += [_without_unknown(obj, manifest) for obj in rendered(app, composition)]
    if not explain:
        click.echo(manifests(shown, output or "yaml"), nl=False)


def rendered(app: Pattern, composition: Composition) -> list[Object]:
    """Return the objects that the operator makes of an application, in an order in which they can be
    applied."""
    config_map = [config_map_manifest(app, composition.data)] if composition.files else []
    monitor = pod_monitor(app, composition)
    return [*config_map, *_pods(app, composition), *([monitor] if monitor else [])]


def _pods(app: Pattern, composition: Composition) -> Iterator[Object]:
    """Yield the Pods, each after its PersistentVolumeClaims."""
    name = app.metadata.name
    if app.spec.pod_naming == "Stable":
        for i in ordinals(Wanted.of(app, composition.revision)):
            pod = stable_name(name, i)
            yield from (claim_manifest(app, claim, pod) for claim in app.spec.volume_claim_templates)
            yield pod_manifest(app, composition, pod, i)
    elif app.spec.replicas:
        made = pod_manifest(app, composition, name, None)
        unnamed = {key: value for key, value in made["metadata"].items() if key != "name"}
        yield {**made, "metadata": {"generateName": f"{name}-", **unnamed}}


def _model(one: Manifest) -> Pattern:
    if unknown := one.unknown_kind:
        raise CommandError(f"{one.where}: {unknown}")
    try:
        return parse(one.obj)
    except InvalidObject as error:
        raise CommandError(f"{one.where}: {error}") from None


def _without_unknown(obj: Object, manifest: Manifest) -> Object:
    """Return the object without what only a cluster knows and the file does not tell."""
    meta = obj["metadata"]
    unknown = [] if manifest.namespace else ["namespace"]
    if not all(owner["uid"] for owner in meta.get("ownerReferences") or ()):
        unknown.append("ownerReferences")
    return {**obj, "metadata": {key: value for key, value in meta.items() if key not in unknown}}
