"""The configuration of redis-ambassador, which tells reads from writes (helpers/redis-ambassador)."""

from __future__ import annotations

from collections.abc import Sequence

from podpatterns.api.ambassador import AmbassadorSpec
from podpatterns.api.upstream import Upstream
from podpatterns.compose.helpers.helper import yaml_text


def redis_config(spec: AmbassadorSpec, upstreams: Sequence[Upstream]) -> str:
    """Return the fields of the Ambassador's spec that redis-ambassador reads."""
    proxy = spec.proxy.model_dump(
        include={"metrics_port", "start_when"}, exclude_defaults=True, by_alias=True
    )
    served = [
        {
            **u.model_dump(mode="json", exclude={"env", "local"}, exclude_defaults=True, by_alias=True),
            # redis-ambassador's own default interval is shorter than the CRD's.
            **({"healthCheck": u.health_check.manifest()} if u.health_check else {}),
        }
        for u in upstreams
    ]
    written = {**({"proxy": proxy} if proxy else {}), "upstreams": served}
    return yaml_text(written)
