"""An event of a watch: one object, changed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    type: Literal["ADDED", "MODIFIED", "DELETED", "LISTED", "UNLISTED"]
    """LISTED: found in a list, at the start or after a gap; when it came into being nobody saw. UNLISTED: no
    longer found in one."""
    version: int
    """The resourceVersion that puts changes of all kinds in one order: that of the change, or of the list."""
    object: Object
