"""Reading of JSON that anybody may have written: a value of an unexpected form reads as empty.

The API server checks the types of a Pod's fields, and lets them be null or missing; annotations are free
text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> list[Mapping[str, Any]]:
    """Return the mappings in a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def texts(value: object) -> list[str]:
    """Return the texts in a list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def json_mapping(value: object) -> Mapping[str, Any]:
    """Return the JSON object in a text; empty if there is none."""
    if not value or not isinstance(value, str):
        return {}
    try:
        return mapping(json.loads(value))
    except (ValueError, RecursionError):  # no JSON, a number beyond all bounds, or nested beyond all bounds
        return {}
