"""`make bench`: the operator beside ReplicaSet and StatefulSet, on one API server; redis-ambassador too.

python -m bench [--quick] [--only NAME]...
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.benches import Benches
from bench.redis import redis
from bench.row import table
from bench.size import FULL, QUICK
from bench.testbed import start_testbed
from testbed.cluster.control_plane import COMPONENTS
from testbed.cluster.programs import programs
from testbed.cluster.progress import step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.row import Row
    from bench.size import Size

REDIS = "redis"
"""The bench that needs no API server."""
NAMES = (*Benches.NAMES, REDIS)
RESULTS = Path(__file__).parents[1] / ".bench" / "results.json"


def main() -> None:
    arguments = _arguments()
    names = arguments.only or NAMES
    if any(name != REDIS for name in names):
        programs(*COMPONENTS, "kwok", "kubectl")
    with step("make bench"):
        asyncio.run(_run(names, QUICK if arguments.quick else FULL))
    results = json.loads(RESULTS.read_text())
    loads = results["load_average"]
    print(f"\n{results['cores']} cores; load average from {min(loads):.1f} to {max(loads):.1f}")


async def _run(names: Sequence[str], size: Size) -> None:
    """Run the benches; the rows so far are kept after each."""
    rows: list[Row] = []
    loads = [os.getloadavg()[0]]

    def show(new: list[Row]) -> None:
        rows.extend(new)
        loads.append(os.getloadavg()[0])
        _keep(rows, loads)
        print(table(new), end="\n\n", flush=True)

    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        if REDIS in names:
            with step(REDIS):
                show(await redis(Path(directory), size.rounds))
        if operators := [name for name in names if name != REDIS]:
            async with start_testbed(Path(directory)) as testbed:
                benches = Benches(testbed, size)
                for name in operators:
                    with step(name):
                        show(await benches.run(name))


def _keep(rows: Sequence[Row], loads: Sequence[float]) -> None:
    """`loads` are the load averages over a minute, before and after each bench."""
    RESULTS.parent.mkdir(exist_ok=True)
    shown = {"load_average": loads, "cores": os.cpu_count(), "rows": [row.as_json() for row in rows]}
    RESULTS.write_text(json.dumps(shown, indent=2, ensure_ascii=False) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small size, for trying it out")
    parser.add_argument("--only", action="append", choices=NAMES, help="only this; may be repeated")
    return parser.parse_args()


if __name__ == "__main__":
    main()
