"""Tensors: NumPy's protocols, every function of the table, kinks, identity, and one answer however it is computed."""

import copy
import json
import math
import operator
import pickle
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest
from checkout import DATA
from engines import evaluate

import gradcli
from gradcli import GradError, Tensor, grad, tensor
from gradcli.autograd import values
from gradcli.calculus.derive import derive
from gradcli.expr import apply, exact, reachable, var
from gradcli.functions import SPELLED, TABLE
from gradcli.language import parse

pytestmark = pytest.mark.quick

KINKS = [json.loads(line) for line in (DATA / "kinks.jsonl").read_text().splitlines()]
OPERATORS = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "mod": operator.mod,
    "power": operator.pow, "neg": operator.neg, "lt": operator.lt, "le": operator.le, "gt": operator.gt,
    "ge": operator.ge, "eq": operator.eq, "ne": operator.ne, "and": operator.and_, "or": operator.or_,
    "not": operator.invert,
}  # fmt: skip


def traced(e, names):
    """An expression as somebody would write it in Python, on tensors."""
    found = {}
    for node in reachable([e]):
        args = [found[a] for a in node.args]
        if node.op == "var":
            found[node] = names[node.value]
        elif node.op == "constant":
            found[node] = {"pi": math.pi, "e": math.e, "tau": math.tau}[node.value]
        elif node.op == "const":
            number = exact(node)
            found[node] = int(number) if number is not None and number.denominator == 1 else float(node.value)
        elif node.op in OPERATORS:
            found[node] = OPERATORS[node.op](*args)
        else:
            parameter = [] if node.value is None else [node.value]
            found[node] = getattr(gradcli, node.op)(*parameter, *args)
    return found[e]


def close(found, expected, ulps=4):
    if math.isnan(expected) or math.isinf(expected):
        return str(float(found)) == str(expected)
    return abs(found - expected) <= ulps * math.ulp(expected)


@pytest.mark.parametrize("large", [False, True], ids=["at once", "as a program"])
@pytest.mark.parametrize("case", KINKS, ids=lambda c: f"{c['expr']} @ {c['at']} {' '.join(c['expect'])}")
def test_kinks_are_as_everywhere(case, large, monkeypatch):
    if large:
        monkeypatch.setattr(values, "SMALL", 0)
    ((_, e),) = parse(case["expr"]).outputs
    shape = (2,) if large else ()
    names = {n: tensor(np.full(shape, float(v)), name=n) for n, v in case["at"].items()}
    y = traced(e, names) if e.variables else names["x"] ** 0
    first = dict(zip(names, grad(y.sum(), names.values(), create_graph=True, materialize_grads=True), strict=True))
    for name, expected in case["expect"].items():
        if name == "f":
            found = y
        elif name.startswith("df_d"):
            found = first[name[4:]]
        else:
            below = name.removeprefix("d2f_d")
            a, b = (below[0], below[0]) if below.endswith("2") else (below[0], below[2])
            if first[a].requires_grad:
                (found,) = grad(first[a].sum(), names[b], retain_graph=True, materialize_grads=True)
            else:
                found = tensor(np.zeros(shape))
        for value in found.detach().numpy().ravel():
            assert close(value, float(expected)), name


def rows():
    for name, row in sorted(TABLE.items()):
        if not row.internal and row.infix is None and name not in ("neg", "where", "sum", "mean", "prod", "norm"):
            yield pytest.param(row, id=name)


@pytest.mark.parametrize("row", list(rows()))
def test_every_function_of_the_table_with_two_derivatives(row):
    """Through tensors as through expressions: single numbers, small arrays, and a program."""
    count = max(row.arity[0], 2 if row.name in ("min", "max") else 1)
    point = dict(zip("xyz"[:count], (1.625, 1.375, 1.25)[:count], strict=True))
    if row.name in ("asin", "acos", "atanh", "asech", "erfinv", "logit", "betainc"):
        point |= {"xyz"[count - 1]: 0.375}
    if row.name == "log1mexp":
        point = {"x": -0.375}
    value = 2 if row.parameter else None
    e = apply(row.name, *map(var, point), value=value)
    held = {n for n, argument in zip("xyz", row.arguments, strict=False) if argument in row.unknown}
    wrt = [n for n in point if n not in held]
    expected = evaluate(derive([("f", e)], wrt, 2), point)
    f = getattr(gradcli, row.name)
    parameter = [] if value is None else [value]
    for shape in ((), (3,), (200, 200)):
        names = {n: tensor(np.full(shape, v)) for n, v in point.items()}
        y = f(*parameter, *names.values())
        gradients = grad(y.sum(), [names[n] for n in wrt], create_graph=True)
        assert close(y.detach().numpy().ravel()[0], expected["f"])
        for name in held:
            with pytest.raises(GradError, match="has no closed form"):
                grad(y.sum(), names[name], retain_graph=True)
        for name, g in zip(wrt, gradients, strict=True):
            assert close(g.detach().numpy().ravel()[-1], expected[f"df_d{name}"], 8)
            (second,) = (
                grad(g.sum(), names[name], materialize_grads=True, retain_graph=True) if g.requires_grad else (g * 0,)
            )
            true = expected[f"d2f_d{name}2"]
            assert abs(second.detach().numpy().ravel()[0] - true) <= 1e-13 * max(1, abs(true))


def test_synonyms_and_names_that_are_none():
    x = tensor(0.5)
    assert gradcli.ln(x).item() == np.log(0.5) and gradcli.arcsin(x).item() == math.asin(0.5)
    assert gradcli.sin.__doc__ == SPELLED["sin"].doc and gradcli.sin.__name__ == "sin"
    for name in ("sn", "direction", "_private", "xdivy"):
        with pytest.raises(AttributeError, match=name):
            getattr(gradcli, name)
    with pytest.raises(TypeError, match="atan2 takes 2 arguments, 1 given"):
        gradcli.atan2(x)
    with pytest.raises(ValueError, match="first argument of besselj must be an integer"):
        gradcli.besselj(0.5, x)


def test_rooms_and_functions_keep_their_names():
    from gradcli import functions
    from gradcli.autograd import Tensor as Same

    assert Same is Tensor and functions.TABLE is TABLE
    code = "import gradcli.autograd; from gradcli import tensor; print(tensor([1.0]), gradcli.autograd.Tensor.__name__)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "tensor([1.], requires_grad=True) Tensor\n"


def test_the_former_place_of_tensors_is_told():
    with pytest.warns(DeprecationWarning, match="import tensor from gradcli, not"):
        from gradcli.tensor import tensor as former

    assert former is tensor


# What a tensor is.


def test_what_data_becomes():
    source = np.ones(3)
    x = tensor(source)
    source[0] = 5
    assert x.detach().numpy()[0] == 1
    for data, dtype in (
        (1, np.float64), ([1, 2], np.float64), (np.float32([1, 2]), np.float32), ([True], np.bool_),
        (1j, np.complex128), (np.complex64([1]), np.complex128), (np.int8([1]), np.float64),
        (tensor([1.0, 2.0]), np.float64), (np.float16([1]), np.float64), ([], np.float64),
    ):  # fmt: skip
        assert tensor(data).dtype == dtype
    for wrong in ("a", [1, "b"], None, {}, [[1], [1, 2]], np.array(["x"]), np.datetime64("2020-01-01")):
        with pytest.raises(TypeError, match="no array of numbers") as caught:
            tensor(wrong)
        assert isinstance(caught.value, GradError)


def test_what_a_tensor_tells():
    x = tensor([[1.0, 2.0], [3.0, 4.5]], name="x")
    assert repr(x) == "tensor([[1. , 2. ],\n        [3. , 4.5]], name='x', requires_grad=True)"
    assert repr(tensor(2.0, requires_grad=False)) == "tensor(2.)"
    assert repr(tensor(np.float32(2), requires_grad=False)) == "tensor(2., dtype=float32)"
    assert repr(x > 2) == "tensor([[False, False],\n        [ True,  True]])"
    assert repr(tensor(np.zeros((0, 2)))) == "tensor([], shape=(0, 2), requires_grad=True)"
    assert (x.shape, x.ndim, x.size, len(x), x.is_leaf, (x * 2).is_leaf) == ((2, 2), 2, 4, 2, True, False)
    assert [row.tolist() for row in x] == [[1, 2], [3, 4.5]] and x.T.tolist() == [[1, 3], [2, 4.5]]
    free = x.detach()
    assert float(free[1, 1]) == 4.5 and int(x[0, 0]) == 1 and complex(free[0, 1]) == 2 and bool(x[0, 0])
    assert x.detach().requires_grad is False and {x: 1}[x] == 1
    assert not x.detach().numpy().flags.writeable
    np.testing.assert_array_equal(np.asarray(free), free.numpy())
    np.array(free)[0] = 7
    assert x.detach().numpy()[0, 0] == 1
    with pytest.raises(RuntimeError, match="cannot be converted to Scalar"):
        x.item()
    with pytest.raises(RuntimeError, match="ambiguous"):
        bool(x)
    with pytest.raises(TypeError, match="0-d"):
        len(x[0, 0])
    with pytest.raises(TypeError, match="0-d"):
        iter(x[0, 0])
    with pytest.raises(TypeError, match="complex"):
        float(tensor(1j, requires_grad=False))
    with pytest.raises(TypeError, match="complex"):
        int(tensor(1j))


def test_dtypes_meet_as_in_numpy():
    single, double, both = tensor(np.float32([1, 2])), tensor([1.0, 2.0]), tensor([1j, 2])
    assert (single * 2.5).dtype == np.float32 and (single * double).dtype == np.float64
    assert (double * both).dtype == np.complex128 and (single + np.float32([1, 1])).dtype == np.float32
    assert (double * (double > 1)).tolist() == [0, 2]
    (g,) = grad((single * double).sum(), single)
    assert g.dtype == np.float32
    (g,) = grad(np.real(double * both).sum(), double)
    assert g.dtype == np.float64 and g.tolist() == [0, 2]
    # In single precision every operation is rounded to it, not the last one alone.
    third = tensor(np.float32(1)) / 3
    assert third.detach().numpy() == np.float32(1) / np.float32(3) and (third * 3).detach().numpy() == np.float32(1)
    assert (tensor(np.float32(1e30)) * 1e30 / 1e30).detach().numpy() == np.inf


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "var", "std", "cumsum", "linalg.norm"])
def test_reductions_keep_the_dtype(name):
    f = operator.attrgetter(name)
    for kind in (np.float32, np.float64):
        data = kind([1.5, 2.5, 4.0])
        x = tensor(data)
        y = f(np)(x)
        assert y.dtype == kind and grad(y.sum(), x)[0].dtype == kind
        np.testing.assert_allclose(y.detach().numpy(), f(np)(data), rtol=1e-6)
    if name in ("sum", "mean", "prod", "cumsum"):
        data = np.array([1 + 2j, 3 - 1j])
        np.testing.assert_allclose(f(np)(tensor(data)).detach().numpy(), f(np)(data), rtol=1e-15)
        assert f(np)(tensor([True, False, True])).dtype == np.float64


# NumPy's functions.

X = np.array([[0.5, 1.5, -2.0], [3.0, -0.25, 0.75]])
SAME = {
    "sum": lambda m, x: m.sum(x, axis=0),
    "mean": lambda m, x: m.mean(x, axis=(0, 1), keepdims=True),
    "prod": lambda m, x: m.prod(x, axis=1),
    "max": lambda m, x: m.max(x, axis=1),
    "min": lambda m, x: m.min(x),
    "var": lambda m, x: m.var(x, axis=1, ddof=1),
    "std": lambda m, x: m.std(x),
    "norm": lambda m, x: m.linalg.norm(x, axis=1),
    "cumsum": lambda m, x: m.cumsum(x, axis=1),
    "cumsum flat": lambda m, x: m.cumsum(x),
    "reshape": lambda m, x: m.reshape(x, (3, -1)),
    "ravel": lambda m, x: m.ravel(x),
    "transpose": lambda m, x: m.transpose(x),
    "getitem": lambda m, x: x[1, ::-2],
    "ellipsis": lambda m, x: x[..., None, 1],
    "mask": lambda m, x: x[X > 0.6],
    "arrays": lambda m, x: x[[0, 1, 1], [2, 0, 0]],
    "rows": lambda m, x: x[[1, 1, 0]],
    "concatenate": lambda m, x: m.concatenate([x, 2 * x], axis=1),
    "stack": lambda m, x: m.stack([x, x * x], axis=-1),
    "vstack": lambda m, x: m.vstack([x, x[0]]),
    "hstack": lambda m, x: m.hstack([x, x]),
    "matmul": lambda m, x: x @ x.T,
    "left": lambda m, x: np.ones((4, 2)) @ x,
    "vector": lambda m, x: x @ np.arange(3.0),
    "stacked matmul": lambda m, x: m.stack([x, x * x]) @ x.T,
    "matmul of stacks": lambda m, x: m.reshape(x, (2, 1, 1, 3)) @ m.stack([x.T, 2 * x.T]),
    "dot of stacks": lambda m, x: m.dot(x, m.reshape(m.stack([x, x * x, x, 2 * x]), (4, 3, 2))),
    "dot": lambda m, x: m.dot(x, x.T),
    "outer": lambda m, x: m.outer(x, x[0]),
    "inner": lambda m, x: m.inner(x, x),
    "tensordot": lambda m, x: m.tensordot(x, x, axes=([0], [0])),
    "trace": lambda m, x: m.trace(x @ x.T),
    "where": lambda m, x: m.where(x > 0, x, -2 * x),
    "clip": lambda m, x: m.clip(x, -1, 1),
    "maximum": lambda m, x: m.maximum(x, 0.6),
    "hypot": lambda m, x: m.hypot(x, 2),
    "square": lambda m, x: m.square(x),
    "reciprocal": lambda m, x: m.reciprocal(x),
    "abs": lambda m, x: m.abs(x),
    "power": lambda m, x: m.power(x, 3),
    "rpow": lambda m, x: 2**x,
    "rmod": lambda m, x: 7.3 % x,
    "floordiv": lambda m, x: m.floor_divide(x, 0.43) * x,
    "logaddexp": lambda m, x: m.logaddexp(x, 1),
    "add.reduce": lambda m, x: m.add.reduce(x),
    "ndarray first": lambda m, x: X * x,
    "squeeze": lambda m, x: m.squeeze(x[:, :1]),
    "expand_dims": lambda m, x: m.expand_dims(x, (0, 2)),
    "flip": lambda m, x: m.flip(x, 1),
    "swapaxes": lambda m, x: m.swapaxes(x, 0, 1),
    "moveaxis": lambda m, x: m.moveaxis(x, 0, -1),
    "broadcast_to": lambda m, x: m.broadcast_to(x, (4, 2, 3)),
    "diagonal": lambda m, x: m.diagonal(x),
    "roll": lambda m, x: m.roll(x, 1),
    "tile": lambda m, x: m.tile(x, (2, 1)),
    "repeat": lambda m, x: m.repeat(x, 2, axis=1),
    "take": lambda m, x: m.take(x, [0, 5]),
    "sort": lambda m, x: m.sort(x, axis=1),
    "diff": lambda m, x: m.diff(x, 2),
    "tril": lambda m, x: m.tril(x),
    "triu": lambda m, x: m.triu(x, 1),
    "split": lambda m, x: m.split(x, 3, axis=1)[1],
    "sinc": lambda m, x: m.sinc(x),
    "degrees": lambda m, x: m.degrees(x),
    "methods": lambda m, x: x.reshape(3, 2).sum(axis=1).cumsum() + x.T.mean(axis=1),
    "round": lambda m, x: m.round(x * 1.07, 1) * x,
    "atleast": lambda m, x: m.atleast_2d(x[0]) * m.atleast_1d(x[0, 0]),
    "positive": lambda m, x: +x,
    "vdot": lambda m, x: m.vdot(x, x),
    "row times column": lambda m, x: x[:, :1] * x[0] + x,
    "fliplr": lambda m, x: m.fliplr(x),
}


@pytest.mark.parametrize("large", [False, True], ids=["at once", "as a program"])
@pytest.mark.parametrize("f", SAME.values(), ids=SAME.keys())
def test_numpy_functions_on_tensors(f, large, monkeypatch):
    if large:
        monkeypatch.setattr(values, "SMALL", 0)
    expected = f(np, X)
    x = tensor(X)
    y = f(np, x)
    assert y.shape == expected.shape and y.dtype == expected.dtype
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-14, atol=1e-15)
    # Against differences of NumPy's own result, of the second derivative too.
    rng = np.random.default_rng(1)
    weight, way = rng.normal(size=expected.shape), rng.normal(size=X.shape)
    (g,) = grad(y, x, tensor(weight, requires_grad=False), create_graph=True)
    step = 1e-6

    def along(size):
        return np.sum(weight * f(np, X + size * way))

    slope = (along(step) - along(-step)) / (2 * step)
    np.testing.assert_allclose(np.sum(g.detach().numpy() * way), slope, rtol=1e-7, atol=1e-7)
    if g.requires_grad:
        (second,) = grad(g, x, tensor(way, requires_grad=False), materialize_grads=True)
        step = 1e-3
        bend = (along(step) - 2 * along(0) + along(-step)) / step**2
        np.testing.assert_allclose(np.sum(second.detach().numpy() * way), bend, rtol=1e-4, atol=1e-5)


def test_functions_of_numbers_alone():
    x = tensor(X)
    assert np.argmax(x) == np.argmax(X) and np.isnan(x).dtype == np.bool_ and np.all(x < 9).item()
    assert np.shape(x) == (2, 3) and np.zeros_like(x).tolist() == np.zeros((2, 3)).tolist()
    assert np.allclose(x, X) and np.array_equal(x, X)


def test_what_numpy_has_and_tensors_have_not():
    x = tensor(X)
    for call in (
        lambda: np.spacing(x),
        lambda: np.histogram2d(x[0], x[1]),
        lambda: np.add(x, 1, out=np.zeros((2, 3))),
        lambda: np.sum(x, dtype=int),
        lambda: np.subtract.accumulate(x),
        lambda: np.add.at(np.zeros(2), [0], x[0, 0]),
        lambda: np.full_like(x, 1, dtype=int),
        lambda: np.histogram(x),
        lambda: np.linalg.norm(x, ord="taxicab", axis=0),
        lambda: np.ix_(x[0]),
        lambda: np.frexp(x),
    ):
        with pytest.raises((TypeError, ValueError)) as caught:
            call()
        assert isinstance(caught.value, GradError)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x + np.ones(5),
        lambda x: x @ np.ones(5),
        lambda x: x.reshape(4),
        lambda x: x.sum(axis=2),
        lambda x: x.sum(axis=(0, 0)),
        lambda x: np.concatenate([x, x.T]),
        lambda x: np.stack([x, x.T]),
        lambda x: gradcli.concatenate([]),
        lambda x: x.transpose(0),
        lambda x: np.max(x[:0], axis=0),
        lambda x: np.squeeze(x, 0),
        lambda x: np.broadcast_to(x, (2, 4)),
        lambda x: x @ 1.0,
        lambda x: x * 10**400,
        lambda x: np.tensordot(x, x, axes=1),
        lambda x: x[5],
        lambda x: x[0, 0, 0],
        lambda x: x[[9]],
        lambda x: x[0.5],
        lambda x: x["a"],
    ],
)
def test_what_does_not_fit_is_refused_at_once(call):
    with pytest.raises((ValueError, IndexError)) as caught:
        call(tensor(X))
    assert isinstance(caught.value, GradError) or "broadcast" in str(caught.value)


# Kinks of what mixes elements.


def test_ties_zeros_and_constants():
    x = tensor([1.0, 1.0, 0.0])
    assert grad(np.max(x), x)[0].tolist() == [0.5, 0.5, 0]
    assert grad(np.min(tensor([2.0, 2.0])), tensor([2.0, 2.0]), allow_unused=True) == (None,)
    zeros = tensor([0.0, 2.0, 3.0])
    (g,) = grad(np.prod(zeros), zeros, create_graph=True)
    assert g.tolist() == [6, 0, 0] and grad(g[1], zeros)[0].tolist() == [3, 0, 0]
    two = tensor([0.0, 0.0, 3.0])
    assert grad(np.prod(two), two)[0].tolist() == [0, 0, 0]
    assert grad(np.linalg.norm(two * 0), two)[0].tolist() == [0, 0, 0]
    same = tensor([2.0, 2.0])
    assert grad(np.std(same), same)[0].tolist() == [0, 0]
    far = tensor([3e200, 4e200])
    assert abs(np.linalg.norm(far).item() / 5e200 - 1) < 1e-15 and np.allclose(
        grad(np.linalg.norm(far), far)[0].detach().numpy(), [0.6, 0.8]
    )
    assert gradcli.logsumexp(tensor([1000.0, 1000.0])).item() == 1000 + math.log(2)
    assert gradcli.logsumexp(tensor([-np.inf, -np.inf])).item() == -np.inf
    assert np.isnan(grad(np.max(tensor([1.0, np.nan])) * (y := tensor(1.0)), y)[0].item())


@pytest.mark.parametrize("size", [1, 3, 40_000])
def test_nothing_leaks_from_the_branch_not_taken(size):
    x = tensor(np.zeros(size))
    assert not grad(np.where(x > 0, np.sqrt(x), 0).sum(), x)[0].detach().numpy().any()
    assert not grad(np.where(x > 0, np.sqrt(x).reshape(1, size), 0.0).sum(), x)[0].detach().numpy().any()
    whole = np.where((x > 0).sum() > 0, np.sqrt(x).sum(), x.sum())
    assert (grad(whole, x)[0].detach().numpy() == 1).all()
    assert (grad(np.where(x != 0, np.sin(x) / x, x).sum(), x)[0].detach().numpy() == 1).all()


def test_large_and_small_come_to_the_same():
    rng = np.random.default_rng(3)
    data = rng.normal(size=(300, 200))

    def f(x, a):
        h = np.tanh(x * a + a)
        return (h / (1 + h * h) + np.exp(-h) @ np.ones(200) @ np.ones(300)).sum(axis=0) * np.max(h)

    whole = tensor(data), tensor(0.3)
    found = grad(f(*whole).sum(), whole)
    old, values.SMALL = values.SMALL, 10**9
    try:
        again = tensor(data), tensor(0.3)
        expected = grad(f(*again).sum(), again)
    finally:
        values.SMALL = old
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.detach().numpy(), other.detach().numpy(), rtol=1e-12)


def test_many_complex_numbers_are_compared_whole():
    z = tensor(np.full(40_000, 1 + 1j))
    assert not (z == 1).numpy().any() and (z != 1).numpy().all() and (z == 1 + 1j).numpy().all()
    assert (np.where(z == 1, 0.0, z).detach().numpy() == 1 + 1j).all()


@pytest.mark.parametrize("kind", [np.float32, np.complex128])
def test_long_chains_in_other_dtypes_are_as_short_ones(kind):
    """The slope of a whole chain is for doubles; each step of the others is rounded by itself."""
    data = np.linspace(0.1, 2, 40_000).astype(kind)

    def slope(data):
        x = tensor(data)
        return grad(np.real(np.exp(np.sin(x) * x) / (1 + x) * np.sqrt(x)).sum(), x)[0].detach().numpy()

    np.testing.assert_array_equal(slope(data)[::4000], slope(data[::4000]))


def test_threads_may_ask_for_the_same_values():
    x = tensor(np.linspace(0, 1, 50_000))
    found = []

    def ask(y):
        found.append((y.detach().numpy(), grad(y, x, tensor(np.ones(50_000)), retain_graph=True)[0].detach().numpy()))

    for _ in range(10):
        y = np.exp(np.sin(x) * x) / (1 + x)
        threads = [threading.Thread(target=ask, args=(y,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 40
    for value, slope in found:
        np.testing.assert_array_equal(value, found[0][0])
        np.testing.assert_array_equal(slope, found[0][1])


CROSSINGS = {
    "indexing": lambda c, r: np.where(c, r[1:], 0.0).sum(),
    "arrays": lambda c, r: np.where(c, r[[2, 1]], 0.0).sum(),
    "mean": lambda c, r: np.where(c.sum() < 0, r.mean(), 0.0),
    "norm": lambda c, r: np.where(False, np.linalg.norm(r), 0.0),
    "max": lambda c, r: np.where(c[0], r.max(), 1.0),
    "cumsum": lambda c, r: np.where(c, np.cumsum(r[::-1])[:2], 0.0).sum(),
    "broadcast": lambda c, r: np.where(c[:, None], r[None, 1:], 0.0).sum(),
    "scalar": lambda c, r: np.where(c, r[2], 0.0).sum(),
    "matmul": lambda c, r: np.where(c, np.ones((2, 3)) @ r, 0.0).sum(),
    "stack": lambda c, r: np.where(c, np.stack([r, r])[0, 1:], 0.0).sum(),
    "nested": lambda c, r: np.where(c[0], np.where(c, r[1:], 0.0).mean() * r.sum(), 0.0),
}


@pytest.mark.parametrize("cross", CROSSINGS.values(), ids=CROSSINGS.keys())
def test_nothing_leaks_whatever_lies_between(cross):
    """sqrt has an infinite slope at 0; what `where` leaves out must not make it nan, through any operation."""
    x = tensor([0.0, 0.0, 0.0])
    (g,) = grad(cross(np.array([False, False]), np.sqrt(x)), x, materialize_grads=True)
    assert g.tolist() == [0, 0, 0]


def test_nothing_of_much():
    x = tensor(np.ones(40_000))
    y = np.exp(x[:, None] * tensor(np.zeros((1, 0))))
    assert y.shape == (40_000, 0) and y.detach().numpy().shape == (40_000, 0)
    assert not grad(y.sum(), x)[0].detach().numpy().any()


def test_a_long_loop_on_large_arrays_keeps_nothing():
    x = tensor(np.linspace(0, 1, 40_000))
    first = weakref.ref(x.value.array)
    losses = []
    for _ in range(5):
        loss = (np.sin(x) * x).sum()
        (g,) = grad(loss, x)
        losses.append(loss)
        x = (x - 0.1 * g).detach().requires_grad_()
    assert first() is None


def test_odd_ends_of_the_range():
    tiny = tensor([3e-320, 4e-320])
    assert np.linalg.norm(tiny).item() == pytest.approx(5e-320, abs=1e-323)
    assert np.angle(tensor(-1.0)).item() == math.pi and np.imag(tensor(np.inf)).item() == 0
    x = tensor(0.5)
    y = x**np.inf
    assert y.item() == 0 and np.isnan(grad(y, x)[0].item())


def test_copies_are_leaves():
    x = tensor([1j, 2], name="z")
    for other in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert other is not x and other.name == "z" and other.requires_grad and (other * 2).tolist() == [2j, 4]
        assert grad(np.real(other).sum(), other)[0].tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="only leaf tensors"):
        copy.deepcopy(x * 2)


def test_indices_of_every_kind():
    x = tensor([1.0, 2.0, 3.0])
    for index in ([0, 0, 1], ((0, 0, 1),), (range(2),), np.array([True, False, True]), tensor([0.0, 2.0]), np.int8(1)):
        plain = index.detach().numpy().astype(int) if isinstance(index, Tensor) else index
        np.testing.assert_array_equal(x[index].detach().numpy(), np.array([1.0, 2, 3])[plain])
        (g,) = grad((x[index] ** 2).sum(), x)
        counts = np.zeros(3)
        np.add.at(counts, plain if not isinstance(plain, tuple) else list(plain[0]), 1)
        np.testing.assert_array_equal(g.detach().numpy(), 2 * x.detach().numpy() * counts)


def test_positional_arguments_are_numpys():
    x = tensor(X)
    assert np.sum(x, 0).shape == (3,) and np.var(x, 0, None, None, 1, True).shape == (1, 3)
    np.testing.assert_allclose(np.var(x, 0, None, None, 1).detach().numpy(), np.var(X, 0, ddof=1))
    with pytest.raises(TypeError, match="takes no dtype="):
        np.sum(x, 0, np.float32)
    with pytest.raises(ValueError, match="out of bounds"):
        np.tensordot(x, x, axes=([2], [0]))
    with pytest.raises(ValueError, match="out of bounds"):
        np.diff(x, axis=2)
