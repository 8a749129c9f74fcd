"""`once`, an attribute that is made when it is first read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

_T = TypeVar("_T")


class once(Generic[_T]):
    """As `functools.cached_property`, whose lock in Python 3.11 stays locked in a child that is forked meanwhile.

    Two threads that read it first at the same time may both make it; one of the two is kept.
    """

    def __init__(self, make: Callable[[Any], _T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> _T:
        value: _T = instance.__dict__.setdefault(self._name, self._make(instance))
        return value
