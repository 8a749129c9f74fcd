"""Reader of JSON lines as they arrive: an object on each line, all with the keys of the first, in any order.

orjson parses many lines at once; text that it does not read strictly (duplicate keys, -0, strings) is parsed line by
line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

from gradcli.errors import GradError
from gradcli.formats.columns import Chunk, Table, key_of
from gradcli.formats.csv_rows import whole_rows
from gradcli.formats.input import ENCODING, Input, checked_names, column_indices, fault, shown
from gradcli.formats.json_values import MINUS_ZERO, Spelled, floats, kept_cells, kind, parse
from gradcli.formats.ranges import head, text_of


class JsonLines(Table):
    """A table with an object on each line; see ``Table``. ``rows`` is always None. ``parts``: the text, if held."""

    rows = None

    def __init__(self, source: Input, parts: Iterator[bytes] | None = None) -> None:
        self.name, self.na, self.notes, self.source = source.name, source.na, list[str](), source
        parts = parts or (source.text() if source.span is None else head(source))
        self._pieces = self._rows(parts, 0)
        self._first = next(self._pieces, b"")
        if not self._first:
            raise GradError(f"{self.name}: the file is empty: an object a line is expected")
        first = self._object(self._first.partition(b"\n")[0], 1, float)
        if not first:
            raise fault(self.name, 1, 1, "an object without keys")
        self.names = checked_names(self.name, list(first))
        # The lines before the first row.
        self._before = 0
        if source.span is not None:
            self._first, self._before = b"", source.span.before
            self._pieces = self._rows(text_of(source, source.span), self._before)

    def _rows(self, parts: Iterator[bytes], before: int) -> Iterator[bytes]:
        return (text for text, _ in whole_rows(parts, self.name, quoting=False, lines=before))

    def _object(self, text: bytes, line: int, spelled: Any) -> dict[str, Any]:
        try:
            line_text = text.decode()
        except UnicodeDecodeError:
            raise fault(self.name, line, 1, "not UTF-8", ENCODING) from None
        if not line_text.strip():
            raise fault(self.name, line, 1, "an empty line where an object is expected")
        value = parse(line_text, self.name, spelled, line)
        if not isinstance(value, dict):
            hint = "say what it is: --input-format json" if isinstance(value, list) and line == 1 else None
            raise fault(self.name, line, 1, f"{kind(value)} where an object is expected", hint)
        return value

    def chunks(self, wanted: Sequence[str], keep: Sequence[str]) -> Iterator[Chunk]:
        column_indices(self.name, self.names, [*wanted, *keep])
        start = 0
        for text in chain([self._first] if self._first else [], self._pieces):
            chunk = self._fast(text, wanted, start) if not keep else None
            error: GradError | None = None
            if chunk is None:
                chunk, error = self._strict(text, wanted, keep, start)
            if chunk is not None:
                start += len((chunk.columns or chunk.kept)[0])
                yield chunk
            if error is not None:
                raise error

    def _fast(self, text: bytes, wanted: Sequence[str], start: int) -> Chunk | None:
        """Return the chunk of complete lines, or None if they need the strict parser."""
        import numpy as np
        import orjson

        lines = text.removesuffix(b"\n")
        try:
            # Put each line in brackets, so that no value can begin in a line and end in another.
            rows = orjson.loads(b"[[" + lines.replace(b"\n", b"],[") + b"]]")
            flat = [row for (row,) in rows]
            columns = [[row[key_of(name)] for row in flat] for name in wanted]
            # More colons than keys: a duplicate key (orjson keeps the last) or a nested value. A different number of
            # rows: a line with brackets of its own. The strict parser decides about both.
            if text.count(b":") != sum(map(len, flat)) or len(rows) != lines.count(b"\n") + 1:
                return None
        except (ValueError, TypeError, KeyError):
            return None
        arrays = []
        kinds = {float, int, type(None)} if self.na else {float, int}
        for column in columns:
            if not set(map(type, column)) <= kinds:
                return None
            array = np.array(column, dtype=np.float64)
            # orjson reads the integer -0 as 0.
            if b"-0" in text and not array.all() and MINUS_ZERO(text):
                return None
            arrays.append(array)
        return Chunk(start, arrays, [])

    def _strict(
        self, text: bytes, wanted: Sequence[str], keep: Sequence[str], start: int
    ) -> tuple[Chunk | None, GradError | None]:
        """Parse line by line; return the chunk of valid lines and the error after it, if any."""
        import numpy as np

        known = set(map(key_of, self.names))
        columns: list[list[Any]] = [[] for _ in (*wanted, *keep)]
        error: GradError | None = None
        for k, line in enumerate(text.removesuffix(b"\n").split(b"\n"), self._before + start + 1):
            try:
                row = self._object(line, k, Spelled)
                values = [self._converted(row, name, k, self._floats)[0] for name in wanted]
                for name in keep:
                    self._converted(row, name, k, kept_cells)
                    values.append(row[key_of(name)])
                if keep and (extra := next((key for key in row if key not in known), None)) is not None:
                    raise fault(self.name, k, 1, f"the key {shown(extra)}, which the first line has not, would be lost")
            except GradError as problem:
                error = problem
                break
            for column, value in zip(columns, values, strict=True):
                column.append(value)
        if not columns[0]:
            return None, error
        numbers, kept = columns[: len(wanted)], columns[len(wanted) :]
        return Chunk(start, [np.array(c) for c in numbers], [kept_cells(c)[0] for c in kept]), error

    def _converted(self, row: dict[str, Any], name: str, line: int, convert: Callable[[list[Any]], Any]) -> Any:
        """Return the value of a key by ``convert``. Raise GradError if the key is missing or the value is refused."""
        if (key := key_of(name)) not in row:
            raise fault(self.name, line, 1, f"no key {shown(key)}")
        values, problem = convert([row[key]])
        if problem is not None:
            raise fault(self.name, line, 1, f"'{name}': {problem}")
        return values

    def _floats(self, values: list[Any]) -> tuple[Any, str | None]:
        return floats([float(value) if isinstance(value, Spelled) else value for value in values], self.na)
