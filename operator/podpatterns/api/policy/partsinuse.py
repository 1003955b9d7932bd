"""Refusal to delete a part that objects include: ValidatingAdmissionPolicies.

One for each kind of user reads the users themselves, as its parameters, and not the part's status: the status
is late, and while no operator runs it may name users that are long gone. Parameters are objects of the part's
own namespace; users in others are known by the status alone, which one more policy reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podpatterns.api.conditions import Reason
from podpatterns.api.names import API_VERSION, GROUP, KINDS, Kind
from podpatterns.api.policy.manifest import manifests, rule

ALLOW_DELETION = f"{GROUP}/allow-deletion"
"""Annotation of a part that may be deleted although applications include it."""

# Deletes what an owner leaves behind, as its own ServiceAccount or, where controllers have none, as the
# controller manager: https://kubernetes.io/docs/concepts/architecture/garbage-collection/
_COLLECTORS = (
    "system:serviceaccount:kube-system:generic-garbage-collector",
    "system:kube-controller-manager",
)

_CONDITIONS = {
    "is-a-part": "!has(oldObject.spec.template)",
    "is-kept": (
        "!has(oldObject.metadata.annotations)"
        f" || !('{ALLOW_DELETION}' in oldObject.metadata.annotations)"
        f" || oldObject.metadata.annotations['{ALLOW_DELETION}'] != 'true'"
    ),
    "is-not-collected": " && ".join(f"request.userInfo.username != '{user}'" for user in _COLLECTORS),
}

# By its key, as `namespace` is a word of CEL.
_INCLUDED = (
    "has(params.spec.include)"
    " && params.spec.include.exists(i, i.kind == request.kind.kind && i.name == request.name"
    " && (!('namespace' in i) || i['namespace'] == request.namespace))"
)
_ELSEWHERE = "oldObject.status.usedBy.filter(u, 'namespace' in u)"
_GOING = "has(namespaceObject.metadata.deletionTimestamp) || has(params.metadata.deletionTimestamp)"


def parts_in_use() -> list[dict[str, Any]]:
    """Return the policies and their bindings."""
    return [*(manifest for kind in KINDS for manifest in _by(kind)), *_elsewhere()]


def _by(user: Kind) -> list[dict[str, Any]]:
    """Return the policy about parts that objects of the kind in their namespace include, and its binding."""
    return _policy(
        f"parts-in-use-by-{user.plural}",
        f"{_GOING} || !({_INCLUDED})",
        f"'{user.kind} ' + params.metadata.name + ' includes this part",
        # Every object of the kind in the part's namespace.
        parameters={"apiVersion": API_VERSION, "kind": user.kind},
    )


def _elsewhere() -> list[dict[str, Any]]:
    """Return the policy about parts that objects of other namespaces include, and its binding."""
    return _policy(
        "parts-in-use-elsewhere",
        "has(namespaceObject.metadata.deletionTimestamp) || !has(oldObject.status)"
        f" || !has(oldObject.status.usedBy) || {_ELSEWHERE}.size() == 0",
        f"{_ELSEWHERE}[0].kind + ' ' + {_ELSEWHERE}[0].name + ' in namespace ' + "
        f"{_ELSEWHERE}[0]['namespace'] + ' includes this part",
    )


def _policy(
    name: str, allowed: str, included: str, parameters: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Return a policy and its binding; `included` begins the message, with a text that is left open.

    It ignores its own failures, such as a CRD that is not there: a guard must not be what is in the way.
    """
    message = (
        f"{included}, and status.usedBy lists all that do: take it out of their spec.include, or delete them"
        f" first; to delete it all the same, annotate it with {ALLOW_DELETION}=true'"
    )
    return manifests(
        f"{name}.{GROUP}",
        rules=[rule(GROUP, [kind.plural for kind in KINDS], ["DELETE"])],
        conditions=_CONDITIONS,
        parameters=parameters,
        validations=[{"expression": allowed, "messageExpression": message, "reason": str(Reason.FORBIDDEN)}],
        failure_policy="Ignore",
    )
