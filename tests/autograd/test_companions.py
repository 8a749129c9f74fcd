"""jvp, vjp, jacobian, hessian, hvp and gradcheck; the documentation and the types of the Python interface."""

import doctest
import math
import subprocess
import sys

import numpy as np
import pytest

import gradcli
from gradcli import GradError, Tensor, grad, gradcheck, hessian, hvp, jacobian, jvp, tensor, vjp

X, Y = np.array([0.5, 1.5, -0.75]), np.array([2.0, -1.0, 0.25])


def product(x, y):
    return np.sin(x) * y, (x * x * y).sum()


def test_jacobian_of_several_by_several():
    (ax, ay), (bx, by) = jacobian(product, (tensor(X), tensor(Y)))
    np.testing.assert_allclose(ax.detach().numpy(), np.diag(np.cos(X) * Y))
    np.testing.assert_allclose(ay.detach().numpy(), np.diag(np.sin(X)))
    np.testing.assert_allclose(bx.detach().numpy(), 2 * X * Y)
    np.testing.assert_allclose(by.detach().numpy(), X * X)
    alone = jacobian(lambda x: np.outer(x, x), X)
    assert alone.shape == (3, 3, 3) and alone.requires_grad is False
    assert alone.detach().numpy()[0, 1].tolist() == [X[1], X[0], 0]


def test_products_with_the_jacobian():
    ways = tensor([1.0, -2.0, 0.5]), tensor([0.0, 1.0, 3.0])
    (y, z), (dy, dz) = jvp(product, (X, Y), ways)
    u, v = ways[0].detach().numpy(), ways[1].detach().numpy()
    np.testing.assert_array_equal(y.detach().numpy(), np.sin(X) * Y)
    np.testing.assert_allclose(dy.detach().numpy(), np.cos(X) * Y * u + np.sin(X) * v)
    np.testing.assert_allclose(dz.detach().numpy(), np.sum(2 * X * Y * u + X * X * v))
    (_, total), (gx, gy) = vjp(product, (X, Y), (tensor(u), tensor(2.0)))
    assert total.item() == np.sum(X * X * Y) and not total.requires_grad
    np.testing.assert_allclose(gx.detach().numpy(), u * np.cos(X) * Y + 4 * X * Y)
    np.testing.assert_allclose(gy.detach().numpy(), u * np.sin(X) + 2 * X * X)
    assert z.item() == total.item()


def test_second_derivatives():
    def f(x):
        return np.exp(x[0] * x[1]) + np.prod(x)

    p, q, r = X
    e = np.exp(p * q)
    expected = [[q * q * e, (1 + p * q) * e + r, q], [(1 + p * q) * e + r, p * p * e, p], [q, p, 0]]
    np.testing.assert_allclose(hessian(f, X).detach().numpy(), expected, atol=1e-15)
    value, found = hvp(f, X, tensor(Y))
    np.testing.assert_allclose(found.detach().numpy(), np.array(expected) @ Y)
    np.testing.assert_allclose(value.item(), e + p * q * r)
    (xx, xy), (yx, yy) = hessian(lambda x, y: (x * x * y).sum(), (X, Y))
    assert (yy.detach().numpy() == 0).all() and np.array_equal(xx.detach().numpy(), np.diag(2 * Y))
    assert np.array_equal(xy.detach().numpy(), np.diag(2 * X)) and np.array_equal(yx.detach().numpy(), np.diag(2 * X))
    # Linear functions have a Hessian too.
    assert not hessian(lambda x: x.sum(), X).detach().numpy().any()
    assert not hvp(lambda x: (2 * x).sum(), X, tensor(Y))[1].detach().numpy().any()
    assert not jvp(lambda x: x.detach(), X, tensor(Y))[1].detach().numpy().any()


def test_with_a_graph_they_are_differentiated_in_turn():
    x = tensor(X)
    j = jacobian(lambda x: x**3, x, create_graph=True)
    np.testing.assert_allclose(grad(j.sum(), x)[0].detach().numpy(), 6 * X)
    _, forward = jvp(lambda x: x**3, x, tensor(Y), create_graph=True)
    np.testing.assert_allclose(grad(forward.sum(), x)[0].detach().numpy(), 6 * X * Y)
    h = hessian(lambda x: (x**4).sum(), x, create_graph=True)
    np.testing.assert_allclose(grad(h.sum(), x)[0].detach().numpy(), 24 * X)


def test_refusals():
    with pytest.raises(RuntimeError, match="Output 0 of the user-provided function is independent of input 1"):
        jacobian(lambda x, y: x * 2, (X, Y), strict=True)
    with pytest.raises(RuntimeError, match="Output 0 of the user-provided function does not require gradients"):
        vjp(lambda x: tensor(1.0, requires_grad=False), X, strict=True)
    assert not jacobian(lambda x, y: x * 2, (X, Y))[1].detach().numpy().any()
    with pytest.raises(TypeError, match="must be Tensors, but output 0 is of type float"):
        jacobian(lambda x: 1.0, X)
    with pytest.raises(RuntimeError, match="single element"):
        hessian(lambda x: x * 2, X)
    with pytest.raises(RuntimeError, match="v can be left out only where the outputs are a single number"):
        vjp(lambda x: x * 2, X)
    with pytest.raises(RuntimeError, match="v must have the shapes of the inputs"):
        jvp(lambda x: x * 2, X, tensor(1.0))
    assert vjp(lambda x: x.sum(), X)[1].tolist() == [1, 1, 1]


# gradcheck.


def test_a_right_gradient_passes_and_a_wrong_one_is_named():
    def f(x, y):
        return np.sum(np.sin(x) * y)

    assert gradcheck(f, (X, Y), lambda x, y: (np.cos(x) * y, np.sin(x)))
    with pytest.raises(
        RuntimeError, match=r"inputs\[1\] is wrong in 3 of 3 entries: at \(0,\) it is claimed as"
    ) as caught:
        gradcheck(f, (X, Y), lambda x, y: (np.cos(x) * y, np.sin(y)))
    assert isinstance(caught.value, GradError) and caught.value.exit_code == 1
    assert gradcheck(f, (X, Y), lambda x, y: (np.cos(x) * y, -np.sin(x)), raise_exception=False) is False
    # A mistake in the eighth digit is a mistake where tracing gives the exact one.
    assert not gradcheck(f, (X, Y), lambda x, y: (np.cos(x) * y * (1 + 3e-7), np.sin(x)), raise_exception=False)


def test_functions_that_cannot_be_traced():
    import math

    def f(x):
        return math.exp(float(x[0])) * math.gamma(float(x[1]))

    def gradient(x):
        y = math.exp(x[0]) * math.gamma(x[1])
        return [y, y * gradcli.digamma(tensor(x[1])).item()]

    assert gradcheck(f, X[:2], gradient)
    assert not gradcheck(f, X[:2], lambda x: [gradient(x)[0], 1.01 * gradient(x)[1]], raise_exception=False)
    # At the edge of its domain steps that leave it tell nothing, smaller ones do.
    assert gradcheck(lambda x: np.sqrt(np.asarray(x)), np.array(1e-3), lambda x: 0.5 / np.sqrt(x))
    with pytest.raises(TypeError, match="cannot be traced"):
        gradcheck(f, X[:2])


def test_tracing_itself_is_checked_against_differences():
    assert gradcheck(lambda x: np.tanh(x) @ x, X)
    cut = lambda x: (x * x.detach()).sum()
    with pytest.raises(RuntimeError, match=r"it is traced as 0\.5, but is (1\.0|0\.99999)"):
        gradcheck(cut, X)


def test_gradients_of_another_shape():
    with pytest.raises(ValueError, match=r"has the shape \(3,\), not \(3, 3\)"):
        gradcheck(lambda x: x * 2, X, lambda x: 2 * np.ones(3))
    with pytest.raises(ValueError, match="2 inputs, but 1 gradients"):
        gradcheck(lambda x, y: (x * y).sum(), (X, Y), lambda x, y: y)
    with pytest.raises(TypeError, match="needs float64"):
        gradcheck(lambda x: x, np.array([1j]), lambda x: x)


# Types.


RIGHT = """
import numpy as np
from gradcli import Tensor, grad, gradcheck, hessian, jacobian, tensor

x = tensor([1.0, 2.0], requires_grad=True, name="x")
y: Tensor = (x**2 + 2 * x - x / 3).sum()
several: tuple[Tensor, ...] = grad(y, [x], create_graph=True)
single: tuple[Tensor, ...] = grad(several[0], x, tensor(np.ones(2)), retain_graph=True)
weighted: tuple[Tensor, ...] = grad(several[0], [x], [np.ones(2)], retain_graph=True)
by_array: tuple[Tensor, ...] = grad(several[0], x, np.ones(2), retain_graph=True)
by_number: tuple[Tensor, ...] = grad((y, several[0]), x, (2.0, None), retain_graph=True)
named: dict[str, Tensor] = grad(y, {"x": x}, retain_graph=True)
perhaps: tuple[Tensor | None, ...] = grad(y, x, allow_unused=True, retain_graph=True)
maybe: dict[str, Tensor | None] = grad(y, {"x": x}, allow_unused=True)
reveal_type(several[0].detach().numpy().shape)
reveal_type(x[0] @ x)
reveal_type(x > 1)
reveal_type(gradcheck(np.sin, [np.ones(2)], np.cos, elementwise=True))
"""
WRONG = "from gradcli import grad, tensor\n\ngrad(1.0, tensor(1.0))\ntensor(1.0).nothing\n"


@pytest.fixture(scope="module")
def told_by_mypy(tmp_path_factory):
    """What a user's type checker says of each file, by one run of it."""
    pytest.importorskip("mypy")
    folder = tmp_path_factory.mktemp("user")
    (folder / "right.py").write_text(RIGHT)
    (folder / "wrong.py").write_text(WRONG)
    words = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", "cache", "right.py", "wrong.py"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    return {name: [line for line in done.stdout.splitlines() if line.startswith(f"{name}.py:")]
            for name in ("right", "wrong")}  # fmt: skip


def test_types_as_a_user_sees_them(told_by_mypy):
    assert not [line for line in told_by_mypy["right"] if ": error:" in line]
    revealed = [line.split('"')[1] for line in told_by_mypy["right"] if "Revealed" in line]
    assert revealed[1:] == [*["gradcli.autograd.tensor.Tensor"] * 2, "bool"]


PUBLIC = [name for name in gradcli.__all__ if not name.startswith("_")]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_documented_by_examples_that_hold(name):
    names = {"np": np, **{public: getattr(gradcli, public) for public in PUBLIC}}
    found = doctest.DocTestFinder().find(getattr(gradcli, name), name, module=False, globs=names)
    said: list[str] = []
    results = [doctest.DocTestRunner(verbose=False).run(test, out=said.append) for test in found]
    assert sum(result.attempted for result in results) > 0
    assert sum(result.failed for result in results) == 0, "".join(said)


def test_every_method_of_a_tensor_is_documented():
    documented = {name: value for name, value in vars(Tensor).items() if not name.startswith("_") and value.__doc__}
    assert {"sum", "reshape", "T", "real", "numpy", "shape"} <= documented.keys()
    methods = {name for name, value in vars(Tensor).items() if not name.startswith("_") and callable(value)}
    assert not [name for name in methods if ">>>" not in (vars(Tensor)[name].__doc__ or "")]
    properties = {name for name, value in vars(Tensor).items() if isinstance(value, property)}
    assert properties | methods <= documented.keys()


def test_types_that_do_not_fit_are_told(told_by_mypy):
    errors = " ".join(line for line in told_by_mypy["wrong"] if ": error:" in line)
    assert "No overload variant" in errors and '"nothing"' in errors


@pytest.mark.parametrize(
    ("f", "point", "slope"),
    [
        (np.log, 1e-5, 1e5), (np.sqrt, 1e-9, 0.5 / np.sqrt(1e-9)), (lambda x: math.sin(float(x)), 1e6, math.cos(1e6)),
        (lambda x: math.sin(1e6 * float(x)), 0.3, 1e6 * math.cos(3e5)), (lambda x: x**3, 1e100, 3e200),
    ],
)  # fmt: skip
def test_the_functions_own_scale_is_found(f, point, slope):
    assert gradcheck(f, np.array(point), lambda x: slope)
    assert not gradcheck(f, np.array(point), lambda x: slope * 1.01, raise_exception=False)


def test_a_trace_of_a_part_is_not_taken_for_the_whole():
    half = lambda x: x[0] * math.sin(x[1])
    assert gradcheck(half, X[:2], lambda x: np.array([math.sin(x[1]), x[0] * math.cos(x[1])]))
    assert not gradcheck(half, X[:2], lambda x: np.array([math.sin(x[1]), 0.0]), raise_exception=False)


def test_what_differences_cannot_tell():
    with pytest.raises(ValueError, match="do not settle"):
        gradcheck(lambda x: float(float(x) > 0), np.array(0.0), lambda x: 17.0)
    with pytest.raises(ValueError, match="another answer at every call"):
        gradcheck(lambda x: float(x) * np.random.default_rng().random(), np.array(1.0), lambda x: 1.0)
    with pytest.raises(TypeError, match="func is a function"):
        gradcheck(5, X)
    with pytest.raises(TypeError, match="complex"):
        gradcheck(lambda x: x * 1j, X, lambda x: np.eye(3))
    with pytest.raises(ZeroDivisionError):
        gradcheck(lambda x: 1 / 0, X, lambda x: x)
