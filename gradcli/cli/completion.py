"""The command completion, and what the script that it prints asks for at each press of the key."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import ShellComplete, get_completion_class

from gradcli.cli import options
from gradcli.cli.door import emit
from gradcli.errors import GradError

ASKS = "_GRADCLI_COMPLETE"
"""The variable by which a shell asks."""


def _shell(name: str, cli: click.Command) -> ShellComplete | None:
    kind = get_completion_class(name)
    return None if kind is None else kind(cli, {}, "gradcli", ASKS)


def _script(shell: ShellComplete) -> str:
    # Not source(): for bash it would start one to ask for its version.
    return shell.source_template % shell.source_vars()


def answer(instruction: str, cli: click.Command) -> None:
    """Print what ``bash_complete`` and the like ask for. Raises GradError for what no shell asks."""
    name, _, what = instruction.partition("_")
    shell = _shell(name, cli)
    if shell is None or what not in ("source", "complete"):
        raise GradError(f"{ASKS} is '{instruction}', which no shell sets", hint="see: gradcli completion --help")
    if what == "source":
        emit(_script(shell))
        return
    try:
        args, incomplete = shell.get_completion_args()
    except (LookupError, ValueError):
        raise GradError(
            f"{ASKS} is set, but COMP_WORDS and COMP_CWORD do not say what was typed",
            hint=f"unset {ASKS}, or see: gradcli completion --help",
        ) from None
    try:
        found = shell.get_completions(args, incomplete)
    except (GradError, click.ClickException):
        # Nothing goes on after words that are wrong; a message would land in the line being typed.
        found = []
    emit("".join([f"{shell.format_completion(item)}\n" for item in found]))


def _completion(ctx: click.Context, **given: Any) -> None:
    shell = _shell(given["shell"], ctx.find_root().command)
    assert shell is not None
    emit(_script(shell))


def completion() -> click.Command:
    return options.Command(
        "completion",
        examples=(
            'eval "$(gradcli completion bash)"',
            'eval "$(gradcli completion zsh)"',
            "gradcli completion fish > ~/.config/fish/completions/gradcli.fish",
        ),
        help="Print the completion script of a shell.",
        params=[click.Argument(["shell"], type=click.Choice(["bash", "zsh", "fish"]))],
        callback=click.pass_context(_completion),
    )
