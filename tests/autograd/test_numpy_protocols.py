"""Methods of ufuncs, functions that sort elements out, and functions without a rule on tensors without a graph."""

import doctest

import mpmath
import numpy as np
import pytest

from gradcli import GradError, Tensor, grad, hessian, tensor
from gradcli.autograd import counting

pytestmark = pytest.mark.quick
X, Y = np.array([[0.5, 1.5, -2.0], [3.0, -0.25, 0.75]]), np.array([2.0, -1.0])


def slopes(f, x, h=1e-5):
    """The derivatives of a number by central differences of fourth order."""
    g = np.zeros(x.shape)
    for at in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[at] = h
        g[at] = (8 * (f(x + step) - f(x - step)) - (f(x + 2 * step) - f(x - 2 * step))) / (12 * h)
    return g


METHODS = {
    "add.outer": lambda x: np.add.outer(x, Y) ** 3,
    "multiply.outer": lambda x: np.multiply.outer(Y, x) ** 2,
    "arctan2.outer": lambda x: np.arctan2.outer(x, Y),
    "maximum.outer": lambda x: np.maximum.outer(x, Y) ** 2,
    "add.reduce": lambda x: np.add.reduce(x, 1) ** 2,
    "multiply.reduce": lambda x: np.multiply.reduce(x) ** 2,
    "logaddexp.reduce": lambda x: np.logaddexp.reduce(x, axis=1),
    "maximum.reduce": lambda x: np.maximum.reduce(x, axis=1) ** 2,
    "add.accumulate": lambda x: np.add.accumulate(x, 1) ** 2,
    "add.accumulate of columns": lambda x: np.add.accumulate(x) ** 3,
    "multiply.accumulate": lambda x: np.multiply.accumulate(x, axis=1) ** 2,
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_of_ufuncs(name):
    f = METHODS[name]
    np.testing.assert_allclose(f(tensor(X)).detach(), f(X), rtol=1e-15)
    x = tensor(X)
    (g,) = grad(f(x).sum(), x, create_graph=True)
    np.testing.assert_allclose(g.detach(), slopes(lambda x: f(x).sum(), X), rtol=1e-8, atol=1e-9)
    way = np.linspace(-1, 1, X.size).reshape(X.shape)
    (second,) = grad((g * way).sum(), x)
    true = slopes(lambda x: (grad(f(t := tensor(x)).sum(), t)[0] * way).sum().item(), X)
    np.testing.assert_allclose(second, true, rtol=1e-8, atol=1e-8)


def test_truth_by_methods_of_ufuncs():
    x = tensor(X)
    assert np.logical_and.reduce(x > -3, axis=None).tolist() is True
    assert np.logical_or.reduce(x > 2).tolist() == [True, False, False]


def test_distinct_elements():
    x = tensor([3.0, 1.0, 3.0, 2.0])
    values, first, inverse, counts = np.unique(x, True, True, True)
    assert values.tolist() == [1, 2, 3] and first.tolist() == [1, 3, 0]
    assert inverse.tolist() == [2, 0, 2, 1] and counts.tolist() == [1, 1, 2]
    assert grad((np.unique(x) ** 2).sum(), x)[0].tolist() == [6, 2, 0, 4]
    m = tensor([[1.0, 2.0], [0.0, 5.0], [1.0, 2.0]])
    rows = np.unique(m, axis=0)
    assert rows.tolist() == [[0, 5], [1, 2]] and grad(rows[0, 1], m)[0].tolist() == [[0, 0], [0, 1], [0, 0]]
    assert np.unique(m, axis=-1).tolist() == m.tolist()


def test_sums_by_class():
    w = tensor([1.0, 2.0, 3.0])
    sums = np.bincount([0, 2, 2], w, minlength=4)
    assert sums.tolist() == [1, 0, 5, 0] and grad((sums**2).sum(), w)[0].tolist() == [2, 10, 10]
    assert hessian(lambda w: (np.bincount([0, 2, 2], w) ** 2).sum(), w).tolist() == [[2, 0, 0], [0, 2, 2], [0, 2, 2]]
    assert np.bincount(tensor([0.0, 2.0, 2.0])).tolist() == [1, 0, 2]
    for wrong in (
        lambda: np.bincount([0, 1], w),
        lambda: np.bincount([0, -1, 1], w),
        lambda: np.bincount([0.5, 1, 2], w),
    ):
        with pytest.raises(GradError):
            wrong()


def test_filled_with_a_tensor():
    x, a = tensor(X), tensor(2.0)
    y = np.full_like(x, a)
    assert y.tolist() == np.full_like(X, 2).tolist() and grad(y.sum(), a)[0].item() == 6
    assert np.full_like(tensor(np.float32([1, 2])), a, shape=3).dtype == np.float32
    assert not np.full_like(x, 3).requires_grad


def test_functions_without_a_rule_compute_on_tensors_without_a_graph():
    x, free = tensor(X[0]), tensor(X[0], requires_grad=False)
    calls = [
        np.frexp, np.spacing, np.subtract.accumulate, np.poly, np.trim_zeros,
        lambda x: np.histogram(x, 2), lambda x: np.nextafter(x, 3.0), lambda x: np.roots([x[0], x[1], 1]),
    ]  # fmt: skip
    for call in calls:
        found, true = call(free), call(X[0])
        for a, b in zip(*((v if isinstance(v, tuple) else (v,)) for v in (found, true)), strict=True):
            assert isinstance(a, np.ndarray) and np.array_equal(a, b)
        with pytest.raises(TypeError):
            call(x)
    into = np.zeros(3)
    np.copyto(into, free)
    assert np.array_equal(into, X[0])
    with pytest.raises(TypeError, match=r"np\.subtract\.accumulate has no derivative here[\s\S]*detach"):
        np.subtract.accumulate(x)
    assert isinstance(np.isneginf(free), Tensor)


def test_forms_of_arguments_that_numpy_has():
    x, z = tensor(X), tensor(np.array([1j, -1.0, 1 + 1j]))
    assert [list(k) for k in np.where(x > 1)] == [[0, 1], [1, 0]]
    np.testing.assert_allclose(np.angle(z, deg=True).detach(), [90, 180, 45], rtol=1e-15)
    assert np.angle(tensor(1.0), True).item() == 0
    for f in (np.tril, np.triu):
        for data in (X, X[0], np.stack([X, -X])):
            assert f(tensor(data), 1).tolist() == f(data, 1).tolist()
    assert np.reshape(x, (3, 2), order="C").shape == (3, 2) and np.ravel(x, order="K").shape == (6,)
    assert np.concatenate([x, x], casting="same_kind").shape == (4, 3)
    with pytest.raises(TypeError, match="takes no order="):
        np.ravel(x, order="F")


def test_copies_are_no_leaves():
    x = tensor(X)
    for y in (np.copy(x), x.copy()):
        assert not y.is_leaf and y.tolist() == X.tolist() and grad((y**2).sum(), x)[0].tolist() == (2 * X).tolist()
        with pytest.raises(RuntimeError):
            y[0, 0] = 9.0
    free = tensor(X, requires_grad=False)
    y = free.copy()
    y[0, 0] = 9.0
    assert free.tolist() == X.tolist() and y[0, 0].item() == 9 and not np.copy(tensor([True, False]))[1].item()
    assert repr(tensor([-0.0, np.inf]).copy().detach()) == "tensor([-0., inf])"


def test_ufuncs_of_scipy_are_functions_of_the_table():
    special = pytest.importorskip("scipy.special")
    for name, slope in {
        "erf": lambda x: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-(x**2)),
        "expit": lambda x: mpmath.exp(-x) / (1 + mpmath.exp(-x)) ** 2,
        "gammaln": mpmath.digamma,
        "psi": lambda x: mpmath.psi(1, x),
        "expm1": mpmath.exp,
    }.items():
        x, f = tensor([0.5, 1.75]), getattr(special, name)
        y = f(x)
        np.testing.assert_allclose(y.detach(), f(np.array([0.5, 1.75])), rtol=1e-14)
        np.testing.assert_allclose(grad(y.sum(), x)[0], [float(slope(mpmath.mpf(v))) for v in (0.5, 1.75)], rtol=1e-14)
    (g,) = grad(special.xlogy(tensor([2.0]), y := tensor([4.0])).sum(), y)
    assert g.tolist() == [0.5]
    for f in (special.loggamma, special.j0):
        with pytest.raises(TypeError, match=rf"^{f.__name__} has no derivative here"):
            f(tensor([0.5]))


def test_what_depends_on_the_shape_alone():
    x = tensor(X[:, :2])
    for f in (np.diag_indices_from, np.tril_indices_from, np.triu_indices_from):
        assert [k.tolist() for k in f(x)] == [k.tolist() for k in f(X[:, :2])]
    assert x[np.tril_indices_from(x)].requires_grad
    assert np.einsum_path("ij,jk", x, x)[0] == ["einsum_path", (0, 1)]


def test_the_examples_hold():
    found = doctest.DocTestFinder().find(counting, globs={"np": np, "tensor": tensor})
    results = [doctest.DocTestRunner(verbose=False).run(test) for test in found]
    assert sum(r.attempted for r in results) >= 3 and not any(r.failed for r in results)
