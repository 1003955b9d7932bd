"""The policies about one object: refusal where no Pod can be made of it, and warnings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from podpatterns.api.conditions import Reason
from podpatterns.api.effect import Effect, fields_touching
from podpatterns.api.invalid import ERRORS_KEPT
from podpatterns.api.kinds import MODELS
from podpatterns.api.model import Model
from podpatterns.api.names import GROUP, KINDS, Kind
from podpatterns.api.policy.manifest import manifests, rule
from podpatterns.compose.admission import adapterrules, ambassadorrules, podrules
from podpatterns.compose.admission.adapterrules import adapter_rules
from podpatterns.compose.admission.ambassadorrules import ambassador_rules
from podpatterns.compose.admission.cel import Variable
from podpatterns.compose.admission.containers import container_variables
from podpatterns.compose.admission.podrules import pod_rules
from podpatterns.compose.admission.warningrules import warning_rules

TOO_LARGE = ("tooManyContainers", "tooManySettings")
"""Rules about the size of a whole Pod."""
WARNINGS_KEPT = 3
"""Warnings of one sort to show."""


def composable() -> list[dict[str, Any]]:
    """Return the policies that refuse objects of which no Pod can be composed, and their bindings."""
    return [manifest for kind in KINDS for manifest in _composable(kind)]


def advice() -> list[dict[str, Any]]:
    """Return the policies that warn of what is possible and unwise, and their bindings."""
    return [manifest for kind in KINDS for manifest in _advice(kind)]


def _composable(kind: Kind) -> Iterator[dict[str, Any]]:
    variables = [*container_variables(kind), *pod_rules(kind)]
    rules = list(podrules.RULES)
    match kind.kind:
        case "Ambassador":
            variables += ambassador_rules()
            rules += ambassadorrules.RULES
        case "Adapter":
            variables += adapter_rules()
            rules += adapterrules.RULES
    # Of too large an object nothing else is asked, which would cost too much.
    found = " + ".join(f"variables.{name}" for name in rules if name not in TOO_LARGE)
    for name in TOO_LARGE:
        if name in rules:
            found = f"variables.{name}.size() > 0 ? variables.{name} : {found}"
    variables.append(Variable("problems", found))
    validation = {
        **_told("problems", ERRORS_KEPT - 1),
        "message": "no Pod can be made of the object: `podpatterns check` says why",
        "reason": str(Reason.INVALID),
    }
    yield from _policy(f"composable-{kind.plural}.{GROUP}", kind, variables, [validation], "Deny")


def _advice(kind: Kind) -> Iterator[dict[str, Any]]:
    rules = warning_rules(kind)
    told = [_told(rule.name, WARNINGS_KEPT) for rule in rules]
    yield from _policy(
        f"advice-{kind.plural}.{GROUP}", kind, [*container_variables(kind), *rules], told, "Warn"
    )


def _told(variable: str, most: int) -> dict[str, str]:
    """Return the validation that tells the first texts of a list, and how many more there are."""
    items = f"variables.{variable}"
    return {
        "expression": f"{items}.size() == 0",
        "messageExpression": (
            f"{items}.slice(0, {items}.size() > {most} ? {most} : {items}.size()).join('; ')"
            f" + ({items}.size() > {most} ? '; and ' + string({items}.size() - {most}) + ' more' : '')"
        ),
    }


def _policy(
    name: str,
    kind: Kind,
    variables: Sequence[Variable],
    validations: Sequence[dict[str, str]],
    action: Literal["Deny", "Warn"],
) -> list[dict[str, Any]]:
    """Return a policy about a kind and its binding.

    It ignores its own failures, such as an object too large for its budget: the operator says the same later.
    """
    return manifests(
        name,
        rules=[rule(GROUP, [kind.plural], ["CREATE", "UPDATE"])],
        conditions={"shapes-pods": _shapes_pods(kind)},
        variables={variable.name: variable.expression for variable in variables},
        validations=validations,
        failure_policy="Ignore",
        action=action,
    )


def _shapes_pods(kind: Kind) -> str:
    """Return the condition that an object is new, or changes in a field of which its Pods are composed.

    So an object from before a rule can be scaled, labelled and collected.
    """
    model = MODELS[kind.kind].model_fields["spec"].annotation
    assert isinstance(model, type)
    assert issubclass(model, Model)
    composed = fields_touching(model, *(effect for effect in Effect if effect is not Effect.POLICY))
    names = sorted(model.model_fields[field].alias or field for field in composed)
    changes = (f"object.spec.?{name} != oldObject.spec.?{name}" for name in names)
    return f"oldObject == null || {' || '.join(changes)}"
