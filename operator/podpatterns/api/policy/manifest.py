"""Manifests of a ValidatingAdmissionPolicy and its binding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

API_VERSION = "admissionregistration.k8s.io/v1"


def manifests(  # noqa: PLR0913 (a manifest)
    name: str,
    *,
    rules: Sequence[Mapping[str, Any]],
    conditions: Mapping[str, str],
    validations: Iterable[Mapping[str, str]],
    variables: Mapping[str, str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    failure_policy: str = "Fail",
    action: Literal["Deny", "Warn"] = "Deny",
) -> list[dict[str, Any]]:
    """Return the policy and the binding that puts it into force in the whole cluster.

    `rules` are resources and the operations on them, `conditions` and `variables` CEL expressions by name.
    With `parameters`, a kind, the policy judges once for each object of it in the namespace.
    """
    spec: dict[str, Any] = {
        "failurePolicy": failure_policy,
        "matchConstraints": {"resourceRules": [dict(rule) for rule in rules]},
        "matchConditions": _named(conditions),
        "validations": [dict(validation) for validation in validations],
    }
    binding: dict[str, Any] = {"policyName": name, "validationActions": [action]}
    if variables:
        spec["variables"] = _named(variables)
    if parameters:
        spec["paramKind"] = dict(parameters)
        binding["paramRef"] = {"selector": {}, "parameterNotFoundAction": "Allow"}
    return [
        {
            "apiVersion": API_VERSION,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": spec,
        },
        {
            "apiVersion": API_VERSION,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": binding,
        },
    ]


def rule(
    group: str, resources: Sequence[str], operations: Sequence[str], versions: Sequence[str] = ("*",)
) -> dict[str, Any]:
    """Return the rule for operations on resources; one for a subresource is `pods/status`."""
    return {
        "apiGroups": [group],
        "apiVersions": list(versions),
        "operations": list(operations),
        "resources": list(resources),
    }


def _named(expressions: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "expression": expression} for name, expression in expressions.items()]
