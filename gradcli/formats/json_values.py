"""Strict parsing of JSON values (duplicate keys and NaN are errors), and their conversion to numbers and cells."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any, NoReturn

from gradcli.errors import GradError
from gradcli.formats.input import shown
from gradcli.formats.passthrough import Kept
from gradcli.formats.print_numbers import spell

MINUS_ZERO = re.compile(rb"-0(?![.0-9eE])").search


class Spelled(str):
    """A number as spelled in the text, for columns carried through."""


def parse(text: str, name: str, spelled: Callable[[str], Any], line: int = 1) -> Any:
    """Return the value of a JSON text, with numbers converted by ``spelled``. Raise GradError if it is not JSON.

    ``line`` is the line number of its first character.
    """
    where = f"{name}:{line}" if line > 1 else name

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    raise GradError(f"{where}: duplicate key {shown(key)} in an object")
                seen.add(key)
        return members

    def refuse(word: str) -> NoReturn:
        raise not_finite(where, word)

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=refuse, parse_float=spelled, parse_int=spelled)
    except json.JSONDecodeError as error:
        at = text[: error.pos]
        column = len(at[at.rfind("\n") + 1 :].encode()) + 1
        what = "unexpected end of the text" if not text[error.pos :].strip() else error.msg[0].lower() + error.msg[1:]
        raise GradError(f"{name}:{line + error.lineno - 1}:{column}: {what}") from None
    except RecursionError:
        raise GradError(f"{name}:{line}: lists and objects are nested too deep") from None


def not_finite(where: str, word: str) -> GradError:
    """Return the error for NaN or Infinity."""
    hint = "write null for what is not finite, which --na nan reads as nan"
    return GradError(f"{where}: {word} is no JSON", hint=hint)


def floats(values: list[Any], na: bool) -> tuple[Any, str | None]:
    """Return parsed values as an array up to the first that is not a number, and the error there or None."""
    import numpy as np

    if set(map(type, values)) <= {float}:
        array = np.array(values, dtype=np.float64)
        if np.isfinite(array).all():
            return array, None
    numbers = []
    for value in values:
        if value is None and na:
            numbers.append(math.nan)
        elif type(value) is float and math.isfinite(value):
            numbers.append(value)
        else:
            return np.array(numbers, dtype=np.float64), _number_error(value)
    return np.array(numbers, dtype=np.float64), None


def _number_error(value: Any) -> str:
    """Return the reason why a parsed value is not a number."""
    if isinstance(value, float):
        return "the number is too large for a double"
    if value is None:
        return "null where a number is expected (--na nan reads it as nan)"
    return f"{kind(value)} where a number is expected"


def kept_cells(values: list[Any], nested: bool = True) -> tuple[Kept, str | None]:
    """Return parsed values as cells up to the first that cannot be one, and the error there or None.

    Numbers must be ``Spelled``. ``nested``: lists and objects are cells of JSON; otherwise they are errors.
    """
    cells: list[bytes | None] = []
    marks: list[bool | None] = []
    for value in values:
        deep = isinstance(value, (list, dict))
        if deep and not nested:
            return Kept(cells, marks), f"{kind(value)} cannot be carried through in columns (in records it can)"
        try:
            text = ("false", "true")[value] if isinstance(value, bool) else json_text(value) if deep else value
            cells.append(None if text is None else text.encode())
        except UnicodeEncodeError:
            return Kept(cells, marks), "half a surrogate pair is no text"
        except RecursionError:
            return Kept(cells, marks), "lists and objects are nested too deep"
        marks.append(None if deep else type(value) is str)
    return Kept(cells, marks), None


def json_text(value: Any) -> str:
    """Return a value as JSON: numbers with their digits, null for what is not finite, text for what JSON lacks."""
    from decimal import Decimal

    if isinstance(value, dict):
        return "{" + ", ".join([f"{json.dumps(k, ensure_ascii=False)}: {json_text(v)}" for k, v in value.items()]) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(json_text, value)) + "]"
    if isinstance(value, Spelled):
        return value
    if isinstance(value, Decimal) and value.is_finite():
        return f"{value:f}"
    if isinstance(value, float):
        return spell(value) if math.isfinite(value) else "null"
    if value is None or isinstance(value, (bool, int)):
        return json.dumps(value)
    text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
    return json.dumps(text, ensure_ascii=False)


def kind(value: Any) -> str:
    """Return a description of a parsed value for messages."""
    if isinstance(value, str) and not isinstance(value, Spelled):
        return f"the string {shown(value)}"
    kinds: dict[type, str] = {dict: "an object", list: "a list", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
