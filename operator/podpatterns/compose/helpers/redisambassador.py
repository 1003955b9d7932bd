"""The configuration of redis-ambassador, which tells reads from writes (helpers/redis-ambassador)."""

from __future__ import annotations

from collections.abc import Sequence

from podpatterns.api.ambassador import AmbassadorSpec
from podpatterns.api.upstream import Upstream
from podpatterns.compose.helpers.helper import yaml_text


def redis_config(spec: AmbassadorSpec, upstreams: Sequence[Upstream]) -> str:
    """The Ambassador's spec, cut down to what is redis-ambassador's business."""
    proxy = spec.proxy.model_dump(include={"metrics_port"}, exclude_defaults=True, by_alias=True)
    told = [
        {
            **u.model_dump(mode="json", exclude={"env", "local"}, exclude_defaults=True, by_alias=True),
            # redis-ambassador's own default, when nothing is said, is a shorter interval.
            **({"healthCheck": u.health_check.manifest()} if u.health_check else {}),
        }
        for u in upstreams
    ]
    written = {**({"proxy": proxy} if proxy else {}), "upstreams": told}
    return yaml_text(written)
