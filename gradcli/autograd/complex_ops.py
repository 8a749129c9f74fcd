"""Complex tensors: conjugate, real and imaginary part, modulus and argument.

Cotangents follow the conjugate convention of complex numbers, as in PyTorch (its note "Autograd mechanics").
"""

from __future__ import annotations

import numpy as np

from gradcli.autograd.elementwise import elementwise, placeholder, row
from gradcli.autograd.operations import Primitive, apply, cast, lift, record, same_elements
from gradcli.autograd.shape_ops import expand
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import C128, F64
from gradcli.expr import ZERO
from gradcli.expr import apply as make


def conj(z: Tensor) -> Tensor:
    """The complex conjugate of each element; a real tensor itself.

    >>> tensor([1 + 2j], requires_grad=False).conj().tolist()
    [(1-2j)]
    """
    if z.dtype is not C128:
        return z
    return record(_CONJ, (z,), z.shape, C128)


def real(z: Tensor) -> Tensor:
    """The real part of each element, as float64; a real tensor itself.

    >>> tensor([1 + 2j], requires_grad=False).real
    tensor([1.])
    """
    return cast(z, F64) if z.dtype is C128 else z


def imag(z: Tensor) -> Tensor:
    """The imaginary part of each element, as float64; zeros for a real tensor.

    >>> tensor([1 + 2j], requires_grad=False).imag
    tensor([2.])
    """
    return record(_IMAG, (z,), z.shape, F64) if z.dtype is C128 else expand(lift(0.0), z.shape)


def absolute(x: Tensor) -> Tensor:
    """The absolute value |x| of each element, real or complex; the gradient at 0 is 0."""
    return record(_MODULUS, (x,), x.shape, F64) if x.value.dtype is C128 else apply(_ABS, x)


def angle(z: Tensor) -> Tensor:
    """The argument of each complex number, in radians, from -pi to pi."""
    return apply(_ATAN2, imag(z), real(z))


_ATAN2, _ABS = row("atan2", 2), row("abs", 1)
_X, _Y = placeholder(0), placeholder(1)
UNIT = elementwise(make("where", make("eq", _Y, ZERO), ZERO, make("div", _X, _Y)), 2)
"""An element divided by a modulus or norm; 0 where that is 0."""
_CONJ = Primitive("conj", np.conj, lambda k, g, y, z: conj(g), linear=True, alive=same_elements)
_IMAG = Primitive("imag", np.imag, lambda k, g, y, z: cast(g, C128) * 1j, linear=True, alive=same_elements)
_MODULUS = Primitive("abs", np.abs, lambda k, g, y, z: cast(g, C128) * apply(UNIT, z, y), alive=same_elements)
