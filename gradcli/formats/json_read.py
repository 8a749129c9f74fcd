"""Reader of JSON: records, columns, or the schema gradcli/1. It is strict: duplicate keys and NaN are errors.

The text is held in memory; its values are parsed some rows at a time.
"""

from __future__ import annotations

import codecs
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gradcli.errors import GradError
from gradcli.formats.columns import SCHEMA, Chunk, Table, key_of
from gradcli.formats.input import ENCODING, Input, checked_names, column_indices
from gradcli.formats.json_scan import SPAN, STEP, Records, Scan, Values
from gradcli.formats.json_values import MINUS_ZERO, Spelled, floats, kept_cells, parse
from gradcli.formats.jsonl_read import JsonLines

_ROWS = 65536
"""Maximum of rows in a chunk."""


def read_json(source: Input) -> Table:
    """Return the table of a JSON text, or of a text of JSON lines."""
    text = source.whole(text=True)
    # No JSON text has a brace that closes at the end of its first line, and one that opens after it.
    end = text.find(b"\n")
    closed = text.startswith(b"{") and text[max(0, end - 9) : end].rstrip().endswith(b"}")
    lines = closed and text[end : end + 9].lstrip().startswith(b"{")
    return JsonLines(source, iter([text])) if lines else JsonTable(source, text)


class JsonTable(Table):
    """A table in a JSON text, which is held in memory and parsed some rows at a time; see ``Table``."""

    def __init__(self, source: Input, text: bytes) -> None:
        self.name, self.na, self.notes, self.source = source.name, source.na, list[str](), source
        self._text = text
        scan = Scan(self._text, self.name, 0)
        _check_utf8(scan)
        at = scan.blank(scan.start)
        mark = self._text[at : at + 1]
        self._records: Records | None = None
        self._columns: dict[str, Values] = {}
        self.rows: int | None
        if not mark:
            raise GradError(f"{self.name}: the file is empty: JSON is expected")
        if mark == b"[":
            self._records, end = scan.records(at)
            scan.end(end)
            names, self.rows = self._records.names, self._records.rows[-1]
        elif mark == b"{":
            self._columns = self._of_columns(scan, at)
            names, self.rows = list(self._columns), next((c.rows for c in self._columns.values()), 0)
            if self._records is not None:
                names, self.rows = self._records.names, 1
        else:
            scan.end(scan.value(at))
            raise GradError(f"{self.name}:1:1: {scan.kind(at)} where records [{{...}}] or columns {{...}} are expected")
        self.names = checked_names(self.name, names)
        self._columns = dict(zip(self.names, self._columns.values(), strict=False))

    def _of_columns(self, scan: Scan, at: int) -> dict[str, Values]:
        columns: dict[str, Values] = {}
        others: dict[str, int] = {}
        spans: dict[str, tuple[int, int]] = {}

        def of_schema(key: str, at: int) -> int:
            spans[key] = at, scan.value(at)
            return spans[key][1]

        def take(key: str, at: int) -> int:
            if self._text[at : at + 1] == b"[":
                columns[key], end = scan.values(at)
                return end
            others[key] = at
            deep = key == "columns" and self._text[at : at + 1] == b"{"
            return scan.members(at, of_schema) if deep else scan.value(at)

        end = scan.members(at, take)
        scan.end(end)
        schema = scan.string(others["schema"]) if "schema" in others else ""
        if schema.startswith("gradcli/"):
            if schema != SCHEMA or "columns" not in others or scan.kind(others["columns"]) != "an object":
                raise GradError(
                    f"{self.name}: not of the schema {SCHEMA}: 'columns' is missing or the version is newer"
                )
            values = {name: (at, end) for name, (at, end) in spans.items() if self._text[at : at + 1] != b"n"}
            # In a list of rows a list is a value; in the shape of a grid it is a part of the grid.
            if (shape := columns.get("shape")) and shape.rows == 1:
                columns = {name: scan.values(at)[0] for name, (at, _) in values.items() if scan.kind(at) == "a list"}
            else:
                columns = {name: scan.deep_values(name, at, end) for name, (at, end) in values.items()}
        elif others and not columns and not any(scan.kind(place).startswith("an ") for place in others.values()):
            # A single record, as a program of JSON lines writes one.
            self._records = Records(list(others), array("q", [0, 1]), array("q", [at, end]))
        elif others:
            name, at = next(iter(others.items()))
            raise GradError(f"{self.name}: '{name}' is {scan.kind(at)} where a list of numbers is expected")
        first = next(iter(columns), "")
        for name, column in columns.items():
            if column.rows != columns[first].rows:
                lengths = f"'{first}' has {columns[first].rows} values, '{name}' has {column.rows}"
                raise GradError(f"{self.name}: columns of unequal length: {lengths}")
        return columns

    def chunks(self, wanted: Sequence[str], keep: Sequence[str]) -> Iterator[Chunk]:
        names = [*wanted, *keep]
        column_indices(self.name, self.names, names)
        start = 0
        for part in self._of_lists(names) if self._records is None else self._of_records(self._records):
            count = part.count
            error: GradError | None = None
            columns: list[Any] = []
            for k, name in enumerate(names):
                column: Any
                kept = k >= len(wanted)
                if kept:
                    # A column holds places of some values alone, between which a list may be of any length.
                    column, bad = kept_cells(part.values(name, Spelled), nested=self._records is not None)
                else:
                    column, bad = part.numbers(name, self.na)
                if bad is not None and len(column) < count:
                    count = len(column)
                    error = GradError(f"{self.name}: '{name}', value {start + count + 1}: {bad}")
                columns.append(column)
            if count:
                columns = [column[:count] for column in columns]
                yield Chunk(start, columns[: len(wanted)], columns[len(wanted) :])
            if error is not None:
                raise error
            start += count

    def _of_records(self, records: Records) -> Iterator[_Part]:
        rows, at = records.rows, records.offsets
        k = 0
        while k < len(rows) - 1:
            end = k + 1
            while end < len(rows) - 1 and rows[end + 1] - rows[k] <= _ROWS and at[end + 1] - at[k] <= SPAN:
                end += 1
            text = _list(self._text[at[k] : at[end]])
            yield _Part(self.name, rows[end] - rows[k], {"": text})
            k = end

    def _of_lists(self, names: Sequence[str]) -> Iterator[_Part]:
        columns = {name: self._columns[name] for name in names}
        offsets = [column.offsets for column in columns.values()]
        rows, k = self.rows or 0, 0
        steps = -(-rows // STEP)
        while k < steps:
            end = k + 1
            while end < steps and end - k < _ROWS // STEP and sum(at[end + 1] - at[k] for at in offsets) <= SPAN:
                end += 1
            texts = {name: self._cells(column, k, end) for name, column in columns.items()}
            yield _Part(self.name, min(end * STEP, rows) - k * STEP, texts)
            k = end

    def _cells(self, column: Values, k: int, end: int) -> bytes:
        """Return the values of a column between two remembered offsets as a JSON list.

        The list ends at the first value that is a list or an object, which is written as an empty one.
        """
        text, first, last = self._text, column.offsets[k], column.offsets[end]
        scan = Scan(text, self.name, 0)
        if column.deep:
            cells = text[first:last]
            if b'"' in cells or b"[]" in (bare := cells.translate(None, b" \t\n\r")):
                return _list(b",".join(scan.deep(first, last)))
            return _list(bare.translate(None, b"[]").lstrip(b","))
        if column.odd >= min(end * STEP, column.rows):
            return _list(text[first:last])
        at = first
        for _ in range(column.odd - k * STEP):
            at = scan.blank(scan.blank(scan.value(at)) + 1)
        return _list(text[first:at] + (b"[]" if text[at : at + 1] == b"[" else b"{}"))


class _Part:
    """Some rows as JSON text: a list for each column, or a list of records under the name ""."""

    def __init__(self, name: str, count: int, texts: dict[str, bytes]) -> None:
        self.name, self.count, self._texts = name, count, texts
        self._records: dict[Any, list[Any]] = {}

    def values(self, column: str, spelled: Callable[[str], Any] | None) -> list[Any]:
        """Return the values of a column, with numbers converted by ``spelled``.

        If that is None, orjson parses the text, which may raise ValueError.
        """
        if column in self._texts:
            return self._parsed(self._texts[column], spelled)
        if spelled not in self._records:
            self._records[spelled] = self._parsed(self._texts[""], spelled)
        return [record[key_of(column)] for record in self._records[spelled]]

    def _parsed(self, text: bytes, spelled: Callable[[str], Any] | None) -> list[Any]:
        import orjson

        values: list[Any] = orjson.loads(text) if spelled is None else parse(text.decode(), self.name, spelled)
        return values

    def numbers(self, column: str, na: bool) -> tuple[Any, str | None]:
        """Return a column as an array up to its first value that is not a number, and the error there or None."""
        import numpy as np

        text = self._texts.get(column, self._texts.get("", b""))
        try:
            values = self.values(column, None)
            if set(map(type, values)) <= ({float, int, type(None)} if na else {float, int}):
                array = np.array(values, dtype=np.float64)
                # orjson reads the integer -0 as 0, so such a text is parsed strictly.
                if b"-0" not in text or array.all() or not MINUS_ZERO(text):
                    return array, None
        except ValueError:
            pass
        return floats(self.values(column, float), na)


def _list(values: bytes) -> bytes:
    """Return values separated by commas, with an optional trailing comma, as a JSON list."""
    return b"[" + values.rstrip(b", \t\n\r") + b"]"


def _check_utf8(scan: Scan) -> None:
    text, at = scan.text, scan.start
    while at < len(text) and not text.isascii():
        try:
            at += codecs.utf_8_decode(text[at : at + SPAN], "strict", at + SPAN >= len(text))[1]
        except UnicodeDecodeError as error:
            raise scan.fault(at + error.start, "not UTF-8", ENCODING) from None
