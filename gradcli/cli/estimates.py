"""Files of inputs' uncertainties: repeated readings, and covariance matrices."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from gradcli.caret import Source
from gradcli.cli import stderr
from gradcli.cli.inputs import dialect, names, unbuffered
from gradcli.cli.options import CommandLine
from gradcli.errors import GradError

if TYPE_CHECKING:
    from gradcli.uncertainty.request import Estimates


def estimates(line: CommandLine, expressions: Sequence[Source]) -> list[Estimates]:
    """What the files of --samples and --cov say. Raises GradError if one cannot be read, or is wrong."""
    if line.samples is None and line.cov is None:
        return []
    from gradcli.formats import PLAIN

    told = []
    # Options for the text of a file are those of --input where there is one.
    own = not line.input
    if line.samples is not None:
        from gradcli.job.parse_at_grid_fill import split
        from gradcli.job.request import Rows, read_expression
        from gradcli.uncertainty.samples import read_samples

        bound = [p.partition("=")[0].strip(" `") for text in (*line.at, *line.grid) for p in split(text, ",")]
        rows = Rows(
            [line.samples], line.input_format if own else None, dialect(line) if own else PLAIN,
            constants=names(line.constant, "--constant") or [], stdin=_stdin(line, line.samples, "readings"),
        )  # fmt: skip
        if line.natural:
            from gradcli.job.header import with_known

            rows = with_known(rows)
        parsed = [read_expression(source, bound, rows) for source in expressions]
        told.append(read_samples(
            line.samples, parsed, format=rows.format, dialect=rows.dialect, constants=rows.constants, stdin=rows.stdin,
        ))  # fmt: skip
    if line.cov is not None:
        from gradcli.uncertainty.covariance import read_covariance

        alone = own and line.samples is None
        told.append(read_covariance(
            line.cov, format=line.input_format if alone else None, dialect=dialect(line) if alone else PLAIN,
            stdin=_stdin(line, line.cov, "a matrix"),
        ))  # fmt: skip
    return told


def _stdin(line: CommandLine, path: str, what: str) -> BinaryIO | None:
    if path != "-":
        return None
    if sys.stdin is None:
        raise GradError("cannot read stdin: it is closed")
    if not line.quiet:
        stderr.waiting(what, line.color)
    return unbuffered()
