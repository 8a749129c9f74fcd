"""Derivatives of holomorphic functions of complex tensors up to the fifth order, against mpmath."""

import mpmath
import numpy as np
import pytest

from gradcli import GradError, grad, tensor

FUNCTIONS = {
    "arcsin": mpmath.asin, "arccos": mpmath.acos, "arctan": mpmath.atan, "arcsinh": mpmath.asinh,
    "arccosh": mpmath.acosh, "arctanh": mpmath.atanh, "sin": mpmath.sin, "cos": mpmath.cos, "tan": mpmath.tan,
    "sinh": mpmath.sinh, "cosh": mpmath.cosh, "tanh": mpmath.tanh, "exp": mpmath.exp, "log": mpmath.log,
    "expm1": lambda z: mpmath.exp(z) - 1, "exp2": lambda z: mpmath.mpf(2) ** z, "sqrt": mpmath.sqrt,
    "log2": lambda z: mpmath.log(z) / mpmath.log(2), "log10": lambda z: mpmath.log(z) / mpmath.log(10),
    "log1p": lambda z: mpmath.log(1 + z), "reciprocal": lambda z: 1 / z, "square": lambda z: z * z,
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("point", [0.4 + 0.3j, -1.2 + 2j, 0.1 - 3j])
def test_orders_of_a_holomorphic_function(name, point):
    z = tensor(point)
    y = getattr(np, name)(z)
    with mpmath.workdps(40):
        true = [complex(d) for d in mpmath.diffs(FUNCTIONS[name], mpmath.mpc(point), 5)]
    for order, expected in enumerate(true):
        # The cotangent convention conjugates every derivative: that of conj(f) is conj(f') again.
        found = y.item() if order == 0 else np.conj(y.item())
        assert abs(found - expected) <= 2e-14 * max(abs(expected), 1e-2), (name, order)
        if order == 5 or not y.requires_grad:
            # The last derivative of a polynomial is a constant.
            assert not any(true[order + 1 :])
            break
        (y,) = grad(y, z, 1, create_graph=True)


def test_hypot_itself_is_of_real_numbers():
    z = tensor(1 + 2j)
    with pytest.raises(GradError, match="hypot is not defined for complex numbers"):
        np.hypot(z, z)
