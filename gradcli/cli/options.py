"""The options, one row each, the typed `CommandLine` made of them, and the command class that parses it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, Any

import click

from gradcli.cli.output import emit
from gradcli.cli.stderr import text_width
from gradcli.errors import GradError
from gradcli.formats import FORMATS, by_suffix

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# No option value starts with these characters, so `-n*x` is an expression even though -n is an option.
_OPERATORS = ("*", "^", "%")
# A minus, then a number, a bracket, or a name followed by an operator, a bracket or a blank.
_ARITHMETIC = re.compile(r"-\s*(?:[0-9.(]|(?:[A-Za-z_][A-Za-z0-9_]*|`[^`]*`)\s*(?:[-+*/%^(<>!;\s]|==))")
_WHOLE = re.compile(r"[0-9]{1,18}|[0-9]{1,18}(\.[0-9]{1,18})?[eE]\+?[0-9]{1,2}")
SWITCHES = ("csv", "tsv", "json", "jsonl")
"""Formats that have an option of the same name."""
_NAMES = re.compile(r"[A-Za-z_]\w*(,[A-Za-z_]\w*)*,?").fullmatch
_BINDING = re.compile(r"[A-Za-z_]\w*=([-+*/^().\d\s]|[eE]|pi|tau|inf|nan)+,?").fullmatch
_AXIS = re.compile(r"[A-Za-z_]\w*=[^=]*[:,].*").fullmatch
_FILE = re.compile(r"(?=.*[./])[^*()]*").fullmatch


def _is_there(word: str) -> bool:
    """Whether a word is the name of a file that exists, or a URL."""
    from gradcli.storage import is_url

    return is_url(word) or (_FILE(word) is not None and os.path.exists(word))


_LISTS: dict[str, Callable[[str], object]] = {
    "--wrt": _NAMES, "-w": _NAMES, "--inputs": _NAMES, "--at": _BINDING, "--grid": _AXIS,
    "--input": _is_there, "-i": _is_there,
}  # fmt: skip
"""Options of several values, with what a further value looks like if it is typed as the next word by mistake."""
_WORDS = re.compile(r"""(?:-\S+ (?!-))?(?:"[^"]*"|'[^']*'|\S)+""")
"""The words of a command line, an option together with its value."""
_OPERAND = "\0"
"""Prefix of a word that click must not parse as an option; an argument of a process cannot contain a NUL."""


def count(text: str) -> int:
    """The value of a positive integer, which may be written as 1e6."""
    if _WHOLE.fullmatch(text):
        value = int(text) if text.isdigit() else float(text)
        if value >= 1 and value == int(value):
            return int(value)
    raise click.BadParameter(f"'{text}' is not a whole number from 1, such as 1000000 or 1e6")


@dataclass(frozen=True)
class CommandLine:
    """The values of all options; those that a command does not have keep their defaults."""

    expr: tuple[str, ...] = ()
    file: tuple[str, ...] = ()
    natural: bool = False
    order: int = 1
    u: tuple[str, ...] = ()
    dist: tuple[str, ...] = ()
    df: tuple[str, ...] = ()
    corr: tuple[str, ...] = ()
    cov: str | None = None
    samples: str | None = None
    second_order: bool = False
    budget: bool = False
    correlations: bool = False
    coverage: str | None = None
    k: float | None = None
    mc: str | None = None
    rounding: str = "2"
    wrt: tuple[str, ...] = ()
    allow_unused: bool = False
    outputs: tuple[str, ...] = ()
    grad_outputs: tuple[str, ...] = ()
    create_graph: bool = False
    materialize_grads: bool = False
    is_grads_batched: bool = False
    claim: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    claim_column: tuple[str, ...] = ()
    equals: tuple[str, ...] = ()
    let: tuple[str, ...] = ()
    points: int | None = None
    thorough: bool = False
    seed: int = 0
    rtol: float | None = None
    atol: float | None = None
    max_ulp: float | None = None
    over: tuple[str, ...] = ()
    tol: float = 1e-9
    tangent: tuple[str, ...] = ()
    taylor: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    size: str | None = None
    title: str | None = None
    xlabel: str | None = None
    ylabel: str | None = None
    log: str | None = None
    ylim: str | None = None
    style: str = "line"
    ascii: bool = False
    kind: str = "heat"
    arrows: int | None = None
    remainder: tuple[str, ...] = ()
    solve: str | None = None
    at: tuple[str, ...] = ()
    grid: tuple[str, ...] = ()
    fill: str | None = None
    max_points: int | None = None
    strict: bool = False
    kink: str = "derivative"
    sides: bool = False
    verdict: bool = False
    trust: bool = False
    careful: bool = False
    no_careful: bool = False
    exact: bool = False
    why: bool = False
    engine: str = "auto"
    threads: int | None = None
    verbose: bool = False
    no_progress: bool = True
    input: tuple[str, ...] = ()
    input_format: str | None = None
    columns: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    comment: str | None = None
    skip: int = 0
    skip_after_header: int = 0
    select: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    na: str | None = None
    keep: bool = False
    max_bytes: int | None = None
    constant: tuple[str, ...] = ()
    cluster: str | None = None
    part: str | None = None
    part_bytes: str | None = None
    retries: int | None = None
    folder: str = ""
    verify: bool = False
    language: str = "text"
    args: tuple[str, ...] = ()
    all_columns: bool = False
    environment: str | None = None
    simplify: bool = False
    raw: bool = False
    output: str | None = None
    format: str | None = None
    csv: bool = False
    tsv: bool = False
    json: bool = False
    jsonl: bool = False
    md: bool = False
    no_picture: bool = False
    digits: int | None = None
    all: bool = False
    junit: str | None = None
    github: bool = False
    name: Sequence[str] = ()
    topic: Sequence[str] = ()
    full: bool = False
    shell: str | None = None
    color: str = "auto"
    quiet: bool = False
    debug: bool = False

    @property
    def path(self) -> str | None:
        """The path of the output file; None is stdout."""
        return None if self.output == "-" else self.output

    @property
    def pointed(self) -> bool:
        """Whether any points are given."""
        return bool(self.at or self.grid or self.fill is not None or self.input)

    def hard(self) -> dict[str, Any]:
        """Keyword arguments of a job for hard points: the fields of `Hard`."""
        if self.no_careful and self.careful:
            raise GradError("--no-careful and --careful exclude each other")
        return {
            "kink": self.kink, "sides": self.sides, "verdict": self.verdict, "trust": self.trust, "exact": self.exact,
            "proved_digits": self.digits if (self.digits or 0) > 17 else None,
            "careful": True if self.careful else False if self.no_careful else None,
        }  # fmt: skip

    def where_and_how(self) -> dict[str, Any]:
        """Keyword arguments shared by all jobs with points: the fields of `Where` and `How`."""
        from gradcli.job import POINT_LIMIT

        return {
            "at": self.at, "grids": self.grid, "fill": self.fill, "max_points": self.max_points or POINT_LIMIT,
            "engine": self.engine, "threads": self.threads, "strict": self.strict,
        }  # fmt: skip


class Command(click.Command):
    """A command whose help starts with examples, and that parses ``-x**2`` as an operand, not as an option.

    ``callback`` is called with the context and the `CommandLine`.
    """

    def __init__(self, name: str, *, examples: Sequence[str], callback: Callable[[click.Context, CommandLine], None],
                 help: str, params: Sequence[click.Parameter]) -> None:  # fmt: skip
        def called(**values: Any) -> None:
            callback(click.get_current_context(), CommandLine(**values))

        params = [*params, *named("color quiet debug"), help_option()]
        super().__init__(name, callback=called, help=help, params=params, add_help_option=False)
        self.examples = examples

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, self._marked(list(args)))

    def _marked(self, args: list[str]) -> list[str]:
        """The words, where each expression that starts with a minus has the prefix `_OPERAND`."""
        takes = {
            spelled: not option.is_flag
            for option in self.params
            if isinstance(option, click.Option)
            for spelled in option.opts
        }
        k, listed, slips, operands = 0, ("", ""), list[tuple[str, str, str]](), 0
        while k < len(args) and args[k] != "--":
            word, start = args[k], k
            if word.startswith("---"):
                args[k] = _OPERAND + word
            elif word.startswith("--"):
                k += takes.get(word, False)
            elif word.startswith("-") and len(word) > 1:
                if word[:2] in takes and word[2:3] not in _OPERATORS:
                    # Flags may be bundled as in -qv; the last option of a bundle may take the next word as its value.
                    flags = 1
                    while flags < len(word) - 1 and not takes.get("-" + word[flags], True):
                        flags += 1
                    k += takes.get("-" + word[flags], False) and flags == len(word) - 1
                elif _ARITHMETIC.match(word):
                    args[k] = _OPERAND + word
            if k > start and k < len(args):
                listed = word, args[k]
            elif word.startswith("-"):
                listed = ("--wrt", word[6:]) if word.startswith("--wrt=") else ("", "")
            elif listed[0] in _LISTS and _LISTS[listed[0]](word):
                slips.append((*listed, word))
            else:
                operands += 1
            k += 1
        if slips and (operands or "-f" in args or "--file" in args):
            option, value, word = slips[0]
            again = option in ("--grid", "--input", "-i")
            several = f"{option} {value} {option} {word}" if again else f"{option} {value.rstrip(',')},{word}"
            hint = f"for both: {several}"
            if option in ("--input", "-i"):
                # The shell has made names of a pattern.
                pattern = os.path.join(os.path.dirname(value), f"*{os.path.splitext(value)[1]}")
                hint = f'{hint}; a pattern is quoted, so that it stays one: {option} "{pattern}"'
            raise GradError(f"{option} {value} {word}: '{word}' would be an expression of its own", hint=hint)
        return args

    def get_help(self, ctx: click.Context) -> str:
        return help_text(ctx, self.examples, self.format_help)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {title: [] for title in ("Options", *SECTIONS)}
        for param in [param for param in self.get_params(ctx) if isinstance(param, click.Option)]:
            title = next((title for title, names in SECTIONS.items() if param.name in names.split()), "Options")
            if (record := param.get_help_record(ctx)) is not None:
                sections[title].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


command = partial(click.command, cls=Command)


class _Formatter(click.HelpFormatter):
    """Help that fits a terminal: a column of names takes no more than a third of its width."""

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl(rows, min(col_max, self.width // 3), col_spacing)


def help_text(
    ctx: click.Context,
    examples: Sequence[str],
    write: Callable[[click.Context, click.HelpFormatter], None],
    stream: IO[str] | None = None,
) -> str:
    """The help that ``write`` writes, after the examples, fitted to a stream, by default stdout."""
    formatter = _Formatter(width=text_width(stream or sys.stdout) or 78)
    with formatter.section("Examples"):
        for example in examples:
            formatter.write("".join([f"  {line}\n" for line in continued(example, formatter.width - 2)]))
    formatter.write_paragraph()
    write(ctx, formatter)
    return formatter.getvalue().rstrip("\n")


def continued(example: str, width: int) -> list[str]:
    r"""A command line as lines of at most ``width``, where words allow it; all but the last end in ``\``."""
    lines = [""]
    for word in _WORDS.findall(example):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width - 2:
            lines[-1] += " \\"
            lines.append("  " + word)
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return lines


def table_or_json(line: CommandLine, what: str) -> str:
    """``table`` or ``json``, as chosen by a switch, --format or the suffix. Raises GradError for another format."""
    named = "json" if line.json else line.format
    form = named or ("table" if line.path is None else by_suffix(line.path).name)
    if form not in ("table", "json"):
        raise GradError(f"{what} are told as table or json, not as {form}")
    return form


def operands(words: Sequence[str]) -> list[str]:
    """The words as typed, without the operand prefix. Raises GradError for a word that is not UTF-8."""
    texts = [w.removeprefix(_OPERAND) for w in words]
    for word in texts:
        if not word.isascii() and any("\ud800" <= c <= "\udfff" for c in word):
            raise GradError("the expression is not UTF-8")
    return texts


def typed(ctx: click.Context, name: str) -> bool:
    """Whether an option comes from the command line rather than from the environment."""
    return ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def option(*spelled: str, **attributes: Any) -> click.Option:
    """An option that an environment variable can set too: --max-points by GRADCLI_MAX_POINTS."""
    longest = max(spelled, key=len)
    if longest.startswith("--"):
        attributes.setdefault("envvar", "GRADCLI_" + longest.strip("-").replace("-", "_").upper())
    return click.Option(list(spelled), shell_complete=completions, **attributes)


def argument(name: str, **attributes: Any) -> click.Argument:
    return click.Argument([name], shell_complete=completions, **attributes)


def completions(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What may be typed for an option or an argument, asked for by a shell's completion."""
    from gradcli.cli.completers import offered

    return offered(ctx, param, incomplete)


def shows(*spelled: str, text: Callable[[click.Context], str], help: str) -> click.Option:
    """A flag that prints a text instead of running the command."""

    def show(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            emit(text(ctx) + "\n")
            ctx.exit()

    return click.Option(list(spelled), is_flag=True, is_eager=True, expose_value=False, callback=show, help=help)


def help_option() -> click.Option:
    return shows("-h", "--help", text=click.Context.get_help, help="Show this help.")


def _row(*spelled: str, **attributes: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    return spelled, attributes


_READABLE = [name for name, row in FORMATS.items() if row.reader]
ROWS = {
    "file": _row("-f", "--file", multiple=True, metavar="FILE",
                 help="Read expressions from FILE, one a line; - is stdin."),
    "natural": _row("--natural", is_flag=True,
                    help="Read expressions as people write them: 3x\u00b2 - sin 2x. What has two readings is refused."),
    "order": _row("-n", "--order", type=int, default=1, help="Highest total order of derivatives.", show_default=True),
    "series_order": _row("-n", "--order", "order", type=int, default=4, show_default=True,
                         help="With --at: the order to which both sides of the point are looked at."),
    "curve_order": _row("-n", "--order", "order", type=int, default=0, show_default=True,
                        help="Highest total order of the derivatives that are drawn."),
    "outputs": _row("--outputs", multiple=True, metavar="EXPR", help="Same as EXPR.", envvar=None),
    "wrt": _row("-w", "--wrt", "wrt", multiple=True, metavar="X,Y", envvar="GRADCLI_WRT",
                help="Differentiate in these variables.  [default: all]"),
    "curve_wrt": _row("-w", "--wrt", "wrt", multiple=True, metavar="X,Y", envvar="GRADCLI_WRT",
                      help="Derivatives in these variables.  [default: those of the ranges]"),
    # --inputs is the name in torch.autograd.grad.
    "inputs": _row("-w", "--wrt", "--inputs", "wrt", multiple=True, metavar="X,Y", envvar="GRADCLI_WRT",
                   help="Gradients in these variables, which have to be named."),
    "allow_unused": _row("--allow-unused", is_flag=True,
                         help="Accept names of variables that do not occur."),
    "grad_outputs": _row("--grad-outputs", multiple=True, metavar="Y=V",
                         help="Cotangent of output Y: ones, FILE.npy or a rule in the indices i, j ...  "
                         "[default: ones]"),
    "create_graph": _row("--create-graph", is_flag=True, help="Print the gradients as expressions, which -f reads."),
    "materialize_grads": _row("--materialize-grads", is_flag=True,
                              help="Accept variables that do not occur; gradients are 0."),
    "is_grads_batched": _row("--is-grads-batched", is_flag=True,
                             help="The first dimension of every FILE.npy is a batch."),
    "claim": _row("--claim", multiple=True, metavar="D=EXPR", help="A derivative as claimed, such as df_dx = 2*x."),
    "claims": _row("--claims", multiple=True, metavar="FILE", help="Read claims from FILE, one a line; - is stdin."),
    "claim_column": _row("--claim-column", multiple=True, metavar="D=COLUMN",
                         help="D is claimed to be a column of --input."),
    "equals": _row("--equals", multiple=True, metavar="EXPR", help="The expression is claimed to equal this one."),
    "let": _row("--let", multiple=True, metavar="NAME=EXPR", help="A name that the expressions and claims may use."),
    "points": _row("--points", type=count, metavar="N", help="Compare at so many chosen points.  [default: 200]"),
    "thorough": _row("--thorough", is_flag=True, help="Compare at 4000 chosen points."),
    "seed": _row("--seed", type=click.IntRange(0, 2**63), default=0, metavar="N", show_default=True,
                 help="Chooses the points; the same seed gives the same ones."),
    "rtol": _row("--rtol", type=float, metavar="R",
                 help="Agree within R times the true value.  [default: by rounding]"),
    "atol": _row("--atol", type=float, metavar="A", help="Agree within A.  [default: by rounding]"),
    "max_ulp": _row("--max-ulp", type=float, metavar="N", help="Agree within N ulp.  [default: by rounding]"),
    "over": _row("--over", multiple=True, metavar="X=0:1", help="The range of a variable, both ends included."),
    "tol": _row("--tol", type=float, default=1e-9, metavar="T", show_default=True,
                help="How far apart the two numbers may be that an extreme lies between; relative above 1."),
    "range": _row("--grid", "grid", multiple=True, metavar="X=A:B",
                  help="The range of a variable, x=-5:5, or x=-5:5:101 for so many points; two make a surface."),
    "tangent": _row("--tangent", multiple=True, metavar="X=1", help="The tangent at a point."),
    "taylor": _row("--taylor", multiple=True, metavar="X=0:5", help="The Taylor polynomial about 0 to order 5."),
    "data": _row("--data", multiple=True, metavar="FILE",
                 help="Draw the rows of FILE as points: columns of the variable, the output, and u_NAME for bars."),
    "size": _row("--size", metavar="WxH",
                 help="Characters of a text, else pixels.  [default: the terminal, 72x18, 800x500]"),
    "title": _row("--title", metavar="TEXT", help="The title of the picture."),
    "xlabel": _row("--xlabel", metavar="TEXT", help="The title of the horizontal axis.  [default: its variable]"),
    "ylabel": _row("--ylabel", metavar="TEXT", help="The title of the vertical axis."),
    "log": _row("--log", metavar="x|y|xy", help="Logarithmic axes."),
    "ylim": _row("--ylim", metavar="A:B", help="The range of the values, of colours for a surface.  "
                 "[default: all values; beside poles, the middle of them]"),
    "style": _row("--style", type=click.Choice(["line", "dots"]), default="line", show_default=True,
                  help="Curves as lines or as dots."),
    "ascii": _row("--ascii", is_flag=True, help="A text without braille.  [default: where the locale has no UTF-8]"),
    "kind": _row("--kind", type=click.Choice(["heat", "contour"]), default="heat", show_default=True,
                 help="A surface as a map of colours or as level lines."),
    "arrows": _row("--arrows", type=int, metavar="N", help="Gradients across a surface; 0 for none.  [default: 15]"),
    "taylor_order": _row("-n", "--order", "order", type=int, default=5, show_default=True,
                         help="The order of the polynomial, in several variables the total one."),
    "remainder": _row("--remainder", multiple=True, metavar="X=-0.1:0.1",
                      help="Prove a bound on the error of the polynomial over this range."),
    "form": _row("--as", "language", type=click.Choice(["text", "latex"]), default="text", metavar="FORM",
                 help="One of text, latex.  [default: text]"),
    "form_file": _row("-o", "--output", "output", metavar="FILE",
                      help="Write to FILE, format by suffix: .txt .tex .csv or .json"),
    "form_format": _row("--format", "format", type=click.Choice(list(FORMATS)), metavar="FORMAT",
                        help="One of table, csv, json.  [default: table]"),
    "solve": _row("--solve", metavar="Y", help="The variable that the equation defines.  [default: y, or the last]"),
    "at": _row("--at", multiple=True, metavar="X=1,Y=2", help="One point; constant expressions are fine."),
    "at_measured": _row("--at", "at", multiple=True, metavar="X=1.02\u00b10.03",
                        help="Values; with an uncertainty as 1.02\u00b10.03, 1.02+-0.03, 1.02(3), 1.02\u00b13% or "
                        "1.02+0.03-0.01."),
    "u": _row("--u", multiple=True, metavar="X=0.03",
              help="The standard uncertainty of X: a number, 5% of its value, or a column.  [default: the column u_X, "
                   "sX or X_std]"),
    "dist": _row("--dist", multiple=True, metavar="X=R(A,B)",
                 help="The distribution of X: N, t(DF), or with both limits R (rectangular), T (triangular), U "
                 "(arcsine).  [default: N]"),
    "df": _row("--df", multiple=True, metavar="X=9", help="The degrees of freedom of the uncertainty of X."),
    "corr": _row("--corr", multiple=True, metavar="X,Y=0.3",
                 help="The correlation of X and Y.  [default: the column r_X_Y, or none]"),
    "cov": _row("--cov", metavar="FILE",
                help="The covariance matrix of inputs: names in the header and in the first column."),
    "samples": _row("--samples", metavar="FILE",
                    help="Repeated readings, a row each: means, their uncertainties and correlations."),
    "second_order": _row("--second-order", is_flag=True,
                         help="Values and uncertainties to second order of the Taylor series too."),
    "budget": _row("--budget", is_flag=True, help="Columns of sensitivities (c_X) and shares of the variance."),
    "correlations": _row("--correlations", is_flag=True, help="The correlations of the results with each other."),
    "coverage": _row("--coverage", metavar="95",
                     help="The expanded uncertainty for a coverage probability in percent, by Student's t."),
    "k": _row("-k", type=float, metavar="2", help="The expanded uncertainty for a coverage factor."),
    "mc": _row("--mc", metavar="1e6",
               help="A Monte Carlo simulation of so many trials, or auto: as many as its second digit takes."),
    "mc_seed": _row("--seed", "seed", type=click.IntRange(0, 2**63), default=0, metavar="N", show_default=True,
                    help="Chooses the random numbers; the same seed gives the same ones."),
    "rounding": _row("--rounding", type=click.Choice(["2", "1", "pdg", "none"]), default="2", show_default=True,
                     help="Digits of the uncertainty in the text: 2, 1, by the Particle Data Group's rule, or all."),
    "uncertain_form": _row("--as", "language", type=click.Choice(["text", "latex", "siunitx"]), default="text",
                           metavar="FORM", help="One of text, latex, siunitx.  [default: text]"),
    "grid": _row("--grid", multiple=True, metavar="GRID",
                 help="x=0:1:11, x=log:1:1000:4, x=1,2,5, or a shape such as 3x4. Several make the outer product."),
    "fill": _row("--fill", metavar="RULE",
                 help="Fill a shape by a rule in its indices i, j, k ...  [default: i+j+...]"),
    "max_points": _row("--max-points", type=count, metavar="N",
                       help="Refuse more points, of grids and rows.  [default: 1e9]"),
    "strict": _row("--strict", is_flag=True, help="Exit 1 where a result is not finite."),
    "strict_uncertain": _row("--strict", "strict", is_flag=True,
                             help="Exit 1 where a result is not finite, or linear propagation is not enough."),
    "kink": _row("--kink", default="derivative", metavar="RULE",
                 type=click.Choice(["derivative", "convention", "limit", "left", "right", "mean", "nan", "error"]),
                 help="What values and derivatives are at kinks, jumps and holes: derivative (where there is one, else "
                 "convention), convention (0 for abs), limit (of both sides), left, right, mean, nan or error.",
                 show_default=True),
    "sides": _row("--sides", is_flag=True, help="Values and derivatives from the left and the right, and the verdict."),
    "verdict": _row("--verdict", is_flag=True, help="What each point is: smooth, kink, jump, removable, pole ..."),
    "trust": _row("--trust", is_flag=True, help="How many digits of each number are right, 0 to 16."),
    "careful": _row("--careful", is_flag=True,
                    help="Numbers with few right digits are computed again, proved.  [default: for points and grids "
                    "of at most 10,000 points]"),
    "no_careful": _row("--no-careful", is_flag=True, help="Plain doubles everywhere."),
    "exact": _row("--exact", is_flag=True, help="Every number correctly rounded."),
    "why": _row("--why", is_flag=True,
                help="For the first three results that are not finite, the step where that began."),
    "engine": _row("--engine", type=click.Choice(["auto", "scalar", "vector", "native"]), default="auto",
                   help="Plain Python, NumPy or compiled code (gradcli[native]).  [default: by the amount of work]"),
    "threads": _row("--threads", type=click.IntRange(min=1), metavar="N",
                    help="Threads; the scalar engine has one.  [default: all, for much work]"),
    "verbose": _row("-v", "--verbose", is_flag=True, help="Say on stderr how much was done, how, how fast."),
    "no_progress": _row("--no-progress", is_flag=True, help="No progress line on a terminal."),
    "input": _row("-i", "--input", multiple=True, metavar="FILE",
                  help="Read points from the rows of FILE, stdin (-), or the files of a FOLDER/ or a quoted pattern; "
                  "columns are variables."),
    "input_format": _row("--input-format", type=click.Choice(_READABLE), metavar="FORMAT",
                         help=f"One of {', '.join(_READABLE)}.  [default: by suffix; csv for stdin]"),
    "columns": _row("--columns", metavar="A,B", help="Names for the columns of a csv or .npy that has none."),
    "encoding": _row("--encoding", metavar="NAME",
                     help="Encoding of a text, such as latin-1.  [default: UTF-8, or by its byte order mark]"),
    "delimiter": _row("--delimiter", metavar="MARK",
                      help="Between the cells of csv: a character, tab, or blank (any run of blanks)."),
    "decimal": _row("--decimal", type=click.Choice([".", ","]), help="The decimal mark in csv.  [default: .]"),
    "comment": _row("--comment", metavar="MARK", help="Leave out the lines of csv that begin with MARK, such as '#'."),
    "skip": _row("--skip", type=click.IntRange(0), default=0, metavar="N", help="Leave out the first N lines of csv."),
    "skip_after_header": _row("--skip-after-header", type=click.IntRange(0), default=0, metavar="N",
                              help="Leave out N lines below the header, such as units."),
    "keep": _row("--keep", is_flag=True,
                 help="Carry all columns through, in their order and spelling; the results come after them."),
    "select": _row("--select", multiple=True, metavar="NAMES", help="Write these columns, in this order."),
    "drop": _row("--drop", multiple=True, metavar="NAMES", help="Write all columns but these."),
    "na": _row("--na", type=click.Choice(["nan", "skip", "error"]),
               help="Empty cells, NA and null: read as nan, skip the row, or an error.  [default: error]"),
    "max_bytes": _row("--max-bytes", type=count, metavar="N",
                      help="Refuse larger inputs, as unpacked.  "
                      "[default: 64 GiB if packed, 0.8 GiB if held in memory]"),
    "constant": _row("--constant", multiple=True, metavar="NAME",
                     help="NAME stays the constant, even where a column is called so."),
    "cluster": _row("--cluster", metavar="WHERE",
                    help="Who makes the parts of -o FOLDER/: local:4 (processes) or tcp://HOST:8786 (a Dask "
                    "scheduler).  [default: this process]"),
    "part": _row("--part", metavar="K/N", help="Make the parts of share K of N alone, such as 7/100."),
    "part_bytes": _row("--part-bytes", metavar="N",
                       help="About so many bytes of input for a part, such as 512MB.  [default: 64MB]"),
    "retries": _row("--retries", type=click.IntRange(0, 1000), metavar="N",
                    help="How often a part that fails is made again.  [default: 3]"),
    "verify": _row("--verify", is_flag=True, help="Read every part and compare its bytes with what was written."),
    "args": _row("--args", multiple=True, metavar="X,A,B",
                 help="The order of the arguments of a function, or of awk's fields.  [default: as they occur]"),
    "all_columns": _row("--all-columns", is_flag=True,
                        help="Queries carry all columns of their input, jq all keys, in front of the results."),
    "simplify": _row("--simplify", is_flag=True, help="The form that a person would write, for reading."),
    "raw": _row("--raw", is_flag=True,
                help="Without points: the derivatives as they are computed, with shared parts named."),
    "output": _row("-o", "--output", metavar="FILE",
                   help="Write to FILE, or parts to FOLDER/; format by suffix: "
                   + " ".join(row.suffixes[0] for row in FORMATS.values())),
    "format": _row("--format", type=click.Choice(list(FORMATS)), metavar="FORMAT",
                   help=f"One of {', '.join(FORMATS)}.  [default: table]"),
    **{name: _row(f"--{name}", is_flag=True, envvar=None, help=f"Same as --format {name}.") for name in SWITCHES},
    "report": _row("-o", "--output", "output", metavar="FILE",
                   help="Write to FILE, format by suffix: .txt or .json"),
    "report_format": _row("--format", "format", type=click.Choice(list(FORMATS)), metavar="FORMAT",
                          help="One of table, json.  [default: table]"),
    "picture": _row("-o", "--output", "output", metavar="FILE",
                    help="Write to FILE, format by suffix: .svg .html .png .pdf .txt"),
    "picture_format": _row("--format", "format", type=click.Choice(["text", "svg", "html", "png", "pdf"]),
                           metavar="FORMAT", help="One of text, svg, html, png, pdf.  [default: by suffix, or text]"),
    "study_range": _row("--grid", "grid", multiple=True, metavar="X=A:B",
                        help="The range of the variable, such as x=-5:5, both ends included."),
    "study": _row("-o", "--output", "output", metavar="FILE",
                  help="Write to FILE, format by suffix: .txt, .json, .md or .html"),
    "study_format": _row("--format", "format", type=click.Choice(["table", "json", "markdown", "html"]),
                         metavar="FORMAT", help="One of table, json, markdown, html.  [default: by suffix, or table]"),
    "md": _row("--md", is_flag=True, envvar=None, help="Same as --format markdown."),
    "no_picture": _row("--no-picture", is_flag=True, help="The study alone, without the picture below it."),
    "digits": _row("--digits", type=click.IntRange(1, 5000), metavar="N",
                   help="Significant digits, in table, markdown, csv and tsv; above 17 proved ones, in json as texts."),
    "all": _row("--all", is_flag=True, help="All rows of a table, not a screenful, on a terminal too."),
    "junit": _row("--junit", metavar="FILE", help="Write JUnit's XML to FILE too."),
    "github": _row("--github", is_flag=True, help="Print annotations for GitHub Actions too."),
    "full": _row("--full", is_flag=True, help="The whole page of a topic, not its beginning alone."),
    "color": _row("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour the output."),
    "quiet": _row("-q", "--quiet", is_flag=True, help="No notes on stderr."),
    "debug": _row("--debug", is_flag=True, help="Show the traceback of an error."),
}  # fmt: skip
"""Spellings and click attributes of each option, by the name of its field in `CommandLine`."""

HARD = "kink sides verdict trust careful no_careful exact why"
ENGINE = "engine threads verbose no_progress"
POINTS = f"at grid fill max_points strict {ENGINE}"
DIALECT = "input_format columns encoding delimiter decimal comment skip skip_after_header na"
TABLES = f"input {DIALECT} keep max_bytes constant"
UNCERTAIN = "u dist df corr cov samples second_order budget correlations coverage k mc rounding"
PICTURE = "tangent taylor data size title xlabel ylabel log ylim style ascii kind arrows"
SCALE = "cluster part part_bytes retries"
ROWS_IN = f"{TABLES} {SCALE}"
OUTPUT = "output format csv tsv json jsonl"
NUMBERS = f"{OUTPUT} select drop digits all"
SECTIONS = {
    "Claims": "claim claims claim_column equals let rtol atol max_ulp",
    "Points": "at grid fill max_points points thorough seed",
    "Hard points": HARD,
    "Uncertainties": UNCERTAIN,
    "Picture": PICTURE,
    "Files": f"file {TABLES}",
    "Parts": SCALE,
    "Output": f"{NUMBERS} strict junit github color quiet debug",
    "Engine": ENGINE,
}
"""The sections of a command's help, and their options; others stand first."""


def named(names: str) -> list[click.Parameter]:
    """The options of the given names, separated by blanks, in this order; ``expr`` is the argument EXPR."""
    expressions = argument("expr", nargs=-1, metavar="EXPR...")
    return [expressions if name == "expr" else option(*ROWS[name][0], **ROWS[name][1]) for name in names.split()]
