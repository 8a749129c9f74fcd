"""The command line: takes arguments, returns an exit code. Only this package prints, exits or knows a terminal.

A command's module is imported when the command is called, which keeps start-up short.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

import click

from gradcli import __version__
from gradcli.cli import options, stderr
from gradcli.cli.destinations import Outputs
from gradcli.errors import GradError, meant
from gradcli.limits import memory, work

COMMANDS = {
    "diff": ("diff", "diff", "Values and all partial derivatives, at points or as expressions."),
    "grad": ("grad", "grad", "The vector-Jacobian product, at points or as expressions."),
    "eval": ("eval", "eval_", "Values only."),
    "propagate": ("propagate", "propagate", "Measurement uncertainty: results with budgets, by the GUM."),
    "show": ("show", "show", "Derivatives as expressions, code, formulas and pictures."),
    "plot": ("plot", "plot", "Pictures of curves and surfaces, in the terminal or in a file."),
    "bounds": ("bounds", "bounds", "Least and greatest values over a box, proved."),
    "tangent": ("tangent", "tangent", "Tangent lines and planes, and normal lines."),
    "taylor": ("taylor", "taylor", "Taylor polynomials, exact, with proved error bounds."),
    "implicit": ("implicit", "implicit", "Derivatives of y where an equation defines it."),
    "study": ("study", "study", "Domain, zeros, poles, extrema and inflections over a range, proved."),
    "parts": ("parts", "parts", "What a folder of parts holds: rows, done, missing, broken."),
    "check": ("check", "check", "Is this claimed derivative right?"),
    "explain": ("explain", "explain", "How a derivative comes about."),
    "functions": ("info", "functions", "The functions: domains, derivatives, conventions."),
    "completion": ("completion", "completion", "A completion script for bash, zsh, fish or PowerShell."),
    "version": ("info", "version", "Versions of gradcli and of what it stands on."),
    "help": ("info", "help_", "Help on a command or a topic."),
}
EXIT_CODES = {
    0: "done; values that are not finite are results, counted in one line on stderr",
    1: "the answer is no: --strict met a value that is not finite, --kink error a kink or a hole, check found a claim "
    "that is wrong, there is no tangent, series or implicit function at the point, a folder of parts is not whole",
    2: "what was given is wrong: options, expression, points, input data, a limit exceeded",
    3: "could not finish: write error, full disk, closed stdout, out of memory, internal error",
    130: "died by SIGINT",
    141: "died by SIGPIPE: the reader left",
    143: "died by SIGTERM",
}
EXAMPLES = (
    'gradcli diff "x**2" --order 2 --grid 3x4',
    'gradcli diff "exp(-x)*sin(y)" --at x=1,y=2',
    'gradcli diff "sin(x)/x" --grid x=0.1:2*pi:101 --csv',
    'gradcli diff "a*exp(-b*t)" --wrt a,b --input runs.csv --keep -o sensitivities.csv',
)


class Group(click.Group):
    """The group of commands, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, short = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"gradcli.cli.{module}"), attribute)
        command.short_help = short
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from gradcli.cli.topics import TASKS

            hint = TASKS.get(name.lower()) or meant(name, list(COMMANDS), "the commands are")
            if not name.isidentifier():
                hint = f'to differentiate it: gradcli diff "{name}"'
            raise GradError(f"No such command: {name}", hint=hint)
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        return options.help_text(ctx, EXAMPLES, self.format_help)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, _, short) in COMMANDS.items()])


def group() -> Group:
    return Group(
        "gradcli",
        help="Exact derivatives of expressions, of any order, over any grid of points.",
        params=[
            options.help_option(),
            options.shows("-V", "--version", text=lambda _: f"gradcli {__version__}", help="Show the version."),
        ],
        add_help_option=False,
        no_args_is_help=False,
        invoke_without_command=True,
        callback=click.pass_context(_alone),
    )


def _alone(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        assert isinstance(ctx.command, Group)
        stderr.error(GradError("no command given", hint="see: gradcli --help"), os.environ.get("GRADCLI_COLOR"))
        stderr.tell(
            options.help_text(ctx, EXAMPLES, ctx.command.format_commands, sys.stderr).replace("\n\n\n", "\n\n") + "\n"
        )
        ctx.exit(2)


def run(args: Sequence[str]) -> int:
    """Run a command line and return its exit code. Never raises; a signal may end the process."""
    debug, color, outputs = False, None, None
    try:
        outputs = Outputs()
        debug = "--debug" in args or os.environ.get("GRADCLI_DEBUG", "") not in ("", "0")
        color = _value(args, "--color")
        if instruction := os.environ.get("_GRADCLI_COMPLETE"):
            from gradcli.cli.completion import answer

            answer(instruction, group())
            return 0
        cli = group()
        with cli.make_context("gradcli", list(args), obj=outputs) as ctx, work.request():
            cli.invoke(ctx)
        return 0
    except click.exceptions.Exit as e:
        return e.exit_code
    except Exception as e:
        if debug and not isinstance(e, click.ClickException):
            import traceback

            traceback.print_exc()
        if outputs is not None and outputs.complete:
            # The result is written completely; only a note or the cleanup failed.
            with suppress(Exception):
                stderr.note(f"after the result: {_explained(e).message}", color)
            return outputs.code
        explained = _explained(e)
        stderr.error(explained, color)
        if args and args[0] == "check":
            from gradcli.cli.check_report import tell_failure

            with suppress(Exception):
                tell_failure(explained, args, _value(args, "--junit"), _flag(args, "--github"), _flag(args, "--json"))
        return explained.exit_code


def _value(args: Sequence[str], option: str) -> str | None:
    """The value of an option for errors that occur before the options are parsed."""
    for k, word in enumerate(args):
        if word == option and k + 1 < len(args):
            return args[k + 1]
        if word.startswith(f"{option}="):
            return word.removeprefix(f"{option}=")
    return os.environ.get("GRADCLI_" + option.strip("-").upper())


def _flag(args: Sequence[str], option: str) -> bool:
    return option in args or os.environ.get("GRADCLI_" + option.strip("-").upper(), "0") not in ("", "0")


def _explained(e: Exception) -> GradError:
    """The GradError to report for any exception."""
    if isinstance(e, GradError):
        return e
    if isinstance(e, click.UsageError):
        hint = f"see: {e.ctx.command_path if e.ctx else 'gradcli'} --help"
        if isinstance(e, click.NoSuchOption):
            return _no_such_option(e, hint)
        param = e.param if isinstance(e, click.BadParameter) else None
        if param is not None and param.name is not None and e.ctx is not None:
            source = e.ctx.get_parameter_source(param.name)
            if source is click.core.ParameterSource.ENVIRONMENT:
                hint = f"it comes from the environment: {param.envvar}"
        # A missing argument has its choices on lines of their own.
        text = re.sub(r":?\s*\n\s*", " ", e.format_message(), count=1)
        return GradError(re.sub(r"\n\s*", " ", text).rstrip("."), hint=hint)
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


_OPTIONS = {
    word: option
    for words, option in (
        ("point points value values", "at"), ("var vars variable variables", "wrt"), ("precision", "digits"),
        ("sep separator", "delimiter"), ("out outfile", "output"), ("deriv derivative degree", "order"),
    )
    for word in words.split()
}  # fmt: skip
"""Options as people call them, and what they are here."""


def _option_meant(name: str, known: Sequence[str]) -> str | None:
    """The hint for an option that a command does not have, both without dashes at the beginning."""
    from gradcli.cli.topics import TASKS

    names = [option.removeprefix("--") for option in known]
    if _OPTIONS.get(name) in names:
        return f"did you mean --{_OPTIONS[name]}?"
    near = meant(name, names, "", lambda option: f"--{option}")
    if near.endswith("?"):
        return near
    takers = takers_of(name)
    return f"that is an option of gradcli {', '.join(takers)}" if takers else TASKS.get(name)


def takers_of(option: str) -> list[str]:
    """The commands that have an option, which is given without dashes at the beginning."""
    context = click.Context(group())
    commands = [(word, group().get_command(context, word)) for word in COMMANDS]
    return [word for word, command in commands if command and any(f"--{option}" in p.opts for p in command.params)]


def _no_such_option(e: click.NoSuchOption, hint: str) -> GradError:
    name = e.option_name
    known = [s for p in (e.ctx.command.params if e.ctx else []) for s in p.opts if s.startswith("--")]
    if name.startswith("--"):
        hint = _option_meant(name.removeprefix("--"), known) or hint
    else:
        typed = next((w for w in sys.argv[1:] if w.startswith(name) and not w.startswith("--")), name)
        hint = f'an expression that starts with "-" goes in brackets, "({typed})", or after --'
    return GradError(f"No such option: {name}", hint=hint)
