"""Options of functions as they are read: orders of derivatives, and what is on or off."""

from __future__ import annotations

from operator import index
from typing import Any

from gradcli.errors import BadType, BadValue
from gradcli.job.request import ORDER_LIMIT


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
