"""The methods of tensors, bound to the functions that do them: imported last, so that no room imports one above it."""

from __future__ import annotations

from typing import Any

from gradcli.tensor import mixing, moving, protocols
from gradcli.tensor.array import Tensor

_METHODS: dict[str, Any] = {
    **{name: protocols.OWN[name] for name in (
        "sum", "mean", "prod", "var", "std", "cumsum", "ravel", "dot", "conj", "squeeze",
    )},
    "max": lambda self, axis=None, keepdims=False: mixing.extreme(self, axis, keepdims, "max"),
    "min": lambda self, axis=None, keepdims=False: mixing.extreme(self, axis, keepdims, "min"),
    "flatten": protocols.ravel, "clip": protocols.clip,
    "reshape": lambda self, *shape: moving.reshape(self, shape[0] if len(shape) == 1 else shape),
    "transpose": lambda self, *axes: moving.transpose(self, axes[0] if len(axes) == 1 else axes or None),
    "T": property(moving.transpose), "real": property(moving.real), "imag": property(moving.imag),
    "__abs__": moving.absolute, "__getitem__": moving.getitem,
    "__round__": lambda self, digits=None: protocols.round_(self, digits or 0),
    "__matmul__": mixing.matmul, "__rmatmul__": lambda self, other: mixing.matmul(other, self),
    "__array_ufunc__": lambda self, f, method, *args, **options: protocols.ufunc(f, method, args, options),
    "__array_function__": lambda self, f, types, args, options: protocols.function(f, args, options),
}  # fmt: skip
for _name, _method in _METHODS.items():
    setattr(Tensor, _name, _method)
