"""The methods of tensors, bound to the functions that do them: imported last, so that no room imports one above it."""

from __future__ import annotations

from typing import Any

from gradcli.autograd import elementwise, numpy_functions, numpy_ufuncs, reduction_ops, shape_ops
from gradcli.autograd.operations import apply, binary, logical, power
from gradcli.autograd.tensor import Tensor


def _operator(name: str, *, reflected: bool = False) -> Any:
    op = elementwise.row(name, 2)
    if reflected:
        return lambda self, other: binary(op, other, self)
    return lambda self, other: binary(op, self, other)


def _logical(name: str, arity: int) -> Any:
    op = elementwise.row(name, arity)
    return lambda *args: logical(op, *args)


_NEG = elementwise.row("neg", 1)
_ARITHMETIC = {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "mod": "mod", "floordiv": "floordiv", "pow": "power",
}  # fmt: skip
_METHODS: dict[str, Any] = {
    **{f"__{name}__": _operator(row) for name, row in _ARITHMETIC.items()},
    **{f"__r{name}__": _operator(row, reflected=True) for name, row in _ARITHMETIC.items()},
    **{f"__{name}__": _operator(name) for name in ("lt", "le", "gt", "ge", "eq", "ne")},
    "__pow__": power, "__neg__": lambda self: apply(_NEG, self), "__pos__": lambda self: self,
    "__and__": _logical("and", 2), "__rand__": _logical("and", 2), "__or__": _logical("or", 2),
    "__ror__": _logical("or", 2), "__invert__": _logical("not", 1),
    **{name: numpy_ufuncs.OWN[name] for name in (
        "sum", "mean", "prod", "var", "std", "cumsum", "ravel", "dot", "conj", "squeeze",
    )},
    "max": lambda self, axis=None, keepdims=False: reduction_ops.extreme(self, axis, keepdims, "max"),
    "min": lambda self, axis=None, keepdims=False: reduction_ops.extreme(self, axis, keepdims, "min"),
    "flatten": numpy_ufuncs.ravel, "clip": numpy_functions.clip,
    "reshape": lambda self, *shape: shape_ops.reshape(self, shape[0] if len(shape) == 1 else shape),
    "transpose": lambda self, *axes: shape_ops.transpose(self, axes[0] if len(axes) == 1 else axes or None),
    "T": property(shape_ops.transpose), "real": property(shape_ops.real), "imag": property(shape_ops.imag),
    "__abs__": shape_ops.absolute, "__getitem__": shape_ops.getitem,
    "__round__": lambda self, digits=None: numpy_functions.round_(self, digits or 0),
    "__matmul__": reduction_ops.matmul, "__rmatmul__": lambda self, other: reduction_ops.matmul(other, self),
    "__array_ufunc__": lambda self, f, method, *args, **options: numpy_ufuncs.ufunc(f, method, args, options),
    "__array_function__": lambda self, f, types, args, options: numpy_functions.function(f, args, options),
}  # fmt: skip
for _name, _method in _METHODS.items():
    setattr(Tensor, _name, _method)
