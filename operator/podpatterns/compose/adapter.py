"""PodFragment of an Adapter: the metrics adapter, which gives the application one monitoring model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from podpatterns.api.adapter import AdapterSpec
from podpatterns.compose.helpers.helper import (
    HelperImages,
    config_volume,
    file_key,
    helper_shape,
)
from podpatterns.compose.helpers.metricsadapter import (
    FILE,
    adapter_config,
    adapter_container,
    pod_shape_inputs,
    secrets,
)
from podpatterns.compose.part import Part
from podpatterns.compose.podfragment import File, MetricsEndpoint, PodFragment
from podpatterns.compose.rules.contract import contract_problems
from podpatterns.compose.rules.metricrules import rule_problems
from podpatterns.compose.rules.problem import Problem

ROLE = "adapter"
CONTRACT_PAGE = "/contract"


def adapter(spec: AdapterSpec, part: Part, images: HelperImages) -> PodFragment:
    name = part.helper_name(ROLE)
    key = file_key(name, pod_shape_inputs(spec), "yaml")
    processes = next((i for i, source in enumerate(spec.sources) if source.proc), None)
    file = File(
        name, key, adapter_config(spec), spec.metrics.port, CONTRACT_PAGE, bool(spec.adapter.container)
    )
    return PodFragment(
        shape={
            **part.shape,
            "path": spec.metrics.path,
            **pod_shape_inputs(spec),
            **({"adapter": shape} if (shape := helper_shape(spec.adapter)) else {}),
            # Left out where they are there: the revision of those who chose nothing stays what it was.
            **({} if (annotations := _annotations(spec)) else {"annotations": False}),
        },
        helpers=(adapter_container(spec, part, name, images),),
        volumes=(config_volume(name, part.config_map, key, FILE, [ref for _, ref in secrets(spec)]),),
        files=(file,),
        annotations=annotations,
        shared_processes="" if processes is None else part.path(f"spec.sources[{processes}].proc"),
        secrets=tuple(
            f"Secret {ref.name}, key {ref.key} ({part.path(field)})" for field, ref in secrets(spec)
        ),
        metrics_endpoint=MetricsEndpoint(
            name,
            spec.metrics.port,
            spec.metrics.path,
            spec.contract.name or "",
            file.hash,
            monitored=spec.metrics.discovery != "Annotations",
        ),
        problems=chain(
            part.name_problems(ROLE),
            (replace(problem, path=part.path(problem.path)) for problem in adapter_problems(spec)),
        ),
    )


def _annotations(spec: AdapterSpec) -> dict[str, str]:
    if spec.metrics.discovery == "PodMonitor":
        return {}
    return {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(spec.metrics.port),
        "prometheus.io/path": spec.metrics.path,
    }


def settings(spec: AdapterSpec) -> int:
    """Return the number of metrics and labels in its configuration: the cost of writing it."""
    return sum(1 + len(e.labels or ()) for rule in spec.rules for e in (rule.emit or (rule,)))


def adapter_problems(spec: AdapterSpec) -> Iterator[Problem]:
    """Yield the problems of the rules and of the contract."""
    yield from rule_problems(spec)
    yield from contract_problems(spec)
