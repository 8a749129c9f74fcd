"""`np.pad` on tensors, in every mode but "empty" and functions: the values added depend on the tensor as they should.

Axes are padded one after the other, as NumPy does: what one axis adds is padded by the next.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.autograd.nesting import holds_tensor
from gradcli.autograd.operations import Primitive, cast, lift, record
from gradcli.autograd.quantiles import median
from gradcli.autograd.reduction_ops import extreme, mean
from gradcli.autograd.selection_ops import where
from gradcli.autograd.shape_ops import concatenate, expand, getitem, number, one_dtype, reshape
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import C128, array_of
from gradcli.errors import BadType, BadValue

_OPTIONS: dict[str, set[str]] = {
    "constant": {"constant_values"}, "edge": set(), "linear_ramp": {"end_values"}, "wrap": set(),
    "reflect": {"reflect_type"}, "symmetric": {"reflect_type"},
    "mean": {"stat_length"}, "maximum": {"stat_length"}, "minimum": {"stat_length"}, "median": {"stat_length"},
}  # fmt: skip
"""The options of each mode."""


def pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Tensor:
    """The tensor with elements added before and after along its axes, by NumPy's modes.

    ``pad_width``: the numbers of elements before and after along each axis; a pair, or an integer, for all axes. The
    modes "maximum", "minimum" and "median" share the cotangent among ties, as these functions do. ``constant_values``
    and ``end_values`` may be tensors. Raises ValueError for the mode "empty", whose values are undefined, for a
    function as mode and for lengths that do not fit.

    >>> np.pad(tensor([1.0, 2.0, 4.0], requires_grad=False), (1, 2), mode="reflect")
    tensor([2., 1., 2., 4., 2., 1.])
    """
    x = lift(array)
    if not isinstance(mode, str) or mode not in _OPTIONS:
        raise BadValue(f"pad: mode is one of {', '.join(_OPTIONS)}, not {mode!r:.40}")
    if options.keys() - _OPTIONS[mode]:
        raise BadValue(f"pad: mode {mode!r} takes no {'= and no '.join(sorted(options.keys() - _OPTIONS[mode]))}=")
    widths = _widths(pad_width, x.ndim)
    if mode == "constant" and not holds_tensor(options.get("constant_values", 0)):
        return _framed(x, widths, options.get("constant_values", 0))
    ends: list[list[Tensor]] = []
    if mode in ("constant", "linear_ramp"):
        x, ends = _ends(x, options.get("constant_values" if mode == "constant" else "end_values", 0))
    for axis, (before, after) in enumerate(widths):
        if not before and not after:
            continue
        if not x.shape[axis] and mode != "constant":
            raise BadValue(f"pad: axis {axis} has no elements that mode {mode!r} could repeat")
        if mode == "constant":
            x = _joined(_filled(ends[axis][0], before, x, axis), _filled(ends[axis][1], after, x, axis), x, axis)
        elif mode == "linear_ramp":
            x = _joined(_ramp(ends[axis][0], before, x, axis), _ramp(ends[axis][1], after, x, axis, True), x, axis)
        elif mode in ("reflect", "symmetric") and _reflection(options) == "odd":
            x = _odd(number(x), axis, before, after, mode == "symmetric")
        elif mode in ("edge", "wrap", "reflect", "symmetric"):
            places = np.pad(np.arange(x.shape[axis]), (before, after), mode)  # type: ignore[call-overload]
            x = getitem(x, (*_before(axis), places))
        else:
            left, right = _lengths(options.get("stat_length"), axis, x)
            first, last = getitem(x, (*_before(axis), slice(left))), getitem(x, (*_before(axis), _last(x, axis, right)))
            x = _joined(_statistic(first, mode, axis, before), _statistic(last, mode, axis, after), x, axis)
    return x


def _framed(x: Tensor, widths: list[tuple[int, int]], values: Any) -> Tensor:
    """The tensor amid constants, which do not depend on it."""
    constants = array_of(values)
    _pairs(constants, x.ndim, "constant_values")
    if not widths:
        return x
    if constants.dtype == C128:
        x = one_dtype([x, lift(constants)])[0]
    inside = tuple([slice(before, before + n) for (before, _), n in zip(widths, x.shape, strict=True)])
    shape = tuple([before + n + after for (before, after), n in zip(widths, x.shape, strict=True)])
    rule = lambda k, g, y, x: getitem(g, inside)  # noqa: E731
    op = Primitive("pad", lambda a: np.pad(a, widths, constant_values=constants), rule, carries=True)
    return record(op, (x,), shape, x.dtype)


def _before(axis: int) -> tuple[slice, ...]:
    return (slice(None),) * axis


def _last(x: Tensor, axis: int, n: int) -> slice:
    return slice(x.shape[axis] - n, None)


def _joined(left: Tensor | None, right: Tensor | None, x: Tensor, axis: int) -> Tensor:
    return concatenate([t for t in (left, x, right) if t is not None], axis)


# Options.


def _pairs(values: Any, ndim: int, name: str) -> Any:
    """Two values for each axis, of one value, one pair, one for each axis in a column, or a pair for each axis."""
    try:
        return np.broadcast_to(values, (ndim, 2))
    except ValueError:
        raise BadValue(f"pad: {name} {values!r:.60} is no pair for each of {ndim} axes") from None


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    if isinstance(pad_width, dict):
        pad_width = [pad_width.get(k, pad_width.get(k - ndim, 0)) for k in range(ndim)]
        pad_width = [(n, n) if isinstance(n, (int, np.integer)) else tuple(n) for n in pad_width]
    widths = _pairs(pad_width, ndim, "pad_width")
    if widths.dtype.kind not in "iu":
        raise BadType(f"pad: pad_width is of integers, not {pad_width!r:.60}")
    if widths.size and widths.min() < 0:
        raise BadValue("pad: pad_width must not be negative")
    return [(int(before), int(after)) for before, after in widths]


def _ends(x: Tensor, values: Any) -> tuple[Tensor, list[list[Tensor]]]:
    """The tensor and the numbers before and after along each axis, in one dtype."""
    x, given = number(x), lift(values)
    if not isinstance(values, Tensor) and given.dtype is not C128:
        given = cast(given, x.dtype)
    x, given = one_dtype([x, given])
    if given.ndim > 2 or any(n not in (1, m) for n, m in zip(given.shape[::-1], (2, x.ndim), strict=False)):
        raise BadValue(f"pad: values of shape {given.shape} are no pair for each of {x.ndim} axes")
    full = expand(given, (x.ndim, 2))
    return x, [[full[k, 0], full[k, 1]] for k in range(x.ndim)]


def _lengths(stat_length: Any, axis: int, x: Tensor) -> tuple[int, int]:
    """How many elements at each end along an axis a statistic is taken of: all by default."""
    n = x.shape[axis]
    if stat_length is None:
        return n, n
    pair = [n if m is None else m for m in _pairs(np.asarray(stat_length, object), x.ndim, "stat_length")[axis]]
    if not all(isinstance(m, (int, np.integer)) and m > 0 for m in pair):
        raise BadValue(f"pad: stat_length is of integers from 1, not {stat_length!r:.60}")
    return min(int(pair[0]), n), min(int(pair[1]), n)


def _reflection(options: dict[str, Any]) -> str:
    kind = options.get("reflect_type", "even")
    if kind not in ("even", "odd"):
        raise BadValue(f"pad: reflect_type is 'even' or 'odd', not {kind!r:.40}")
    return str(kind)


# What is added at one end.


def _filled(end: Tensor, n: int, x: Tensor, axis: int) -> Tensor | None:
    return expand(end, (*x.shape[:axis], n, *x.shape[axis + 1 :])) if n else None


def _ramp(end: Tensor, n: int, x: Tensor, axis: int, after: bool = False) -> Tensor | None:
    """n elements that go from ``end`` in equal steps towards the first element along an axis, or from the last."""
    if not n:
        return None
    edge = getitem(x, (*_before(axis), slice(-1, None) if after else slice(1)))
    steps = np.arange(n)[:: -1 if after else 1] / n
    share = reshape(cast(lift(steps), x.dtype), (n, *[1] * (x.ndim - axis - 1)))
    return end + (edge - end) * share


def _statistic(part: Tensor, mode: str, axis: int, n: int) -> Tensor | None:
    """n times the mean, median or an extreme of the elements along an axis."""
    if not n:
        return None
    if mode == "mean":
        value = mean(part, axis, True)
    elif mode == "median":
        value = median(part, axis, keepdims=True)
    else:
        value = extreme(part, axis, True, mode[:3])
    return expand(value, (*part.shape[:axis], n, *part.shape[axis + 1 :]))


def _odd(x: Tensor, axis: int, before: int, after: int, edge: bool) -> Tensor:
    """The elements reflected at points: each end, and the ends of what that adds, again and again.

    ``edge``: the element at an end is repeated. Two reflections are a shift, by which the values grow by twice the
    difference between the last element and the first.
    """
    n = x.shape[axis]
    if n == 1:
        # NumPy repeats a single element.
        return getitem(x, (*_before(axis), np.zeros(before + 1 + after, int)))
    period = n if edge else n - 1
    tail = (1,) * (x.ndim - axis - 1)
    first, last = getitem(x, (*_before(axis), slice(1))), getitem(x, (*_before(axis), slice(n - 1, None)))

    def part(places: Any) -> Tensor | None:
        if not places.size:
            return None
        rounds, place = np.divmod(places, period)
        mirrored = rounds % 2 == 1
        own = getitem(x, (*_before(axis), np.where(mirrored, n - 1 - place, place)))
        sign, firsts, lasts = (
            cast(lift(c.reshape(-1, *tail)), x.dtype)
            for c in (np.where(mirrored, -1, 1), np.where(mirrored, 1 - rounds, -rounds), rounds + mirrored)
        )
        # A share of 0 counts for nothing, even of an infinite element.
        result: Tensor = own * sign + where(firsts == 0, 0.0, first * firsts) + where(lasts == 0, 0.0, last * lasts)
        return result

    return _joined(part(np.arange(-before, 0)), part(np.arange(n, n + after)), x, axis)


FUNCTIONS: dict[Any, Any] = {np.pad: pad}
