"""Order of the lists in a Pod template: two orders that mean the same to Kubernetes become one.

The keys are those of the API reference's list-maps ("Patch strategy: merge on key"), and of the lists that
the reference calls atomic although no component reads an order into them. A list that is missing here keeps
its order, as `command`, `envFrom`, `containers` and the sources of a projected volume must.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

Item = Mapping[str, Any]
Fields = Mapping[str, "Fields | Items"]
"""The lists in an object, by the field that holds them or an object with such fields."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list: how two items are told apart, and what lies in each."""

    keys: tuple[str, ...] = ()
    """Fields that identify an item; without such fields it is identified by all that it says."""
    fields: Fields = field(default_factory=dict)
    """Lists in the items."""
    ordered: bool = False
    """True if every order means something else."""
    defines: Callable[[Item], Sequence[str]] = lambda _: ()
    """Names that an item defines, beside its keys: of two items that define one name the order counts."""
    uses: Callable[[Item], Sequence[str]] = lambda _: ()
    """Names that an item uses: it stays before or behind the items that define them."""


_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")
"""`$(NAME)` in the value of a variable, or `$$`, which stands for a dollar sign."""


def _name(variable: Item) -> Sequence[str]:
    return (str(variable.get("name")),)


def _references(variable: Item) -> Sequence[str]:
    """Return the variables that a value refers to; only those before it in the list are expanded.

    https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
    """
    value = variable.get("value")
    return [name for name in _REFERENCE.findall(value) if name] if isinstance(value, str) else ()


def _hostnames(alias: Item) -> Sequence[str]:
    """Return the names in a line of /etc/hosts: of two lines with one name the first counts."""
    names = alias.get("hostnames")
    return [str(name) for name in names] if isinstance(names, list) else ()


ANY_TAINT = ""
"""Key of a toleration of all taints; no taint has it."""


def _evicting(toleration: Item) -> Sequence[str]:
    """Return the key if it tolerates NoExecute: the first that matches a taint says for how many seconds.

    https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
    """
    evicting = toleration.get("effect") in (None, "", "NoExecute")
    return (str(toleration.get("key") or ANY_TAINT),) if evicting else ()


def _overlapping(toleration: Item) -> Sequence[str]:
    return (ANY_TAINT,) if _evicting(toleration) else ()


ANY_ORDER = Items()
SELECTOR: Fields = {"matchExpressions": Items(fields={"values": ANY_ORDER})}
NODE_TERM: Fields = {**SELECTOR, "matchFields": Items(fields={"values": ANY_ORDER})}
POD_TERM: Fields = {
    "labelSelector": SELECTOR,
    "namespaceSelector": SELECTOR,
    "namespaces": ANY_ORDER,
    "matchLabelKeys": ANY_ORDER,
    "mismatchLabelKeys": ANY_ORDER,
}
POD_AFFINITY: Fields = {
    "requiredDuringSchedulingIgnoredDuringExecution": Items(fields=POD_TERM),
    "preferredDuringSchedulingIgnoredDuringExecution": Items(fields={"podAffinityTerm": POD_TERM}),
}
AFFINITY: Fields = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": Items(fields=NODE_TERM)},
        "preferredDuringSchedulingIgnoredDuringExecution": Items(fields={"preference": NODE_TERM}),
    },
    "podAffinity": POD_AFFINITY,
    "podAntiAffinity": POD_AFFINITY,
}
FILES: Fields = {name: {"items": Items(keys=("path",))} for name in ("configMap", "secret", "downwardAPI")}
CONTAINERS = Items(
    ordered=True,
    fields={
        "env": Items(keys=("name",), defines=_name, uses=_references),
        "ports": Items(keys=("containerPort", "protocol")),
        "volumeMounts": Items(keys=("mountPath",)),
        "volumeDevices": Items(keys=("devicePath",)),
        "resizePolicy": Items(keys=("resourceName",)),
        "resources": {"claims": Items(keys=("name", "request"))},
        "securityContext": {"capabilities": {"add": ANY_ORDER, "drop": ANY_ORDER}},
    },
)
TEMPLATE: Fields = {
    "spec": {
        "containers": CONTAINERS,
        "initContainers": CONTAINERS,
        "volumes": Items(
            keys=("name",),
            fields={
                **FILES,
                "projected": {"sources": Items(ordered=True, fields=FILES)},
                "ephemeral": {
                    "volumeClaimTemplate": {"spec": {"accessModes": ANY_ORDER, "selector": SELECTOR}}
                },
            },
        ),
        "imagePullSecrets": Items(keys=("name",)),
        "hostAliases": Items(keys=("ip",), defines=_hostnames),
        "topologySpreadConstraints": Items(
            keys=("topologyKey", "whenUnsatisfiable"),
            fields={"labelSelector": SELECTOR, "matchLabelKeys": ANY_ORDER},
        ),
        "tolerations": Items(defines=_evicting, uses=_overlapping),
        "readinessGates": ANY_ORDER,
        "schedulingGates": Items(keys=("name",)),
        "resourceClaims": Items(keys=("name",)),
        "securityContext": {"supplementalGroups": ANY_ORDER, "sysctls": Items(keys=("name",))},
        "dnsConfig": {"options": Items(keys=("name",))},
        "affinity": AFFINITY,
    }
}


def in_canonical_order(value: Any, fields: Fields = TEMPLATE) -> Any:
    """Return the template with each list in the one order that stands for all that mean the same.

    Lists of another form than the API's stay as they are.
    """
    if not isinstance(value, Mapping):
        return value
    return {k: _ordered(v, fields[k]) if k in fields else v for k, v in value.items()}


def _ordered(value: Any, of: Fields | Items) -> Any:
    if not isinstance(of, Items):
        return in_canonical_order(value, of)
    if not isinstance(value, list):
        return value
    items = [in_canonical_order(item, of.fields) for item in value]
    if of.ordered or len(items) < 2:
        return items
    try:
        return _arranged(items, of)
    except (RecursionError, TypeError, ValueError):  # nested beyond all bounds, or a key that is no text
        return items


def _arranged(items: list[Any], of: Items) -> list[Any]:
    """Sort the items by their keys: first those that depend on none before them, then what depends on these.

    That makes one list of all that differ by exchanges of independent neighbours, and of no others (the
    normal form of Cartier and Foata).
    """
    keys = [_key(item, of.keys) for item in items]
    graph: TopologicalSorter[int] = TopologicalSorter(dict.fromkeys(range(len(items)), ()))
    for first, then in _dependencies(items, keys, of):
        graph.add(then, first)
    graph.prepare()
    arranged: list[Any] = []
    while graph.is_active():
        ready = graph.get_ready()
        arranged += (items[index] for index in sorted(ready, key=lambda index: keys[index]))
        graph.done(*ready)
    return arranged


def _dependencies(items: Sequence[Any], keys: Sequence[str], of: Items) -> Iterator[tuple[int, int]]:
    """Yield pairs of items whose order counts, by their indices; further pairs follow from these."""
    definer: dict[str, int] = {}
    users: dict[str, list[int]] = {}
    last: dict[str, int] = {}
    for index, (item, key) in enumerate(zip(items, keys, strict=True)):
        if key in last:
            yield last[key], index
        last[key] = index
        if not isinstance(item, Mapping):
            continue
        for name in of.uses(item):
            if name in definer:
                yield definer[name], index
            users.setdefault(name, []).append(index)
        for name in of.defines(item):
            yield from ((user, index) for user in users.pop(name, ()) if user != index)
            if name in definer:
                yield definer[name], index
            definer[name] = index


def _key(item: Any, keys: tuple[str, ...]) -> str:
    """Return a text that two items share only if one would take the place of the other."""
    said = [item.get(key) for key in keys] if keys and isinstance(item, Mapping) else item
    return json.dumps(said, sort_keys=True)
