"""A quiet tenant's Pods alone and beside a hostile tenant: p50, p99 and how many times as long.

python -m bench.isolation [--rounds 3] [--samples 34] [--only ATTACK]... [--without ATTACK]...
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from pathlib import Path

from bench.isolation.duel import duel
from bench.isolation.tenant import ATTACKS
from bench.testbed import start_testbed
from testbed.cluster.control_plane import COMPONENTS
from testbed.cluster.programs import programs
from testbed.cluster.progress import step


def main() -> None:
    arguments = _arguments()
    programs(*COMPONENTS, "kwok", "kubectl")
    attacks = [name for name in arguments.only or ATTACKS if name not in (arguments.without or ())]
    with step("python -m bench.isolation"):
        asyncio.run(_run(arguments.rounds, arguments.samples, attacks))
    print(f"\n{os.cpu_count()} cores; load average {os.getloadavg()[0]:.1f}; attacks: {', '.join(attacks)}")


async def _run(rounds: int, samples: int, attacks: list[str]) -> None:
    """Shows what is known after each round."""
    with tempfile.TemporaryDirectory(prefix="isolation-") as directory:
        async with start_testbed(Path(directory)) as testbed:
            with testbed.operator.kept_running():
                async for result in duel(testbed, rounds, samples, attacks):
                    print(result, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.isolation", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="each alone and under attack")
    parser.add_argument("--samples", type=int, default=34, help="Pods deleted in each half of a round")
    for option, meaning in (("--only", "only this attack"), ("--without", "all attacks but this")):
        parser.add_argument(option, action="append", choices=ATTACKS, help=f"{meaning}; may be repeated")
    return parser.parse_args()


if __name__ == "__main__":
    main()
