"""Images and releases: what `make images`, `make push` and `make release` run."""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
from pathlib import Path

from release import chart, manifests
from release.registry import push, push_platforms
from release.sbom import bill_of_materials
from testbed.cluster import engine
from testbed.cluster.images import EXAMPLES, PRODUCT, VERSION, build_images
from testbed.cluster.progress import step

CHECKSUMS = "SHA256SUMS"


def images(arguments: argparse.Namespace) -> None:
    """build the operator's and the helpers' images in the Docker engine"""
    engine.ensure()
    print(*build_images(*PRODUCT), sep="\n")


def to_registry(arguments: argparse.Namespace) -> None:
    """push the images to REGISTRY, for this machine's platform, or with Docker's Buildx for several"""
    if not arguments.registry:
        raise RuntimeError("which registry? make push REGISTRY=registry.example.com/team")
    engine.ensure()
    if arguments.platforms:
        push_platforms(arguments.registry, arguments.platforms)
    else:
        push(arguments.registry, build_images(*PRODUCT))
    if arguments.examples:
        push(arguments.registry, build_images(*EXAMPLES))


def make(arguments: argparse.Namespace) -> None:
    """write the chart's package, manifests, bills of materials and checksums into DIRECTORY"""
    engine.ensure()
    tags = build_images(*PRODUCT)
    directory: Path = arguments.directory
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.iterdir():
        old.unlink()
    with step("Package the charts, and render them"):
        chart.package(directory)
        (directory / "crds.yaml").write_text(manifests.crds())
        (directory / "install.yaml").write_text(manifests.installation(arguments.registry))
    for tag in tags:
        name = tag.removeprefix("podpatterns/").partition(":")[0]
        with step(f"List what {tag} holds"):
            (directory / f"{name}-{VERSION}.spdx.json").write_text(bill_of_materials(tag))
    made = sorted(directory.iterdir())
    sums = (f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in made)
    (directory / CHECKSUMS).write_text("".join(sums))
    print(*sorted(directory.iterdir()), sep="\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    commands = parser.add_subparsers(required=True)
    commands.add_parser("images", help=images.__doc__).set_defaults(run=images)
    to = commands.add_parser("push", help=to_registry.__doc__)
    to.add_argument("registry", metavar="REGISTRY")
    to.add_argument("--platforms", default="", help="such as linux/amd64,linux/arm64")
    to.add_argument("--examples", action="store_true", help="the images of examples/, too")
    to.set_defaults(run=to_registry)
    release = commands.add_parser("make", help=make.__doc__)
    release.add_argument("directory", metavar="DIRECTORY", type=Path)
    release.add_argument("--registry", default="", help="where install.yaml takes the images from")
    release.set_defaults(run=make)
    arguments = parser.parse_args()
    try:
        arguments.run(arguments)
    except (RuntimeError, TimeoutError, subprocess.CalledProcessError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
