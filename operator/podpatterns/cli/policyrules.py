"""The policies about one object, evaluated without a server by the engine of CEL's makers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from ipaddress import ip_address
from typing import Any

from podpatterns.api import FieldError, Pattern
from podpatterns.api.names import BY_KIND, GROUP
from podpatterns.cli.error import without_check
from podpatterns.compose.admission import advice, composable
from podpatterns.compose.admission.warningrules import warning_rules

_EXTENSIONS = ("optional", "two-var-comprehensions", "lists", "strings", "sets")
"""What Kubernetes adds to CEL, as far as policies use it."""


@cache
def policy_of(subject: str, kind: str) -> Mapping[str, Any]:
    """Return the policy of a subject, composable or advice, about a kind."""
    manifests = {"composable": composable, "advice": advice}[subject]()
    name = f"{subject}-{BY_KIND[kind].plural}.{GROUP}"
    return next(m for m in manifests if m["metadata"]["name"] == name)


_INDEX_OF = "listIndexOf"


def advised(app: Pattern) -> list[FieldError]:
    """Return what the API server would warn of."""
    found = _evaluated(policy_of("advice", app.kind), app.manifest())
    lines = [line for rule in warning_rules(BY_KIND[app.kind]) for line in found["variables"][rule.name]]
    return [FieldError(path, message) for path, _, message in (line.partition(": ") for line in lines)]


def refusals(policy: Mapping[str, Any], obj: Mapping[str, Any]) -> Iterator[str]:
    """Yield the messages with which a policy without parameters refuses a new object, or warns of it."""
    data = _evaluated(policy, obj)
    for validation in policy["spec"]["validations"]:
        if not _value(validation["expression"], data):
            yield str(_value(validation["messageExpression"], data))


def _evaluated(policy: Mapping[str, Any], obj: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object and the variables of a policy about it."""
    data: dict[str, Any] = {"object": obj, "variables": {}}
    for variable in policy["spec"]["variables"]:
        data["variables"][variable["name"]] = _value(variable["expression"], data)
    return data


def _value(expression: str, data: Mapping[str, Any]) -> Any:
    found = _program(expression).eval(data=data)
    if found.type().name() == "ERROR":
        raise RuntimeError(f"{found.plain_value()}: {expression}")
    return found.plain_value()


@cache
def _program(expression: str) -> Any:
    # The engine has a function of this name for texts, and lets none be added for lists.
    return _engine().compile(expression.replace(".indexOf(", f".{_INDEX_OF}("))


def _is_ip(address: str) -> bool:
    try:
        ip_address(address)
    except ValueError:
        return False
    return True


@cache
def _engine() -> Any:
    try:
        # 50 MB that only this needs, and the operator does not.
        from cel_expr_python import cel  # noqa: PLC0415
    except ImportError:
        raise without_check() from None
    extensions = "\n".join(f"- name: {name}" for name in _EXTENSIONS)
    items = cel.Type.List(cel.Type.DYN)
    index_of = cel.FunctionDecl(
        _INDEX_OF,
        [
            cel.Overload(
                "list_index_of",
                return_type=cel.Type.INT,
                parameters=[items, cel.Type.STRING],
                is_member=True,
                impl=lambda values, value: values.index(value) if value in values else -1,
            )
        ],
    )
    is_ip = cel.FunctionDecl(
        "isIP",
        [cel.Overload("is_ip_string", return_type=cel.Type.BOOL, parameters=[cel.Type.STRING], impl=_is_ip)],
    )
    return cel.NewEnv(
        config=cel.NewEnvConfigFromYaml(f"name: policies\nextensions:\n{extensions}\n"),
        variables={"object": cel.Type.DYN, "variables": cel.Type.DYN},
        functions=[is_ip, index_of],
    )
