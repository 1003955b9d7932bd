"""The models of the kinds, and the way from a manifest to a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from podpatterns.api.adapter import Adapter
from podpatterns.api.ambassador import Ambassador
from podpatterns.api.invalid import FieldError, InvalidObject
from podpatterns.api.sidecarapp import SidecarApp

MODELS: Mapping[str, type[SidecarApp | Ambassador | Adapter]] = {
    "SidecarApp": SidecarApp,
    "Ambassador": Ambassador,
    "Adapter": Adapter,
}


def parse(obj: Mapping[str, Any]) -> SidecarApp | Ambassador | Adapter:
    """Return the model of a manifest from the API server.

    Raises InvalidObject with every field that is missing, unknown or of the wrong form. The CEL rules of the
    CRDs are the API server's to check, not repeated here.
    """
    model = MODELS.get(str(obj.get("kind")))
    if model is None:
        raise InvalidObject([FieldError("kind", f"one of {', '.join(MODELS)} is expected")])
    try:
        return model.model_validate(dict(obj))
    except ValidationError as error:
        raise InvalidObject.of(error) from None
