"""Results of several names: a tuple whose elements have names, in order, by name and as attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, SupportsIndex, overload

from gradcli.errors import meant


class Values(tuple[Any, ...]):
    """A tuple of results with names: ``values[0]``, ``values["df_da"]``, ``values.df_da``.

    ``names``: the names, in order.

    >>> from gradcli import function
    >>> values = function("s = a + b; p = a*b")(2, 3)
    >>> values
    Values(s=5.0, p=6.0)
    >>> values.p == values["p"] == values[1]
    True
    """

    __slots__ = ()
    names: tuple[str, ...] = ()

    @overload
    def __getitem__(self, key: SupportsIndex | str, /) -> Any: ...
    @overload
    def __getitem__(self, key: slice, /) -> tuple[Any, ...]: ...
    def __getitem__(self, key: SupportsIndex | slice | str, /) -> Any:
        if isinstance(key, str):
            if key not in self.names:
                raise KeyError(f"no result '{key}' ({meant(key, self.names, 'the results are')})")
            return super().__getitem__(self.names.index(key))
        return super().__getitem__(key)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getitem__(self.names.index(name))
        except ValueError:
            raise AttributeError(f"no result '{name}' ({meant(name, self.names, 'the results are')})") from None

    def keys(self) -> tuple[str, ...]:
        """The names of the results, so that ``dict(values)`` has them by name."""
        return self.names

    def items(self) -> Iterator[tuple[str, Any]]:
        """The results with their names."""
        return zip(self.names, self, strict=True)

    def __repr__(self) -> str:
        return f"Values({', '.join(f'{name}={value!r}' for name, value in self.items())})"

    def __reduce__(self) -> tuple[Callable[..., Values], tuple[tuple[str, ...], tuple[Any, ...]]]:
        return values, (self.names, tuple(self))


def values(names: Sequence[str], results: Sequence[Any]) -> Values:
    """Results with names."""
    return values_of(tuple(names))(results)


@lru_cache(256)
def values_of(names: tuple[str, ...]) -> Callable[[Sequence[Any]], Values]:
    """The class of results with these names."""
    return type("Values", (Values,), {"__slots__": (), "names": names})
