"""Discrete Fourier transforms of tensors: values, and derivatives of both orders, real and complex."""

import mpmath
import numpy as np
import pytest
from precise import agrees, way

from gradcli import GradError, grad, tensor

pytestmark = pytest.mark.quick


def sized(x, n, axis):
    """n elements along an axis, with zeros added."""
    x = np.moveaxis(x, axis, 0)
    rest = np.full((max(n - x.shape[0], 0), *x.shape[1:]), mpmath.mpf(0), object)
    return np.moveaxis(np.concatenate([x[:n], rest]), 0, axis)


def transform(x, axis, norm, inverse=False):
    """By the definition: sum over j of x[j]*exp(-2*pi*i*j*k/n), of an inverse with +i and divided by n."""
    n = x.shape[axis]
    root = mpmath.expjpi(mpmath.mpf(2 if inverse else -2) / n)
    matrix = np.array([[root ** (j * k % n) for k in range(n)] for j in range(n)], object)
    divided = mpmath.sqrt(n) if norm == "ortho" else n if (norm == "forward") != inverse else 1
    return np.moveaxis(np.tensordot(np.moveaxis(x, axis, -1), matrix, 1), -1, axis) / divided


def half(x, n, axis):
    return np.moveaxis(np.moveaxis(x, axis, 0)[: n // 2 + 1], 0, axis)


def whole(x, n, axis):
    """The whole spectrum of n real numbers from its first half, whose ends are real."""
    x = np.moveaxis(sized(x, n // 2 + 1, axis), axis, 0)
    rows = [x[k] if k <= n // 2 else np.vectorize(mpmath.conj, otypes=[object])(x[n - k]) for k in range(n)]
    real = np.vectorize(mpmath.re, otypes=[object])
    rows[0] = real(rows[0])
    if n % 2 == 0:
        rows[n // 2] = real(rows[n // 2])
    return np.moveaxis(np.array(rows, object), 0, axis)


def real(x):
    return np.vectorize(mpmath.re, otypes=[object])(x)


def conj(x):
    return np.vectorize(mpmath.conj, otypes=[object])(x)


@pytest.mark.parametrize("norm", [None, "backward", "ortho", "forward"])
@pytest.mark.parametrize(("shape", "n", "axis"), [((4,), None, -1), ((5,), None, 0), ((2, 3), None, 0), ((2, 3), 2, 1),
                                                  ((3, 2), 5, 0), ((1,), None, -1), ((2, 1, 2), 3, 1)])  # fmt: skip
def test_along_an_axis(shape, n, axis, norm):
    rng = np.random.default_rng(sum(shape))
    points = shape[axis] if n is None else n
    for kind in (float, complex):
        x = way(rng, np.zeros(shape, kind))
        for name, inverse in (("fft", False), ("ifft", True)):
            agrees(
                lambda m, x, name=name: getattr(m.fft, name)(x, n, axis, norm), [x],
                lambda x, inverse=inverse: transform(sized(x, points, axis), axis, norm, inverse),
            )  # fmt: skip
    agrees(
        lambda m, x: m.fft.rfft(x, n, axis, norm), [way(rng, np.zeros(shape))],
        lambda x: half(transform(sized(x, points, axis), axis, norm), points, axis),
    )  # fmt: skip
    other = {"forward": "backward", "ortho": "ortho"}.get(norm, "forward")
    agrees(
        lambda m, x: m.fft.ihfft(x, n, axis, norm), [way(rng, np.zeros(shape))],
        lambda x: conj(half(transform(sized(x, points, axis), axis, other), points, axis)),
    )  # fmt: skip
    points = max(2 * (shape[axis] - 1), 1) if n is None else n
    for kind in (float, complex):
        x = way(rng, np.zeros(shape, kind))
        agrees(
            lambda m, x: m.fft.irfft(x, points, axis, norm), [x],
            lambda x: real(transform(whole(x, points, axis), axis, norm, True)),
        )  # fmt: skip
        agrees(
            lambda m, x: m.fft.hfft(x, points, axis, norm), [x],
            lambda x: real(transform(whole(conj(x), points, axis), axis, other, True)),
        )  # fmt: skip


X = np.arange(24.0).reshape(2, 3, 4) % 7 + 0.25
SEVERAL = {
    "fftn": [{}, {"axes": (0, 2)}, {"s": (2, 5)}, {"s": (3, 2), "axes": (2, 0)}, {"norm": "ortho"}, {"axes": (1, 1)}],
    "ifftn": [{}, {"axes": (0, 2)}, {"s": (3, 2), "axes": (2, 0)}, {"norm": "forward"}],
    "fft2": [{}, {"axes": (0, 1)}, {"s": (4, 3)}],
    "ifft2": [{}, {"axes": (0, 1), "norm": "ortho"}],
    "rfftn": [{}, {"axes": (0, 2)}, {"s": (3, 5), "axes": (2, 0)}, {"norm": "forward"}],
    "rfft2": [{}, {"s": (4, 3)}],
    "irfftn": [{}, {"s": (3, 3, 5), "axes": (0, 1, 2)}, {"axes": (1,)}],
    "irfft2": [{}, {"s": (4, 3)}],
    "fftshift": [{}, {"axes": 1}, {"axes": (0, 2)}],
    "ifftshift": [{}, {"axes": (1, 2)}],
}


@pytest.mark.filterwarnings("ignore:`axes` should not be `None`:DeprecationWarning")
@pytest.mark.parametrize(("name", "options"), [(name, o) for name, rows in SEVERAL.items() for o in rows], ids=str)
def test_along_several_axes(name, options):
    """Values by NumPy; a linear function is its own derivative, whose adjoint is that of the inner product."""
    f = getattr(np.fft, name)
    rng = np.random.default_rng(7)
    for x in (X, X + 1j * X[::-1]):
        if x.dtype.kind == "c" and name.startswith("rfft"):
            continue
        t = tensor(x)
        y, expected = f(t, **options), f(x, **options)
        assert y.dtype == expected.dtype
        np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-13, atol=1e-13)
        weight, along = way(rng, expected), way(rng, x)
        (g,) = grad(y, t, tensor(weight), create_graph=True)
        pushed = np.real(np.vdot(weight, f(along, **options)))
        np.testing.assert_allclose(np.real(np.vdot(g.detach().numpy(), along)), pushed, rtol=1e-12)
        (g,) = grad(np.real(y * y).sum(), t, create_graph=True)
        (second,) = grad(np.real(np.conj(g) * along).sum(), t)
        twice = 2 * np.real(np.sum(f(along, **options) ** 2))
        np.testing.assert_allclose(np.real(np.vdot(second.numpy(), along)), twice, rtol=1e-12)


def test_other_dtypes_and_third_derivatives():
    x = tensor(np.float32([1, 2, 4]))
    y = np.fft.rfft(x)
    assert y.dtype == np.complex128 and grad(np.abs(y).sum(), x)[0].dtype == np.float32
    x = tensor([1.0, 2.0, 4.0])
    power = np.abs(np.fft.fft(x)) ** 4
    g = power.sum()
    for _ in range(3):
        (g,) = grad(g.sum(), x, create_graph=True)
    h = 1e-3

    def bend(d):
        return np.sum(np.abs(np.fft.fft(np.array([1.0, 2.0, 4.0]) + d)) ** 4)

    # The third derivative along (1, 1, 1) of a polynomial of degree 4: exact but for rounding, and h**2.
    third = (bend(2 * h) - 2 * bend(h) + 2 * bend(-h) - bend(-2 * h)) / (2 * h**3)
    assert g.sum().item() == pytest.approx(third, rel=1e-4)


def test_nothing_leaks():
    root = np.sqrt(tensor([0.0, 0.0]) * (x := tensor(1.0)))
    for name in ("fft", "rfft", "irfft", "hfft", "fftn"):
        y = np.where(False, np.real(getattr(np.fft, name)(root)).sum(), 0.0)
        assert grad(y, x, retain_graph=True)[0].item() == 0, name


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.fft.fft(x, 0),
        lambda x: np.fft.fft(x, 1.5),
        lambda x: np.fft.fft(x, axis=2),
        lambda x: np.fft.fft(x, norm="wrong"),
        lambda x: np.fft.rfft(x * 1j),
        lambda x: np.fft.irfft(x[:, :1]),
        lambda x: np.fft.fft(x[:, :0]),
        lambda x: np.fft.fft2(x[0]),
        lambda x: np.fft.fftn(x, s=(1, 2), axes=(0,)),
        lambda x: np.fft.rfftn(x, axes=()),
        lambda x: np.fft.fft(x, out=np.zeros((2, 3), complex)),
    ],
)
def test_what_does_not_fit_is_refused(call):
    with pytest.raises((ValueError, TypeError)) as caught:
        call(tensor(np.ones((2, 3))))
    assert isinstance(caught.value, GradError) or "unexpected keyword" in str(caught.value)
