"""JMESPath expressions, as the adapter reads them: https://jmespath.site

The adapter knows more than JMESPath's first specification, which is what the library here reads: arithmetic,
variables, the root node. Where an expression may be of that kind, nothing is said and the adapter judges.
"""

from __future__ import annotations

import json
import re
import warnings
from functools import lru_cache

import jmespath
from jmespath.exceptions import JMESPathError

_QUOTED = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`((?:\\.|[^`\\])*)`""", re.DOTALL)
_COMMUNITY_ALONE = re.compile(r"[$+/%=×÷−-]|(?<![.\[])\*|\blet\b")  # noqa: RUF001 (the operators)
_COMPARED = re.compile(r"[!=<>]=")


@lru_cache(maxsize=1024)
def refusal(expression: str) -> str:
    """Why it is no JMESPath expression; empty when it is one, or when only the adapter can tell."""
    if _COMMUNITY_ALONE.search(_COMPARED.sub(" < ", _QUOTED.sub(" a ", expression))):
        return ""
    for quoted in _QUOTED.finditer(expression):
        literal = quoted[1]
        if literal is not None and not _is_json(literal.replace("\\`", "`")):
            return f"the literal {quoted[0]} is not JSON"
    try:
        with warnings.catch_warnings(action="ignore"):  # the library's way with literals that are not JSON
            jmespath.compile(expression)
    except JMESPathError as error:
        return _reason(str(error))
    except RecursionError:  # the adapter's parser goes deeper
        return ""
    return ""


def _reason(message: str) -> str:
    """The library's, without the place, which it shows on further lines."""
    first = message.splitlines()[0].removesuffix(":").removesuffix(", for expression")
    return re.sub(r"^(Invalid|Bad) jmespath expression: ", "", first)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
