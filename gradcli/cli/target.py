"""The target of a result: output, format, compression and style, and the notes and progress line that go with it."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from gradcli.cli import options, stderr
from gradcli.cli.options import CommandLine
from gradcli.cli.stderr import colored, screen
from gradcli.errors import GradError
from gradcli.formats import FORMATS, Format, Out, Style, by_suffix

if TYPE_CHECKING:
    from gradcli.formats import Statements
    from gradcli.job import Job
    from gradcli.job.request import Rows
    from gradcli.job.result import Computed


PICTURES = (".svg", ".html", ".htm", ".png", ".pdf")
"""Suffixes of files that hold a picture."""
_ROUNDED = ("table", "markdown", "csv", "tsv")
"""The formats that --digits rounds for."""
_SLASH = "a slash at the end makes a folder of parts"


class Target:
    """The output and the format of a result, checked before any computation."""

    def __init__(self, ctx: click.Context, line: CommandLine) -> None:
        self.line, self.path = line, line.path
        self.packing = None
        if self.path is not None:
            from gradcli.formats.compression import suffix_of

            self.packing = suffix_of(self.path)[1]
        self.format = self._chosen(ctx)
        self.output = ctx.obj.to(self.path, line)
        self.terminal = self.output.terminal
        if self.format.binary and self.terminal:
            raise GradError(
                f"{self.format.name} is not for a terminal",
                hint=f"write it to a file: -o FILE{self.format.suffixes[0]}",
            )
        digits = digits_of(ctx, line, self.format)
        width, height = screen(self.output.fd) if self.terminal else (None, None)
        color = self.path is None and colored(sys.stdout, line.color)
        self.style = Style(digits, width, color, height=None if line.all else height)
        self.word = "rows" if line.input and not line.grid else "points"
        self.started = time.monotonic()
        quiet = line.no_progress or line.quiet or self.terminal
        self.progress = None if quiet else stderr.progress(self.word)

    def write(self, compute: Callable[[], Computed], rows: Rows | None, why: Job | None = None) -> None:
        """Compute and write the numbers, then print the notes on stderr, among them those of the tables read.

        ``why``: the job, if the first numbers that are not finite are to have birth certificates.
        """
        progress = self.progress
        born = None
        try:
            result = compute()
            if why is not None:
                from gradcli.job.born import Born

                born = Born(why, rows, result)
            if progress is not None:
                result.watch = lambda done: progress(done, result.part(done))
            self.format.load(self.packing)
            with self.output:
                style = self.style._replace(rewinds=self.output.rewinds and self.packing is None)
                self._send(lambda out: self.format.write(result.output, out, style), threaded=result.long)
        except GradError as error:
            if born is not None:
                born.completed(error)
            raise
        finally:
            if progress is not None:
                progress.erase()
        color = self.line.color
        stderr.read_as(result.read_as, self.line)
        for text in [*result.notes, *([] if rows is None else rows.notes)]:
            self._note(text)
        if self.line.verbose:
            seconds = time.monotonic() - self.started
            engine = result.engine + (f" ({result.slower})" if result.slower else "")
            work = (result.covered, self.word, seconds, result.steps, engine, result.threads)
            stderr.note(stderr.summary(*work), color)
        nonfinite = {n: result.nonfinite[n] for n in result.results if n in result.nonfinite}
        if nonfinite and not self.line.quiet:
            stderr.note(stderr.nonfinite(nonfinite), color)
        for certificate in born.errors() if born is not None and not self.line.quiet else ():
            stderr.certificate(certificate, color)

    def write_formulas(self, formulas: Statements) -> None:
        with self.output:
            self._send(lambda out: self.format.tell(formulas, out, self.style))
        stderr.read_as(formulas.read_as, self.line)
        self._note(formulas.note)
        # Formats with a row for each formula have no place for a remark.
        for remark in () if self.format.name in ("table", "json") else formulas.remarks:
            self._note(remark)

    def _note(self, text: str) -> None:
        if text and not self.line.quiet:
            stderr.note(text, self.line.color)

    def _send(self, write: Callable[[Out], None], *, threaded: bool = False) -> None:
        """Call ``write`` with the output, or with a compressor in front of it if the file's suffix asks for one.

        ``threaded``: a background thread formats the next piece while this one is written. The output is flushed before
        waiting for that thread, so that a slow computation does not delay finished rows.
        """

        def send(out: Out) -> None:
            packer = None
            if self.packing is not None:
                from gradcli.formats.compression import Packer

                packer = Packer(out, self.packing)
            write(packer or ((lambda data: out(self.format.shown(data))) if self.terminal else out))
            if packer is not None:
                packer.close()

        if not threaded:
            send(self.output)
            return
        from gradcli.compute.execute import aside

        for piece in aside(send, self.output.flush):
            self.output(piece)

    def _chosen(self, ctx: click.Context) -> Format:
        """The format chosen by a switch such as --csv, by --format or by the file's suffix; without any, table."""
        by_name = self._by_name()
        if (form := asked_for(ctx, self.line, by_name is not None)) is not None:
            return form
        if self.path is None:
            return FORMATS["table"]
        try:
            return by_name or by_suffix(self.path)
        except GradError as error:
            if self.line.input and _makes_parts():
                error.hint = f"{error.hint}; {_SLASH}: {self.path}/"
            raise

    def _by_name(self) -> Format | None:
        """The format of the file's suffix; None if unknown. Raises GradError for a directory or an expression."""
        if self.path is None:
            return None
        if os.path.isdir(self.path):
            hint = f"{_SLASH}: {self.path}/" if self.line.input and _makes_parts() else None
            raise GradError(f"{self.path}: Is a directory", hint=hint, exit_code=3)
        try:
            return by_suffix(self.path)
        except GradError:
            from gradcli.storage import is_url

            if re.search(r"[=*(]|^-", self.path) and not is_url(self.path) and not os.path.exists(self.path):
                raise GradError(
                    f"--output: '{self.path}' looks like an expression, not like the name of a file",
                    hint="write expressions without an option, and the file as -o FILE.csv",
                ) from None
            return None


def _makes_parts() -> bool:
    """Whether the command that runs writes folders of parts."""
    return any(option.name == "part" for option in click.get_current_context().command.params)


def asked_for(ctx: click.Context, line: CommandLine, otherwise: bool = False) -> Format | None:
    """The format that a switch such as --csv or --format asks for; None without any.

    ``otherwise``: the command line asks for one in another way, which goes before --format from the environment. Raises
    GradError for two formats.
    """
    switches = [name for name in options.SWITCHES if getattr(line, name)]
    named = line.format
    if named is not None and not options.typed(ctx, "format") and (switches or otherwise):
        # The command line takes precedence over the environment.
        named = None
    chosen = list(dict.fromkeys([*switches, *([named] if named else [])]))
    if len(chosen) > 1:
        raise GradError(f"one format at a time, not {' and '.join('--' + name for name in chosen)}")
    return FORMATS[chosen[0]] if chosen else None


def digits_of(ctx: click.Context, line: CommandLine, form: Format) -> int | None:
    """The digits to which a format rounds doubles; None for all. Raises GradError if it does not round."""
    digits = line.digits
    if digits is not None and digits > 17:
        # They are proved, and told as text.
        if form.binary:
            raise GradError(f"--digits {digits} is for texts: {form.name} holds doubles")
        return None
    if digits is not None and form.name not in _ROUNDED:
        if options.typed(ctx, "digits"):
            raise GradError(f"--digits is for {', '.join(_ROUNDED)}: {form.name} always has every digit")
        return None
    return digits
