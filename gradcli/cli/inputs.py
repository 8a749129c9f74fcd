"""Inputs of a command: expressions, names of variables, tables. All are checked before any computation."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from gradcli.caret import Source
from gradcli.cli import options, stderr
from gradcli.cli.options import CommandLine
from gradcli.errors import GradError
from gradcli.expr import CONSTANTS

if TYPE_CHECKING:
    from gradcli.cli.stderr import Progress
    from gradcli.formats import Dialect
    from gradcli.job.request import Rows

SUFFIX = ".grad"
"""The end of the name of a file of expressions."""
_LIMIT = 2**26
"""The largest size of an expression file, or of stdin, in bytes."""


def names(texts: Sequence[str], option: str = "--wrt") -> list[str] | None:
    from gradcli.job.parse_at_grid_fill import read_name, split

    return [read_name(piece, option) for text in texts for piece in split(text, ",")] if texts else None


def choice(line: CommandLine) -> dict[str, Any]:
    """Keyword arguments of a job for the columns of its output: the fields of `Choice`."""
    from gradcli.job.parse_at_grid_fill import split

    def columns(texts: Sequence[str]) -> list[str]:
        # Any text names a column; one with a comma stands in backquotes.
        pieces = [piece for text in texts for piece in split(text, ",")]
        return [p[1:-1] if len(p) > 2 and p[0] == p[-1] == "`" else p for p in pieces]

    return {"select": columns(line.select) or None, "drop": columns(line.drop)}


def sources(line: CommandLine) -> list[Source]:
    """The expressions given as arguments, then those of --file. Raises GradError if there are none."""
    expressions = typed(line, [*line.expr, *line.outputs])
    for source in expressions:
        _check_no_file(source.text)
    if [*line.file, *line.input, line.samples, line.cov].count("-") > 1:
        raise GradError("stdin cannot be read twice")
    expressions += [read(path, line) for path in line.file]
    if not expressions:
        command = click.get_current_context().command
        assert isinstance(command, options.Command)
        raise GradError("no expression given", hint=f"such as: {command.examples[0]}")
    return expressions


def typed(line: CommandLine, words: Sequence[str]) -> list[Source]:
    """Words of the command line as expressions in its notation."""
    return [Source(text, natural=line.natural) for text in options.operands(words)]


def _check_no_file(text: str) -> None:
    """Raises GradError for an expression that is the name of a file of points or of expressions."""
    # No expression has such an end: there are no attributes.
    if "." in text and os.path.isfile(text):
        from gradcli.formats import readable_suffix

        option = "--file" if text.endswith(SUFFIX) else "--input" if readable_suffix(text) else None
        if option:
            raise GradError(f"'{text}' is a file, not an expression", hint=f"to read it: {option} {shlex.quote(text)}")


def read(path: str, line: CommandLine) -> Source:
    """The text of a file of expressions, or of stdin for ``-``. Raises GradError if it cannot be read or decoded.

    A note tells that a keyboard is read, unless --quiet.
    """
    name = "stdin" if path == "-" else path
    try:
        if path != "-":
            with open(path, "rb") as file:
                data = file.read(_LIMIT + 1)
        elif sys.stdin is None:
            raise GradError("cannot read stdin: it is closed")
        else:
            if not line.quiet:
                stderr.waiting("expressions")
            data = sys.stdin.buffer.read(_LIMIT + 1)
        if len(data) > _LIMIT:
            raise GradError(f"{name}: expressions of more than {_LIMIT} bytes are beyond the limit")
        return Source(data.decode("utf-8-sig").replace("\r\n", "\n"), name, line.natural)
    except OSError as e:
        from gradcli.formats.input import unopened

        raise unopened(name, e) from None
    except UnicodeDecodeError as e:
        number = data.count(b"\n", 0, e.start) + 1
        raise GradError(f"{name}:{number}: not UTF-8") from None
    except ValueError as e:
        raise GradError(f"{name}: {e}") from None


def rows(line: CommandLine, progress: Progress | None) -> Rows | None:
    """The tables named by --input; None without --input."""
    from gradcli.job.request import Rows
    from gradcli.language.actions import NUMBERS

    if not line.input:
        check_no_input_options(line)
        return None
    constants = names(line.constant, "--constant") or []
    for name in constants:
        if name not in CONSTANTS and name not in NUMBERS:
            known = ", ".join([*CONSTANTS, *NUMBERS])
            raise GradError(f"--constant: '{name}' is no constant", hint=f"the constants are {known}")
    if "-" in line.input and sys.stdin is None:
        raise GradError("cannot read stdin: it is closed")
    spelled = dialect(line)
    if "-" in line.input and not line.quiet:
        stderr.waiting("rows", line.color)
    tables = Rows(
        line.input, line.input_format, spelled, line.max_bytes, line.keep, constants,
        unbuffered() if "-" in line.input else None, progress,
    )  # fmt: skip
    if line.natural:
        from gradcli.job.header import with_known

        tables = with_known(tables)
    return tables


def unbuffered() -> BinaryIO:
    """Stdin without a buffer: rows from a pipe are available as they arrive, and a blocked read() holds no lock."""
    return open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)


def dialect(line: CommandLine) -> Dialect:
    """How the tables of a command line are spelled."""
    from gradcli.formats import Dialect

    columns = None if line.columns is None else tuple(names([line.columns], "--columns") or ())
    return Dialect(
        columns, line.encoding, line.delimiter, line.decimal or ".", line.comment, line.skip, line.skip_after_header,
        line.na or "error",
    )  # fmt: skip


def check_no_input_options(line: CommandLine) -> None:
    """Raises GradError for an option of --input that is given without --input."""
    spelled = [*options.DIALECT.split(), "constant"] if line.samples is not None or line.cov is not None else []
    for name in options.TABLES.split()[1:]:
        if getattr(line, name) and name not in spelled:
            raise GradError(f"--{name.replace('_', '-')} goes with --input", hint="name what to read: --input FILE")


def to_parts(line: CommandLine) -> bool:
    """Whether the output is a folder of parts, whose name ends in a slash and is not that of a device or a pipe.

    Raises GradError for an option of parts without one.
    """
    if line.path is not None and line.path.endswith(("/", os.sep)):
        from gradcli.storage import is_url

        bare = line.path.rstrip("/" + os.sep)
        stream = os.path.exists(bare) and (os.path.islink(bare) or not os.path.isfile(bare))
        if is_url(line.path) or os.path.isdir(bare) or not stream:
            return True
    ctx = click.get_current_context()
    for name in options.SCALE.split():
        # Of the environment they are for the runs that have parts.
        if options.typed(ctx, name):
            raise GradError(
                f"--{name.replace('_', '-')} goes with a folder of parts",
                hint="name it with a slash at its end: -o FOLDER/",
            )
    return False
