"""Products of derivatives and vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.callables.arguments import array
from gradcli.errors import BadValue


def vector(v: Any, name: str, shape: tuple[int, ...], points: tuple[int, ...]) -> Any:
    """A vector of one shape, or one for each point, as an array. Raises BadValue for another shape."""
    read, _ = array(v, name)
    if read.shape not in (shape, points + shape):
        wanted = f"{shape}" + (f" or {points + shape}" if points else "")
        raise BadValue(f"{name} has the shape {read.shape}, and {wanted} is needed")
    return read


def contracted(a: Any, b: Any, axis: int) -> Any:
    """The sum of the products along an axis, of the dtype of ``a``. Infinities give nan in silence, as in results."""
    with np.errstate(all="ignore"):
        return (a * b).sum(axis).astype(a.dtype, copy=False)


def along(jacobian: Any, v: Any, several: bool, wrt: Sequence[str]) -> Any:
    """The derivative along a direction, for a Jacobian of shape S + (m, n), or S + (n,) for one output."""
    points = jacobian.shape[: jacobian.ndim - 1 - several]
    direction = vector(v, "v", (len(wrt),), points)
    product = contracted(jacobian, direction[..., None, :] if several else direction, -1)
    return product if isinstance(product, np.ndarray) else float(product)


def weighted(jacobian: Any, w: Any, several: bool, outputs: Sequence[str]) -> Any:
    """The sum of the gradients with weights, for a Jacobian as in `along`."""
    points = jacobian.shape[: jacobian.ndim - 1 - several]
    weights = vector(w, "w", (len(outputs),) if several else (), points)[..., None]
    if several:
        return contracted(jacobian, weights, -2)
    with np.errstate(all="ignore"):
        return (jacobian * weights).astype(jacobian.dtype, copy=False)


def times(hessian: Any, v: Any, wrt: Sequence[str]) -> Any:
    """A Hessian of shape S + (n, n) times a vector of shape (n,) or S + (n,)."""
    direction = vector(v, "v", (len(wrt),), hessian.shape[:-2])
    return contracted(hessian, direction[..., None, :], -1)
