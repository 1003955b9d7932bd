"""Refusal to delete a part that objects include: ValidatingAdmissionPolicies.

One for each kind of user reads the users themselves, as its parameters, and not the part's status: the status
is late, and while no operator runs it may name users that are long gone. Parameters are objects of the part's
own namespace; users in others are known by the status alone, which one more policy reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from podpatterns.api.conditions import Reason
from podpatterns.api.names import API_VERSION, GROUP, KINDS, Kind

ALLOW_DELETION = f"{GROUP}/allow-deletion"
"""Annotation of a part that may be deleted although applications include it."""

_API_VERSION = "admissionregistration.k8s.io/v1"

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


def _by(user: Kind) -> Iterator[dict[str, Any]]:
    """Yield the policy about parts that objects of the kind in their namespace include, and its binding."""
    validation = {
        "expression": f"{_GOING} || !({_INCLUDED})",
        "messageExpression": _refusal(f"'{user.kind} ' + params.metadata.name + ' includes this part"),
        "reason": str(Reason.FORBIDDEN),
    }
    # Every object of the kind in the part's namespace.
    parameters = {"paramRef": {"selector": {}, "parameterNotFoundAction": "Allow"}}
    kind = {"paramKind": {"apiVersion": API_VERSION, "kind": user.kind}}
    yield from _policy(f"parts-in-use-by-{user.plural}", kind, parameters, validation)


def _elsewhere() -> Iterator[dict[str, Any]]:
    """Yield the policy about parts that objects of other namespaces include, and its binding."""
    validation = {
        "expression": (
            "has(namespaceObject.metadata.deletionTimestamp) || !has(oldObject.status)"
            f" || !has(oldObject.status.usedBy) || {_ELSEWHERE}.size() == 0"
        ),
        "messageExpression": _refusal(
            f"{_ELSEWHERE}[0].kind + ' ' + {_ELSEWHERE}[0].name + ' in namespace ' + "
            f"{_ELSEWHERE}[0]['namespace'] + ' includes this part"
        ),
        "reason": str(Reason.FORBIDDEN),
    }
    yield from _policy("parts-in-use-elsewhere", {}, {}, validation)


def _refusal(included: str) -> str:
    """Return the message's expression; `included` is its beginning, with a text that is left open."""
    return (
        f"{included}, and status.usedBy lists all that do: take it out of their spec.include, or delete them"
        f" first; to delete it all the same, annotate it with {ALLOW_DELETION}=true'"
    )


def _policy(
    name: str, kind: dict[str, Any], parameters: dict[str, Any], validation: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield a policy and its binding.

    It ignores its own failures, such as a CRD that is not there: a guard must not be what is in the way.
    """
    yield {
        "apiVersion": _API_VERSION,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": f"{name}.{GROUP}"},
        "spec": {
            "failurePolicy": "Ignore",
            **kind,
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [GROUP],
                        "apiVersions": ["*"],
                        "operations": ["DELETE"],
                        "resources": [kind.plural for kind in KINDS],
                    }
                ]
            },
            "matchConditions": [
                {"name": condition, "expression": expression} for condition, expression in _CONDITIONS.items()
            ],
            "validations": [validation],
        },
    }
    yield {
        "apiVersion": _API_VERSION,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": f"{name}.{GROUP}"},
        "spec": {"policyName": f"{name}.{GROUP}", **parameters, "validationActions": ["Deny"]},
    }
