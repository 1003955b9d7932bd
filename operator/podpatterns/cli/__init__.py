"""The command `podpatterns`, also installed as `kubectl-podpatterns`."""

from __future__ import annotations

import click

from podpatterns.cli.check import check
from podpatterns.cli.conditions import conditions
from podpatterns.cli.crds import crds
from podpatterns.cli.diff import diff
from podpatterns.cli.history import history
from podpatterns.cli.rollback import rollback
from podpatterns.cli.run import run


@click.group()
@click.version_option(package_name="podpatterns")
def main() -> None:
    """Sidecars, ambassadors and adapters for Kubernetes."""


for command in (check, conditions, crds, diff, history, rollback, run):
    main.add_command(command)
