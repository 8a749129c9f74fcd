"""The Python door: tensors on NumPy arrays, and derivatives of whatever was done to them."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from gradcli.tensor.array import Tensor, array_of
from gradcli.tensor.call import grad
from gradcli.tensor.check import gradcheck
from gradcli.tensor.companions import hessian, hvp, jacobian, jvp, vjp
from gradcli.tensor.protocols import named
from gradcli.tensor.values import BOOL, C128, F32, F64, Value, settled

__all__ = [
    "Tensor", "grad", "gradcheck", "hessian", "hvp", "jacobian", "jvp", "named", "tensor", "vjp",
]  # fmt: skip


def tensor(data: Any, requires_grad: bool = True, name: str | None = None) -> Tensor:
    """A new tensor with a copy of ``data``: numbers, nested lists of them or an array.

    float32 and complex128 are kept, truth values too (they require no gradient), all else becomes float64. ``name`` is
    told in errors. Elements of it may be assigned to until it is first used. Raises TypeError for what is no array.
    """
    array = array_of(data.numpy() if isinstance(data, Tensor) else data)
    dtype = next(d for d in (BOOL, F32, F64, C128) if d == array.dtype)
    value = Value(array.shape, dtype, settled(array, dtype))
    value.used = False
    found = Tensor(value, None, name)
    return found.requires_grad_() if requires_grad and dtype is not BOOL else found


class _Room(ModuleType):
    """This module: called as the function whose name it shares, since an import of it puts it in that place."""

    __call__ = staticmethod(tensor)


sys.modules[__name__].__class__ = _Room
