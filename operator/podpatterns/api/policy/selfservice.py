"""Policy for authors who may not create Pods, but objects whose Pods are harmless.

Harmless is what Pod Security calls restricted, with no Secret and nothing else that others have to grant.
Each restriction falls by a right of its own: the verb `use` on a resource of our group that stands for it.

It has the name of the policy that asks for the right to create Pods, and takes its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from podpatterns.api.conditions import Reason
from podpatterns.api.names import GROUP
from podpatterns.api.policy.authors import CONDITIONS, MAY_CREATE_PODS, MAY_NOT, NAME, RULES
from podpatterns.api.policy.manifest import manifests
from podpatterns.api.policy.places import LIST, Places, occurrences, places
from podpatterns.api.policy.podsecurity import (
    APPARMOR_ANNOTATION,
    CONTAINER,
    OF_CONTAINER,
    OF_POD,
    UNPRIVILEGED,
    VOLUME,
)

VERB = "use"
LISTED = 20
"""Faults that a refusal lists at most."""

_POD = "spec.template.spec"
_UNSET = "must not be set"


@dataclass(frozen=True, slots=True)
class Right:
    """Resource of our group on which the verb `use` lifts a restriction. There are no objects of it."""

    resource: str
    faults: tuple[str, ...]
    """CEL expressions for lists of texts: what in an object needs the right."""


def rights() -> tuple[Right, ...]:
    """Return the rights, with what needs each."""
    found = places()
    return (
        Right("privileged", tuple(_privileged(found))),
        Right("secrets", tuple(_secrets(found))),
        Right(
            "serviceaccounts",
            tuple(
                _field(f"{_POD}.{name}", "must be default", "!(it in ['', 'default'])")
                for name in ("serviceAccountName", "serviceAccount")
            ),
        ),
        Right("nodes", (_field(f"{_POD}.nodeName", _UNSET, "it != ''"),)),
        Right(
            "priorities",
            (_field(f"{_POD}.priorityClassName", _UNSET, "it != ''"), _field(f"{_POD}.priority", _UNSET)),
        ),
        Right("hostports", (_in_containers("ports[].hostPort", _UNSET, "it != 0"),)),
        Right(
            "claims",
            tuple(
                _field(path, _UNSET)
                for path in (
                    *(f"{volume}.persistentVolumeClaim" for volume in found.volumes),
                    *(f"{volume}.ephemeral" for volume in found.volumes),
                    f"{_POD}.resourceClaims[]",
                    "spec.volumeClaimTemplates[]",
                )
            ),
        ),
        # A part's containers have what the Pods of others have: the token, the volumes, the processes.
        Right("parts", (_included("== request.namespace", "", _UNSET), _a_part())),
        # Who writes them may do there what the author may not do here, and be the author.
        Right("sharedparts", (_included("!= request.namespace", ".namespace", "must not be another"),)),
    )


def _privileged(found: Places) -> Iterator[str]:
    for one in OF_CONTAINER:
        yield f"variables.containers.map(e, {one.broken}, e.at + '.{one.field} {one.must}')"
    for one in OF_POD:
        yield f"({one.broken} ? ['{_POD}.{one.field} {one.must}'] : [])"
    for path in found.volumes:
        yield _field(path, *VOLUME)
    annotations = "spec.template.metadata.annotations"
    values = f"object.?{annotations.replace('.', '.?')}.orValue({{}})"
    allowed = "a == '' || a == 'runtime/default' || a.startsWith('localhost/')"
    yield (
        f"{values}.transformList(k, a, k.startsWith('{APPARMOR_ANNOTATION}') && !({allowed}),"
        f" '{annotations}[' + k + '] must be runtime/default')"
    )


def _secrets(found: Places) -> Iterator[str]:
    # A driver may bring Secrets of another store: https://secrets-store-csi-driver.sigs.k8s.io
    for path in (*found.secrets, *(f"{volume}.csi" for volume in found.volumes)):
        yield _field(path, _UNSET)
    for path in found.container_secrets:
        yield _in_containers(path, _UNSET)


def _included(of: str, field: str, must: str) -> str:
    # By its key, as `namespace` is a word of CEL.
    namespace = "dyn(x)[?'namespace'].orValue(request.namespace)"
    told = f"'spec.include[' + string(i) + ']{field} {must}'"
    return f"object.spec.?include.orValue([]).transformList(i, x, {namespace} {of}, {told})"


def _a_part() -> str:
    return (
        "(has(object.spec.template) ? [] : ['spec.template must be set, as a part gets into Pods of others'])"
    )


def _field(path: str, must: str, where: str = "") -> str:
    return occurrences("object", path, "", must, where)


def _in_containers(path: str, must: str, where: str = "") -> str:
    return f"variables.containers.map(e, {occurrences(CONTAINER, path, 'e.at', must, where)}).flatten()"


def _containers_at(path: str, inherited: str) -> str:
    """Return a CEL expression for the list of the containers at the path, each with its place."""
    head, _, rest = path.partition(LIST)
    items = f"object.?{head.replace('.', '.?')}"
    if head == path:
        entry = f"{{'at': dyn('{path}'), 'is': it, 'has': dyn({inherited})}}"
        return f"{items}.optMap(it, [{entry}]).orValue([])"
    here = f"'{head}[' + string(i) + ']{rest}'"
    value = "x" + rest
    entry = f"{{'at': dyn({here}), 'is': {value}, 'has': dyn({inherited})}}"
    condition = f"{value.replace('.', '.?')}.hasValue(), " if rest else ""
    return f"{items}.orValue([]).transformList(i, x, {condition}{entry})"


def self_service() -> list[dict[str, Any]]:
    """Return the policy and its binding."""
    granted = rights()
    return manifests(
        NAME,
        rules=RULES,
        conditions={**CONDITIONS, "may-not-create-pods": f"!{MAY_CREATE_PODS}"},
        variables={
            **_containers(places()),
            **{right.resource: " + ".join(right.faults) for right in granted},
            "needed": " + ".join(
                f"(variables.{r.resource}.size() == 0 ? [] : ['{r.resource}'])" for r in granted
            ),
        },
        validations=map(_validation, granted),
    )


def _containers(found: Places) -> dict[str, str]:
    """Return the variables that other expressions are made of."""
    return {
        "podSpec": "object.spec.?template.?spec.orValue({})",
        # A part has none: its containers have to say it all themselves.
        "podSecurity": "object.spec.?template.?spec.?securityContext.orValue({})",
        "unprivileged": UNPRIVILEGED,
        "containers": " + ".join(
            [
                *(_containers_at(path, "variables.podSecurity") for path in found.containers),
                *(_containers_at(path, "variables.unprivileged") for path in found.fragments),
            ]
        ),
    }


def _validation(right: Right) -> dict[str, str]:
    """Return the rule that faults are only there with the right.

    An expression can have two checks of the authorizer, and one for a message has none: neither in a
    variable. So each right has a rule of its own, and tells only which other rights the object needs.
    """
    name, faults = right.resource, f"variables.{right.resource}"
    may = f"authorizer.group('{GROUP}').resource('{name}').namespace(request.namespace)"
    others = f"variables.needed.filter(n, n != '{name}')"
    return {
        "expression": f"{faults}.size() == 0 || {may}.check('{VERB}').allowed()",
        "messageExpression": (
            f"{MAY_NOT} + ', nor {VERB} {name}.{GROUP}. Without one of these rights ' + {faults}.slice(0,"
            f" {faults}.size() < {LISTED} ? {faults}.size() : {LISTED}).join('; ')"
            f" + ({faults}.size() > {LISTED} ? '; and so on' : '')"
            f" + ': correct that, or ask for one of them' + ({others}.size() == 0 ? ''"
            f" : '. The object also needs the right to {VERB} ' + {others}.join(', '))"
        ),
        "message": f"the object needs the verb {VERB} on {name}.{GROUP}, or create on pods: ask for one",
        "reason": str(Reason.FORBIDDEN),
    }
