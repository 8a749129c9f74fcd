"""Layouts filled: the columns of an evaluation as floats, arrays, or tuples of these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gradcli.compute.backends.compiled import Layout, Matrix

if TYPE_CHECKING:
    from gradcli.callables.arguments import Array


def of_floats(layout: Layout, results: Sequence[float]) -> Any:
    """A layout filled with the results at one point."""

    def filled(part: int | Matrix) -> Any:
        if not isinstance(part, Matrix):
            return results[part]
        import numpy as np

        return np.array([results[k] for k in part.places]).reshape(part.shape)

    return tuple(map(filled, layout)) if isinstance(layout, tuple) else filled(layout)


def of_arrays(layout: Layout) -> Callable[[Array, tuple[int, ...]], Any]:
    """The function that fills a layout from a block of columns, one row each, over points of a shape.

    Where the order of the columns allows it, the arrays are views of the block.
    """
    if isinstance(layout, tuple):
        parts = [_part(part) for part in layout]
        return lambda block, shape: tuple([fill(block, shape) for fill in parts])
    return _part(layout)


def _part(part: int | Matrix) -> Callable[[Array, tuple[int, ...]], Any]:
    if not isinstance(part, Matrix):
        return lambda block, shape: block[part].reshape(shape)
    places, own = part.places, part.shape
    straight = places == tuple(range(places[0], places[0] + len(places))) if places else False
    taken: slice | list[int] = slice(places[0], places[0] + len(places)) if straight else list(places)
    depth = len(own)

    def fill(block: Array, shape: tuple[int, ...]) -> Any:
        stacked = block[taken].reshape(own + shape)
        if depth == len(shape) == 1:
            return stacked.T
        return stacked.transpose(*range(depth, stacked.ndim), *range(depth))

    return fill
