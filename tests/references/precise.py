"""Derivatives of functions of arrays by central differences in 60 digits, and tensors compared with them."""

import mpmath
import numpy as np

from gradcli import grad, tensor


def exact(array):
    """An array of numbers of mpmath, equal to those given."""
    return np.vectorize(mpmath.mpmathify, otypes=[object])(np.asarray(array))


def doubles(array, dtype=None):
    """Numbers of mpmath, rounded."""
    array = np.asarray(array, object)
    if dtype is None:
        dtype = complex if any(isinstance(v, mpmath.mpc) for v in array.ravel()) else float
    return np.vectorize(dtype, otypes=[dtype])(array)


def way(rng, like):
    """Random numbers in the shape and dtype of an array or tensor, in hundredths."""
    numbers = np.round(rng.uniform(-2, 2, np.shape(like)), 2)
    if like.dtype.kind == "c":
        numbers = numbers + 1j * np.round(rng.uniform(-2, 2, np.shape(like)), 2)
    return numbers


def agrees(f, arguments, reference=None, order=2, rtol=1e-12):
    """Assert that f(np, *tensors) has the values and derivatives of ``reference(*arrays of mpmath)``.

    ``reference`` is f on NumPy's functions of objects by default. The derivatives are those of the real part of
    sum(w*y*y) along random directions, the first and the second.
    """
    reference = reference or (lambda *args: f(np, *args))
    rng = np.random.default_rng(5)
    with mpmath.workdps(60):
        points = [exact(a) for a in arguments]
        true = np.asarray(reference(*points), object)
        found = f(np, *[tensor(a) for a in arguments])
        assert found.shape == true.shape
        scale = max([1e-300, *[float(abs(v)) for v in true.ravel()]])
        np.testing.assert_allclose(found.detach().numpy(), doubles(true), rtol=rtol, atol=rtol * scale)
        weight = way(rng, doubles(true, complex if found.dtype.kind == "c" else float))
        ways, again = [way(rng, a) for a in arguments], [way(rng, a) for a in arguments]
        w, u, v = exact(weight), [exact(a) for a in ways], [exact(a) for a in again]
        step = mpmath.mpf(10) ** -18

        def loss(s, t):
            y = np.asarray(reference(*[p + s * a + t * b for p, a, b in zip(points, u, v, strict=True)]), object)
            return mpmath.re(sum(np.asarray(w * y * y, object).ravel(), mpmath.mpf(0)))

        first = float((loss(step, 0) - loss(-step, 0)) / (2 * step))
        corners = loss(step, step) - loss(step, -step) - loss(-step, step) + loss(-step, -step)
        second = float(corners / (4 * step * step))
    xs = [tensor(a) for a in arguments]
    y = f(np, *xs)
    gradients = grad(np.real(weight * y * y).sum(), xs, create_graph=True)
    for g, x in zip(gradients, xs, strict=True):
        assert g.shape == x.shape and g.dtype == x.dtype
    along = sum(np.real(np.conj(g) * a).sum() for g, a in zip(gradients, ways, strict=True))
    size = sum(float(np.abs(g.detach().numpy() * a).sum()) for g, a in zip(gradients, ways, strict=True))
    assert abs(along.item() - first) <= rtol * max(size, abs(first))
    if order > 1:
        seconds = grad(along, xs, materialize_grads=True) if along.requires_grad else []
        total = sum(float(np.real(np.conj(h.numpy()) * b).sum()) for h, b in zip(seconds, again, strict=True))
        size = sum(float(np.abs(h.numpy() * b).sum()) for h, b in zip(seconds, again, strict=True))
        assert abs(total - second) <= rtol * max(size, abs(second))
