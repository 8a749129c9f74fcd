"""Reads JSON: records, columns, or gradcli's own schema; held in memory, and strictly: no key twice, no NaN.

The next file reads JSON lines with the parser of this one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from gradcli.errors import GradError
from gradcli.formats.given import Chunk
from gradcli.formats.kept import Kept
from gradcli.formats.source import Input, checked_names, places, shown

_ROWS = 65536
"""Rows given at a time."""


class Spelled(str):
    """A number as it is written, for what is carried through."""


class JsonTable:
    """A table in one JSON text; see ``Table``."""

    def __init__(self, given: Input) -> None:
        given.refuse_columns()
        self.name, self.na, self.notes = given.name, given.na, list[str]()
        text = given.whole()
        self._text = parsable(text, self.name)
        if not self._text.strip():
            raise GradError(f"{self.name}: the file is empty: JSON is expected")
        self._columns = self._read(float)
        self.names = checked_names(self.name, list(self._columns))
        self.rows: int | None = len(next(iter(self._columns.values()))) if self._columns else 0

    def _read(self, spelled: Callable[[str], Any]) -> dict[str, list[Any]]:
        found = parse(self._text, self.name, spelled)
        if isinstance(found, list):
            return self._of_records(found)
        if isinstance(found, dict):
            return self._of_columns(found)
        raise GradError(f"{self.name}:1:1: {kind(found)} where records [{{...}}] or columns {{...}} are expected")

    def _of_records(self, records: list[Any]) -> dict[str, list[Any]]:
        for r, record in enumerate(records):
            if not isinstance(record, dict):
                raise GradError(f"{self.name}: record {r + 1} is {kind(record)}, not an object")
        names = list(records[0]) if records else []
        for r, record in enumerate(records):
            if record.keys() != records[0].keys():
                odd = next((n for n in names if n not in record), None)
                what = f"has no key {shown(odd)}" if odd is not None else "has keys that the first has not"
                raise GradError(f"{self.name}: record {r + 1} {what}")
        return {name: [record[name] for record in records] for name in names}

    def _of_columns(self, found: dict[str, Any]) -> dict[str, list[Any]]:
        if str(found.get("schema", "")).startswith("gradcli/"):
            if found["schema"] != "gradcli/1" or not isinstance(found.get("columns"), dict):
                raise GradError(
                    f"{self.name}: not of the schema gradcli/1: 'columns' is missing or the version is newer"
                )
            columns = {n: _flat(c) for n, c in found["columns"].items() if c is not None}
        else:
            for name, column in found.items():
                if not isinstance(column, list):
                    raise GradError(f"{self.name}: '{name}' is {kind(column)} where a list of numbers is expected")
            columns = found
        first = next(iter(columns), "")
        for name, column in columns.items():
            if len(column) != len(columns[first]):
                lengths = f"'{first}' has {len(columns[first])} values, '{name}' has {len(column)}"
                raise GradError(f"{self.name}: columns of unequal length: {lengths}")
        return columns

    def chunks(self, wanted: Sequence[str], keep: Sequence[str]) -> Iterator[Chunk]:
        places(self.name, self.names, [*wanted, *keep])
        spelled = self._read(Spelled) if keep else {}
        for start in range(0, self.rows or 0, _ROWS):
            count = min(_ROWS, (self.rows or 0) - start)
            columns = []
            error: GradError | None = None
            for name in wanted:
                column, bad = floats(self._columns[name][start : start + count], self.na)
                if bad is not None and len(column) < count:
                    count = len(column)
                    error = GradError(f"{self.name}: '{name}', value {start + count + 1}: {bad}")
                columns.append(column)
            kept = []
            for name in keep:
                texts, bad = kept_cells(spelled[name][start : start + count])
                if bad is not None:
                    count = len(texts)
                    error = GradError(f"{self.name}: '{name}', value {start + count + 1}: {bad}")
                kept.append(texts)
            if count:
                yield Chunk(start, [c[:count] for c in columns], [k[:count] for k in kept])
            if error is not None:
                raise error


def _flat(column: Any) -> list[Any]:
    """Nested lists as one, in C order."""
    flat: list[Any] = column if isinstance(column, list) else [column]
    while any(isinstance(item, list) for item in flat):
        flat = [x for item in flat for x in (item if isinstance(item, list) else [item])]
    return flat


def parsable(text: bytes, name: str) -> str:
    """JSON's text without a BOM. Raises GradError where it is not UTF-8."""
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise GradError(f"{name}:1: UTF-16, not UTF-8", hint="convert it: iconv -f utf-16 -t utf-8")
    try:
        return text.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        column = error.start - text.rfind(b"\n", 0, error.start)
        raise GradError(f"{name}:{line}:{column}: not UTF-8") from None


def parse(text: str, name: str, spelled: Callable[[str], Any], line: int = 1) -> Any:
    """The value of a JSON text; ``line`` is that of its first character. Raises GradError."""
    import json

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    raise GradError(f"{name}: duplicate key {shown(key)} in an object")
                seen.add(key)
        return found

    def refuse(word: str) -> NoReturn:
        raise GradError(
            f"{name}: {word} is no JSON", hint="JSON has null for what is not finite: --na nan reads it as nan"
        )

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=refuse, parse_float=spelled, parse_int=spelled)
    except GradError as error:
        if line > 1 and error.message.startswith(f"{name}: "):
            error = GradError(f"{name}:{line}:{error.message[len(name) + 1 :]}", hint=error.hint)
        raise error from None
    except json.JSONDecodeError as error:
        at = text[: error.pos]
        column = len(at[at.rfind("\n") + 1 :].encode()) + 1
        what = "unexpected end of the text" if not text[error.pos :].strip() else error.msg[0].lower() + error.msg[1:]
        raise GradError(f"{name}:{line + error.lineno - 1}:{column}: {what}") from None
    except RecursionError:
        raise GradError(f"{name}:{line}: lists and objects are nested too deep") from None


def floats(values: list[Any], na: bool) -> tuple[Any, str | None]:
    """Parsed values as an array, up to the first that is no number, and what is wrong with that."""
    import numpy as np

    if set(map(type, values)) <= {float}:
        found = np.array(values, dtype=np.float64)
        if np.isfinite(found).all():
            return found, None
    good = []
    for value in values:
        if value is None and na:
            good.append(math.nan)
        elif type(value) is float and math.isfinite(value):
            good.append(value)
        else:
            return np.array(good, dtype=np.float64), _wrong(value)
    return np.array(good, dtype=np.float64), None


def _wrong(value: Any) -> str:
    if isinstance(value, float):
        return "the number is too large for a double"
    if value is None:
        return "null where a number is expected (--na nan reads it as nan)"
    return f"{kind(value)} where a number is expected"


def kept_cells(values: list[Any]) -> tuple[Kept, str | None]:
    """Parsed values, numbers as ``Spelled``, up to the first that is a list or an object, and what is wrong with it."""
    cells: list[bytes | None] = []
    marks: list[bool] = []
    for value in values:
        if isinstance(value, (list, dict)):
            return Kept(cells, marks), f"{kind(value)} cannot be carried through"
        try:
            text = ("false", "true")[value] if isinstance(value, bool) else None if value is None else str(value)
            cells.append(None if text is None else text.encode())
        except UnicodeEncodeError:
            return Kept(cells, marks), "half a surrogate pair is no text"
        marks.append(type(value) is str)
    return Kept(cells, marks), None


def kind(value: Any) -> str:
    if isinstance(value, str) and not isinstance(value, Spelled):
        return f"the string {shown(value)}"
    kinds: dict[type, str] = {dict: "an object", list: "a list", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
