"""Refusal to delete a part that applications include: ValidatingAdmissionPolicies, one for each kind of user.

A policy reads the applications themselves, as its parameters, and not the part's status: the status is late,
and while no operator runs it may name applications that are long gone.
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

_INCLUDED = (
    "has(params.spec.include)"
    " && params.spec.include.exists(i, i.kind == request.kind.kind && i.name == request.name)"
)
_GOING = "has(namespaceObject.metadata.deletionTimestamp) || has(params.metadata.deletionTimestamp)"


def parts_in_use() -> list[dict[str, Any]]:
    """Return the policies and their bindings."""
    return [manifest for kind in KINDS for manifest in _by(kind)]


def _by(user: Kind) -> Iterator[dict[str, Any]]:
    """Yield the policy about parts that objects of the kind include, and its binding.

    It ignores its own failures, such as a CRD that is not there: a guard must not be what is in the way.
    """
    name = f"parts-in-use-by-{user.plural}.{GROUP}"
    yield {
        "apiVersion": _API_VERSION,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Ignore",
            "paramKind": {"apiVersion": API_VERSION, "kind": user.kind},
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
            "validations": [
                {
                    "expression": f"{_GOING} || !({_INCLUDED})",
                    "messageExpression": (
                        f"'{user.kind} ' + params.metadata.name + ' includes this part, and status.usedBy"
                        " lists all that do: take it out of their spec.include, or delete them first; to"
                        f" delete it all the same, annotate it with {ALLOW_DELETION}=true'"
                    ),
                    "reason": str(Reason.FORBIDDEN),
                }
            ],
        },
    }
    yield {
        "apiVersion": _API_VERSION,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            # Every object of the kind in the part's namespace.
            "paramRef": {"selector": {}, "parameterNotFoundAction": "Allow"},
            "validationActions": ["Deny"],
        },
    }
