"""The configuration of postgres-ambassador, which keeps PgBouncer at the right server
(helpers/cmd/postgres-ambassador)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from podpatterns.api.ambassador import AmbassadorSpec
from podpatterns.api.upstream import Upstream
from podpatterns.compose.helpers.helper import yaml_text

ELSEWHERE: dict[str, Any] = {"env": True, "local": True, "postgres": {"reads": {"env"}}}
"""Fields of an upstream that are none of the program's."""


def postgres_config(spec: AmbassadorSpec, upstreams: Sequence[Upstream]) -> str:
    """Return the fields of the Ambassador's spec that postgres-ambassador reads."""
    proxy = spec.proxy.model_dump(include={"start_when"}, exclude_defaults=True, by_alias=True)
    served = [
        {
            **u.model_dump(mode="json", exclude=ELSEWHERE, exclude_defaults=True, by_alias=True),
            # postgres-ambassador's own default interval is shorter than the CRD's.
            **({"healthCheck": u.health_check.manifest()} if u.health_check else {}),
        }
        for u in upstreams
    ]
    return yaml_text({**({"proxy": proxy} if proxy else {}), "upstreams": served})
