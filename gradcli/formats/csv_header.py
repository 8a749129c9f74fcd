"""The names of the columns of separated text, from its first lines, and how its cells are separated."""

from __future__ import annotations

import math
import re

from gradcli.errors import GradError
from gradcli.formats.columns import Dialect
from gradcli.formats.compression import packing_of
from gradcli.formats.csv_lines import Lines
from gradcli.formats.csv_rows import BLANKS, row, unquoted
from gradcli.formats.input import ENCODING, checked_names
from gradcli.formats.parse_numbers import NotANumber, number

_JSON = re.compile(rb"""\s*(?:\{\s*["}\r\n]|\[\s*[-0-9"\[{\]\r\n])""")
POINTS = bytes.maketrans(b",.", b".,")
"""Exchanges points and commas, which makes decimal commas points."""


def separator_of(dialect: Dialect, usual: bytes) -> bytes:
    """Return the byte between cells, or BLANKS; ``usual`` is that of the format. Raise GradError for an invalid one."""
    text = dialect.delimiter
    named = {None: usual, "tab": b"\t", "\\t": b"\t", "blank": BLANKS, " ": BLANKS}
    separator = named.get(text)
    if separator is None:
        assert text is not None
        if len(text) != 1 or not text.isascii() or text.isalnum() or text in '"+-._\r\n\0':
            raise GradError(
                f"--delimiter: '{text}' cannot be between cells",
                hint="give tab, blank (any run of blanks), or a character such as ';' or '|'",
            )
        separator = text.encode()
    if dialect.comment == "":
        raise GradError("--comment: a mark is expected", hint="such as --comment '#'")
    if dialect.decimal not in (".", ","):
        raise GradError(f"--decimal: '{dialect.decimal}' is neither . nor ,")
    if separator == dialect.decimal.encode():
        raise GradError("--decimal , needs another delimiter than the comma", hint="such as --delimiter ';'")
    return separator


def commas_for(separator: bytes, decimal: str) -> bytes:
    """Return the table of `bytes.translate` that makes of numbers between separators JSON numbers between commas."""
    table = bytearray(range(256))
    # A comma or a point that means nothing here must not become one that does.
    table[44] = 46 if decimal == "," else 120
    table[46] = 120 if decimal == "," else 46
    for mark in b"\n\r" + separator if separator == BLANKS else b"\n" + separator:
        table[mark] = 44
    return bytes(table)


def read_header(lines: Lines, dialect: Dialect, separator: bytes, name: str) -> tuple[str, ...]:
    """Take the header and return the names of the columns. Raise GradError for text that is not a table."""
    for k in range(dialect.skip):
        if not lines.take():
            count = "1 line" if k == 1 else f"{k} lines"
            raise GradError(f"{name}: --skip {dialect.skip}: the file has {count}")

    def cells_of(text: bytes) -> list[bytes]:
        cells: list[bytes] = []
        row(text, 0, separator, name, line, cells)
        return cells

    comment, prefix = b"", (dialect.comment or "").encode()
    while True:
        line, text = lines.line, lines.row() if not prefix else lines.take()
        if not prefix or not (bare := text.lstrip(b" \t")).startswith(prefix):
            break
        comment = bare.removeprefix(prefix)
    if prefix and text.count(b'"') % 2:
        lines.put_back(text)
        text = lines.row()
    if not text:
        what = "the file is empty" if line == 1 else "there is no line left"
        raise GradError(f"{name}: {what}: a header is expected")
    _check_text(text, name, line)
    cells = cells_of(text)
    if dialect.columns is not None:
        if len(cells) != len(dialect.columns):
            given = "1 name" if len(dialect.columns) == 1 else f"{len(dialect.columns)} names"
            count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
            raise GradError(f"{name}:{line}: --columns gives {given}, and the line has {count}")
        lines.put_back(text)
        return checked_names(name, dialect.columns)
    if cells and all(_is_finite(cell, dialect.decimal) for cell in cells):
        if not comment or len(titles := cells_of(comment)) != len(cells):
            example = ",".join("abcdefgh"[: len(cells)]) + (",..." if len(cells) > 8 else "")
            raise GradError(
                f"{name}:{line}: no header: the first line holds numbers", hint=f"name them: --columns {example}"
            )
        lines.put_back(text)
        cells, line = titles, line - 1
    elif not prefix and (bare := text.lstrip(b" \t")).startswith((b"# ", b"#\t")):
        # numpy.savetxt writes "# x,y" above the numbers.
        titles, below = cells_of(bare[1:]), lines.take()
        lines.put_back(below)
        try:
            numbers = cells_of(below)
        except GradError:
            numbers = []
        if (
            len(titles) == len(numbers)
            and titles[0].strip()
            and all(_is_number(cell, dialect.decimal) for cell in numbers)
        ):
            cells = titles
    if not any(cell.strip() for cell in cells):
        raise GradError(f"{name}:{line}: the first line is empty: a header is expected")
    try:
        texts = [unquoted(cell).decode() for cell in cells]
    except UnicodeDecodeError:
        raise GradError(f"{name}:{line}: the header is not UTF-8", hint=ENCODING) from None
    names = [t if b'"' in c else t.strip() for t, c in zip(texts, cells, strict=True)]
    if not any(names):
        raise GradError(f"{name}:{line}: no column has a name in the header")
    return checked_names(name, names, line)


def _check_text(text: bytes, name: str, line: int) -> None:
    """Raise GradError for a first line that is JSON, of a binary format, or in UTF-16."""
    if text.startswith((b"\x93NUMPY", b"PK\x03\x04", b"PAR1")):
        raise GradError(f"{name}:1: not a text file", hint="say what it is by --input-format")
    if packing := packing_of(text):
        hint = f"let its name end in .{packing}, or give it to stdin: -i - < FILE"
        raise GradError(f"{name}:1: packed by {'gzip' if packing == 'gz' else 'Zstandard'}", hint=hint)
    if _JSON.match(text):
        lines = text.lstrip().startswith(b"{") and _is_record(text)
        raise GradError(
            f"{name}:{line}: JSON, not rows of cells",
            hint=f"say what it is: --input-format {'jsonl' if lines else 'json'}",
        )
    if b"\0" in text:
        order = "be" if text.startswith(b"\0") else "le"
        raise GradError(
            f"{name}:{line}: a NUL byte in the header: UTF-16, or no text at all",
            hint=f"give --encoding utf-16-{order}",
        )


def _is_record(line: bytes) -> bool:
    """Return whether a line is an object with a single value for each key, as in JSON lines."""
    import json

    try:
        return not any(isinstance(value, (list, dict)) for value in json.loads(line).values())
    except (ValueError, RecursionError):
        return False


def _is_number(cell: bytes, decimal: str) -> bool:
    return not math.isnan(_number(cell, decimal, math.inf))


def _is_finite(cell: bytes, decimal: str) -> bool:
    return math.isfinite(_number(cell, decimal, math.nan))


def _number(cell: bytes, decimal: str, missing: float) -> float:
    """Return the number in a cell, nan if it is none, and ``missing`` for nan and NA."""
    bare = unquoted(cell)
    try:
        value = number(bare.translate(POINTS) if decimal == "," else bare, True)
    except NotANumber:
        return math.nan
    return missing if math.isnan(value) else value
