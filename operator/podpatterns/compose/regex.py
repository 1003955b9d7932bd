"""Regular expressions in RE2 syntax, as the adapter reads them: https://github.com/google/re2/wiki/Syntax

Python's own syntax is another: it has look-around and back references, which RE2 can't have, and lacks
(?<name>…) and \\pL. The engine beneath the models, Rust's, is of RE2's kind. Where RE2 takes what that one
may refuse, nothing is said and the adapter judges: \\Q…\\E, \\C, octal characters, braces that stand for
themselves, repeated flags, and brackets, &&, -- and ~~ within a class. It judges counts over 1000 as well,
which RE2 alone refuses.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema

_RE2_ALONE = re.compile(
    r"\\[QC0]|\\[1-7][0-7]|\{(?!\d+(?:,\d*)?\})|\[\^?\]?[^\]]*\[(?!:)|&&|--|~~|\(\?[a-zA-Z-]+\)[*+?{]"
)
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_GROUP = re.compile(r"\(\?P?<([^>=!]+)>")


@lru_cache(maxsize=1024)
def refusal(regex: str) -> str:
    """Why it is no regular expression; empty when it is one, or when only RE2 itself can tell."""
    if _RE2_ALONE.search(regex):
        return ""
    try:
        SchemaValidator(core_schema.str_schema(pattern=regex, regex_engine="rust-regex"))
    except SchemaError as error:
        # The engine shows the place over several lines and ends with the reason.
        return str(error).strip().splitlines()[-1].removeprefix("error: ")
    return ""


def groups(regex: str) -> list[str]:
    """The names of its groups, in their order."""
    return _GROUP.findall(_ESCAPED.sub("", regex))
