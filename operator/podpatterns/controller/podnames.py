"""Names for Pods of Generated naming."""

import secrets
from collections.abc import Iterator

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels and no look-alikes, as in the names that Kubernetes generates."""
SUFFIX_LENGTH = 5


def fresh_names(prefix: str) -> Iterator[str]:
    while True:
        yield f"{prefix}-{''.join(secrets.choice(ALPHABET) for _ in range(SUFFIX_LENGTH))}"
