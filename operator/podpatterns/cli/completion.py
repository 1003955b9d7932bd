"""`podpatterns completion`: what a shell needs to complete the command."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

PROGRAM = "podpatterns"
SHELLS = ("bash", "fish", "zsh")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion of this command for a shell: source <(podpatterns completion bash)."""
    found = get_completion_class(shell)
    assert found is not None
    whole = ctx.find_root().command
    click.echo(found(whole, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE").source())
