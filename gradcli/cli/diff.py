"""The commands diff and eval: expressions in, numbers out, or expressions where there are no points."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from gradcli.cli import options, report
from gradcli.cli.report import Progress, colored
from gradcli.errors import GradError, Source
from gradcli.formats import FORMATS, Format, Out, Packer, Style, by_suffix, load, suffix_of
from gradcli.formats.source import unopened

if TYPE_CHECKING:
    from gradcli.formats import Statements
    from gradcli.job.request import Rows
    from gradcli.job.result import Computed


_LIMIT = 2**26
"""Bytes of expressions that are read, from a file or stdin."""


def _diff(ctx: click.Context, **given: Any) -> None:
    if given["at"] or given["grid"] or given["fill"] is not None or given["input"]:
        _numbers(ctx, given, given["order"])
    else:
        _formulas(ctx, given)


def _eval(ctx: click.Context, **given: Any) -> None:
    _numbers(ctx, given | {"wrt": ()}, 0)


def _numbers(ctx: click.Context, given: dict[str, Any], order: int) -> None:
    from gradcli.job import POINT_LIMIT, Job, run

    target = Target(ctx, given)
    job = Job(
        sources(given),
        wrt=names(given["wrt"]),
        order=order,
        at=given["at"],
        grids=given["grid"],
        fill=given["fill"],
        engine=given["engine"],
        threads=given["threads"],
        max_points=given["max_points"] or POINT_LIMIT,
        allow_unused=given["allow_unused"],
        strict=given["strict"],
    )
    asked = rows(given, target.progress)
    target.write(lambda: run(job, asked), asked)


def rows(given: dict[str, Any], progress: Progress | None) -> Rows | None:
    """The tables that --input names."""
    from gradcli.grid.points import read_name, split
    from gradcli.job.request import Rows

    if not given["input"]:
        check_alone(given)
        return None
    columns = None
    if given["columns"] is not None:
        columns = [read_name(piece, "--columns") for piece in split(given["columns"], ",")]
    if "-" in given["input"] and sys.stdin is None:
        raise GradError("cannot read stdin: it is closed")
    return Rows(
        given["input"], given["input_format"], columns, given["na"], given["max_bytes"], given["keep"],
        # Unbuffered: what comes is there at once, and nobody is left holding a lock on it.
        open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) if "-" in given["input"] else None,
        progress,
    )  # fmt: skip


def check_alone(given: dict[str, Any]) -> None:
    """Raises GradError for what is said of an --input that is not there."""
    for name in ("keep", "input_format", "columns", "na", "max_bytes"):
        if given.get(name):
            raise GradError(f"--{name.replace('_', '-')} goes with --input", hint="name what to read: --input FILE")


def _formulas(ctx: click.Context, given: dict[str, Any]) -> None:
    from gradcli.job import Job, formulas

    check_alone(given)
    target = Target(ctx, given)
    wrt = names(given["wrt"])
    job = Job(sources(given), wrt=wrt, order=given["order"], allow_unused=given["allow_unused"])
    target.tell(formulas(job))


def names(texts: Sequence[str]) -> list[str] | None:
    from gradcli.grid.points import read_name, split

    return [read_name(piece, "--wrt") for text in texts for piece in split(text, ",")] if texts else None


def sources(given: dict[str, Any]) -> list[Source]:
    """The expressions typed, then those of --file."""
    found = [Source(text) for text in options.operands(given["expr"])]
    if [*given["file"], *given.get("input", ())].count("-") > 1:
        raise GradError("stdin cannot be read twice")
    found += map(read, given["file"])
    if not found:
        raise GradError("no expression given", hint='such as: gradcli diff "x**2" --at x=3')
    return found


def read(path: str) -> Source:
    """The expressions in a file, or in what comes from stdin."""
    name = "stdin" if path == "-" else path
    try:
        if path != "-":
            with open(path, "rb") as file:
                data = file.read(_LIMIT + 1)
        elif sys.stdin is None:
            raise GradError("cannot read stdin: it is closed")
        else:
            data = sys.stdin.buffer.read(_LIMIT + 1)
        if len(data) > _LIMIT:
            raise GradError(f"{name}: expressions of more than {_LIMIT} bytes are beyond the limit")
        return Source(data.decode("utf-8-sig").replace("\r\n", "\n"), name)
    except OSError as e:
        raise unopened(name, e) from None
    except UnicodeDecodeError as e:
        line = data.count(b"\n", 0, e.start) + 1
        raise GradError(f"{name}:{line}: not UTF-8") from None
    except ValueError as e:
        raise GradError(f"{name}: {e}") from None


class Target:
    """Where the result goes and how it is written, checked before any work."""

    def __init__(self, ctx: click.Context, given: dict[str, Any]) -> None:
        self.given = given
        path = given["output"]
        self.path = None if path == "-" else path
        self.packing = None if self.path is None else suffix_of(self.path)[1]
        self.format = self._chosen(ctx)
        self.door = ctx.obj.to(self.path, given)
        self.terminal = self.door.terminal
        if self.format.binary and self.terminal:
            raise GradError(
                f"{self.format.name} is not for a terminal",
                hint=f"write it to a file: -o FILE{self.format.suffixes[0]}",
            )
        digits = given.get("digits")
        if digits is not None and self.format.name != "table":
            if _typed(ctx, "digits"):
                raise GradError(f"--digits is for tables: {self.format.name} always has every digit")
            digits = None
        width = shutil.get_terminal_size().columns if self.terminal else 0
        color = self.path is None and colored(sys.stdout, given["color"])
        self.style = Style(digits, width or None, color)
        self.word = "rows" if given.get("input") and not given["grid"] else "points"
        self.started = time.monotonic()
        self.progress = self._progress()

    def write(self, compute: Callable[[], Computed], asked: Rows | None) -> None:
        """The numbers, then notes on stderr, those on the tables that were read among them."""
        progress = self.progress
        try:
            result = compute()
            if progress is not None:
                result.watch = lambda done: progress(done, result.part(done))
            load(self.format, self.packing)
            with self.door:
                style = self.style._replace(rewinds=self.door.rewinds and self.packing is None)
                self._send(lambda out: self.format.write(result, out, style), apart=result.long)
        finally:
            if progress is not None:
                progress.erase()
        color = self.given["color"]
        if asked is not None and not self.given["quiet"]:
            for text in asked.notes:
                report.note(text, color)
        if self.given["verbose"]:
            seconds = time.monotonic() - self.started
            how = result.engine + (f" ({result.slower})" if result.slower else "")
            work = (result.covered, self.word, seconds, result.steps, how, result.threads)
            report.note(report.summary(*work), color)
        met = {n: result.nonfinite[n] for n in result.results if n in result.nonfinite}
        if met and not self.given["quiet"]:
            report.note(report.nonfinite(met), color)

    def tell(self, found: Statements) -> None:
        """Expressions."""
        with self.door:
            self._send(lambda out: self.format.tell(found, out, self.style))

    def _send(self, write: Callable[[Out], None], *, apart: bool = False) -> None:
        """Let ``write`` write to the door, through a packer where the file's name asks for one.

        ``apart``: while one piece leaves, a thread makes the next. Where it is slow, what is there leaves at once.
        """

        def send(out: Out) -> None:
            packer = Packer(out, self.packing) if self.packing is not None else None
            shown = self.format.shown if self.terminal else None
            write(packer or (out if shown is None else lambda data: out(shown(data))))
            if packer is not None:
                packer.close()

        if not apart:
            send(self.door)
            return
        from gradcli.spread import aside

        for piece in aside(send, self.door.flush):
            self.door(piece)

    def _chosen(self, ctx: click.Context) -> Format:
        """The row of the format table that was asked for, by switch, by --format or by suffix."""
        known = self._by_name()
        switches = [name for name in options.SWITCHES if self.given[name]]
        named = self.given["format"]
        if named is not None and not _typed(ctx, "format") and (switches or known):
            # What is typed goes before what the environment says.
            named = None
        asked = dict.fromkeys([*switches, *([named] if named else [])])
        if len(asked) > 1:
            raise GradError(f"one format at a time, not {' and '.join('--' + name for name in asked)}")
        if asked:
            return FORMATS[next(iter(asked))]
        if self.path is None:
            return FORMATS["table"]
        return known or by_suffix(self.path)

    def _by_name(self) -> Format | None:
        """The format the file's name asks for. Raises GradError for what cannot be the name of a file meant."""
        if self.path is None:
            return None
        if os.path.isdir(self.path):
            raise GradError(f"{self.path}: Is a directory", exit_code=3)
        try:
            return by_suffix(self.path)
        except GradError:
            if re.search(r"[=*(]|^-", self.path) and not os.path.exists(self.path):
                raise GradError(
                    f"--output: '{self.path}' looks like an expression, not like the name of a file",
                    hint="write expressions without an option, and the file as -o FILE.csv",
                ) from None
            return None

    def _progress(self) -> Progress | None:
        """The progress line, where there is a terminal for it that is not busy with the result."""
        quiet = self.given.get("no_progress", True) or self.given["quiet"] or self.terminal
        return None if quiet or sys.stderr is None or not sys.stderr.isatty() else Progress(self.word)


def _typed(ctx: click.Context, name: str) -> bool:
    """Whether an option comes from the command line rather than from the environment."""
    return ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def diff() -> click.Command:
    return options.Command(
        "diff",
        examples=(
            'gradcli diff "x**2" --order 2 --grid 3x4',
            'gradcli diff "exp(-x)*sin(y)" --at x=1,y=pi/4',
            'gradcli diff "r = sqrt(x*x + y*y); u = log(r)" --wrt x --csv --grid x=1:2:11 --grid y=1,2',
            'gradcli diff "a*exp(-b*t)" --wrt a,b --input runs.csv --keep -o sensitivities.csv',
        ),
        help="Values and all partial derivatives at points; without points, the derivatives as expressions.",
        params=[*options.expressions(), *options.derivatives(), *options.points(), *options.rows(), *options.output()],
        callback=click.pass_context(_diff),
    )


def eval_() -> click.Command:
    unused = [p for p in options.derivatives() if p.name == "allow_unused"]
    return options.Command(
        "eval",
        examples=(
            'gradcli eval "2**0.5"',
            'gradcli eval "sqrt(x*x + y*y)" --at x=3,y=4',
            'gradcli eval "sin(x)/x" --grid x=0.1:2*pi:101 -o sinc.csv',
            'gradcli eval "y = t - mean(t)" --input runs.csv --keep --jsonl',
        ),
        help="Values only.",
        params=[*options.expressions(), *unused, *options.points(), *options.rows(), *options.output()],
        callback=click.pass_context(_eval),
    )
