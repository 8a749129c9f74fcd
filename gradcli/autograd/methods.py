"""The methods of `Tensor`, bound to functions of the files above it.

`Tensor` declares them under TYPE_CHECKING only, so that its file imports none of these and no import is circular.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.autograd import (
    complex_ops,
    elementwise,
    linalg,
    numpy_functions,
    numpy_ufuncs,
    rearrange,
    reduction_ops,
    shape_ops,
    statistics,
)
from gradcli.autograd.assignment import assign
from gradcli.autograd.operations import unary
from gradcli.autograd.operators import binary, logical, power
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import Axis
from gradcli.functions import TABLE


def _operator(name: str, *, reflected: bool = False) -> Any:
    op = elementwise.row(name, 2)
    if reflected:
        return lambda self, other: binary(op, other, self)
    return lambda self, other: binary(op, self, other)


def _logical(name: str, arity: int) -> Any:
    op = elementwise.row(name, arity)
    return lambda *args: logical(op, *args)


def _max(self: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The greatest element along axes, all by default; ties share the gradient equally, as in ``torch.amax``.

    >>> tensor([[1.0, 5.0], [4.0, 2.0]], requires_grad=False).max(axis=0)
    tensor([4., 5.])
    """
    return reduction_ops.extreme(self, axis, keepdims, "max")


def _min(self: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The least element along axes, all by default; ties share the gradient equally, as in ``torch.amin``.

    >>> tensor([[1.0, 5.0], [4.0, 2.0]], requires_grad=False).min()
    tensor(1.)
    """
    return reduction_ops.extreme(self, axis, keepdims, "min")


def _reshape(self: Tensor, *shape: Any) -> Tensor:
    """The same elements in another shape, given as integers or one tuple; -1 once for the remaining length.

    Raises ValueError for a shape of another size.

    >>> tensor([1, 2, 3, 4], requires_grad=False).reshape(2, -1)
    tensor([[1., 2.],
            [3., 4.]])
    """
    return shape_ops.reshape(self, shape[0] if len(shape) == 1 else shape)


def _transpose(self: Tensor, *axes: Any) -> Tensor:
    """The axes in another order, given as integers or one tuple; reversed by default.

    >>> tensor(np.ones((2, 3, 5))).transpose(2, 0, 1).shape
    (5, 2, 3)
    """
    return shape_ops.transpose(self, axes[0] if len(axes) == 1 else axes or None)


def _unary() -> dict[Any, elementwise.Elementwise]:
    """The operations of NumPy's ufuncs of one argument that are rows of the table without a case of their own."""
    rows = {getattr(np, row.numpy): row.name for row in TABLE.values() if row.numpy and row.arity == (1, 1)}
    plain = numpy_ufuncs.row_function("exp").__code__
    implementations = numpy_ufuncs.UFUNCS
    return {f: elementwise.row(name, 1) for f, name in rows.items() if implementations[f].__code__ is plain}


_UNARY = _unary()


def _array_ufunc(self: Tensor, f: Any, method: str, *args: Any, **options: Any) -> Any:
    """NumPy's protocol of ufuncs; the frequent ones pass over the general way, which costs as much as the operation."""
    op = _UNARY.get(f)
    if op is None or method != "__call__" or options or len(args) > 1:
        return numpy_ufuncs.ufunc(f, method, args, options)
    return unary(op, self)


_NEG = elementwise.row("neg", 1)
_ARITHMETIC = {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "mod": "mod", "floordiv": "floordiv", "pow": "power",
}  # fmt: skip
_METHODS: dict[str, Any] = {
    **{f"__{name}__": _operator(row) for name, row in _ARITHMETIC.items()},
    **{f"__r{name}__": _operator(row, reflected=True) for name, row in _ARITHMETIC.items()},
    **{f"__{name}__": _operator(name) for name in ("lt", "le", "gt", "ge", "eq", "ne")},
    "__pow__": power, "__neg__": lambda self: unary(_NEG, self), "__pos__": lambda self: self,
    "__and__": _logical("and", 2), "__rand__": _logical("and", 2), "__or__": _logical("or", 2),
    "__ror__": _logical("or", 2), "__invert__": _logical("not", 1),
    **{name: numpy_ufuncs.OWN[name] for name in (
        "sum", "mean", "prod", "var", "std", "cumsum", "ravel", "dot", "conj", "squeeze",
    )},
    "max": _max, "min": _min, "reshape": _reshape, "transpose": _transpose,
    "flatten": numpy_ufuncs.ravel, "clip": numpy_functions.clip,
    "T": property(shape_ops.transpose, doc="The tensor with its axes reversed."),
    "real": property(complex_ops.real), "imag": property(complex_ops.imag),
    "__abs__": complex_ops.absolute, "__getitem__": shape_ops.getitem, "__setitem__": assign, **linalg.METHODS,
    **rearrange.METHODS, "cumprod": statistics.cumprod,
    "__round__": lambda self, digits=None: numpy_functions.round_(self, digits or 0),
    "__matmul__": reduction_ops.matmul, "__rmatmul__": lambda self, other: reduction_ops.matmul(other, self),
    "__array_ufunc__": _array_ufunc,
    "__array_function__": lambda self, f, types, args, options: numpy_functions.function(f, args, options),
}  # fmt: skip
for _name, _method in _METHODS.items():
    setattr(Tensor, _name, _method)
