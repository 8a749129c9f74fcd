"""Tensors in lists of lists, which NumPy reads as arrays.

Layer: must not know operations.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gradcli.autograd.tensor import Tensor

DEEPEST = 32
"""The most axes of an array in NumPy before 2.0, and so the deepest list that can be one."""


def tensors_in(x: Any) -> Iterator[Tensor]:
    """The tensors in ``x``: itself, or those in a list or tuple and the lists in it, down to DEEPEST levels."""
    if isinstance(x, Tensor):
        yield x
    level = [x] if isinstance(x, (list, tuple)) else []
    for _ in range(DEEPEST):
        # Each list once, however often it occurs, so that lists that contain themselves end, too.
        inner: dict[int, Any] = {}
        for items in level:
            for i in items:
                if isinstance(i, Tensor):
                    yield i
                elif isinstance(i, (list, tuple)):
                    inner[id(i)] = i
        level = list(inner.values())


def holds_tensor(x: Any) -> bool:
    """Whether ``x`` is a tensor, or a list or tuple with a tensor inside."""
    return next(tensors_in(x), None) is not None
