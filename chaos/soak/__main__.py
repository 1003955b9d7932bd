"""`make soak`: one operator, for a long time, at what goes on in a cluster: does it hold on to anything?

python -m chaos.soak --minutes 60 [--from 1]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from chaos.plan import peaceful, plan
from chaos.report import tell
from chaos.scenario import Scenario
from chaos.soak.sample import ENOUGH, Sample, growth, leaks
from chaos.testbed import Testbed, start_testbed
from testbed.cluster.control_plane import COMPONENTS
from testbed.cluster.programs import programs

REPORT_SECONDS = 60.0


def main() -> int:
    arguments = _arguments()
    programs(*COMPONENTS, "helm", "kwok", "kubectl")
    directory = Path(tempfile.mkdtemp(prefix="soak-"))
    with start_testbed(directory) as testbed:
        samples, troubles = _soak(testbed, arguments.minutes * 60, arguments.first)
    if len(samples) < ENOUGH:
        print(f"{len(samples)} samples, too few to tell whether anything grows: it takes {ENOUGH}")
    else:
        grown = ", ".join(f"{what} {100 * by:+.1f} %" for what, by in growth(samples).items())
        print(f"{len(samples)} samples; from the second quarter of the time to the last: {grown}")
    troubles += [f"{what} leaks" for what in leaks(samples)]
    print(f"{'; '.join(troubles)}; logs in {directory}" if troubles else "all well")
    return 1 if troubles else 0


def _soak(testbed: Testbed, seconds: float, first: int) -> tuple[list[Sample], list[str]]:
    """One scenario after another until the time is over or something is wrong; a sample after each."""
    samples: list[Sample] = []
    began = told = time.monotonic()
    for seed in count(first):
        pid = testbed.pid
        result = Scenario(testbed, peaceful(plan(seed)), faults=False).run()
        if not result.clean:
            print(tell(result), flush=True)
            return samples, [f"seed {seed} is not clean"]
        if result.restarts or testbed.pid != pid:
            return samples, [f"the operator ended by itself during seed {seed}"]
        samples.append(Sample.of(pid))
        now = time.monotonic()
        if now - told >= REPORT_SECONDS:
            told = now
            print(f"{(now - began) / 60:.0f} min, {len(samples)} scenarios: {samples[-1]}", flush=True)
        if now - began >= seconds:
            break
    return samples, []


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60, help="how long")
    parser.add_argument("--from", type=int, default=1, dest="first", help="the first seed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
