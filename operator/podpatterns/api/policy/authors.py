"""Refusal of objects whose author may not create Pods: the operator lends nobody its own right.

Whoever may create Pods in a namespace can do there whatever a Pod can, so that this right is the measure. Pod
Security judges the Pods themselves, as it judges everybody's.
"""

from __future__ import annotations

from typing import Any

from podpatterns.api.conditions import Reason
from podpatterns.api.names import GROUP, KINDS
from podpatterns.api.policy.manifest import manifests, rule

NAME = "podpatterns-authors"

RULES = (rule(GROUP, [kind.plural for kind in KINDS], ["CREATE", "UPDATE"]),)
"""Without subresources: the status makes no Pods, and who may write `/scale`, such as an autoscaler, is a
question of RBAC alone."""

CONDITIONS = {"spec-changes": "oldObject == null || object.spec != oldObject.spec"}
"""The garbage collector, and people who only set labels, write what others are responsible for."""

MAY_CREATE_PODS = (
    "authorizer.group('').resource('pods').namespace(request.namespace).check('create').allowed()"
)

MAY_NOT = "request.userInfo.username + ' may not create Pods in namespace ' + request.namespace"


def authors() -> list[dict[str, Any]]:
    """Return the policy and its binding."""
    return manifests(
        NAME,
        rules=RULES,
        conditions=CONDITIONS,
        validations=[
            {
                "expression": MAY_CREATE_PODS,
                "messageExpression": (
                    f"{MAY_NOT} + ', and a ' + request.kind.kind + (has(object.spec.template)"
                    " ? ' makes them' : ' without spec.template becomes part of them')"
                    " + ': ask for the verb create on the resource pods in this namespace, or have somebody"
                    " write it who has that right'"
                ),
                "reason": str(Reason.FORBIDDEN),
            }
        ],
    )
