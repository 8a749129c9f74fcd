"""Cotangents, directions and the arguments of gradcheck as tensors, arrays and numbers, alone and in lists."""

import math

import numpy as np
import pytest

import gradcli
from gradcli import GradError, grad, gradcheck, hessian, hvp, jacobian, jvp, tensor, vjp

pytestmark = pytest.mark.quick
X, Y = np.array([0.5, 1.5, -0.75]), np.array([2.0, -1.0, 0.25])


@pytest.mark.parametrize("given", [
    np.array([1.0, 10.0, 100.0]), np.array([1, 10, 100]), np.float32([1, 10, 100]), [np.array([1.0, 10.0, 100.0])],
    [[1.0, 10.0, 100.0]], [[1, tensor(10.0), np.float64(100)]], tensor([1.0, 10.0, 100.0]),
])  # fmt: skip
def test_a_cotangent_in_every_form(given):
    x = tensor(X)
    (g,) = grad(x**2, x, given)
    assert g.dtype == np.float64 and np.array_equal(g, 2 * X * [1, 10, 100])


@pytest.mark.parametrize("given", [3.0, 3, np.float64(3), np.array(3.0), (3,), [np.float32(3)], tensor(3.0), True])
def test_a_cotangent_of_a_number(given):
    x = tensor(X)
    assert np.array_equal(grad((x**2).sum(), x, given)[0], 6 * X if given is not True else 2 * X)


def test_cotangents_of_several_outputs():
    x = tensor(X)
    outputs = lambda: (x**2, x.sum(), np.cumsum(x))
    true = 2 * X * Y + 5 + np.cumsum(X[::-1])[::-1]
    for given in ([Y, 5, X], (tensor(Y), np.array(5.0), X), [Y, np.float64(5), tensor(X)]):
        assert np.allclose(grad(outputs(), x, given)[0], true, rtol=1e-15)
    batch = np.stack([Y, X])
    (g,) = grad(x**2, x, batch, is_grads_batched=True)
    assert np.array_equal(g, 2 * X * batch)


def test_a_cotangent_belongs_to_the_graph_if_it_is_a_tensor():
    x, w = tensor(X), tensor(Y)
    (g,) = grad(x**2, x, [w], create_graph=True)
    assert np.array_equal(grad(g, w, np.ones(3), retain_graph=True)[0], 2 * X)
    (h,) = grad(x**2, x, [[w[0], w[1] * 2, 1.0]], create_graph=True)
    assert np.array_equal(grad(h.sum(), w)[0], [2 * X[0], 4 * X[1], 0])


def test_complex_cotangents():
    z = tensor(np.array([1 + 2j, 3j]))
    (g,) = grad(z**2, z, np.array([1, 1j]))
    assert np.array_equal(g, np.conj(2 * z.detach().numpy()) * [1, 1j])
    assert grad(z[0] ** 2, z[0], 1j, allow_unused=True) == (None,)
    assert grad((z**2).sum(), z, 2)[0].dtype == np.complex128
    with pytest.raises(RuntimeError, match="same dtype"):
        grad(z**2, z, np.ones(2))
    x = tensor(X)
    with pytest.raises(RuntimeError, match="same dtype"):
        grad(x**2, x, np.ones(3) * 1j)


def test_cotangents_that_do_not_fit():
    x = tensor(X)
    for given in (np.ones(2), 1.0, [1.0, 2.0], np.ones((3, 1))):
        with pytest.raises(RuntimeError, match="Mismatch in shape"):
            grad(x**2, x, given)
    with pytest.raises(RuntimeError, match="got 2 tensors and 1 gradients"):
        grad((x[0], x[1]), x, 1.0)
    for given in ("a", [object()], [np.ma.array([1, 2, 3])], [np.array(["a"])], [10**400]):
        with pytest.raises((TypeError, RuntimeError)) as caught:
            grad((x**2).sum(), x, given)
        assert isinstance(caught.value, GradError)


@pytest.mark.parametrize("kind", [tuple, list])
def test_inputs_and_directions_in_lists(kind):
    f = lambda x, y: (x * x * y).sum()
    both, ways = kind([X, Y]), kind([Y, X])
    y, slope = jvp(f, both, ways)
    true = np.sum(2 * X * Y * Y + X * X * X)
    assert y.item() == np.sum(X * X * Y) and np.allclose(slope.item(), true, rtol=1e-15)
    assert [g.tolist() for g in vjp(f, both, 2)[1]] == [(4 * X * Y).tolist(), (2 * X * X).tolist()]
    assert [g.tolist() for g in jacobian(f, both)] == [(2 * X * Y).tolist(), (X * X).tolist()]
    assert np.array_equal(hessian(f, both)[0][1], np.diag(2 * X))
    h = hvp(f, both, ways)[1]
    assert np.allclose(h[0], 2 * Y * Y + 2 * X * X, rtol=1e-15) and np.allclose(h[1], 2 * X * Y, rtol=1e-15)
    assert isinstance(jacobian(np.sin, kind([X])), tuple)


def test_numbers_are_inputs_and_directions():
    assert jvp(np.exp, 0, 3)[1].item() == 3 and vjp(np.exp, 0.0, np.float64(2))[1].item() == 2
    assert jvp(lambda x: x**2, [1.0, 2.0], [1, 10])[1].tolist() == [2, 40]
    assert jacobian(lambda m: m.sum(axis=0), [[1.0, 2.0], [3.0, 4.0]]).shape == (2, 2, 2)
    assert hessian(lambda a, b: a * b, (2, np.float64(3)))[0][1].item() == 1


# gradcheck.


@pytest.mark.parametrize("x", [X, [0.5, 1.5, -0.75], tensor(X), (X,), [X], (tensor(X),)])
def test_gradcheck_takes_inputs_in_every_form(x):
    assert gradcheck(lambda x: np.sum(np.sin(x)), x, np.cos)
    assert gradcheck(lambda x: np.sum(np.sin(x)), x, lambda x: tensor(np.cos(x)))
    assert gradcheck(lambda x: np.sum(np.sin(x)), x, lambda x: np.cos(x).tolist())
    assert not gradcheck(lambda x: np.sum(np.sin(x)), x, np.sin, raise_exception=False)
    assert gradcheck(np.sin, x, np.cos, elementwise=True) and gradcheck(lambda x: np.sum(x**2), x)


def test_gradcheck_of_numbers():
    assert gradcheck(lambda x: x**3, 2, lambda x: 3 * x**2) and gradcheck(np.exp, np.float64(1), np.exp)
    assert gradcheck(lambda x, y: x * y, [2.0, np.array(3.0)], lambda x, y: [y, x])
    assert gradcheck(lambda x, y: x * y, (2.0, 3), lambda x, y: (3.0, tensor(2.0)))


def test_gradients_in_lists():
    f = lambda x, y: np.sum(x * x * y)
    for gradient in (lambda x, y: [2 * x * y, x * x], lambda x, y: (tensor(2 * x * y), x * x)):
        assert gradcheck(f, [X, Y], gradient) and gradcheck(f, (X, Y), gradient)
    assert gradcheck(lambda x: np.sum(x * x), [X], lambda x: [2 * x])
    assert gradcheck(lambda x: np.sum(x * x), [X], lambda x: 2 * x)
    assert gradcheck(lambda x: np.outer(x, x[:1]), [X[:1]], lambda x: [[[2 * x[0]]]])
    # One input alone: a list of rows is a matrix.
    assert gradcheck(lambda x: 2 * x, X, lambda x: [2 * row for row in np.eye(3)])
    with pytest.raises(ValueError, match="2 inputs, but 3 gradients"):
        gradcheck(f, [X, Y], lambda x, y: [x, y, x])
    with pytest.raises(TypeError, match="no inputs"):
        gradcheck(f, (), f)


def test_elementwise_gradients():
    f = lambda x, y: np.sin(x) * y
    slopes = lambda x, y: (np.cos(x) * y, np.sin(x))
    assert gradcheck(f, (X, Y), slopes, elementwise=True)
    with pytest.raises(RuntimeError, match=r"inputs\[1\] is wrong in 3 of 3 entries: at \(0,\)"):
        gradcheck(f, (X, Y), lambda x, y: (np.cos(x) * y, np.cos(x)), elementwise=True)
    # A column times a row: each element of the result depends on one element of each.
    column = X[:, None]
    assert gradcheck(f, (column, Y), lambda x, y: (np.cos(x) * y, np.sin(x)), elementwise=True)
    assert gradcheck(lambda x, y: x + 2 * y, (column, Y), lambda x, y: (1.0, 2), elementwise=True)
    assert gradcheck(np.tanh, np.array(0.5), lambda x: 1 - np.tanh(x) ** 2, elementwise=True)
    # The full Jacobian is accepted, too, and what is no elementwise function is found.
    assert gradcheck(np.sin, X, lambda x: np.diag(np.cos(x)), elementwise=True)
    assert not gradcheck(lambda x: x * x[0], X, lambda x: x[0] * np.ones(3), elementwise=True, raise_exception=False)
    with pytest.raises(RuntimeError, match=r"not elementwise: its element \(1,\) depends on others of inputs\[0\]"):
        gradcheck(lambda x: x * x[0], X, lambda x: x + x[0], elementwise=True)
    with pytest.raises(RuntimeError, match="not elementwise"):
        gradcheck(np.cumsum, np.ones(100), lambda x: np.arange(100.0) + 1, elementwise=True)
    with pytest.raises(RuntimeError, match="not elementwise"):
        gradcheck(lambda x: x + 1e-3 * x[::-1], np.ones(99), lambda x: 1 + 1e-3 * np.ones(99), elementwise=True)
    with pytest.raises(ValueError, match=r"has the shape \(2,\), not \(3, 3\)"):
        gradcheck(np.sin, X, lambda x: np.ones(2), elementwise=True)
    with pytest.raises(ValueError, match=r"has the shape \(3,\), not \(3, 3\)\n.*elementwise=True"):
        gradcheck(np.sin, X, np.cos)


def test_elementwise_gradients_of_many_elements():
    x, y = np.linspace(-3, 3, 5000), np.linspace(0.5, 2.0, 5000)
    f, slopes = lambda x, y: np.exp(-x * x) / y, lambda x, y: (-2 * x * np.exp(-x * x) / y, -np.exp(-x * x) / y**2)
    assert gradcheck(f, [x, y], slopes, elementwise=True)
    with pytest.raises(RuntimeError, match=r"wrong in 1 of 5000 entries: at \(1234,\)"):
        gradcheck(f, [x, y], lambda x, y: (slopes(x, y)[0] + 1e-6 * (x == x[1234]), slopes(x, y)[1]), elementwise=True)
    # Without tracing: by differences at all elements at once.
    each = np.vectorize(lambda v: math.gamma(float(v)), otypes=[float])
    by_rule = lambda x: gradcli.gamma(x).numpy() * gradcli.digamma(x).numpy()
    assert gradcheck(each, y[::50], lambda x: by_rule(tensor(x, requires_grad=False)), elementwise=True)
    assert not gradcheck(each, y[::50], lambda x: 1.001 * by_rule(tensor(x, requires_grad=False)),
                         elementwise=True, raise_exception=False)  # fmt: skip


def test_a_list_of_tensors_as_the_answer():
    f = lambda x: [x[0] * x[1], np.sin(x[2])]
    gradient = lambda x: [[x[1], x[0], 0.0], [0.0, 0.0, np.cos(x[2])]]
    assert gradcheck(f, X, gradient)
    assert not gradcheck(f, X, lambda x: [[x[1], x[0], 0.0], [0.0, 0.0, np.sin(x[2])]], raise_exception=False)


def test_what_no_memory_can_hold_is_one_error():
    x = np.zeros(10**6)
    for f in (lambda: jacobian(np.sin, x), lambda: gradcheck(np.sin, x, np.cos)):
        with pytest.raises(GradError, match="of memory"):
            f()
    assert gradcli.vjp(np.sin, x, np.ones(x.size))[1].shape == x.shape
