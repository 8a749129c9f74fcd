"""The shell door: words in, exit code out. The only room that prints, exits or knows a terminal.

Commands are loaded when they are called for: a single point must not wait for the help of all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

import click

from gradcli import __version__, memory, work
from gradcli.cli import options, report
from gradcli.cli.output import Doors
from gradcli.errors import GradError

COMMANDS = {
    "diff": ("diff", "diff", "Values and all partial derivatives, at points or as expressions."),
    "grad": ("grad", "grad", "The vector-Jacobian product, at points or as expressions."),
    "eval": ("diff", "eval_", "Values only."),
    "show": ("show", "show", "Derivatives as expressions, code, formulas and pictures."),
    "check": ("check", "check", "Is this claimed derivative right?"),
    "explain": ("explain", "explain", "How a derivative comes about."),
    "functions": ("about", "functions", "The functions: domains, derivatives, conventions."),
    "completion": ("completion", "completion", "A completion script for bash, zsh or fish."),
    "version": ("about", "version", "Versions of gradcli and of what it stands on."),
    "help": ("about", "help_", "Help on a command or a topic."),
}
EXAMPLES = (
    'gradcli diff "x**2" --order 2 --grid 3x4',
    'gradcli diff "exp(-x)*sin(y)" --at x=1,y=2',
    'gradcli diff "sin(x)/x" --grid x=0.1:2*pi:101 --csv',
    'gradcli diff "a*exp(-b*t)" --wrt a,b --input runs.csv --keep -o sensitivities.csv',
)


class Group(click.Group):
    """The commands by name, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, short = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"gradcli.cli.{module}"), attribute)()
        command.short_help = short
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(name, COMMANDS, 1)
            hint = f"did you mean '{close[0]}'?" if close else "see: gradcli --help"
            if not name.isidentifier():
                hint = f'to differentiate it: gradcli diff "{name}"'
            raise GradError(f"No such command: {name}", hint=hint)
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options.format_examples(EXAMPLES, formatter)
        super().format_help(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, _, short) in COMMANDS.items()])


def _show_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from gradcli.cli.door import emit

        emit(f"gradcli {__version__}\n")
        ctx.exit()


def group() -> Group:
    return Group(
        "gradcli",
        help="Exact derivatives of expressions, of any order, over any grid of points.",
        params=[
            options.help_option(),
            click.Option(
                ["-V", "--version"], is_flag=True, is_eager=True, expose_value=False, callback=_show_version,
                help="Show the version.",
            ),
        ],
        add_help_option=False,
        no_args_is_help=False,
        invoke_without_command=True,
        callback=click.pass_context(_alone),
    )  # fmt: skip


def _alone(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        raise GradError("no command given", hint="see: gradcli --help")


def run(args: Sequence[str]) -> int:
    """Do what the words say; return the exit code. Never raises, but may end by a signal."""
    debug, color, doors = False, None, None
    try:
        doors = Doors()
        debug = "--debug" in args or os.environ.get("GRADCLI_DEBUG", "") not in ("", "0")
        color = _color(args)
        if asked := os.environ.get("_GRADCLI_COMPLETE"):
            from gradcli.cli.completion import answer

            answer(asked, group())
            return 0
        cli = group()
        with cli.make_context("gradcli", list(args), obj=doors) as ctx, work.request():
            cli.invoke(ctx)
        return 0
    except click.exceptions.Exit as e:
        return e.exit_code
    except Exception as e:
        if debug and not isinstance(e, click.ClickException):
            import traceback

            traceback.print_exc()
        if doors is not None and doors.whole:
            # What failed is a note, or tidying up: the result is all there.
            with suppress(Exception):
                report.note(f"after the result: {_explained(e).message}", color)
            return doors.code
        found = _explained(e)
        report.error(found, color)
        return found.exit_code


def _color(args: Sequence[str]) -> str | None:
    """The colour of errors, which may come before the options are read."""
    for k, word in enumerate(args):
        if word == "--color" and k + 1 < len(args):
            return args[k + 1]
        if word.startswith("--color="):
            return word.removeprefix("--color=")
    return os.environ.get("GRADCLI_COLOR")


def _explained(e: Exception) -> GradError:
    """Any exception as the error to report."""
    if isinstance(e, GradError):
        return e
    if isinstance(e, click.NoSuchOption):
        return _no_such_option(e)
    if isinstance(e, click.UsageError):
        message, hint = e.format_message().rstrip("."), f"see: {e.ctx.command_path if e.ctx else 'gradcli'} --help"
        param = e.param if isinstance(e, click.BadParameter) else None
        if param is not None and param.name is not None and e.ctx is not None:
            source = e.ctx.get_parameter_source(param.name)
            if source is click.core.ParameterSource.ENVIRONMENT:
                hint = f"it comes from the environment: {param.envvar}"
        return GradError(message, hint=hint)
    if isinstance(e, click.ClickException):
        return GradError(e.format_message())
    if memory.lacking(e):
        return GradError("out of memory", exit_code=3)
    if isinstance(e, RuntimeError) and "can't start new thread" in str(e):
        return GradError("there is no room for another thread", hint="ask for fewer: --threads 1", exit_code=3)
    if isinstance(e, OSError) and e.filename is not None:
        return GradError(f"{e.filename}: {e.strerror}", exit_code=3)
    words = f"{type(e).__name__}: {e}".splitlines()[0][:300]
    if isinstance(e, ImportError):
        return GradError(f"a library cannot be loaded: {words}", exit_code=3)
    return GradError(f"internal error: {words}", hint="--debug shows where", exit_code=3)


def _no_such_option(e: click.NoSuchOption) -> GradError:
    name = e.option_name
    hint = f"see: {e.ctx.command_path if e.ctx else 'gradcli'} --help"
    known = [s for p in (e.ctx.command.params if e.ctx else []) for s in p.opts if s.startswith("--")]
    if name.startswith("--"):
        from difflib import get_close_matches

        close = get_close_matches(name, known, 1)
        if close:
            hint = f"did you mean {close[0]}?"
    else:
        typed = next((w for w in sys.argv[1:] if w.startswith(name) and not w.startswith("--")), name)
        hint = f'an expression that starts with "-" goes in brackets, "({typed})", or after --'
    return GradError(f"No such option: {name}", hint=hint)
