"""Python's operators on tensors: their other operand may be a number, an array or a list."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.autograd import elementwise
from gradcli.autograd.elementwise import Elementwise
from gradcli.autograd.operations import apply, lift, pair, unary
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import BOOL, F64, Value
from gradcli.errors import BadType


def binary(op: Elementwise, a: Any, b: Any) -> Tensor:
    """An operator of two arguments, one of which may be a number or an array; NotImplemented for any other type."""
    if a.__class__ is not Tensor:
        a = _operand(a, b)
    elif b.__class__ is not Tensor:
        b = _operand(b, a)
    if a is None or b is None:
        return NotImplemented  # type: ignore[no-any-return]  # the protocol of binary operators
    return pair(op, a, b)


def _operand(x: Any, like: Tensor) -> Tensor | None:
    """The other operand of an operator as a tensor; None for a type that operators do not take."""
    if (x.__class__ is float or x.__class__ is int) and like.value.dtype is F64 and -_EXACT < x < _EXACT:
        return Tensor(Value((), F64, float(x)))
    return lift(x, like) if isinstance(x, _OPERANDS) else None


_EXACT = 2**53
_OPERANDS = (Tensor, int, float, complex, np.ndarray, np.generic, list, tuple)


def logical(op: Elementwise, *args: Any) -> Tensor:
    """An operator of truth values. Raises BadType for numbers."""
    tensors = [lift(a) for a in args]
    if any(t.dtype is not BOOL for t in tensors):
        raise BadType("& | and ~ are of truth values", hint="compare first: (x > 0) & (x < 1)")
    return apply(op, *tensors)


def power(x: Tensor, exponent: Any) -> Tensor:
    """x**exponent; a Python number is a constant of the operation, not an argument."""
    if exponent.__class__ is int or exponent.__class__ is float:
        return unary(elementwise.power(exponent), x if x.__class__ is Tensor else lift(x))
    if isinstance(exponent, (int, float)) and not isinstance(exponent, bool):
        return unary(elementwise.power(int(exponent) if isinstance(exponent, int) else float(exponent)), lift(x))
    return binary(_POWER, x, exponent)


_POWER = elementwise.row("power", 2)
