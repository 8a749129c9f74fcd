"""No gradient is lost in silence: what would lose it is refused, and lists of tensors are joined."""

import math

import numpy as np
import pytest

import gradcli
from gradcli import GradError, grad, hessian, tensor

pytestmark = pytest.mark.quick

REFUSED = {
    "array": lambda a, b, x: np.array([a, b]),
    "array of arrays": lambda a, b, x: np.array([x, x]),
    "array of objects": lambda a, b, x: np.array([a, b], dtype=object),
    "asarray": lambda a, b, x: np.asarray(x),
    "asanyarray": lambda a, b, x: np.asanyarray(x),
    "ascontiguousarray": lambda a, b, x: np.ascontiguousarray(x),
    "mean of a list": lambda a, b, x: np.mean([a, b]),
    "sum of a list": lambda a, b, x: np.sum([a, b]),
    "sine of a list": lambda a, b, x: np.sin([a, b]),
    "reduce of a list": lambda a, b, x: np.add.reduce([a, b]),
    "r_": lambda a, b, x: np.r_[a, b],
    "c_": lambda a, b, x: np.c_[x, x],
    "vectorize": lambda a, b, x: np.vectorize(math.sin)(x),
    "frompyfunc": lambda a, b, x: np.frompyfunc(math.sin, 1, 1)(x),
    "int64": lambda a, b, x: np.int64(x),
    "full": lambda a, b, x: np.full(3, a),
    "random": lambda a, b, x: np.random.default_rng(0).normal(a),
    "method of an array": lambda a, b, x: np.ones(2).dot(x),
    "in place": lambda a, b, x: np.ones(2).__iadd__(x),
    "copyto": lambda a, b, x: np.copyto(np.ones(2), x),
    "full_like": lambda a, b, x: np.full_like(np.zeros(2), a),
    "histogram": lambda a, b, x: np.histogram(x),
    "histogram weights": lambda a, b, x: np.histogram([1.0, 2.0], 2, weights=x),
    "masked": lambda a, b, x: np.ma.array(x),
    "tensor of a list": lambda a, b, x: tensor([a, b]),
    "assigned": lambda a, b, x: tensor([0.0, 0.0]).__setitem__(0, a),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_lose_a_graph_is_refused(name):
    a, b, x = tensor(0.5), tensor(2.0), tensor([1.0, 2.0])
    with pytest.raises(GradError) as caught:
        REFUSED[name](a, b, x)
    assert isinstance(caught.value, RuntimeError | TypeError) and caught.value.hint is not None


def test_the_way_out_is_told():
    x = tensor([1.0, 2.0])
    with pytest.raises(RuntimeError, match=r"gradient would be lost[\s\S]*gradcli\.stack[\s\S]*x\.detach\(\)"):
        np.asarray(x)
    joined = gradcli.stack([x[0], x[1] ** 2])
    assert grad(np.mean(joined), x)[0].tolist() == [0.5, 2.0]


def test_values_can_be_asked_for_by_name():
    a, x = tensor(2.75), tensor([1.0, 2.0])
    assert a.item() == 2.75 and x.tolist() == [1, 2] and int(a) == 2 and bool(a) and f"{a:.1f}" == "2.8"
    assert repr(x) == "tensor([1., 2.], requires_grad=True)" and f"{x}" == repr(x)
    assert x.numpy().tolist() == [1, 2] and not x.numpy().flags.writeable
    assert float(a) == 2.75 and complex(a) == 2.75 and math.sqrt(x[0]) == 1
    for free in (x.detach(), tensor([1.0, 2.0], requires_grad=False), grad((x * x).sum() / 2, x)[0]):
        assert np.array_equal(np.asarray(free), [1, 2]) and free.numpy().tolist() == [1, 2]
        assert float(free[1]) == 2 and complex(free[0]) == 1 and math.sqrt(free[0]) == 1
        assert np.vectorize(math.sqrt)(free)[0] == 1 and np.mean([free[0], free[1]]) == 1.5


JOINED = {
    "dot": lambda a, b, x: np.dot([a, b], x),
    "dot from the right": lambda a, b, x: np.dot(x, [a, a * b]),
    "operator": lambda a, b, x: (x * [a, b]).sum(),
    "where": lambda a, b, x: np.where(x > 1, [a, b], 0.0).sum(),
    "stack": lambda a, b, x: np.stack([[a, b], x, x * a]).sum() * b,
    "vstack": lambda a, b, x: np.vstack([[a, b], x]).prod(),
    "hstack": lambda a, b, x: np.hstack([[a, 1.0], b, x]).prod(),
    "concatenate": lambda a, b, x: np.concatenate([x, [a, b]]).prod(),
    "nested": lambda a, b, x: (np.array([[a, b], [b, 1.0], x], like=a) ** 3).sum(),
    "like": lambda a, b, x: np.asarray([a, b], like=a).prod(),
    "function of the table": lambda a, b, x: gradcli.sum(gradcli.sin([a, b])) * b,
    "sum": lambda a, b, x: gradcli.mean([[a, b], [a * a, 1]]) * a,
    "two deep": lambda a, b, x: np.outer([a, b], x).sum() * a,
}


@pytest.mark.parametrize("name", JOINED)
def test_lists_of_tensors_take_part(name):
    f = JOINED[name]
    x = np.array([0.75, 1.5])
    point = np.array([0.5, 2.0])

    def value(p):
        return f(*[tensor(v, requires_grad=False) for v in p], tensor(x, requires_grad=False)).item()

    h = 1e-3
    first, second = np.zeros(2), np.zeros((2, 2))
    for i, e in enumerate(np.eye(2)):
        # Central differences of fourth order.
        first[i] = (8 * (value(point + h * e) - value(point - h * e))
                    - (value(point + 2 * h * e) - value(point - 2 * h * e))) / (12 * h)  # fmt: skip
        for j, d in enumerate(np.eye(2)):
            corners = [value(point + h * (s * e + t * d)) * s * t for s in (1, -1) for t in (1, -1)]
            second[i, j] = sum(corners) / (4 * h * h)
    a, b = tensor(point[0]), tensor(point[1])
    np.testing.assert_allclose([g.item() for g in grad(f(a, b, tensor(x)), (a, b))], first, rtol=1e-9)
    found = hessian(lambda a, b: f(a, b, tensor(x)), (point[0], point[1]))
    np.testing.assert_allclose([[g.item() for g in row] for row in found], second, rtol=1e-4, atol=1e-6)


def test_what_a_list_of_tensors_becomes():
    a, single, z, yes = tensor(1.0), tensor(np.float32(2)), tensor(1j), tensor(3.0) > 1
    join = lambda *items: np.array([*items], like=a)
    assert join(a, single).dtype == np.float64 and join(single, single).dtype == np.float32
    assert join(a, z).dtype == np.complex128 and join(yes, yes).dtype == np.bool_ and join(yes, a).tolist() == [1, 1]
    assert grad(join(single, a).sum(), single)[0].dtype == np.float32
    (g,) = grad(np.real(join(a, z * a)[1] * 1j), a)
    assert g.tolist() == -1
    with pytest.raises(ValueError, match=r"shapes \(\) and \(2,\)"):
        join(a, [a, a])
    with pytest.raises(TypeError, match="no array of numbers"):
        join(a, "b")
    assert join([], []).shape == (2, 0)


def test_lists_without_end_are_one_error():
    a = tensor(1.0)
    deep = [a]
    for _ in range(100_000):
        deep = [deep]
    circle = [a]
    circle.append(circle)
    twice = [1.0]
    twice += [twice, twice]
    for items in (deep, circle, twice, [deep, a]):
        with pytest.raises(TypeError, match="no array of numbers"):
            gradcli.sin(items)


def test_many_tensors_in_one_list():
    x = tensor(np.linspace(0.0, 1.0, 2000))
    (g,) = grad((np.array(list(x), like=x) ** 2).sum(), x, create_graph=True)
    assert np.array_equal(g.detach(), 2 * x.detach()) and grad(g[7], x)[0][7].item() == 2
