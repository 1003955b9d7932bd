"""The cluster from the command line: what `make cluster` and `make cluster-delete` run."""

from __future__ import annotations

import argparse
import subprocess
import sys

from testbed.cluster import engine
from testbed.cluster.images import build_images
from testbed.cluster.kind import DIRECTORY, KUBECONFIG, Cluster


def create() -> None:
    """create the kind cluster, or take the one that is there"""
    Cluster().create()
    print(f'export KUBECONFIG={KUBECONFIG} PATH="{DIRECTORY}:$PATH"')


def delete() -> None:
    """delete the kind cluster"""
    if engine.find():
        Cluster().delete()


def images() -> None:
    """build the project's images and load them into the cluster"""
    cluster = Cluster()
    cluster.create()
    cluster.load_images(*build_images())


def engine_stop() -> None:
    """stop the Docker engine that was started for the cluster; one that was there before is left alone"""
    print("stopped" if engine.stop() else "the engine for the cluster doesn't run")


COMMANDS = {"create": create, "delete": delete, "images": images, "engine-stop": engine_stop}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m testbed.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.__doc__)
    try:
        COMMANDS[parser.parse_args().command]()
    except (RuntimeError, TimeoutError, subprocess.CalledProcessError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
