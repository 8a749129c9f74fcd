"""The command completion, and the completions that its script requests at each press of the key."""

from __future__ import annotations

import os
from typing import ClassVar

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

from gradcli.cli import options
from gradcli.cli.options import CommandLine
from gradcli.cli.output import emit
from gradcli.errors import GradError

VARIABLE = "_GRADCLI_COMPLETE"
"""The environment variable that carries the shell's instruction."""


class PowerShell(ShellComplete):
    """Completion for PowerShell, which click does not support.

    COMP_WORDS holds the words before the cursor, one per line; COMP_CWORD the word at the cursor. PowerShell completes
    file names itself if no completion is offered.
    """

    name: ClassVar[str] = "powershell"
    source_template: ClassVar[str] = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $before = $commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition }
    $text = [System.Management.Automation.Language.StringConstantExpressionAst]
    $env:COMP_WORDS = ($before | ForEach-Object { if ($_ -is $text) { $_.Value } else { $_.Extent.Text } }) -join "`n"
    $env:COMP_CWORD = $wordToComplete
    $env:%(complete_var)s = "powershell_complete"
    try {
        %(prog_name)s | ForEach-Object {
            $type, $value, $help = $_ -split "`t", 3
            if ($type -eq "plain") {
                $tip = if ($help) { $help } else { $value }
                [System.Management.Automation.CompletionResult]::new($value, $value, "ParameterValue", $tip)
            }
        }
    } finally {
        Remove-Item Env:COMP_WORDS, Env:COMP_CWORD, Env:%(complete_var)s -ErrorAction SilentlyContinue
    }
}
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        # PowerShell removes a variable that is set to the empty string, so COMP_CWORD may be missing.
        return os.environ["COMP_WORDS"].splitlines()[1:], os.environ.get("COMP_CWORD", "")

    def format_completion(self, item: CompletionItem) -> str:
        return f"{item.type}\t{item.value}\t{item.help or ''}"


def _shell(name: str, cli: click.Command) -> ShellComplete | None:
    kind = PowerShell if name == PowerShell.name else get_completion_class(name)
    return None if kind is None else kind(cli, {}, "gradcli", VARIABLE)


def _script(shell: ShellComplete) -> str:
    # Not source(): it would start a bash process to read its version.
    return shell.source_template % shell.source_vars()


def answer(instruction: str, cli: click.Command) -> None:
    """Execute an instruction such as ``bash_complete``. Raises GradError for an unknown one."""
    name, _, action = instruction.partition("_")
    shell = _shell(name, cli)
    if shell is None or action not in ("source", "complete"):
        raise GradError(f"{VARIABLE} is '{instruction}', which no shell sets", hint="see: gradcli completion --help")
    if action == "source":
        emit(_script(shell))
        return
    try:
        args, incomplete = shell.get_completion_args()
    except (LookupError, ValueError):
        raise GradError(
            f"{VARIABLE} is set, but COMP_WORDS and COMP_CWORD do not say what was typed",
            hint=f"unset {VARIABLE}, or see: gradcli completion --help",
        ) from None
    try:
        completions = shell.get_completions(args, incomplete)
    except (GradError, click.ClickException):
        # The words before the cursor are invalid. No message: it would be printed into the line being typed.
        completions = []
    emit("".join([f"{shell.format_completion(item)}\n" for item in completions]))


@options.command(
    "completion",
    examples=(
        'eval "$(gradcli completion bash)"',
        'eval "$(gradcli completion zsh)"',
        "gradcli completion fish > ~/.config/fish/completions/gradcli.fish",
        "gradcli completion powershell | Out-String | Invoke-Expression",
    ),
    help="Print the completion script of a shell.",
    params=[click.Argument(["shell"], type=click.Choice(["bash", "zsh", "fish", PowerShell.name]))],
)
def completion(ctx: click.Context, line: CommandLine) -> None:
    shell = _shell(line.shell or "", ctx.find_root().command)
    assert shell is not None
    emit(_script(shell))
