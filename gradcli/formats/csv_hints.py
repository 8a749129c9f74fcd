"""The options that read a text which does not read as it was asked for, found by reading its first lines with them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from itertools import product

from gradcli.errors import GradError
from gradcli.formats.columns import PLAIN, Dialect, Table
from gradcli.formats.csv_rows import BLANKS
from gradcli.formats.parse_numbers import NotANumber, number

_DELIMITERS = {",": b",", ";": b";", "tab": b"\t", "|": b"|", "blank": BLANKS}
_PREAMBLE = 40
"""Lines that may stand before the header."""
_UNITS = 3
"""Lines that may stand between the header and the numbers."""
_UNAMBIGUOUS = re.compile(rb"[0-9],(?:[0-9]{1,2}|[0-9]{4,})(?![0-9])").search
"""A decimal comma that cannot be a separator of thousands."""


def options_that_read(
    sample: bytes, dialect: Dialect, separator: bytes, column: str | None, read: Callable[[Dialect], Table]
) -> str | None:
    """Return the options that make the text read, else those that make its first rows read, else None.

    ``column``: the one asked for, which must be there and hold numbers alone; None if that is not known, then some
    column must. ``read`` opens the sample in a dialect.
    """
    if _reads(dialect, column, read):
        return None
    lines = sample.split(b"\n")
    changes = [c for c in _candidates(lines, dialect, separator, column) if c != dialect]
    # Of several the one with the fewest changes.
    changes.sort(key=lambda c: sum(a != b for a, b in zip(c, dialect, strict=True)))
    # A cell without a number further down has an error of its own, once the text is read so.
    for first in (False, True):
        if first and (column is None or _reads(dialect, column, read, first=True)):
            return None
        best, most = None, 0
        for candidate in changes:
            comma = candidate.decimal == "," != dialect.decimal
            if comma and candidate.delimiter != ";" and not _UNAMBIGUOUS(sample):
                continue
            several = candidate.delimiter != dialect.delimiter
            count = _reads(candidate, column, read, several=several, first=first)
            if count > most:
                best, most = candidate, count
                if column is not None:
                    break
        if best is not None:
            what = " its first rows" if first else " it"
            options, left = _spelled(best), _left_out(dialect, best)
            return f"{options}{left} reads{what}" if options else "without these options it reads"
    return None


def _candidates(lines: list[bytes], dialect: Dialect, separator: bytes, column: str | None) -> Iterator[Dialect]:
    first = next((line.lstrip() for line in lines[dialect.skip :]), b"")
    marks = [mark for mark in ("#", "%", "!", "//") if first.startswith(mark.encode())]
    delimiters = [dialect.delimiter, *[d for d, mark in _DELIMITERS.items() if mark != separator]]
    wanted = (column or "").encode()
    comments = dict.fromkeys([*marks, dialect.comment])
    marks_of = {d: separator if d == dialect.delimiter else _DELIMITERS[d or ","] for d in delimiters}
    skips = {d: dict.fromkeys([dialect.skip, *_headers(lines, wanted, mark)]) for d, mark in marks_of.items()}
    pairs = [(delimiter, skip) for delimiter in delimiters for skip in skips[delimiter]]
    for comment, decimal, (delimiter, skip) in product(comments, ".,", pairs):
        mark = marks_of[delimiter]
        header = lines[skip] if skip < len(lines) else b""
        if mark != separator and comment is None and not any(byte in header for byte in mark):
            continue
        named = dialect._replace(comment=comment, delimiter=delimiter, decimal=decimal, skip=skip)
        below = lines[skip + 1 : skip + 1 + _UNITS]
        units = next((k for k, line in enumerate(below) if _has_number(line, mark)), len(below))
        yield from (named._replace(skip_after_header=k) for k in {dialect.skip_after_header, *range(units + 1)})
        if dialect.columns is not None:
            yield named._replace(columns=None)
        if not _has_number(header, mark):
            continue
        width = len(header.split() if mark == BLANKS else header.split(mark))
        if dialect.columns is None and width <= 26 and skip == dialect.skip:
            yield named._replace(columns=tuple("abcdefghijklmnopqrstuvwxyz"[:width]))


def _headers(lines: list[bytes], wanted: bytes, mark: bytes) -> Iterator[int]:
    """Yield the lines that may be the header: none below one that names the column above numbers, which are rows."""
    for k, line in enumerate(lines[:_PREAMBLE]):
        if wanted in line:
            yield k
            cells = [cell.strip(b'"# \r') for cell in (line.split() if mark == BLANKS else line.split(mark))]
            if wanted and wanted in cells and _has_number(b"".join(lines[k + 1 : k + 2]), mark):
                return


def _has_number(line: bytes, mark: bytes) -> bool:
    for cell in line.split() if mark == BLANKS else line.split(mark):
        try:
            if cell.strip():
                number(cell.strip(b'" \r').replace(b",", b"."), True)
                return True
        except NotANumber:
            continue
    return False


def _reads(
    dialect: Dialect, column: str | None, read: Callable[[Dialect], Table], several: bool = False, first: bool = False
) -> int:
    """Return how many columns that may be meant hold numbers alone, at least one; ``several``: of more than one.

    ``first``: they need only begin with a number, or an empty cell.
    """
    try:
        names = read(dialect).names
        if (several and len(names) < 2) or (column is None and any(map(_is_number, names))):
            return 0
        columns = names[:10] if column is None or (column not in names and dialect.columns) else [column]
    except GradError:
        return 0
    return sum(_numeric(name, dialect, read, first) for name in columns)


def _numeric(name: str, dialect: Dialect, read: Callable[[Dialect], Table], first: bool) -> bool:
    some = False
    dialect = dialect._replace(na="nan") if first else dialect
    try:
        for chunk in read(dialect).chunks([name], []):
            some = some or len(chunk.columns[0]) > 0
    except GradError:
        return first and some
    return some


def _is_number(name: str) -> bool:
    try:
        number(name.encode(), True)
    except NotANumber:
        return False
    return True


def _spelled(dialect: Dialect) -> str:
    """Return the options of a dialect as typed in a shell."""
    values = zip(Dialect._fields, dialect, PLAIN, strict=True)
    changed = [(field, value) for field, value, usual in values if value != usual and field not in ("encoding", "na")]
    return " ".join(f"--{field.replace('_', '-')} {_word(value)}" for field, value in changed)


def _left_out(given: Dialect, found: Dialect) -> str:
    """Return the options given that the dialect found does without."""
    values = zip(Dialect._fields, given, found, PLAIN, strict=True)
    left = [f"--{field.replace('_', '-')}" for field, old, new, usual in values if old != new == usual]
    return f" without {' and '.join(left)}" if left else ""


def _word(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else shlex.quote(str(value))
