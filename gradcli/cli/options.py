"""The options, each declared once, and the command class that reads them as cli users expect of expressions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import click

from gradcli.errors import GradError
from gradcli.formats import FORMATS, by_suffix

# What no option's value begins with makes -n*x an expression although -n is an option.
_OPERATORS = ("*", "^", "%")
# After the minus: a number or bracket, or a name that goes on with an operator, a bracket or a blank.
_ARITHMETIC = re.compile(r"-\s*(?:[0-9.(]|(?:[A-Za-z_][A-Za-z0-9_]*|`[^`]*`)\s*(?:[-+*/%^(<>!;\s]|==))")
_WHOLE = re.compile(r"[0-9]{1,18}|[0-9]{1,18}(\.[0-9]{1,18})?[eE]\+?[0-9]{1,2}")
SWITCHES = ("csv", "tsv", "json", "jsonl")
"""Formats that are options of their own."""
_OPERAND = "\0"
"""Marks a word that click must not take for an option; no argument of a process can contain it."""


def count(text: str) -> int:
    """A whole number from 1, which may be written 1e6."""
    if _WHOLE.fullmatch(text):
        found = int(text) if text.isdigit() else float(text)
        if found >= 1 and found == int(found):
            return int(found)
    raise click.BadParameter(f"'{text}' is not a whole number from 1, such as 1000000 or 1e6")


class Command(click.Command):
    """A command whose help starts with examples, and to which ``-x**2`` is an operand."""

    def __init__(self, name: str, *, examples: Sequence[str], callback: Callable[..., Any], help: str,
                 params: Sequence[click.Parameter]) -> None:  # fmt: skip
        super().__init__(name, callback=callback, help=help, params=[*params, *common()], add_help_option=False)
        self.examples = examples

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, self._marked(list(args)))

    def _marked(self, args: list[str]) -> list[str]:
        """The words, with those that are expressions starting with a minus marked as operands."""
        takes = {
            spelled: not option.is_flag
            for option in self.params
            if isinstance(option, click.Option)
            for spelled in option.opts
        }
        k = 0
        while k < len(args) and args[k] != "--":
            word = args[k]
            if word.startswith("---"):
                args[k] = _OPERAND + word
            elif word.startswith("--"):
                k += takes.get(word, False)
            elif word.startswith("-") and len(word) > 1:
                if word[:2] in takes and word[2:3] not in _OPERATORS:
                    # Flags may be bundled, the last one may take the next word.
                    flags = 1
                    while flags < len(word) - 1 and not takes.get("-" + word[flags], True):
                        flags += 1
                    k += takes.get("-" + word[flags], False) and flags == len(word) - 1
                elif _ARITHMETIC.match(word):
                    args[k] = _OPERAND + word
            k += 1
        return args

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        format_examples(self.examples, formatter)
        super().format_help(ctx, formatter)


def format_examples(examples: Sequence[str], formatter: click.HelpFormatter) -> None:
    with formatter.section("Examples"):
        for line in examples:
            formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
    formatter.write_paragraph()


def table_or_json(given: dict[str, Any], what: str) -> str:
    """The one of these two that is asked for, by switch, by --format or by suffix. Raises GradError for another."""
    path = None if given["output"] == "-" else given["output"]
    form: str = "json" if given["json"] else given["format"] or ("table" if path is None else by_suffix(path).name)
    if form not in ("table", "json"):
        raise GradError(f"{what} are told as table or json, not as {form}")
    return form


def operands(words: Sequence[str]) -> list[str]:
    """The words as they were typed."""
    found = [w.removeprefix(_OPERAND) for w in words]
    for word in found:
        if not word.isascii() and any("\ud800" <= c <= "\udfff" for c in word):
            raise GradError("the expression is not UTF-8")
    return found


def _show_help(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from gradcli.cli.door import emit

        emit(ctx.get_help() + "\n")
        ctx.exit()


def option(*spelled: str, **attributes: Any) -> click.Option:
    """An option that can also come from the environment: --max-points as GRADCLI_MAX_POINTS."""
    longest = max(spelled, key=len)
    if longest.startswith("--"):
        attributes.setdefault("envvar", "GRADCLI_" + longest.strip("-").replace("-", "_").upper())
    return click.Option(list(spelled), **attributes)


def help_option() -> click.Option:
    return click.Option(
        ["-h", "--help"], is_flag=True, is_eager=True, expose_value=False, callback=_show_help, help="Show this help."
    )


def common() -> list[click.Parameter]:
    return [
        option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour the output."),
        option("-q", "--quiet", is_flag=True, help="No notes on stderr."),
        option("--debug", is_flag=True, help="Show the traceback of an error."),
        help_option(),
    ]


def expressions() -> list[click.Parameter]:
    return [
        click.Argument(["expr"], nargs=-1, metavar="EXPR..."),
        option(
            "-f", "--file", multiple=True, metavar="FILE", help="Read expressions from FILE, one a line; - is stdin."
        ),
    ]


def derivatives() -> list[click.Parameter]:
    return [
        option("-n", "--order", type=int, default=1, help="Highest total order of derivatives.", show_default=True),
        _wrt("-w", "--wrt"),
        _allow_unused(),
    ]


def _wrt(*spelled: str) -> click.Option:
    return option(
        *spelled, "wrt", multiple=True, metavar="X,Y", envvar="GRADCLI_WRT",
        help="Differentiate in these variables; grad needs them.  [default: all]",
    )  # fmt: skip


def _allow_unused() -> click.Option:
    return option(
        "--allow-unused", is_flag=True,
        help="Accept variables that do not occur; derivatives in them are 0, gradients null.",
    )  # fmt: skip


def gradients() -> list[click.Parameter]:
    """What grad is asked besides expressions and points; --outputs and --inputs are torch's names."""
    return [
        option("--outputs", multiple=True, metavar="EXPR", help="Same as EXPR.", envvar=None),
        _wrt("-w", "--wrt", "--inputs"),
        option("--grad-outputs", multiple=True, metavar="Y=V",
               help="Cotangent of output Y: ones, FILE.npy or a rule in the indices i, j ...  [default: ones]"),
        option("--create-graph", is_flag=True, help="Print the gradients as expressions, which -f reads."),
        _allow_unused(),
        option("--materialize-grads", is_flag=True, help="Accept variables that do not occur; gradients are 0."),
        option("--is-grads-batched", is_flag=True, help="The first dimension of every FILE.npy is a batch."),
    ]  # fmt: skip


def claims() -> list[click.Parameter]:
    """What check is asked besides expressions and points."""
    return [
        option("--claim", multiple=True, metavar="D=EXPR", help="A derivative as claimed, such as df_dx = 2*x."),
        option("--claims", multiple=True, metavar="FILE", help="Read claims from FILE, one a line; - is stdin."),
        option("--claim-column", multiple=True, metavar="D=COLUMN", help="D is claimed to be a column of --input."),
        option("--equals", multiple=True, metavar="EXPR", help="The expression is claimed to equal this one."),
        option("--let", multiple=True, metavar="NAME=EXPR", help="A name that the expressions and claims may use."),
        option("--points", type=count, metavar="N", help="Compare at so many chosen points.  [default: 200]"),
        option("--thorough", is_flag=True, help="Compare at 4000 chosen points."),
        option("--seed", type=click.IntRange(0, 2**63), default=0, metavar="N", show_default=True,
               help="Chooses the points; the same seed gives the same ones."),
        option("--rtol", type=float, metavar="R", help="Agree within R times the true value.  [default: by rounding]"),
        option("--atol", type=float, metavar="A", help="Agree within A.  [default: by rounding]"),
        option("--max-ulp", type=float, metavar="N", help="Agree within N ulp.  [default: by rounding]"),
    ]  # fmt: skip


def told() -> list[click.Parameter]:
    """How check tells its verdicts."""
    return [
        *[p for p in output(numbers=False) if p.name in ("output", "format", "json")],
        option("--junit", metavar="FILE", help="Write JUnit's XML to FILE too."),
        option("--github", is_flag=True, help="Print annotations for GitHub Actions too."),
    ]  # fmt: skip


def points() -> list[click.Parameter]:
    return [
        option("--at", multiple=True, metavar="X=1,Y=2", help="One point; constant expressions are fine."),
        option("--grid", multiple=True, metavar="GRID",
               help="x=0:1:11, x=log:1:1000:4, x=1,2,5, or a shape such as 3x4. Several make the outer product."),
        option("--fill", metavar="RULE", help="Fill a shape by a rule in its indices i, j, k ...  [default: i+j+...]"),
        option("--max-points", type=count, metavar="N", help="Refuse more points, of grids and rows.  [default: 1e9]"),
        option("--strict", is_flag=True, help="Exit 1 where a result is not finite."),
        option("--engine", type=click.Choice(["auto", "scalar", "vector", "native"]), default="auto",
               help="Plain Python, NumPy or compiled code (gradcli[native]).  [default: by the amount of work]"),
        option("--threads", type=click.IntRange(min=1), metavar="N",
               help="Threads; the scalar engine has one.  [default: all, for much work]"),
        option("-v", "--verbose", is_flag=True, help="Say on stderr how much was done, how, how fast."),
        option("--no-progress", is_flag=True, help="No progress line on a terminal."),
    ]  # fmt: skip


def rows() -> list[click.Parameter]:
    readable = [name for name, row in FORMATS.items() if getattr(row, "read", None) is not None]
    return [
        option("-i", "--input", multiple=True, metavar="FILE",
               help="Read points from the rows of FILE, stdin (-) or a quoted pattern's files; columns are variables."),
        option("--input-format", type=click.Choice(readable), metavar="FORMAT",
               help=f"One of {', '.join(readable)}.  [default: by suffix; csv for stdin]"),
        option("--columns", metavar="A,B", help="Names for the columns of a .npy array that has none."),
        option("--keep", is_flag=True, help="Carry the other columns through, text included."),
        option("--na", type=click.Choice(["nan"]), help="Take empty cells, NA and null for nan.  [default: an error]"),
        option("--max-bytes", type=count, metavar="N",
               help="Refuse larger inputs, as unpacked.  [default: 64 GiB if packed, 0.8 GiB if held in memory]"),
    ]  # fmt: skip


def output(*, numbers: bool = True) -> list[click.Parameter]:
    suffixes = " ".join(row.suffixes[0] for row in FORMATS.values())
    found: list[click.Parameter] = [
        option("-o", "--output", metavar="FILE", help=f"Write to FILE, format by suffix: {suffixes}"),
        option(
            "--format",
            type=click.Choice(list(FORMATS)),
            metavar="FORMAT",
            help=f"One of {', '.join(FORMATS)}.  [default: table]",
        ),
        *[click.Option([f"--{name}"], is_flag=True, help=f"Same as --format {name}.") for name in SWITCHES],
    ]
    if numbers:
        found.append(
            option("--digits", type=click.IntRange(1, 17), metavar="N", help="Significant digits, in tables only.")
        )
    return found
