"""The Python door: tensors on NumPy arrays, and derivatives of whatever was done to them."""

from __future__ import annotations

import sys
from types import ModuleType

from gradcli.tensor import methods as _methods  # noqa: F401 - binds the methods of Tensor
from gradcli.tensor.array import Tensor, tensor
from gradcli.tensor.call import grad
from gradcli.tensor.check import gradcheck
from gradcli.tensor.companions import hessian, hvp, jacobian, jvp, vjp
from gradcli.tensor.protocols import named

__all__ = [
    "Tensor", "grad", "gradcheck", "hessian", "hvp", "jacobian", "jvp", "named", "tensor", "vjp",
]  # fmt: skip


class _Room(ModuleType):
    """This module: called as the function whose name it shares, since an import of it puts it in that place."""

    __call__ = staticmethod(tensor)


sys.modules[__name__].__class__ = _Room
