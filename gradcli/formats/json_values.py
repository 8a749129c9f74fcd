"""Values of JSON, strictly: no key twice, no NaN; and what numbers and cells they make."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any, NoReturn

from gradcli.errors import GradError
from gradcli.formats.kept import Kept
from gradcli.formats.source import fault, shown

MINUS_ZERO = re.compile(rb"-0(?![.0-9eE])").search


class Spelled(str):
    """A number as it is written, for what is carried through."""


def parsable(text: bytes, name: str) -> str:
    """JSON's text without a BOM. Raises GradError where it is not UTF-8."""
    start = marked(text, name)
    try:
        return text[start:].decode()
    except UnicodeDecodeError as error:
        raise not_utf8(text, start, start + error.start, name) from None


def marked(text: bytes, name: str) -> int:
    """Where a text begins, behind the mark of its byte order."""
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise GradError(f"{name}:1: UTF-16, not UTF-8", hint="convert it: iconv -f utf-16 -t utf-8")
    return 3 if text.startswith(b"\xef\xbb\xbf") else 0


def not_utf8(text: bytes, start: int, at: int, name: str) -> GradError:
    line = text.count(b"\n", 0, at) + 1
    return fault(name, line, at - max(text.rfind(b"\n", 0, at), start - 1), "not UTF-8")


def parse(text: str, name: str, spelled: Callable[[str], Any], line: int = 1) -> Any:
    """The value of a JSON text; ``line`` is that of its first character. Raises GradError."""

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
