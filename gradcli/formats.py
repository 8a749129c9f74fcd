"""Blocks of numbers -> text, one row per format at the foot of the file.

A number is the shortest text that reads back to the same double, spelled alike in every format: by orjson, a whole
block at a time. Memory stays bounded except where a format needs a column at once (json, matrices).
Must not know how the numbers are made, nor where the bytes go.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple, Protocol

from gradcli.errors import GradError, printable
from gradcli.expr import spell_name

Out = Callable[[bytes], object]
SCHEMA = "gradcli/1"
_CHUNK = 65536
"""Numbers turned into text at a time."""
_LOOK = 100_000
"""Cells a table reads before it settles the widths of its columns."""


class Columns(Protocol):
    """What is written: named columns of numbers over a grid.

    A column that is None holds nothing. ``shapes``: of each column of ``whole()``, where they differ.
    """

    names: tuple[str, ...]
    shape: tuple[int, ...]
    expressions: dict[str, str]
    variables: list[str]
    order: int
    matrix: bool
    nonfinite: dict[str, int]
    shapes: dict[str, tuple[int, ...]] | None
    empty: tuple[str, ...]

    @property
    def blocks(self) -> Iterator[list[Any]]: ...
    def whole(self) -> list[Any]: ...


class Statements(Protocol):
    """What is written where there are no points: derivatives as expressions. ``unused`` names those that are not."""

    lines: list[tuple[str, str]]
    names: tuple[str, ...]
    derivatives: tuple[str, ...]
    unused: tuple[str, ...]
    variables: list[str]
    order: int

    @property
    def expressions(self) -> dict[str, str]: ...


class Style(NamedTuple):
    """How a table looks: significant digits (None: all), width to fit (None: any), whether to colour."""

    digits: int | None = None
    width: int | None = None
    color: bool = False


# Numbers as text.


def _odd(value: float) -> bytes:
    return b"nan" if value != value else b"inf" if value > 0 else b"-inf"


def spell(value: float) -> str:
    """One number as every format writes it."""
    return _rows([[float(value)]]).decode()


def _plain(body: bytes) -> bytes:
    """orjson's text in the one spelling: its releases differ in the plus sign of 1e+16 alone."""
    return body.replace(b"e+", b"e")


def _rows(columns: Sequence[Any], *, words: bool = True, nothing: bytes = b"") -> bytes:
    """Rows of a block as ``1.0,2.0],[3.0,4.0``; non-finite values as words, or as null; None as ``nothing``."""
    import orjson

    if any(column is None for column in columns):
        return _rows_with_nothing(columns, words, nothing)
    odd: list[float] = []
    if isinstance(columns[0], list):
        rows = list(zip(*columns, strict=True))
        body = _plain(orjson.dumps(rows))
        if words and b"null" in body:
            odd = [v for row in rows for v in row if not math.isfinite(v)]
    else:
        import numpy as np

        table = np.stack(columns, axis=1)
        body = orjson.dumps(table, option=orjson.OPT_SERIALIZE_NUMPY)
        if (np.abs(table) >= 1e16).any():
            body = _plain(body)
        finite = np.isfinite(table)
        if words and not finite.all():
            odd = table[~finite].tolist()
    body = body[2:-2]
    if odd:
        pieces = body.split(b"null")
        body = b"".join([text for pair in zip(pieces, map(_odd, odd), strict=False) for text in pair]) + pieces[-1]
    return body


def _rows_with_nothing(columns: Sequence[Any], words: bool, nothing: bytes) -> bytes:
    held = [column for column in columns if column is not None]
    rows = []
    for row in _rows(held, words=words).split(b"],[") if held else [b""]:
        cells = iter(row.split(b","))
        rows.append(b",".join([nothing if column is None else next(cells) for column in columns]))
    return b"],[".join(rows)


def _rounded(value: float, digits: int) -> float:
    near = float(f"{value:.{digits}g}")
    # The largest doubles have no rounder neighbour above.
    return near if math.isfinite(near) else value


def _cells(columns: Sequence[Any], digits: int | None) -> list[bytes]:
    """Every number of a block as text, row after row."""
    if digits is not None:
        columns = [None if column is None else [_rounded(v, digits) for v in column] for column in columns]
    return _rows(columns, nothing=b"null").replace(b"],[", b",").split(b",")


def _json(value: object) -> bytes:
    """Names and texts as JSON, with a blank after colons and commas."""
    import json

    return json.dumps(value, ensure_ascii=False).encode()


def _headed(header: bytes, blocks: Iterator[list[Any]], out: Out) -> Iterator[list[Any]]:
    """The blocks, once the first is there and the header is out: until then the work may come to nothing."""
    first = next(blocks, None)
    out(header)
    if first is not None:
        yield first
        yield from blocks


# csv and tsv.


def _quoted(name: str, separator: str) -> str:
    """A header cell by RFC 4180: quoted where it must be, quotes doubled."""
    if any(c in name for c in (separator, '"', "\n", "\r")) or name != name.strip():
        return '"' + name.replace('"', '""') + '"'
    return name


def _separated(separator: str) -> tuple[Callable[..., None], Callable[..., None]]:
    turned = bytes.maketrans(b",", separator.encode())

    def write(result: Columns, out: Out, style: Style) -> None:
        header = separator.join([_quoted(n, separator) for n in result.names]).encode() + b"\n"
        for block in _headed(header, result.blocks, out):
            body = _rows(block).replace(b"],[", b"\n")
            out((body if separator == "," else body.translate(turned)) + b"\n")

    def tell(formulas: Statements, out: Out, style: Style) -> None:
        for pair in [("name", "expression"), *formulas.lines, *[(name, "") for name in formulas.unused]]:
            out(separator.join([_quoted(cell, separator) for cell in pair]).encode() + b"\n")

    return write, tell


# json and jsonl.


def _nested(column: Any, shape: tuple[int, ...], out: Out) -> None:
    """A flat column as nested JSON arrays, in pieces."""
    import orjson

    if not shape:
        out(_plain(orjson.dumps(float(column[0]))))
        return
    inner = math.prod(shape[1:])
    out(b"[")
    if inner > _CHUNK:
        for k in range(shape[0]):
            out(b"," if k else b"")
            _nested(column[k * inner : (k + 1) * inner], shape[1:], out)
    else:
        step = _CHUNK // max(1, inner)
        for lo in range(0, shape[0], step):
            part = column[lo * inner : (lo + step) * inner]
            if isinstance(part, list):
                for length in reversed(shape[1:]):
                    part = [part[k : k + length] for k in range(0, len(part), length)]
            else:
                part = part.reshape(-1, *shape[1:])
            body = orjson.dumps(part, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
            out((b"," if lo else b"") + _plain(body))
    out(b"]")


def _preamble(what: Columns | Statements) -> bytes:
    pairs = {
        "schema": SCHEMA, "expressions": what.expressions, "variables": what.variables, "order": what.order,
    }  # fmt: skip
    return b"{" + b",\n ".join([_json(key) + b": " + _json(value) for key, value in pairs.items()])


def _shaped(result: Columns) -> Iterator[tuple[str, tuple[int, ...], Any]]:
    """Name, shape and flat column of everything."""
    columns = result.whole()
    shapes = result.shapes if result.shapes is not None else dict.fromkeys(result.names, result.shape)
    for (name, shape), column in zip(shapes.items(), columns, strict=True):
        yield name, shape, column


def _write_json(result: Columns, out: Out, style: Style) -> None:
    # Before the first byte: with --strict the work may come to nothing.
    columns = list(_shaped(result))
    out(_preamble(result) + b',\n "shape": ' + _json(result.shape))
    if result.shapes is not None:
        out(b',\n "shapes": ' + _json({name: shape for name, shape, column in columns if column is not None}))
    out(b',\n "columns": {')
    for k, (name, shape, column) in enumerate(columns):
        out((b",\n  " if k else b"\n  ") + _json(name) + b": ")
        if column is None:
            out(b"null")
        else:
            _nested(column, shape, out)
    out(b"}")
    if result.empty:
        out(b',\n "unused": ' + _json(result.empty))
    if result.nonfinite:
        out(b',\n "nonfinite": ' + _json({n: result.nonfinite[n] for n in result.names if n in result.nonfinite}))
    out(b"}\n")


def _tell_json(formulas: Statements, out: Out, style: Style) -> None:
    names = set(formulas.names)
    shared = {name: text for name, text in formulas.lines if name not in names}
    derivatives = {name: text for name, text in formulas.lines if name in formulas.derivatives}
    out(_preamble(formulas))
    if shared:
        out(b',\n "shared": ' + _json(shared))
    out(b',\n "derivatives": ' + _json(derivatives))
    if formulas.unused:
        out(b',\n "unused": ' + _json(formulas.unused))
    out(b"}\n")


def _write_jsonl(result: Columns, out: Out, style: Style) -> None:
    keys = [_json(name).replace(b"%", b"%%") + b": %s" for name in result.names]
    line = b"{" + b", ".join(keys) + b"}\n"
    for block in result.blocks:
        rows = _rows(block, words=False, nothing=b"null").split(b"],[")
        out(b"".join([line % tuple(row.split(b",")) for row in rows]))


def _tell_jsonl(formulas: Statements, out: Out, style: Style) -> None:
    for name, text in formulas.lines:
        out(_json({"name": name, "expression": text}) + b"\n")
    for name in formulas.unused:
        out(_json({"name": name, "expression": None}) + b"\n")


# markdown.


def _markdown_row(cells: Sequence[str]) -> bytes:
    return ("| " + " | ".join([printable(c).replace("|", "\\|") for c in cells]) + " |\n").encode()


def _write_markdown(result: Columns, out: Out, style: Style) -> None:
    header = _markdown_row(result.names) + b"|" + b" ---: |" * len(result.names) + b"\n"
    for block in _headed(header, result.blocks, out):
        body = _rows(block, nothing=b"null").replace(b"],[", b" |\n| ").replace(b",", b" | ")
        out(b"| " + body + b" |\n")


def _tell_markdown(formulas: Statements, out: Out, style: Style) -> None:
    out(_markdown_row(["name", "expression"]) + b"| --- | --- |\n")
    for name, text in formulas.lines:
        out(_markdown_row([name, f"`` {text} ``" if "`" in text else f"`{text}`"]))
    for name in formulas.unused:
        out(_markdown_row([name, "not used"]))


# table.


def _bold(text: str, style: Style) -> bytes:
    return (f"\x1b[1m{text}\x1b[0m" if style.color else text).encode()


def _write_table(result: Columns, out: Out, style: Style) -> None:
    if result.matrix or result.shapes is not None:
        _write_matrices(result, out, style)
    else:
        _write_rows(result, out, style)


def _write_rows(result: Columns, out: Out, style: Style) -> None:
    names = [printable(name) for name in result.names]
    width = len(names)
    template: bytes | None = None
    held: list[bytes] = []
    blocks = result.blocks
    # The widths settle after so many cells, whatever the blocks: what comes later may stick out, never change them.
    for block in blocks:
        held += _cells(block, style.digits)
        if len(held) >= _LOOK:
            break
    look = held[: max(1, _LOOK // width) * width]
    widths = [max(len(names[k]), max(map(len, look[k::width]), default=0)) for k in range(width)]
    if style.width is not None and sum(widths) + 2 * (width - 1) > style.width:
        label = max(map(len, names))
        lines = [_bold(name.ljust(label), style).replace(b"%", b"%%") + b"  %s\n" for name in names]
        record = b"".join(lines)
        template = b"\n" + record
        out(record % tuple(held[:width]))
        held = held[width:]
    else:
        template = b"  ".join([b"%%%ds" % w for w in widths]) + b"\n"
        out(_bold("  ".join([n.rjust(w) for n, w in zip(names, widths, strict=True)]), style) + b"\n")
    out((template * (len(held) // width)) % tuple(held))
    for block in blocks:
        cells = _cells(block, style.digits)
        out((template * (len(cells) // width)) % tuple(cells))


def _write_matrices(result: Columns, out: Out, style: Style) -> None:
    """Every quantity as a matrix under its name; more than two dimensions as one matrix for each leading index."""
    first = True
    for name, shape, column in _shaped(result):
        if column is None:
            out((b"" if first else b"\n") + _bold(printable(name), style) + b"\nnull\n")
            first = False
            continue
        # Among others what has one dimension stands upright: it may be as long as a file.
        upright = result.shapes is not None and len(shape) == 1
        *leading, height, width = (*shape, 1) if upright else (1,) * (2 - len(shape)) + shape
        area = height * width
        for k, place in enumerate(product(*map(range, leading))):
            title = printable(name) + (f"[{','.join(map(str, place))}]" if place else "")
            out(b"" if first else b"\n")
            first = False
            _write_matrix(title, column[k * area : (k + 1) * area], width, out, style)


def _write_matrix(title: str, values: Any, width: int, out: Out, style: Style) -> None:
    step = max(1, _CHUNK // width) * width

    def parts() -> Iterator[list[bytes]]:
        for lo in range(0, len(values), step):
            yield _cells([values[lo : lo + step]], style.digits)

    widths = [0] * width
    for cells in parts():
        widths = [max(w, *map(len, cells[k::width])) for k, w in enumerate(widths)]
    panels = list(_panels(widths, style.width))
    for k, (lo, hi) in enumerate(panels):
        if len(panels) > 1:
            out((b"\n" if k else b"") + _bold(f"{title}, columns {lo} to {hi - 1} of {width}", style) + b"\n")
        else:
            out(_bold(title, style) + b"\n")
        template = b"  ".join([b"%%%ds" % w for w in widths[lo:hi]]) + b"\n"
        for cells in parts():
            if len(panels) > 1:
                cells = [c for row in range(0, len(cells), width) for c in cells[row + lo : row + hi]]
            out((template * (len(cells) // (hi - lo))) % tuple(cells))


def _panels(widths: Sequence[int], limit: int | None) -> Iterator[tuple[int, int]]:
    """Ranges of columns that fit side by side."""
    lo, used = 0, 0
    for k, w in enumerate(widths):
        if limit is not None and k > lo and used + 2 + w > limit:
            yield lo, k
            lo, used = k, 0
        used += w + (2 if k > lo else 0)
    yield lo, len(widths)


def _tell_table(formulas: Statements, out: Out, style: Style) -> None:
    for name, text in formulas.lines:
        out(_bold(printable(spell_name(name)), style) + f" = {printable(text)}\n".encode())
    for name in formulas.unused:
        out(f"# {printable(name)}: not used\n".encode())


# The table of formats.


class Format(NamedTuple):
    """``write(result, out, style)`` for numbers, ``tell(formulas, out, style)`` for expressions."""

    name: str
    suffixes: tuple[str, ...]
    doc: str
    write: Callable[[Any, Out, Style], None]
    tell: Callable[[Any, Out, Style], None]


FORMATS = {
    row.name: row
    for row in (
        Format("table", (".txt",), "aligned text: matrices for a shape, else a row a point", _write_table, _tell_table),
        Format("csv", (".csv",), "comma-separated rows with a header", *_separated(",")),
        Format("tsv", (".tsv", ".tab"), "tab-separated rows with a header", *_separated("\t")),
        Format("json", (".json",), f"one object, schema {SCHEMA}: columns in the shape of the grid",
               _write_json, _tell_json),
        Format("jsonl", (".jsonl", ".ndjson"), "JSON lines: one object a point", _write_jsonl, _tell_jsonl),
        Format("markdown", (".md",), "a Markdown table", _write_markdown, _tell_markdown),
    )
}  # fmt: skip


def by_suffix(path: str) -> Format:
    """The format of a file by the end of its name. Raises GradError where there is none."""
    for row in FORMATS.values():
        if path.lower().endswith(row.suffixes):
            return row
    known = " ".join(s for row in FORMATS.values() for s in row.suffixes)
    raise GradError(f"--output: no format goes with the name '{path}'", hint=f"give --format, or a suffix of {known}")
