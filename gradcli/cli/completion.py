"""The command completion, and the completions that its script requests at each press of the key."""

from __future__ import annotations

import os
from typing import ClassVar

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    split_arg_string,
)

from gradcli.cli import options
from gradcli.cli.options import CommandLine
from gradcli.cli.output import Output
from gradcli.errors import GradError

VARIABLE = "_GRADCLI_COMPLETE"
"""The environment variable that carries the shell's instruction."""


class Bash(BashComplete):
    """Completion for bash, which splits words at ``=`` and ``:``: the whole line tells what was typed.

    COMP_LINE is the line up to the cursor. A completion replaces the piece of the word after the last break.
    """

    source_template: ClassVar[str] = """\
%(complete_func)s() {
    local IFS=$'\\n' response completion type value
    response=$(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD="$COMP_CWORD" COMP_LINE="${COMP_LINE:0:COMP_POINT}" \\
        %(complete_var)s=bash_complete "$1")
    COMPREPLY=()
    for completion in $response; do
        IFS=',' read -r type value <<< "$completion"
        if [[ $type == file ]]; then
            compopt -o default 2> /dev/null || COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
        elif [[ $type == plain ]]; then
            COMPREPLY+=("$value")
            [[ $value == *= ]] && compopt -o nospace 2> /dev/null
        fi
    done
    return 0
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ.get("COMP_LINE", "")
        if not line.strip() and "\n" in os.environ["COMP_WORDS"]:
            # Asked without a line being edited: words as they are, one a line.
            typed_words = [" ".join(split_arg_string(word)) for word in os.environ["COMP_WORDS"].split("\n")]
            at = int(os.environ["COMP_CWORD"])
            return typed_words[1:at], "".join(typed_words[at : at + 1])
        if not line.strip():
            return super().get_completion_args()
        # A mark at the cursor makes a word of its own where nothing is typed yet.
        *words, typed = split_arg_string(line + "\0")
        return words[1:], typed.removesuffix("\0")

    def format_completion(self, item: CompletionItem) -> str:
        typed = self.get_completion_args()[1] if os.environ.get("COMP_LINE") else ""
        value = typed.partition("=")[2] if typed.startswith("--") else typed
        return f"{item.type},{item.value[max(map(value.rfind, '=:')) + 1 :]}"


class Zsh(ZshComplete):
    """Completion for zsh; no blank follows a value that ends in ``=``."""

    source_template: ClassVar[str] = """\
#compdef %(prog_name)s

%(complete_func)s() {
    local -a response names described bindings
    (( ! $+commands[%(prog_name)s] )) && return 1
    response=("${(@f)$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \\
        %(complete_var)s=zsh_complete %(prog_name)s)}")
    local option=""
    [[ $words[CURRENT] == --*=* ]] && option="${words[CURRENT]%%%%=*}="
    for type key descr in ${response}; do
        if [[ "$type" == "file" ]]; then
            compset -P "$option"
            _path_files -f
        elif [[ "$key" == *"=" ]]; then
            bindings+=("$option$key")
        elif [[ "$descr" == "_" ]]; then
            names+=("$option$key")
        elif [[ "$type" == "plain" ]]; then
            described+=("$key":"$descr")
        fi
    done
    [ -n "$described" ] && _describe -V unsorted described -U
    [ -n "$names" ] && compadd -U -V unsorted -a names
    [ -n "$bindings" ] && compadd -U -V unsorted -S '' -a bindings
    return 0
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""


class Fish(FishComplete):
    """Completion for fish, whose values may hold commas."""

    source_template: ClassVar[str] = """\
function %(complete_func)s
    set -l option (string match -r -- '^--[^=]*=' (commandline -t))
    for completion in (env %(complete_var)s=fish_complete COMP_WORDS=(commandline -cp) \\
            COMP_CWORD=(commandline -t) %(prog_name)s)
        set -l item (string split -m 1 "," -- $completion)
        if test "$item[1]" = file
            for path in (__fish_complete_path "$item[2]")
                echo "$option"$path
            end
        else if test "$item[1]" = plain
            echo "$option"$item[2]
        end
    end
end

complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


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


_SHELLS: dict[str, type[ShellComplete]] = {shell.name: shell for shell in (Bash, Zsh, Fish, PowerShell)}


def _shell(name: str, cli: click.Command) -> ShellComplete | None:
    kind = _SHELLS.get(name)
    return None if kind is None else kind(cli, {}, "gradcli", VARIABLE)


def _script(shell: ShellComplete) -> str:
    # Not source(): it would start a bash process to read its version.
    return shell.source_template % shell.source_vars()


def _print(text: str) -> None:
    with Output() as output:
        output(text.encode())


def answer(instruction: str, cli: click.Command) -> None:
    """Execute an instruction such as ``bash_complete``. Raises GradError for an unknown one."""
    name, _, action = instruction.partition("_")
    shell = _shell(name, cli)
    if shell is None or action not in ("source", "complete"):
        raise GradError(f"{VARIABLE} is '{instruction}', which no shell sets", hint="see: gradcli completion --help")
    if action == "source":
        _print(_script(shell))
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
    _print("".join([f"{shell.format_completion(item)}\n" for item in completions]))


@options.command(
    "completion",
    examples=(
        'eval "$(gradcli completion bash)"',
        'eval "$(gradcli completion zsh)"',
        "gradcli completion fish > ~/.config/fish/completions/gradcli.fish",
        "gradcli completion powershell | Out-String | Invoke-Expression",
    ),
    help="Print the completion script of a shell.",
    params=[click.Argument(["shell"], type=click.Choice(list(_SHELLS)))],
)
def completion(ctx: click.Context, line: CommandLine) -> None:
    shell = _shell(line.shell or "", ctx.find_root().command)
    assert shell is not None
    _print(_script(shell))
