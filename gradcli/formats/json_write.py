"""Writers of JSON (an object, columns in the shape of the grid) and of JSON lines (an object for each point)."""

from __future__ import annotations

import math
from typing import Any

from gradcli.formats.columns import SCHEMA, Columns, Out, Statements, Style, by_rows, shaped
from gradcli.formats.passthrough import Kept
from gradcli.formats.print_numbers import number_rows, plain

_CHUNK = 65536
"""Numbers printed at a time."""


def _json(value: object) -> bytes:
    """Return names and texts as JSON, with a blank after colons and commas."""
    import json

    return json.dumps(value, ensure_ascii=False).encode()


def _nested(column: Any, shape: tuple[int, ...], out: Out) -> None:
    """Write a flat column as nested JSON arrays, in pieces."""
    import orjson

    if isinstance(column, Kept):
        _nested_cells(column.json(), shape, out)
        return
    if not shape:
        out(plain(orjson.dumps(float(column[0]))))
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
            out((b"," if lo else b"") + plain(body))
    out(b"]")


def _nested_cells(cells: list[bytes], shape: tuple[int, ...], out: Out) -> None:
    for length in reversed(shape):
        cells = [b"[" + b",".join(cells[k : k + length]) + b"]" for k in range(0, len(cells), length or 1)] or [b"[]"]
    out(cells[0])


def _preamble(content: Columns | Statements) -> bytes:
    """Return the members that all objects begin with."""
    pairs: dict[str, object] = {
        "schema": SCHEMA, "expressions": content.expressions, "variables": content.variables, "order": content.order,
    }  # fmt: skip
    if content.read_as is not None:
        pairs["read_as"] = content.read_as
    return b"{" + b",\n ".join([_json(key) + b": " + _json(value) for key, value in pairs.items()])


def write_json(result: Columns, out: Out, style: Style) -> None:
    # Compute all columns before the first byte is written, since --strict may raise an error.
    columns = list(shaped(result))
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
    for key, value in result.members.items():
        out(b",\n " + _json(key) + b": " + _json(value))
    out(b"}\n")


def tell_json(formulas: Statements, out: Out, style: Style) -> None:
    names = set(formulas.names)
    shared = {name: text for name, text in formulas.lines if name not in names}
    derivatives = {name: text for name, text in formulas.lines if name in formulas.derivatives}
    out(_preamble(formulas))
    if shared:
        out(b',\n "shared": ' + _json(shared))
    out(b',\n "derivatives": ' + _json(derivatives))
    if formulas.unused:
        out(b',\n "unused": ' + _json(formulas.unused))
    if formulas.remarks:
        out(b',\n "remarks": ' + _json(formulas.remarks))
    out(b"}\n")


def write_jsonl(result: Columns, out: Out, style: Style) -> None:
    keys = [_json(name).replace(b"%", b"%%") + b": %s" for name in result.names]
    line = b"{" + b", ".join(keys) + b"}\n"
    for block in result.blocks:
        cells = by_rows(
            block, Kept.json,
            lambda numbers: number_rows(numbers, words=False, nothing=b"null").replace(b"\n", b",").split(b","),
        )  # fmt: skip
        out((line * (len(cells) // len(block))) % tuple(cells))


def tell_jsonl(formulas: Statements, out: Out, style: Style) -> None:
    for name, text in formulas.lines:
        out(_json({"name": name, "expression": text}) + b"\n")
    for name in formulas.unused:
        out(_json({"name": name, "expression": None}) + b"\n")
