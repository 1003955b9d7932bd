"""Generated objects through `podpatterns check`: python -m tests.generated --count 100000.

Exit status 1 if one makes it fail, which tells the seed of the object.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from podpatterns.cli.check import judge
from podpatterns.cli.manifests import Manifest
from tests.objects import Writer

SLIPPED = 2
"""One of this many objects has a slip in its form."""


@dataclass
class Outcome:
    good: int = 0
    bad: int = 0
    crashes: list[str] = field(default_factory=list)


def made(seed: int) -> dict[str, Any]:
    """Return the object of a seed."""
    writer = Writer(Random(seed))
    obj = writer.manifest()
    return obj if seed % SLIPPED else writer.slipped(obj)


def run(seeds: Iterable[int]) -> Outcome:
    outcome = Outcome()
    for seed in seeds:
        try:
            findings = judge([Manifest("generated", made(seed))]).findings
        except Exception:
            outcome.crashes.append(f"seed {seed}: {traceback.format_exc()}")
            continue
        if findings:
            outcome.bad += 1
        else:
            outcome.good += 1
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--from", type=int, default=0, dest="first")
    options = parser.parse_args()
    started = time.monotonic()
    outcome = run(range(options.first, options.first + options.count))
    for crash in outcome.crashes:
        print(crash)
    seconds = time.monotonic() - started
    crashed = len(outcome.crashes)
    print(f"{outcome.good} good, {outcome.bad} bad, {crashed} made check fail; {seconds:.0f} s")
    return bool(outcome.crashes)


if __name__ == "__main__":
    sys.exit(main())
