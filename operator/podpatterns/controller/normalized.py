"""JSON as YAML that the API server turns into exactly the JSON that it would write itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""Characters that YAML forbids or takes for line breaks, and that JSON allows as they are (YAML 1.1, 5.1)."""


def yaml_text(body: Mapping[str, Any]) -> str:
    """Return `body` as JSON that is YAML, too: what YAML can't carry as it is, escaped.

    Half a surrogate pair is no character: the server, too, puts U+FFFD in its place.
    """
    text = json.dumps(body, ensure_ascii=False)
    text = _SURROGATE.sub("\ufffd", text)
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
