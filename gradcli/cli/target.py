"""Where the result of a command goes and how it is written: door, format, packing, style, notes and progress."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from gradcli.cli import messages, options
from gradcli.cli.messages import Progress, colored
from gradcli.cli.options import CommandLine
from gradcli.errors import GradError
from gradcli.formats import FORMATS, Format, Out, Packer, Style, by_suffix, suffix_of

if TYPE_CHECKING:
    from gradcli.formats import Statements
    from gradcli.job.request import Rows
    from gradcli.job.result import Computed


class Target:
    """Where the result goes and how it is written, checked before any work."""

    def __init__(self, ctx: click.Context, line: CommandLine) -> None:
        self.line, self.path = line, line.path
        self.packing = None if self.path is None else suffix_of(self.path)[1]
        self.format = self._chosen(ctx)
        self.door = ctx.obj.to(self.path, line)
        self.terminal = self.door.terminal
        if self.format.binary and self.terminal:
            raise GradError(
                f"{self.format.name} is not for a terminal",
                hint=f"write it to a file: -o FILE{self.format.suffixes[0]}",
            )
        digits = line.digits
        if digits is not None and self.format.name != "table":
            if _typed(ctx, "digits"):
                raise GradError(f"--digits is for tables: {self.format.name} always has every digit")
            digits = None
        width = shutil.get_terminal_size().columns if self.terminal else 0
        color = self.path is None and colored(sys.stdout, line.color)
        self.style = Style(digits, width or None, color)
        self.word = "rows" if line.input and not line.grid else "points"
        self.started = time.monotonic()
        self.progress = self._progress()

    def write(self, compute: Callable[[], Computed], asked: Rows | None) -> None:
        """The numbers, then notes on stderr, those on the tables that were read among them."""
        progress = self.progress
        try:
            result = compute()
            if progress is not None:
                result.watch = lambda done: progress(done, result.part(done))
            self.format.load(self.packing)
            with self.door:
                style = self.style._replace(rewinds=self.door.rewinds and self.packing is None)
                self._send(lambda out: self.format.write(result, out, style), apart=result.long)
        finally:
            if progress is not None:
                progress.erase()
        color = self.line.color
        if asked is not None and not self.line.quiet:
            for text in asked.notes:
                messages.note(text, color)
        if self.line.verbose:
            seconds = time.monotonic() - self.started
            how = result.engine + (f" ({result.slower})" if result.slower else "")
            work = (result.covered, self.word, seconds, result.steps, how, result.threads)
            messages.note(messages.summary(*work), color)
        met = {n: result.nonfinite[n] for n in result.results if n in result.nonfinite}
        if met and not self.line.quiet:
            messages.note(messages.nonfinite(met), color)

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
            write(packer or ((lambda data: out(self.format.shown(data))) if self.terminal else out))
            if packer is not None:
                packer.close()

        if not apart:
            send(self.door)
            return
        from gradcli.compute.execute import aside

        for piece in aside(send, self.door.flush):
            self.door(piece)

    def _chosen(self, ctx: click.Context) -> Format:
        """The row of the format table that was asked for, by switch, by --format or by suffix."""
        known = self._by_name()
        switches = [name for name in options.SWITCHES if getattr(self.line, name)]
        named = self.line.format
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
        quiet = self.line.no_progress or self.line.quiet or self.terminal
        return None if quiet or sys.stderr is None or not sys.stderr.isatty() else Progress(self.word)


def _typed(ctx: click.Context, name: str) -> bool:
    """Whether an option comes from the command line rather than from the environment."""
    return ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
