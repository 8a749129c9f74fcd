"""`once`, an attribute that is made when it is first read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

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

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> _T: ...
    def __get__(self, instance: Any, owner: type | None = None) -> _T | Self:
        if instance is None:
            return self
        value: _T = instance.__dict__.setdefault(self._name, self._make(instance))
        return value
