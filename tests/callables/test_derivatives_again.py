"""Derivatives of functions whose outputs have the names of each other's derivatives."""

import numpy as np
import pytest

from gradcli import GradError, function

pytestmark = pytest.mark.quick


def test_the_jacobian_of_derivatives_is_the_hessian_below_the_gradient():
    d = function("x**2*y").derivatives(1)
    assert d.outputs == ("f", "df_dx", "df_dy")
    assert np.array_equal(d.jacobian(2, 3), [[12, 4], [6, 4], [4, 0]])
    assert np.array_equal(d.jacobian([2, 2], 3), [d.jacobian(2, 3)] * 2)
    assert np.array_equal(d.hessian(2, 3)[0], function("x**2*y").hessian(2, 3))


def test_hard_points_of_such_a_function_are_settled():
    d = function("x*abs(x)").derivatives(1)
    assert np.array_equal(d.side("left").jacobian(0), [[0], [-2]])


def test_names_that_would_be_equal_are_refused_where_names_are_asked_for():
    with pytest.raises(GradError, match="two columns would be called 'df_dx'"):
        function("x**2*y").derivatives(1).names(1)
