"""The command `podpatterns`, also installed as `kubectl-podpatterns`."""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = (
    "check",
    "completion",
    "conditions",
    "crds",
    "diff",
    "history",
    "kustomize",
    "logs",
    "policies",
    "render",
    "replace",
    "restart",
    "rollback",
    "run",
    "status",
    "tree",
)
"""Each has a module of its name, which is imported when it is asked for: most need what is slow to import."""


class Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"podpatterns.cli.{cmd_name}"), cmd_name)
        return command


@click.group(cls=Commands)
@click.version_option(package_name="podpatterns")
def main() -> None:
    """Sidecars, ambassadors and adapters for Kubernetes."""
