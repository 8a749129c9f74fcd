"""The Python interface: tensors on NumPy arrays, and derivatives of everything computed with them."""

from __future__ import annotations

from gradcli.autograd import methods as _methods  # noqa: F401 - binds the methods of Tensor
from gradcli.autograd.functional import hessian, hvp, jacobian, jvp, vjp
from gradcli.autograd.grad import grad
from gradcli.autograd.gradcheck import gradcheck
from gradcli.autograd.numpy_ufuncs import named
from gradcli.autograd.tensor import Tensor, tensor

__all__ = [
    "Tensor", "grad", "gradcheck", "hessian", "hvp", "jacobian", "jvp", "named", "tensor", "vjp",
]  # fmt: skip
