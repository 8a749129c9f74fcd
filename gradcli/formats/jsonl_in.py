"""Reads JSON lines as they come: one object a line, all with the keys of the first, in any order.

orjson reads many lines at once; where it cannot tell (a key twice, -0, text) every line is parsed by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gradcli.errors import GradError
from gradcli.formats.given import Chunk
from gradcli.formats.json_values import MINUS_ZERO, Spelled, floats, kept_cells, kind, parsable, parse
from gradcli.formats.source import LINE_LIMIT, Input, checked_names, fault, places, shown


class JsonLines:
    """A table of one object a line; see ``Table``. ``rows`` is never known."""

    rows: int | None = None

    def __init__(self, given: Input) -> None:
        given.refuse_columns()
        self.name, self.na, self.notes = given.name, given.na, list[str]()
        self._pieces = _whole_lines(given.parts(), self.name)
        self._held = next(self._pieces, b"").removeprefix(b"\xef\xbb\xbf")
        if not self._held:
            raise GradError(f"{self.name}: the file is empty: an object a line is expected")
        first = self._object(self._held.partition(b"\n")[0], 1, float)
        if not first:
            raise fault(self.name, 1, 1, "an object without keys")
        self.names = checked_names(self.name, list(first))

    def _object(self, text: bytes, line: int, spelled: Any) -> dict[str, Any]:
        try:
            readable = parsable(text, self.name)
        except GradError:
            raise fault(self.name, line, 1, "not UTF-8") from None
        if not readable.strip():
            raise fault(self.name, line, 1, "an empty line where an object is expected")
        found = parse(readable, self.name, spelled, line)
        if not isinstance(found, dict):
            raise fault(self.name, line, 1, f"{kind(found)} where an object is expected")
        return found

    def chunks(self, wanted: Sequence[str], keep: Sequence[str]) -> Iterator[Chunk]:
        places(self.name, self.names, [*wanted, *keep])
        start, held = 0, self._held
        while held:
            chunk = self._fast(held, wanted, start) if not keep else None
            error: GradError | None = None
            if chunk is None:
                chunk, error = self._strict(held, wanted, keep, start)
            if chunk is not None:
                start += len((chunk.columns or chunk.kept)[0])
                yield chunk
            if error is not None:
                raise error
            held = next(self._pieces, b"")

    def _fast(self, text: bytes, wanted: Sequence[str], start: int) -> Chunk | None:
        """The lines where every value asked for is plainly a number; else None."""
        import numpy as np
        import orjson

        lines = text.removesuffix(b"\n")
        try:
            # Brackets, so that nothing can begin in one line and end in another.
            rows = orjson.loads(b"[[" + lines.replace(b"\n", b"],[") + b"]]")
            flat = [row for (row,) in rows]
            columns = [[row[name] for row in flat] for name in wanted]
            # A key twice leaves a colon more than there are keys; a line with brackets of its own may be two rows.
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
            # JSON's integers have no minus zero.
            if b"-0" in text and not array.all() and MINUS_ZERO(text):
                return None
            arrays.append(array)
        return Chunk(start, arrays, [])

    def _strict(
        self, text: bytes, wanted: Sequence[str], keep: Sequence[str], start: int
    ) -> tuple[Chunk | None, GradError | None]:
        import numpy as np

        known = set(self.names)
        numbers: list[list[float]] = [[] for _ in wanted]
        kept: list[list[Any]] = [[] for _ in keep]
        error: GradError | None = None
        for k, line in enumerate(text.removesuffix(b"\n").split(b"\n"), start + 1):
            try:
                row = self._object(line, k, Spelled)
                values = [self._number(row, name, k) for name in wanted]
                others = [self._other(row, name, k) for name in keep]
                if keep and (more := next((key for key in row if key not in known), None)) is not None:
                    raise fault(self.name, k, 1, f"the key {shown(more)}, which the first line has not, would be lost")
            except GradError as wrong:
                error = wrong
                break
            for column, value in zip(numbers, values, strict=True):
                column.append(value)
            for texts, other in zip(kept, others, strict=True):
                texts.append(other)
        if not (numbers or kept)[0]:
            return None, error
        return Chunk(start, [np.array(c) for c in numbers], [kept_cells(c)[0] for c in kept]), error

    def _value(self, row: dict[str, Any], name: str, line: int) -> Any:
        if name not in row:
            raise fault(self.name, line, 1, f"no key {shown(name)}")
        return row[name]

    def _number(self, row: dict[str, Any], name: str, line: int) -> float:
        value = self._value(row, name, line)
        found, wrong = floats([float(value) if isinstance(value, Spelled) else value], self.na)
        if wrong is not None:
            raise fault(self.name, line, 1, f"'{name}': {wrong}")
        return float(found[0])

    def _other(self, row: dict[str, Any], name: str, line: int) -> Any:
        value = self._value(row, name, line)
        _, wrong = kept_cells([value])
        if wrong is not None:
            raise fault(self.name, line, 1, f"'{name}': {wrong}")
        return value


def _whole_lines(parts: Iterator[bytes], name: str) -> Iterator[bytes]:
    held: list[bytes] = []
    size = lines = 0
    for part in parts:
        if cut := part.rfind(b"\n") + 1:
            held.append(part[:cut])
            text = b"".join(held)
            lines += text.count(b"\n")
            yield text
            held, size, part = [], 0, part[cut:]
        held.append(part)
        size += len(part)
        if size > LINE_LIMIT:
            raise fault(name, lines + 1, 1, f"the line is too long: the limit is {LINE_LIMIT:,} bytes")
    if size:
        yield b"".join(held)
