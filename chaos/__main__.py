"""`make chaos`: seeded scenarios under faults.

python -m chaos --seeds 100 [--from 1] [--at-once 4]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import as_completed
from pathlib import Path

from chaos.report import tell
from chaos.workers import AT_ONCE, workers
from testbed.cluster.control_plane import COMPONENTS
from testbed.cluster.programs import programs


def main() -> int:
    arguments = _arguments()
    programs(*COMPONENTS, "helm", "kwok", "kubectl")
    directory = Path(tempfile.mkdtemp(prefix="chaos-"))
    began, restarts, failed = time.monotonic(), 0, []
    with workers(directory, min(arguments.at_once, arguments.seeds)) as run:
        for scenario in as_completed([run(arguments.first + number) for number in range(arguments.seeds)]):
            result = scenario.result()
            print(tell(result), flush=True)
            restarts += result.restarts
            if not result.clean:
                failed.append(result.plan.seed)
    took = time.monotonic() - began
    print(f"{arguments.seeds} scenarios in {took:.0f} s, {restarts} restarts of the operator")
    print(f"not clean: {sorted(failed)}; logs in {directory}" if failed else "all clean")
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=50, help="how many scenarios")
    parser.add_argument("--from", type=int, default=1, dest="first", help="the first seed")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="how many at a time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
