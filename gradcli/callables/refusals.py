"""Errors as Python's callers expect them, and options that are read as Python reads them.

Layer: must not know what is computed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from operator import index
from typing import Any

from gradcli.errors import BadType, BadValue, GradError
from gradcli.job.request import ORDER_LIMIT

_OPTION = re.compile(r"(?<!\S)--([a-z][a-z-]+)\b")
"""An option of the command line, whose argument in Python has its name."""


@contextmanager
def in_python() -> Iterator[None]:
    """GradErrors of other rooms as BadValues, which Python's callers catch as ValueErrors."""
    try:
        yield
    except GradError as error:
        if isinstance(error, (TypeError, ValueError)):
            raise
        raise as_value(error) from None


def as_value(error: GradError) -> BadValue:
    """The same error as one that is a ValueError, too."""
    # The other way out is an option of the shell.
    hint = (error.hint or "").partition("; or give a value: --at")[0]
    message, hint = (_OPTION.sub(_argument, text) for text in (error.message, hint))
    return BadValue(message, hint=hint or None, span=error.span, source=error.source, exit_code=error.exit_code)


def _argument(option: re.Match[str]) -> str:
    return option[1].replace("-", "_")


def order_of(order: Any) -> int:
    """An order of derivatives as an int. Raises BadType for no whole number, BadValue for one beyond the limits."""
    try:
        whole = index(order)
    except TypeError:
        raise BadType(f"an order is a whole number, not {_shown(order)}") from None
    if isinstance(order, bool):
        raise BadType(f"an order is a whole number, not {order}")
    if whole < 0:
        raise BadValue("the order must be at least 0")
    if whole > ORDER_LIMIT:
        # A number of thousands of digits has no text.
        shown = f"order {whole}" if whole < 10**20 else "the order"
        raise BadValue(f"{shown} is beyond the limit of {ORDER_LIMIT}")
    return whole


def flag(value: Any, option: str) -> bool:
    """An option that is on or off. Raises BadType for a value without a truth, such as an array."""
    try:
        return bool(value)
    except (TypeError, ValueError):
        raise BadType(f"{option} is True or False, not {type(value).__name__}") from None


def _shown(value: object) -> str:
    """A value of a simple type as it is written, else the name of its type: texts of others have any length."""
    return repr(value) if isinstance(value, (float, bool, type(None))) else type(value).__name__
