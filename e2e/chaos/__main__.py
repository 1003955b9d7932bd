"""`make chaos`: seeded scenarios under faults.

python -m e2e.chaos --seeds 100 [--from 1]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from e2e.chaos.arena import arena
from e2e.chaos.report import tell
from e2e.chaos.scenario import Scenario
from e2e.cluster.control_plane import COMPONENTS
from e2e.cluster.programs import programs


def main() -> int:
    arguments = _arguments()
    programs(*COMPONENTS, "helm", "kwok", "kubectl")
    directory = Path(tempfile.mkdtemp(prefix="chaos-"))
    began, failed = time.monotonic(), []
    with arena(directory) as where:
        for seed in range(arguments.first, arguments.first + arguments.seeds):
            result = Scenario(where, seed).run()
            print(tell(result), flush=True)
            if not result.clean:
                failed.append(seed)
                where.start_afresh()
    took = time.monotonic() - began
    print(f"{arguments.seeds} scenarios in {took:.0f} s, {where.restarts} restarts of the operator")
    print(f"not clean: {failed}; logs in {directory}" if failed else "all clean")
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m e2e.chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=50, help="how many scenarios")
    parser.add_argument("--from", type=int, default=1, dest="first", help="the first seed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
