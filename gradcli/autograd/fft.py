"""Discrete Fourier transforms of tensors (`np.fft`), real and complex, along one axis or several.

A transform is linear, and its adjoint is the opposite transform with the other scaling: for y = F x the cotangent of x
is the conjugate transpose of F times that of y (A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed., sec. 3.2).
Those of real numbers keep half of a spectrum, whose other half is conjugate: in their adjoints each frequency with
a conjugate counts twice. A transform along several axes is one along each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from gradcli.autograd.complex_ops import conj
from gradcli.autograd.operations import Primitive, cast, lift, record
from gradcli.autograd.rearrange import rearranged
from gradcli.autograd.shape_ops import any_, axis_of, expand, getitem, number, put
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import C128, F64
from gradcli.errors import BadType, BadValue

Call = Callable[..., Any]

Scaling = Literal["backward", "ortho", "forward"]
_OPPOSITE: dict[str, Scaling] = {"backward": "forward", "ortho": "ortho", "forward": "backward"}
"""The scaling of the adjoint: the conjugate transpose of an unscaled transform is unscaled, too."""


def _scaling(norm: Any) -> Scaling:
    name = "backward" if norm is None else norm
    if not isinstance(name, str) or name not in _OPPOSITE:
        raise BadValue(f"fft: norm is 'backward', 'ortho' or 'forward', not {norm!r:.40}")
    return _OPPOSITE[_OPPOSITE[name]]


def _length(n: Any) -> int:
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool):
        raise BadType(f"fft: the number of points is an integer, not {n!r:.40}")
    if n < 1:
        raise BadValue(f"fft: a transform needs at least one point, not {n}")
    return int(n)


def _resized(x: Tensor, n: int, axis: int) -> Tensor:
    """The first n elements along an axis, with zeros added if there are fewer."""
    if x.shape[axis] == n:
        return x
    before = (slice(None),) * axis
    if x.shape[axis] > n:
        return getitem(x, (*before, slice(n)))
    shape = (*x.shape[:axis], n, *x.shape[axis + 1 :])
    return put(x, (*before, slice(x.shape[axis])), shape, True)


def _spread(axis: int) -> Call:
    """The ``alive`` of a transform: each element reaches every element along the axis."""

    def alive(k: int, condition: Tensor, y: Tensor, x: Tensor) -> Tensor:
        reached = any_(condition, (axis,))
        before = (slice(None),) * axis
        return expand(getitem(reached, (*before, None)), x.shape)

    return alive


# Along one axis of the length that is transformed.


def _complex(x: Tensor, axis: int, norm: Scaling, inverse: bool) -> Tensor:
    """The transform of complex numbers along an axis, or its inverse."""
    f = np.fft.ifft if inverse else np.fft.fft
    # Of an inverse "backward" names the scaling by 1/n, of a transform none: the opposite of both is their adjoint.
    rule = lambda k, g, y, x: _complex(g, axis, _OPPOSITE[norm], not inverse)  # noqa: E731
    name = "ifft" if inverse else "fft"
    op = Primitive(name, lambda a: f(a, None, axis, norm), rule, linear=True, alive=_spread(axis))
    return record(op, (x,), x.shape, C128)


def _half(x: Tensor, axis: int, norm: Scaling) -> Tensor:
    """The frequencies 0 to n//2 of n real numbers along an axis."""
    n = x.shape[axis]
    shape = (*x.shape[:axis], n // 2 + 1, *x.shape[axis + 1 :])
    share = np.where(_paired(n), 0.5, 1.0).reshape(-1, *[1] * (x.ndim - axis - 1))
    rule = lambda k, g, y, x: _whole(g * share, n, axis, _OPPOSITE[norm])  # noqa: E731
    op = Primitive("rfft", lambda a: np.fft.rfft(a, None, axis, norm), rule, linear=True, alive=_spread(axis))
    return record(op, (x,), shape, C128)


def _whole(x: Tensor, n: int, axis: int, norm: Scaling) -> Tensor:
    """The n real numbers whose frequencies 0 to n//2 are given along an axis."""
    shape = (*x.shape[:axis], n, *x.shape[axis + 1 :])
    count = np.where(_paired(n), 2.0, 1.0).reshape(-1, *[1] * (x.ndim - axis - 1))
    rule = lambda k, g, y, x: _half(g, axis, _OPPOSITE[norm]) * count  # noqa: E731
    op = Primitive("irfft", lambda a: np.fft.irfft(a, n, axis, norm), rule, linear=True, alive=_spread(axis))
    return record(op, (x,), shape, F64)


def _paired(n: int) -> Any:
    """Of the frequencies 0 to n//2 of n real numbers, which have a conjugate in the other half."""
    frequency = np.arange(n // 2 + 1)
    return (frequency > 0) & (2 * frequency < n)


# NumPy's functions.


def _points(x: Tensor, n: Any, axis: Any) -> tuple[int, int]:
    """The axis as a non-negative integer, and its length if n is None."""
    position = axis_of(axis, x.ndim)
    return position, _length(x.shape[position] if n is None else n)


def _along(a: Any, n: Any, axis: int, norm: Any, inverse: bool) -> Tensor:
    x = cast(number(a), C128)
    position, points = _points(x, n, axis)
    return _complex(_resized(x, points, position), position, _scaling(norm), inverse)


def fft(a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Tensor:
    """The transform along an axis: sum over j of a[j]*exp(-2*pi*i*j*k/n) for the frequencies k from 0 to n - 1.

    ``n``: the number of elements, cut off or filled up with zeros; all by default. ``norm``: "backward", unscaled, the
    default; "forward", divided by n; "ortho", by its square root. The result is complex128 and in the unit of ``a``.
    Raises ValueError for lengths and axes that do not fit.

    >>> np.fft.fft(tensor([1.0, 2.0, 3.0, 4.0], requires_grad=False)).tolist()
    [(10+0j), (-2+2j), (-2+0j), (-2-2j)]
    """
    return _along(a, n, axis, norm, inverse=False)


def ifft(a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Tensor:
    """The inverse of `fft` with the same arguments: sum over k of a[k]*exp(2*pi*i*j*k/n), divided by n if "backward".

    >>> np.fft.ifft(tensor([10.0, -2, -2, -2], requires_grad=False)).tolist()
    [(1+0j), (3+0j), (3+0j), (3+0j)]
    """
    return _along(a, n, axis, norm, inverse=True)


def rfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Tensor:
    """The transform of real numbers: the frequencies 0 to n//2; the others are conjugate to them.

    Raises TypeError for complex numbers.

    >>> np.fft.rfft(tensor([1.0, 2.0, 3.0, 4.0], requires_grad=False)).tolist()
    [(10+0j), (-2+2j), (-2+0j)]
    """
    x = number(a)
    if x.dtype is C128:
        raise BadType("rfft is of real numbers", hint="take fft, or the real part: np.real(z)")
    x = cast(x, F64)
    position, points = _points(x, n, axis)
    return _half(_resized(x, points, position), position, _scaling(norm))


def irfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Tensor:
    """The inverse of `rfft`: n real numbers, 2*(m - 1) by default, of the m frequencies 0 to n//2.

    The imaginary parts of frequency 0, and of n/2 if n is even, are ignored: their gradient is 0.

    >>> np.fft.irfft(tensor([10, -2 + 2j, -2], requires_grad=False))
    tensor([1., 2., 3., 4.])
    """
    x = cast(number(a), C128)
    position, m = _points(x, None, axis)
    points = _length(2 * (m - 1) if n is None else n)
    return _whole(_resized(x, points // 2 + 1, position), points, position, _scaling(norm))


def hfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Tensor:
    """The transform of numbers that are conjugate to those at opposite places: n real frequencies."""
    return irfft(conj(lift(a)), n, axis, _OPPOSITE[_scaling(norm)])


def ihfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Tensor:
    """The inverse of `hfft`: of n real numbers the places 0 to n//2."""
    return conj(rfft(a, n, axis, _OPPOSITE[_scaling(norm)]))


def _several(x: Tensor, s: Any, axes: Any) -> tuple[list[Any], list[int]]:
    """The number of points (None: all) and the axis of each transform."""
    if axes is None:
        axes = range(x.ndim) if s is None else range(-len(s), 0)
    listed = [axis_of(axis, x.ndim) for axis in (axes if isinstance(axes, Sequence) else [axes])]
    lengths = [None] * len(listed) if s is None else [None if n is None or n == -1 else n for n in s]
    if len(lengths) != len(listed):
        raise BadValue(f"fft: {len(lengths)} lengths for {len(listed)} axes")
    return lengths, listed


def _over(inverse: bool, default: Any = None) -> Call:
    one = ifft if inverse else fft

    def function(a: Any, s: Any = None, axes: Any = default, norm: Any = None) -> Tensor:
        x = cast(number(a), C128)
        for n, axis in reversed(list(zip(*_several(x, s, axes), strict=True))):
            x = one(x, n, axis, norm)
        return x

    return function


def _over_real(default: Any = None) -> Call:
    def function(a: Any, s: Any = None, axes: Any = default, norm: Any = None) -> Tensor:
        x = number(a)
        lengths, listed = _last_needed(x, s, axes)
        x = rfft(x, lengths[-1], listed[-1], norm)
        for n, axis in reversed(list(zip(lengths[:-1], listed[:-1], strict=True))):
            x = fft(x, n, axis, norm)
        return x

    return function


def _over_half(default: Any = None) -> Call:
    def function(a: Any, s: Any = None, axes: Any = default, norm: Any = None) -> Tensor:
        x = cast(number(a), C128)
        lengths, listed = _last_needed(x, s, axes)
        for n, axis in zip(lengths[:-1], listed[:-1], strict=True):
            x = ifft(x, n, axis, norm)
        return irfft(x, lengths[-1], listed[-1], norm)

    return function


def _last_needed(x: Tensor, s: Any, axes: Any) -> tuple[list[Any], list[int]]:
    lengths, listed = _several(x, s, axes)
    if not listed:
        raise BadValue("fft: a transform of real numbers needs at least one axis")
    return lengths, listed


FUNCTIONS: dict[Any, Call] = {
    np.fft.fft: fft, np.fft.ifft: ifft, np.fft.rfft: rfft, np.fft.irfft: irfft, np.fft.hfft: hfft, np.fft.ihfft: ihfft,
    np.fft.fftn: _over(False), np.fft.ifftn: _over(True), np.fft.rfftn: _over_real(), np.fft.irfftn: _over_half(),
    np.fft.fft2: _over(False, (-2, -1)), np.fft.ifft2: _over(True, (-2, -1)),
    np.fft.rfft2: _over_real((-2, -1)), np.fft.irfft2: _over_half((-2, -1)),
    np.fft.fftshift: rearranged(np.fft.fftshift), np.fft.ifftshift: rearranged(np.fft.ifftshift),
}  # fmt: skip
