"""`podpatterns completion`: what a shell needs to complete the command."""

from __future__ import annotations

import sys

import click
from click.shell_completion import ShellComplete, get_completion_class

PROGRAM = "podpatterns"
VARIABLE = f"_{PROGRAM.upper()}_COMPLETE"
SHELLS = ("bash", "fish", "zsh")
FILES, NO_FILES = 0, 4
"""What kubectl is told to do if nothing matches: to complete files, or nothing (cobra's directives)."""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion of this command for a shell: source <(podpatterns completion bash).

    That of kubectl podpatterns comes with kubectl's own completion.
    """
    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(ctx.find_root().command, {}, PROGRAM, VARIABLE).source())


def for_kubectl() -> None:
    """Print the completions of `kubectl podpatterns`; kubectl calls this with the words that follow.

    https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/ (kubectl_complete-podpatterns)
    """
    from podpatterns.cli import main  # noqa: PLC0415 (it imports this module)

    *words, last = sys.argv[1:] or [""]
    found = ShellComplete(main, {}, PROGRAM, VARIABLE).get_completions(words, last)
    for item in found:
        if item.type == "plain":
            click.echo(f"{item.value}\t{item.help or ''}".rstrip())
    click.echo(f":{FILES if any(item.type != 'plain' for item in found) else NO_FILES}")
