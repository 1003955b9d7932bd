"""The command `podpatterns`, also installed as `kubectl-podpatterns`."""

from __future__ import annotations

import click

from podpatterns.cli.crds import crds
from podpatterns.cli.run import run


@click.group()
@click.version_option(package_name="podpatterns")
def main() -> None:
    """Sidecars, ambassadors and adapters for Kubernetes."""


main.add_command(crds)
main.add_command(run)
