"""Leash of the operator: what its ServiceAccount writes must belong to objects of ours.

Its rights reach into every namespace. With the leash a fault of the operator's changes and deletes nothing of
others. A thief of its token still makes Pods: the policy can't ask whether the owner that they name is there,
nor what the owner says.
"""

from __future__ import annotations

from typing import Any

from podpatterns.api.conditions import Reason
from podpatterns.api.names import GROUP, KIND_LABEL, KINDS, NAME_LABEL
from podpatterns.api.policy.manifest import manifests, rule

NAME = "podpatterns-leash"

OPERATOR = "system:serviceaccount:podpatterns-system:podpatterns-operator"
"""The operator where the chart is installed as its README says. The chart puts its own namespace there."""

_OPERATIONS = ("CREATE", "UPDATE", "DELETE")

RULES = (
    rule("", ["pods", "pods/resize", "pods/status", "configmaps", "persistentvolumeclaims"], _OPERATIONS),
    rule("apps", ["controllerrevisions"], _OPERATIONS),
    rule("monitoring.coreos.com", ["podmonitors"], _OPERATIONS),
)
"""Everything that the operator has the right to write, but Events, its Lease and the status of our kinds."""

_KINDS = ", ".join(f"'{kind.kind}'" for kind in KINDS)
_CONTROLLERS = "metadata.?ownerReferences.orValue([]).filter(o, o.?controller.orValue(false))"
_IS_CLAIM = "request.resource.resource == 'persistentvolumeclaims'"
_IS_OURS = f"o.apiVersion.startsWith('{GROUP}/') && o.kind in [{_KINDS}]"
# A claim goes with its Pod where spec.persistentVolumeClaimRetentionPolicy says so. One without our labels
# may be that of an ephemeral volume of anybody's Pod.
_MAY_CONTROL = f"{_IS_OURS} || {_IS_CLAIM} && variables.labelled && o.apiVersion == 'v1' && o.kind == 'Pod'"


def _label(of: str, label: str) -> str:
    return f"{of}.metadata.?labels[?'{label}'].orValue('')"


_VARIABLES = {
    "before": "oldObject == null ? object : oldObject",
    "after": "object == null ? oldObject : object",
    "kind": f"{_label('variables.before', KIND_LABEL)}",
    "name": f"{_label('variables.before', NAME_LABEL)}",
    "labelled": f"variables.kind in [{_KINDS}] && variables.name != ''",
    "controllers": f"variables.before.{_CONTROLLERS}",
}

_NAMED = "request.resource.resource + ' ' + variables.after.metadata.?name.orValue('') + ' '"


def leash(operator: str = OPERATOR) -> list[dict[str, Any]]:
    """Return the policy and its binding, for the operator of that user name."""
    reason = str(Reason.FORBIDDEN)
    return manifests(
        NAME,
        rules=RULES,
        conditions={"is-the-operator": f"request.userInfo.username == '{operator}'"},
        variables=_VARIABLES,
        validations=[
            {
                "expression": "!request.namespace.startsWith('kube-')",
                "messageExpression": (
                    "'the operator may write nothing in namespace ' + request.namespace + ', which is"
                    " Kubernetes\\' own: create the object in another namespace'"
                ),
                "reason": reason,
            },
            {
                # An orphan of ours may be adopted; one that lost its labels is released, or gets them back.
                "expression": (
                    "request.operation == 'CREATE' || (variables.controllers.size() == 0"
                    f" ? variables.labelled : variables.controllers.all(o, {_MAY_CONTROL}))"
                ),
                "messageExpression": (
                    f"{_NAMED} + 'belongs to no object of {GROUP}: the operator may not write it'"
                ),
                "reason": reason,
            },
            {
                "expression": (
                    "request.operation != 'CREATE' || variables.labelled"
                    f" && ({_IS_CLAIM} || variables.controllers.size() == 1)"
                    " && variables.controllers.all(o, o.kind == variables.kind && o.name == variables.name"
                    f" && {_IS_OURS})"
                ),
                "messageExpression": (
                    f"{_NAMED} + 'must be created with the labels {KIND_LABEL} and {NAME_LABEL} and an owner"
                    " reference to the object that they name'"
                ),
                "reason": reason,
            },
            {
                "expression": f"variables.after.{_CONTROLLERS}.all(o, {_MAY_CONTROL})",
                "messageExpression": f"{_NAMED} + 'may be given to no object but one of {GROUP}'",
                "reason": reason,
            },
        ],
    )
