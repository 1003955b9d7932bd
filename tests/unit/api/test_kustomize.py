"""The fields that Kustomize is told of; an integration test has Kustomize itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

from click.testing import CliRunner
from pydantic import BaseModel

from podpatterns.api import KINDS
from podpatterns.api.kinds import MODELS
from podpatterns.api.kubernetes import SecretKeyRef, TlsSecretRef
from podpatterns.api.kustomize import configuration
from podpatterns.cli import main

REPOSITORY = Path(__file__).parents[3]

REFERENCES = cache(lambda: configuration()["nameReference"])


def references(kind: str) -> set[tuple[str, str]]:
    """Return the paths in which the configuration finds names of objects of the kind."""
    [found] = [entry["fieldSpecs"] for entry in REFERENCES() if entry["kind"] == kind]
    return {(spec["kind"], spec["path"]) for spec in found}


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models(inner)


def secret_refs(model: type[BaseModel], path: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        for inner in models(field.annotation):
            at = f"{path}/{field.alias or name}"
            if issubclass(inner, SecretKeyRef | TlsSecretRef):
                yield f"{at}/name"
            else:
                yield from secret_refs(inner, at)


def test_the_files_in_the_repository_are_up_to_date() -> None:
    result = CliRunner().invoke(main, ["kustomize", "--check", str(REPOSITORY / "kustomize")])

    assert result.exit_code == 0, result.output


def test_every_secret_that_a_model_refers_to_is_followed() -> None:
    expected = {
        (kind, path)
        for kind, model in MODELS.items()
        for spec in models(model.model_fields["spec"].annotation)
        for path in secret_refs(spec, "spec")
    }
    assert ("Ambassador", "spec/upstreams/redis/tls/certSecretRef/name") in expected
    assert expected <= references("Secret")


def test_parts_and_autoscalers_are_followed_to_every_kind() -> None:
    for kind in KINDS:
        assert {("HorizontalPodAutoscaler", "spec/scaleTargetRef/name")} | {
            (user.kind, "spec/include/name") for user in KINDS
        } == references(kind.kind)
