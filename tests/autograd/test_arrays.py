"""Functions of NumPy that rearrange, pad, multiply, choose, sample and summarize, on tensors.

Values and derivatives of both orders are compared with NumPy's functions, or definitions, on numbers of 60 digits.
"""

import doctest
import math

import mpmath
import numpy as np
import pytest
from precise import agrees, way

import gradcli
from gradcli import GradError, grad, tensor
from gradcli.autograd import (
    einsum,
    fft,
    joins,
    pad,
    products,
    quantiles,
    ranges,
    rearrange,
    samples,
    selection_ops,
    statistics,
)

pytestmark = pytest.mark.quick

X = np.array([[0.5, 1.5, -2.0], [3.0, -0.25, 0.75]])
Z = X + 1j * X[::-1, ::-1]
CUBE = np.arange(12.0).reshape(2, 3, 2) % 5 - 1.25

REARRANGED = {
    "diag": lambda m, x: m.diag(x[0]),
    "diag above": lambda m, x: m.diag(x[1], 2),
    "diag below": lambda m, x: m.diag(x[1], -1),
    "diag of a matrix": lambda m, x: m.diag(x, 1),
    "diag of nothing": lambda m, x: m.diag(x[0, :0], 2),
    "diagflat": lambda m, x: m.diagflat(x, 1),
    "diagonal": lambda m, x: m.diagonal(x, -1),
    "diagonal of axes": lambda m, x: m.diagonal(m.stack([x, 2 * x]), 1, 2, 0),
    "trace": lambda m, x: m.trace(m.stack([x, 2 * x, x]), 1, axis1=2, axis2=0),
    "rollaxis": lambda m, x: m.rollaxis(m.stack([x, 2 * x]), 2),
    "atleast_3d": lambda m, x: m.atleast_3d(x),
    "atleast_3d of a vector": lambda m, x: m.atleast_3d(x[0]),
    "atleast of several": lambda m, x: m.atleast_2d(x[0], x)[0] + m.atleast_2d(x[0], x[1, 0])[1],
    "append": lambda m, x: m.append(x, 2 * x),
    "append rows": lambda m, x: m.append(x, x[:1], axis=0),
    "column_stack": lambda m, x: m.column_stack([x[:, 0], x, x[:, 1:2]]),
    "dstack": lambda m, x: m.dstack([x, 2 * x]),
    "dstack of vectors": lambda m, x: m.dstack([x[0], x[1]]),
    "hstack of vectors": lambda m, x: m.hstack([x[0], x[1]]),
    "vstack of numbers": lambda m, x: m.vstack([x[0, 0], x[1, 0]]),
    "block": lambda m, x: m.block([[x, x[:, :1]], [m.ones((1, 2)), x[:1, :2]]]),
    "dsplit": lambda m, x: m.dsplit(m.stack([x, 2 * x], -1), 2)[1],
    "resize": lambda m, x: m.resize(x, (3, 3)),
    "compress": lambda m, x: m.compress([True, False, True], x, axis=1),
    "extract": lambda m, x: m.extract(X > 0.5, x),
    "broadcast_arrays": lambda m, x: m.broadcast_arrays(x[0], x)[0] * x,
    "meshgrid": lambda m, x: m.meshgrid(x[0], x[1])[0] * m.meshgrid(x[0], x[1], indexing="ij")[1],
    "meshgrid of three": lambda m, x: m.meshgrid(x[0], x[1], x[0, :2])[2],
    "sparse meshgrid": lambda m, x: m.meshgrid(x[0], x[1], sparse=True)[1],
    "copy": lambda m, x: m.copy(x),
    "repeat": lambda m, x: x.repeat([1, 0, 2], 1),
    "take": lambda m, x: x.take([0, -1], 1),
    "swapaxes": lambda m, x: x.swapaxes(0, 1),
    "methods": lambda m, x: x.diagonal(1) * x.trace(),
    "linalg.diagonal": lambda m, x: m.diagonal(m.stack([x, 2 * x]), 0, -2, -1),
}  # fmt: skip


@pytest.mark.parametrize("data", [X, Z], ids=["real", "complex"])
@pytest.mark.parametrize("f", REARRANGED.values(), ids=REARRANGED.keys())
def test_elements_in_other_places(f, data):
    agrees(f, [data], rtol=1e-14)


SORTED = {
    "sort": lambda m, x: m.sort(x),
    "sort columns": lambda m, x: m.sort(x, 0),
    "sort all": lambda m, x: m.sort(x, None),
    "partition": lambda m, x: m.sort(m.partition(x, 1)[:, :1], 0),
    "partition at several": lambda m, x: m.partition(x, (0, 1, 2), axis=1),
    "partition all": lambda m, x: m.partition(x, list(range(6)), axis=None),
    "ptp": lambda m, x: m.ptp(x, axis=0),
    "amax": lambda m, x: m.amax(x, 1) * m.amin(x, 1),
}


@pytest.mark.parametrize("f", SORTED.values(), ids=SORTED.keys())
def test_elements_in_order(f):
    agrees(f, [X], rtol=1e-14)


def test_sorting_puts_nan_last_and_keeps_ties_in_order():
    x = tensor([2.0, math.nan, 1.0, 2.0])
    y = np.sort(x)
    assert y.tolist()[:3] == [1, 2, 2] and math.isnan(y[3].item())
    assert grad(y, x, tensor([1.0, 10.0, 100.0, 0.0]))[0].tolist() == [10, 0, 1, 100]


# Padding.

PADS = [
    (2, {}), ((1, 2), {"constant_values": 0.5}), (((1, 0), (2, 1)), {"constant_values": ((1, 2), (3, 4))}),
    (((1, 0), (0, 2)), {"mode": "edge"}), (2, {"mode": "edge"}), ((3, 4), {"mode": "wrap"}),
    ((1, 2), {"mode": "reflect"}), (((1, 0), (4, 5)), {"mode": "reflect"}), ((3, 2), {"mode": "symmetric"}),
    (0, {"mode": "reflect"}),
]  # fmt: skip


@pytest.mark.parametrize("data", [X, Z], ids=["real", "complex"])
@pytest.mark.parametrize(("width", "options"), PADS, ids=str)
def test_padding_that_repeats(width, options, data):
    agrees(lambda m, x: m.pad(x, width, **options), [data])


LINEAR = [
    (1, {"mode": "linear_ramp"}), (((1, 0), (2, 3)), {"mode": "linear_ramp", "end_values": ((1, 2), (3, -4))}),
    (((2, 1), (0, 2)), {"mode": "mean"}), (2, {"mode": "mean", "stat_length": 2}),
    ((1, 2), {"mode": "mean", "stat_length": ((1, 2), (3, 1))}), (2, {"mode": "maximum"}),
    ((1, 2), {"mode": "minimum", "stat_length": 2}), (2, {"mode": "median"}),
    ((1, 2), {"mode": "median", "stat_length": 2}),
    (1, {"mode": "reflect", "reflect_type": "odd"}), (((1, 1), (2, 2)), {"mode": "reflect", "reflect_type": "odd"}),
    (((2, 3), (1, 3)), {"mode": "symmetric", "reflect_type": "odd"}),
]  # fmt: skip


@pytest.mark.parametrize(("width", "options"), LINEAR, ids=str)
def test_padding_that_computes(width, options):
    """The padding is linear near the point: its derivatives are those of the matrix had from unit tensors."""
    x = X * 1.5
    base = np.pad(x, width, **options)

    def matrix(eps):
        columns = []
        for k in range(x.size):
            moved = x.copy().ravel()
            moved[k] += eps
            columns.append((np.pad(moved.reshape(x.shape), width, **options) - base).ravel() / eps)
        return np.stack(columns, 1)

    exact = matrix(2.0**-10)
    found = gradcli.jacobian(lambda x: np.pad(x, width, **options), x).numpy().reshape(base.size, x.size)
    np.testing.assert_allclose(found, exact, rtol=1e-11, atol=1e-11)
    t = tensor(x)
    y = np.pad(t, width, **options)
    np.testing.assert_allclose(y.detach().numpy(), base, rtol=1e-15, atol=1e-15)
    hessian = gradcli.hessian(lambda x: (np.pad(x, width, **options) ** 2).sum(), x).numpy().reshape(x.size, x.size)
    np.testing.assert_allclose(hessian, 2 * exact.T @ exact, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("mode", ["reflect", "symmetric"])
@pytest.mark.parametrize("width", [(1, 1), (3, 2), (7, 9), (0, 11), (8, 0)])
def test_long_odd_reflections(mode, width):
    """By the definition: the values at places mirrored at an end add up to twice the value there."""
    n, data = 3, np.array([1.0, 2.5, -0.5])
    found = np.pad(tensor(data), width, mode=mode, reflect_type="odd").detach().numpy()
    value = dict(enumerate(data))
    edge = int(mode == "symmetric")
    period = n - 1 + edge
    for k in range(n, n + width[1]):
        # The last place of the period before, which is repeated if the edge is part of what is mirrored.
        end = (k - 1 + edge) // period * period - edge
        value[k] = 2 * value[end] - value[2 * end - k + edge]
    for k in range(-1, -width[0] - 1, -1):
        end = -(-(k + 1) // period) * period
        value[k] = 2 * value[end] - value[2 * end - k - edge]
    np.testing.assert_allclose(found, [value[k] for k in range(-width[0], n + width[1])], atol=1e-14)


def test_odd_ends_of_padding():
    one = tensor([[2.0], [3.0]])
    for mode in ("reflect", "symmetric"):
        for kind in ("odd", "even"):
            y = np.pad(one, ((0, 0), (2, 1)), mode=mode, reflect_type=kind)
            assert y.tolist() == [[2, 2, 2, 2], [3, 3, 3, 3]]
    ends = np.pad(tensor([0.0, math.inf, 5.0]), 1, mode="reflect", reflect_type="odd")
    assert ends.tolist() == [-math.inf, 0, math.inf, 5, -math.inf]
    value = tensor(3.0)
    y = np.pad(tensor([1.0]), 1, constant_values=value)
    assert grad(y.sum(), value)[0].item() == 2
    assert np.pad(tensor([True, False]), 1, mode="edge").dtype == np.bool_
    assert np.pad(tensor(np.float32([1])), 1, mode="linear_ramp").dtype == np.float32
    by_axis = np.pad(tensor(X), {-1: (1, 0)}, mode="edge")
    np.testing.assert_array_equal(by_axis.detach().numpy(), X[:, [0, 0, 1, 2]])
    assert np.pad(tensor(np.zeros((0, 2))), 1).shape == (2, 4) and np.pad(tensor(2.0), 3).item() == 2


# Products.

PRODUCTS = {
    "kron": (lambda m, a, b: m.kron(a, b), (2, 3), (2, 2)),
    "kron of vectors": (lambda m, a, b: m.kron(a, b), (2,), (3,)),
    "kron of different": (lambda m, a, b: m.kron(a, b), (2,), (2, 1, 3)),
    "kron with a number": (lambda m, a, b: m.kron(a, b), (), (2, 2)),
    "cross": (lambda m, a, b: m.cross(a, b), (3,), (3,)),
    "cross of rows": (lambda m, a, b: m.cross(a, b), (2, 3), (3,)),
    "cross of columns": (lambda m, a, b: m.cross(a, b, axis=0), (3, 2), (3, 2)),
    "cross of axes": (lambda m, a, b: m.cross(a, b, axisa=0, axisb=1, axisc=0), (3, 2), (2, 3)),
    "convolve": (lambda m, a, b: m.convolve(a, b), (4,), (3,)),
    "convolve same": (lambda m, a, b: m.convolve(a, b, "same"), (4,), (3,)),
    "convolve same, even": (lambda m, a, b: m.convolve(a, b, "same"), (3,), (4,)),
    "convolve valid": (lambda m, a, b: m.convolve(a, b, "valid"), (2,), (4,)),
    "convolve a number": (lambda m, a, b: m.convolve(a, b), (), (2,)),
}


@pytest.mark.parametrize("kinds", [(float, float), (complex, complex), (float, complex)], ids=str)
@pytest.mark.parametrize("case", PRODUCTS.values(), ids=PRODUCTS.keys())
def test_products(case, kinds):
    f, *shapes = case
    rng = np.random.default_rng(8)
    agrees(f, [way(rng, np.zeros(shape, kind)) for shape, kind in zip(shapes, kinds, strict=True)])


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(("n", "m"), [(4, 3), (3, 4), (4, 4), (1, 3), (5, 2), (2, 5)])
def test_correlate(n, m, mode):
    rng = np.random.default_rng(9)
    a, v = way(rng, np.zeros(n, complex)), way(rng, np.zeros(m, complex))
    x, y = tensor(a), tensor(v)
    z = np.correlate(x, y, mode)
    np.testing.assert_allclose(z.detach().numpy(), np.correlate(a, v, mode), rtol=1e-14)
    w, da, dv = way(rng, z), way(rng, a), way(rng, v)
    ga, gv = grad(z, [x, y], tensor(w))
    along = np.vdot(w, np.correlate(da, v, mode) + np.correlate(a, dv, mode))
    found = np.vdot(ga.numpy(), da) + np.vdot(gv.numpy(), dv)
    np.testing.assert_allclose(np.real(found), np.real(along), rtol=1e-13)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_vectors_of_two():
    rng = np.random.default_rng(10)
    for p, q in ((2, 2), (2, 3), (3, 2)):
        a, b = way(rng, np.zeros((4, p))), way(rng, np.zeros((4, q)))
        y = np.cross(tensor(a), tensor(b))
        three = [np.concatenate([v, np.zeros((4, 3 - v.shape[1]))], 1) for v in (a, b)]
        expected = np.cross(*three)
        np.testing.assert_allclose(y.detach().numpy(), expected[:, 2] if p == q == 2 else expected, rtol=1e-14)


NEWER = {
    "vecdot": lambda m, a, b: m.vecdot(a, b),
    "matvec": lambda m, a, b: m.matvec(m.stack([b, a]), a),
    "vecmat": lambda m, a, b: m.vecmat(a[0, :2], b),
}


@pytest.mark.parametrize("name", NEWER)
def test_products_of_newer_numpy(name):
    if not hasattr(np, name):
        pytest.skip("this NumPy has no such function")
    a, b = tensor(Z), tensor(Z[::-1] * 1j)
    y = NEWER[name](np, a, b)
    np.testing.assert_allclose(y.detach().numpy(), NEWER[name](np, Z, Z[::-1] * 1j), rtol=1e-14)
    assert grad(np.abs(y).sum(), a)[0].shape == a.shape


@pytest.mark.skipif(not hasattr(np, "unstack"), reason="this NumPy has none of them")
def test_names_of_newer_numpy():
    x = tensor(CUBE)
    for f in (
        lambda m, x: m.unstack(x, axis=1)[2], lambda m, x: m.matrix_transpose(x), lambda m, x: m.linalg.trace(x),
        lambda m, x: m.linalg.diagonal(x, offset=1), lambda m, x: m.linalg.cross(x[:, :, 0], x[:, :, 1]),
        lambda m, x: m.cumulative_sum(x, axis=1, include_initial=True), lambda m, x: m.cumulative_prod(x[0, :, 0]),
        lambda m, x: m.linalg.vecdot(x, x), lambda m, x: m.linalg.matrix_transpose(x),
        lambda m, x: m.linalg.outer(x[0, 0], x[1, 1]),
    ):  # fmt: skip
        y = f(np, x)
        np.testing.assert_allclose(y.detach().numpy(), f(np, CUBE), rtol=1e-14)
        assert grad(y.sum(), x)[0].shape == x.shape


INSERTED = {
    "a number": lambda m, x, v: m.insert(x, 2, v[0]),
    "numbers": lambda m, x, v: m.insert(x, 1, v),
    "at several places": lambda m, x, v: m.insert(x, [0, 3, 3], v),
    "a row": lambda m, x, v: m.insert(x, 1, v, axis=0),
    "columns": lambda m, x, v: m.insert(x, [0, 2], v[:2], axis=1),
    "one for a column": lambda m, x, v: m.insert(x, -1, v[1], axis=1),
    "by a slice": lambda m, x, v: m.insert(x, slice(0, 2), v[:2], axis=1),
}


@pytest.mark.parametrize("f", INSERTED.values(), ids=INSERTED.keys())
def test_insert(f):
    agrees(f, [X, X[0] * 2], rtol=1e-14)


# Choices.


def test_fmax_and_fmin():
    for name in ("fmax", "fmin"):
        f = getattr(np, name)
        a, b = np.array([1.0, math.nan, 2.0, 3.0]), np.array([2.0, 5.0, math.nan, 3.0])
        x, y = tensor(a), tensor(b)
        z = f(x, y)
        np.testing.assert_array_equal(z.detach().numpy(), f(a, b))
        ga, gb = grad(z.sum(), [x, y])
        first = 0.0 if name == "fmax" else 1.0
        assert ga.tolist() == [first, 0, 1, 0.5] and gb.tolist() == [1 - first, 1, 0, 0.5]
        assert math.isnan(f(tensor(math.nan), math.nan).item())
        agrees(lambda m, a, b, name=name: getattr(m, name)(a, b), [X, X[::-1]])


def log2_of_sum(a, b):
    return np.vectorize(lambda a, b: mpmath.log(mpmath.mpf(2) ** a + mpmath.mpf(2) ** b, 2), otypes=[object])(a, b)


def test_logaddexp2():
    a, b = np.array([0.0, 1.0, 3.0, 60.5, -70.0, 1e-3]), np.array([0.0, -2.5, 3.0, 1.25, 0.5, -1e-3])
    agrees(lambda m, a, b: m.logaddexp2(a, b), [a, b], log2_of_sum)
    for pair in ((5000.0, 4999.0), (math.inf, 1.0), (-math.inf, 2.0), (-math.inf, -math.inf), (math.inf, math.inf)):
        assert np.logaddexp2(tensor(pair[0]), pair[1]).item() == pytest.approx(np.logaddexp2(*pair), rel=1e-15)
    x = tensor([-math.inf, 0.0])
    assert grad(np.logaddexp2(x, [0.0, -math.inf]).sum(), x)[0].tolist() == [0, 1]


def test_nan_to_num():
    data = [1.5, math.nan, math.inf, -math.inf]
    x = tensor(data)
    y = np.nan_to_num(x)
    assert y.tolist() == np.nan_to_num(data).tolist() and grad(y.sum(), x)[0].tolist() == [1, 0, 0, 0]
    assert np.nan_to_num(x, nan=7, posinf=8, neginf=9).tolist() == [1.5, 7, 8, 9]
    z = np.array([complex(1, math.nan), complex(math.inf, 2)])
    assert np.nan_to_num(tensor(z), posinf=3.0).tolist() == np.nan_to_num(z, posinf=3.0).tolist()
    assert np.nan_to_num(tensor(np.float32([math.inf]))).detach().numpy()[0] == np.finfo(np.float32).max
    agrees(lambda m, x: m.nan_to_num(x) if x.dtype != object else x, [Z])


def test_select():
    conditions = [X > 1, X < 0]
    agrees(lambda m, x: m.select(conditions, [x * x, 2 * x], x**3), [X])
    agrees(
        lambda m, x: m.select(conditions, [x * x, 2 * x], 1.0), [Z], lambda z: np.select(conditions, [z * z, 2 * z], 1)
    )
    x = tensor([0.0, 4.0])
    assert grad(np.select([x > 0], [np.sqrt(x)]).sum(), x)[0].tolist() == [0, 0.25]


def test_choose():
    agrees(lambda m, x: m.choose([[0, 1, 1], [1, 0, 0]], [x, 3 * x[0]]), [X])
    with pytest.raises(ValueError, match="from 0 to 1"):
        np.choose([2, 0, 1], [tensor(X), X])


def test_astype_and_real_if_close():
    x = tensor(np.arange(3, dtype="float32"))
    y = x.astype("float64")
    assert y.dtype == np.float64 and grad(np.sin(y).sum(), x)[0].dtype == np.float32
    assert x.astype(complex).dtype == np.complex128 and tensor(1j).astype(float).item() == 0
    assert x.astype(bool).tolist() == [False, True, True]
    for wrong in (int, np.float16, "U3", "m8[s]"):
        with pytest.raises(TypeError, match="tensors have no"):
            x.astype(wrong)
    z = tensor([1 + 1e-20j, 2])
    assert np.real_if_close(z).dtype == np.float64 and np.real_if_close(z * 1j).dtype == np.complex128
    assert grad(np.real_if_close(z).sum(), z)[0].tolist() == [1, 1]


# Samples.


def test_linspace():
    for options in ({}, {"endpoint": False}, {"num": 1}, {"num": 0}, {"num": 4, "axis": -1}):
        start, stop = np.array([0.5, -1.0]), np.array([2.0, 7.0])
        num = options.get("num", 50)
        steps = num if options.get("endpoint") is False else max(num - 1, 1)

        def reference(a, b, num=num, steps=steps, options=options):
            if not num:
                return np.empty((0, 2), object)
            rows = [a + (b - a) * k / mpmath.mpf(steps) for k in range(num)]
            return np.stack(rows, options.get("axis", 0))

        if num:
            agrees(lambda m, a, b, options=options: m.linspace(a, b, **options), [start, stop], reference)
        y = np.linspace(tensor(start), tensor(stop), **options)
        np.testing.assert_array_equal(y.detach().numpy(), np.linspace(start, stop, **options))
    y, step = np.linspace(tensor(0.0), 2j, 5, retstep=True)
    assert y[-1].item() == 2j and step.item() == 0.5j
    with pytest.raises(ValueError, match="must not be negative"):
        np.linspace(tensor(0.0), 1, -1)


def test_geomspace_and_unwrap():
    a, b = np.array([0.5, 2.0]), np.array([8.0, 1.0])

    def reference(a, b):
        return np.stack([a * (b / a) ** (k / mpmath.mpf(3)) for k in range(4)])

    agrees(lambda m, a, b: m.geomspace(a, b, 4), [a, b], reference)
    found = np.geomspace(tensor(-1.0), -100.0, 5, endpoint=False)
    np.testing.assert_allclose(found.detach().numpy(), np.geomspace(-1.0, -100.0, 5, endpoint=False), rtol=1e-14)
    with pytest.raises(ValueError, match="different signs"):
        np.geomspace(tensor(-1.0), 2.0)
    x = tensor([0.0, 3.0, 6.5, 10.0, 0.5])
    y = np.unwrap(x)
    np.testing.assert_allclose(y.detach().numpy(), np.unwrap(x.detach().numpy()), rtol=1e-14)
    assert grad((y * y).sum(), x)[0].tolist() == (2 * y).tolist()


def slope_of_parabola(x, f, k, at):
    """The derivative at a place of the parabola through three neighbors, by Lagrange's form."""
    total = mpmath.mpf(0)
    for i in range(k, k + 3):
        p, q = (j for j in range(k, k + 3) if j != i)
        total = total + f[i] * ((x[at] - x[p]) + (x[at] - x[q])) / ((x[i] - x[p]) * (x[i] - x[q]))
    return total


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("kind", [float, complex])
def test_gradient(order, kind):
    rng = np.random.default_rng(11)
    f = way(rng, np.zeros(6, kind))
    unequal = np.array([0.0, 0.5, 1.25, 1.5, 3.0, 3.25])

    def reference(f, x):
        inside = [slope_of_parabola(x, f, k - 1, k) for k in range(1, 5)]
        if order == 2:
            ends = slope_of_parabola(x, f, 0, 0), slope_of_parabola(x, f, 3, 5)
        else:
            ends = (f[1] - f[0]) / (x[1] - x[0]), (f[5] - f[4]) / (x[5] - x[4])
        return np.array([ends[0], *inside, ends[1]], object)

    agrees(lambda m, f, x: m.gradient(f, x, edge_order=order), [f, unequal], reference, rtol=1e-11)
    agrees(
        lambda m, f, h: m.gradient(f, h, edge_order=order), [f, np.array(0.25)],
        lambda f, h: reference(f, [h * k for k in range(6)]), rtol=1e-11,
    )  # fmt: skip


def test_gradient_along_axes():
    x = np.round(np.random.default_rng(12).normal(size=(4, 5)), 2)
    for args, options in (
        ((), {}), ((2.0,), {}), ((0.5, np.array([0, 1, 3, 4, 4.5])), {}), ((), {"axis": 1}), ((2.0,), {"axis": (1,)}),
        ((0.5, 3.0), {"axis": (1, 0), "edge_order": 2}),
    ):  # fmt: skip
        found, expected = np.gradient(tensor(x), *args, **options), np.gradient(x, *args, **options)
        for y, true in zip(
            np.stack(found) if isinstance(found, list) else [found],
            expected if isinstance(expected, (list, tuple)) else [expected],
            strict=True,
        ):
            np.testing.assert_allclose(y.detach().numpy(), true, rtol=1e-13, atol=1e-14)
    assert np.gradient(tensor([1.0, 3.0])).tolist() == [2, 2]
    for wrong in (
        lambda x: np.gradient(x[:, :1]),
        lambda x: np.gradient(x, 1, 2, 3),
        lambda x: np.gradient(x, edge_order=3),
    ):
        with pytest.raises(ValueError):
            wrong(tensor(x))


def test_trapezoid():
    trapezoid = getattr(np, "trapezoid", None) or np.trapz
    rng = np.random.default_rng(13)

    def reference(y, x):
        return np.sum((x[1:] - x[:-1])[:, None] * (y[1:] + y[:-1]), 0) / 2

    y, x = way(rng, np.zeros((4, 2), complex)), np.array([0.0, 0.5, 2.0, 2.25])
    agrees(lambda m, y, x: trapezoid(y, x, axis=0), [y, x], reference)
    agrees(lambda m, y, d: trapezoid(y, dx=d), [X, np.array(0.5)], lambda y, d: d * np.sum(y[:, 1:] + y[:, :-1], 1) / 2)
    np.testing.assert_allclose(trapezoid(tensor(X), X[::-1] * 2).detach().numpy(), trapezoid(X, X[::-1] * 2))
    assert trapezoid(tensor([[1.0], [2.0]])).tolist() == [0, 0]


def test_interp():
    xp, fp = np.array([0.0, 1.0, 2.5, 4.0]), np.array([1.0, -1.0, 0.5, 2.0])
    x = np.array([[0.25, 1.5], [3.75, 2.75]])

    def reference(x, xp, fp):
        def one(v):
            k = max(j for j in range(3) if xp[j] <= v)
            return fp[k] + (fp[k + 1] - fp[k]) * (v - xp[k]) / (xp[k + 1] - xp[k])

        return np.vectorize(one, otypes=[object])(x)

    agrees(lambda m, x, xp, fp: m.interp(x, xp, fp), [x, xp, fp], reference)
    outside = np.array([-1.0, 0.0, 1.0, 4.0, 5.0, math.nan])
    for options in ({}, {"left": 7.0, "right": 9.0}):
        y = np.interp(tensor(outside), xp, fp, **options)
        np.testing.assert_array_equal(y.detach().numpy(), np.interp(outside, xp, fp, **options))
    t = tensor(outside[:5])
    assert grad(np.interp(t, xp, fp).sum(), t)[0].tolist() == [0, -2, 1, 0, 0]
    left = tensor(7.0)
    assert grad(np.interp(tensor([-1.0, -2.0]), xp, fp, left).sum(), left)[0].item() == 2
    assert np.interp(tensor([0.0, 1.0, 2.0]), [1.0], [5.0]).tolist() == [5, 5, 5]


def test_polynomials_and_differences():
    agrees(lambda m, p, x: m.polyval(p, x), [np.array([1.0, -2.0, 0.5]), X])
    agrees(lambda m, p, x: m.polyval(p, x), [np.array([1j, -2.0, 0.5]), Z])
    agrees(lambda m, x: m.ediff1d(x, x[0], x[1, 0]), [X])
    assert np.polyval([1, 2], tensor(3.0)).item() == 5


# Statistics.


def test_average():
    w = np.array([[1.0, 2.0, 0.5], [0.25, 3.0, 1.0]])
    agrees(lambda m, x: m.average(x), [X])
    agrees(lambda m, x: m.average(x, axis=0), [Z])
    agrees(lambda m, x, w: m.average(x, weights=w), [X, w])
    agrees(lambda m, x, w: m.average(x, axis=1, weights=w), [Z, w])
    agrees(lambda m, x, w: m.average(x, 1, w), [X, w[0]])
    agrees(
        lambda m, x, w: m.average(x, (0, 2), w),
        [CUBE, w[:, :2]],
        lambda x, w: np.sum(x * w[:, None], (0, 2)) / np.sum(w),
    )
    y, sums = np.average(tensor(X), 1, w, returned=True)
    assert y.shape == sums.shape == (2,) and np.average(tensor(X), 0, keepdims=True).shape == (1, 3)
    with pytest.raises(ValueError, match="weights of shape"):
        np.average(tensor(X), 0, [1, 2, 3])


def test_median_and_quantiles():
    ordered = lambda x, axis=None: np.sort(x, axis)
    agrees(lambda m, x: m.median(x), [X], lambda x: (ordered(x)[2] + ordered(x)[3]) / 2)
    agrees(lambda m, x: m.median(x, axis=1), [X], lambda x: ordered(x, 1)[:, 1])
    agrees(
        lambda m, x: m.median(x, axis=(0, 2)),
        [np.sin(CUBE + np.arange(2))],
        lambda x: np.sum(ordered(x.transpose(0, 2, 1).reshape(4, 3), 0)[1:3], 0) / 2,
    )
    agrees(
        lambda m, x: m.quantile(x, [0.25, 0.75], axis=0),
        [X],
        lambda x: np.stack(
            [ordered(x, 0)[0] * (1 - q) + ordered(x, 0)[1] * q for q in (mpmath.mpf(0.25), mpmath.mpf(0.75))]
        ),
    )
    for q in (0, 1, 0.3, [[0.1, 0.5]], [0.0, 0.99, 1.0]):
        for options in ({}, {"axis": 1}, {"axis": (0, 1), "keepdims": True}):
            np.testing.assert_allclose(
                np.quantile(tensor(X), q, **options).detach().numpy(), np.quantile(X, q, **options), rtol=1e-14
            )
    np.testing.assert_allclose(np.percentile(tensor(X), 30).item(), np.percentile(X, 30), rtol=1e-14)
    assert math.isnan(np.median(tensor([1.0, math.nan])).item()) and np.median(tensor(X), 1, keepdims=True).shape == (
        2,
        1,
    )
    assert np.quantile(tensor([1.0, math.inf, math.inf]), 0.75).item() == math.inf
    for wrong in (
        lambda x: np.quantile(x, 1.5), lambda x: np.quantile(x, 0.5, method="lower"), lambda x: np.median(x[:0]),
        lambda x: np.median(x * 1j), lambda x: np.percentile(x, math.nan),
    ):  # fmt: skip
        with pytest.raises((ValueError, TypeError)) as caught:
            wrong(tensor(X))
        assert isinstance(caught.value, GradError)


COV = [{}, {"bias": True}, {"ddof": 0}, {"rowvar": False}, {"fweights": [1, 2, 3]}, {"aweights": [0.5, 2.0, 1.5]},
       {"fweights": [1, 2, 3], "aweights": [0.5, 2.0, 1.5], "ddof": 2}]  # fmt: skip


@pytest.mark.parametrize("options", COV, ids=str)
def test_covariances(options):
    rows = np.array([[0.5, 1.5, -2.0], [3.0, -0.25, 0.75], [1.25, 0.0, 4.0]])
    for data in (rows, rows + 1j * rows[::-1], rows[0]):
        y = np.cov(tensor(data), **options)
        np.testing.assert_allclose(y.detach().numpy(), np.cov(data, **options), rtol=1e-13, atol=1e-14)

    def reference(x):
        x = x if options.get("rowvar", True) else x.T
        f, a = options.get("fweights", [1, 1, 1]), options.get("aweights", [1, 1, 1])
        w = np.array([mpmath.mpf(p) * mpmath.mpf(q) for p, q in zip(f, a, strict=True)], object)
        ddof = options.get("ddof", 0 if options.get("bias") else 1)
        free = sum(w) - ddof * sum(w * np.array(a)) / sum(w)
        d = x - (np.sum(x * w, 1) / sum(w))[:, None]
        return (d * w) @ np.conj(d.T) / free

    agrees(lambda m, x: m.cov(x, **options), [rows], reference)
    agrees(lambda m, x: m.cov(x, **options), [rows + 1j * rows[::-1]], reference)


def test_correlations():
    rows = np.array([[0.5, 1.5, -2.0, 1.0], [3.0, -0.25, 0.75, -1.0]])

    def reference(x):
        d = x - (np.sum(x, 1) / 4)[:, None]
        c = d @ d.T
        root = np.array([mpmath.sqrt(c[0, 0]), mpmath.sqrt(c[1, 1])], object)
        return c / root[:, None] / root

    agrees(lambda m, x: m.corrcoef(x), [rows], reference)
    x = tensor(rows[0])
    np.testing.assert_allclose(np.corrcoef(x, rows[1]).detach().numpy(), np.corrcoef(*rows), rtol=1e-14)
    np.testing.assert_allclose(np.cov(x, rows[1]).detach().numpy(), np.cov(*rows), rtol=1e-14)
    assert np.corrcoef(x).item() == 1


@pytest.mark.filterwarnings("ignore:All-NaN slice:RuntimeWarning")
def test_quantiles_that_skip_nan():
    data = np.array([[0.5, math.nan, -2.0, 1.0], [3.0, -0.25, math.nan, 0.0], [math.nan] * 4, [1.0, 2.0, 4.0, 8.0]])
    for call in (
        lambda x: np.nanmedian(x, axis=1), np.nanmedian, lambda x: np.nanmedian(x, 0, keepdims=True),
        lambda x: np.nanquantile(x, [0.1, 0.75], axis=1), lambda x: np.nanpercentile(x, 40, axis=0),
    ):  # fmt: skip
        x = tensor(data)
        y = call(x)
        np.testing.assert_allclose(y.detach().numpy(), call(data), rtol=1e-14)
        (g,) = grad(np.nansum(y), x)
        assert not g.numpy()[np.isnan(data)].any()
        np.testing.assert_allclose(g.numpy().sum(), np.sum(~np.isnan(call(data))))


def test_powers_and_vectors_along_an_axis():
    agrees(lambda m, x: m.vander(x, 3), [X[0]])
    agrees(lambda m, x: m.vander(x, 4, increasing=True), [Z[0]])
    assert np.vander(tensor(X[0]), 0).shape == (3, 0) and np.vander(tensor(X[0])).shape == (3, 3)
    agrees(lambda m, x: m.logspace(x, 2.0, 4, base=2.0), [X[0]],
           lambda x: np.stack([mpmath.mpf(2) ** (x + (2 - x) * k / mpmath.mpf(3)) for k in range(4)]))  # fmt: skip
    for axis in (0, 1, -1):
        agrees(lambda m, x, axis=axis: m.apply_along_axis(lambda v: v[0] * v[1:], axis, x), [CUBE])
        agrees(lambda m, x, axis=axis: m.apply_along_axis(lambda v: m.outer(v, v), axis, x), [CUBE])
    agrees(lambda m, x: m.apply_along_axis(lambda v, k: v[k] ** 3, 1, x, k=1), [X])


def test_quantiles_by_their_fractions():
    data = np.array([0.5, 1.5, -2.0, 3.0])

    def reference(x, q):
        ordered = sorted(x)
        place = q * 3
        return np.vectorize(
            lambda p: ordered[int(p)] + (ordered[int(p) + 1] - ordered[int(p)]) * (p - int(p)), [object]
        )(place)

    agrees(lambda m, x, q: m.quantile(x, q), [data, np.array([0.1, 0.5, 0.9])], reference)
    agrees(lambda m, x, q: m.nanpercentile(x, 100 * q), [data, np.array([0.1, 0.9])], reference)


HOLES = np.array([[0.5, math.nan, -2.0], [3.0, -0.25, math.nan], [1.0, 2.0, 4.0]])


@pytest.mark.parametrize(
    "name", ["nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin", "nancumsum", "nancumprod"]
)
def test_statistics_that_skip_nan(name):
    f = getattr(np, name)
    plain = getattr(np, name[3:])
    options = [{}, {"axis": 1}] + [{"axis": 0, "keepdims": True}] * (not name.startswith("nancum"))
    for choice in [*options, *([{"axis": 1, "ddof": 1}] if name in ("nanvar", "nanstd") else [])]:
        x = tensor(HOLES)
        y, expected = f(x, **choice), f(HOLES, **choice)
        np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-15)
        (g,) = grad(y.sum(), x)
        assert not np.isnan(g.numpy()).any() and not g.numpy()[np.isnan(HOLES)].any()
    data = np.array([0.5, math.nan, -2.0, 3.0])
    there = data[~np.isnan(data)]
    whole, some = tensor(data), tensor(there)
    results = []
    for x, function in ((whole, f), (some, plain)):
        y = function(x)
        if name.startswith("nancum") and x is whole:
            y = y[~np.isnan(data)]
        (g,) = grad((y * y).sum(), x, create_graph=True)
        (h,) = grad((g * g).sum(), x)
        results.append([a.detach().numpy() for a in (g, h)])
    for found, expected in zip(*results, strict=True):
        np.testing.assert_allclose(found[~np.isnan(data)], expected, rtol=1e-14, atol=1e-15)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nan_alone():
    nothing = np.array([math.nan, math.nan])
    for name in ("nansum", "nanprod", "nanmean", "nanvar", "nanmax", "nanmin"):
        np.testing.assert_array_equal(getattr(np, name)(tensor(nothing)).item(), getattr(np, name)(nothing))


def test_cumprod():
    agrees(lambda m, x: m.cumprod(x), [np.array([0.5, 2.0, -1.5, 0.25, 3.0])])
    agrees(lambda m, x: m.cumprod(x, axis=1), [Z])
    agrees(lambda m, x: m.cumprod(x, 0), [np.array([[0.0, 2.0], [3.0, 0.0], [0.5, 0.0]])])
    assert tensor(np.zeros((0,))).cumprod().shape == (0,) and tensor(np.float32([2])).cumprod().dtype == np.float32


# All of them.


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.diag(x, 0.5),
        lambda x: np.diag(np.stack([x, x])),
        lambda x: np.pad(x, -1),
        lambda x: np.pad(x, 1.5),
        lambda x: np.pad(x, (1, 2, 3)),
        lambda x: np.pad(x, 1, mode="empty"),
        lambda x: np.pad(x, 1, mode=lambda *a: None),
        lambda x: np.pad(x, 1, mode="edge", constant_values=3),
        lambda x: np.pad(x[:, :0], 1, mode="edge"),
        lambda x: np.pad(x, 1, mode="mean", stat_length=0),
        lambda x: np.pad(x, 1, mode="reflect", reflect_type="other"),
        lambda x: np.pad(x, 1, constant_values=(1, 2, 3)),
        lambda x: np.cross(x[:, :1], x),
        lambda x: np.convolve(x, x),
        lambda x: np.convolve(x[0], x[0, :0]),
        lambda x: np.convolve(x[0], x[1], "other"),
        lambda x: np.select([x], [x]),
        lambda x: np.select([x > 0], [x, x]),
        lambda x: np.block([[x, [x]]]),
        lambda x: np.interp(x, [1, 2], [1, 2, 3]),
        lambda x: np.interp(x, [1, 2], [1, 2], period=3),
        lambda x: np.interp(x * 1j, [1, 2], [1, 2]),
        lambda x: np.meshgrid(x, indexing="other"),
        lambda x: np.nanvar(x * 1j),
        lambda x: np.partition(x, 9),
        lambda x: np.fmax(x * 1j, x),
    ],
)
def test_what_does_not_fit_is_refused(call):
    with pytest.raises((ValueError, TypeError)) as caught:
        call(tensor(X))
    assert isinstance(caught.value, GradError), caught.value


def test_what_no_memory_holds_is_told():
    """More bytes than there are addresses."""
    x, many = tensor(np.ones(3)), tensor(np.ones(10**6))
    for call in (
        lambda: np.linspace(x, 2, 10**18),
        lambda: np.tile(x, 10**18),
        lambda: np.pad(x, 10**18, mode="edge"),
        lambda: np.pad(x, 10**18).detach().numpy(),
        lambda: np.fft.fft(x, 10**18).detach().numpy(),
        lambda: np.einsum("i,j,k->ijk", many, many, many).detach().numpy(),
    ):
        with pytest.raises(ValueError) as caught:
            call()
        assert isinstance(caught.value, GradError)


@pytest.mark.parametrize(
    "module",
    [einsum, fft, joins, pad, products, quantiles, ranges, rearrange, samples, selection_ops, statistics],
    ids=lambda m: m.__name__,
)
def test_examples(module):
    names = {"np": np, "tensor": tensor, "grad": grad, **vars(module)}
    found = [t for t in doctest.DocTestFinder().find(module, globs=names) if t.examples]
    said: list[str] = []
    for test in found:
        doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert not said, "".join(said)
