"""What each step of a recorded program means in torch, and where it may be taken.

Used by record_torch.py alone: the tests read what it recorded. Must not know how programs are made.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

Spec = Any
"""A step's operand or index as plain data: what JSON can hold."""
NEAR = 0.05
"""How far from a kink, a jump or a pole every element stays."""


class Rejected(Exception):
    """The step or program is outside of what is recorded: near a kink, beyond a domain, too large."""


def dims(x: Tensor, axis: int | list[int] | None) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    return (axis,) if isinstance(axis, int) else tuple(axis)


def _prod(x: Tensor, axis: int | list[int] | None = None, keepdims: bool = False) -> Tensor:
    for dim in sorted((d % x.ndim for d in dims(x, axis)), reverse=True):
        x = x.prod(dim=dim, keepdim=keepdims)
    return x


def _reduction(rule: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def reduce(x: Tensor, axis: int | list[int] | None = None, keepdims: bool = False) -> Tensor:
        return rule(x, dim=dims(x, axis), keepdim=keepdims)

    return reduce


def _spread(rule: Callable[..., Tensor]) -> Callable[..., Tensor]:
    # NumPy divides by n - ddof with ddof 0 unless told otherwise, torch by n - 1.
    def reduce(x: Tensor, axis: int | list[int] | None = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
        return rule(x, dim=dims(x, axis), correction=ddof, keepdim=keepdims)

    return reduce


def _cumsum(x: Tensor, axis: int | None = None) -> Tensor:
    return x.ravel().cumsum(0) if axis is None else x.cumsum(axis)


def _transpose(x: Tensor, axes: list[int] | None = None) -> Tensor:
    return x.permute(list(reversed(range(x.ndim))) if axes is None else axes)


def _dot(x: Tensor, y: Tensor) -> Tensor:
    return torch.tensordot(x, y, dims=([-1], [-2])) if min(x.ndim, y.ndim) > 1 else torch.matmul(x, y)


def _getitem(x: Tensor, index: list[Spec]) -> Tensor:
    """The index as torch takes it: a slice that runs backwards becomes a flip and one that runs forwards."""
    taken = sum(1 if isinstance(i, int) else _rank(i) for i in index if i is not None and i != "...")
    items: list[Any] = []
    flips: list[int] = []
    dim = 0
    for item in index:
        if item is None or item == "...":
            items.append(None if item is None else ...)
            dim += x.ndim - taken if item else 0
        elif isinstance(item, int):
            items.append(item)
            dim += 1
        elif "slice" in item:
            start, stop, step = slice(*item["slice"]).indices(x.shape[dim])
            if step < 0:
                flips.append(dim)
                start, stop, step = x.shape[dim] - 1 - start, x.shape[dim] - 1 - stop, -step
            items.append(slice(start, max(start, stop), step))
            dim += 1
        else:
            items.append(torch.tensor(item["array"]))
            dim += _rank(item)
    return (x.flip(flips) if flips else x)[tuple(items)]


def _rank(item: Any) -> int:
    """How many axes an index item uses up."""
    if "slice" in item:
        return 1
    array = torch.tensor(item["array"])
    return array.ndim if array.dtype == torch.bool else 1


def _number_first(rule: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """For functions that take no Python number: it becomes a tensor without dimensions."""

    def function(*args: Tensor | float) -> Tensor:
        kind = next(a.dtype for a in args if isinstance(a, Tensor) and a.dtype != torch.bool)
        return rule(*(a if isinstance(a, Tensor) else torch.tensor(a, dtype=kind) for a in args))

    return function


def _differentiable(value: Callable[[Tensor], Tensor], slope: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    """A function of torch's with a slope of ours."""

    class Rule(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            return value(x)

        @staticmethod
        def backward(ctx: Any, *grads: Tensor) -> Tensor:
            (x,) = ctx.saved_tensors
            return grads[0] * slope(x)

    return Rule.apply


# torch's own trigamma, which its lgamma and digamma lean on, is wrong by 5e-10; its zeta and polygamma(2) are right.
_trigamma = _differentiable(
    lambda x: torch.special.zeta(torch.tensor(2.0, dtype=x.dtype), x), partial(torch.polygamma, 2)
)
_digamma = _differentiable(torch.digamma, _trigamma)
_lgamma = _differentiable(torch.lgamma, _digamma)


def _polygamma(n: int, x: Tensor) -> Tensor:
    rules = {0: _digamma, 1: _trigamma}
    return rules[n](x) if n in rules else torch.polygamma(n, x)


UNARY: dict[str, tuple[Callable[..., Tensor], float, float]] = {
    "exp": (torch.exp, -4, 4), "exp2": (torch.exp2, -4, 4), "expm1": (torch.expm1, -4, 4),
    "log": (torch.log, 0.1, 20), "log2": (torch.log2, 0.1, 20), "log10": (torch.log10, 0.1, 20),
    "log1p": (torch.log1p, -0.8, 20), "sqrt": (torch.sqrt, 0.1, 20),
    "sin": (torch.sin, -6, 6), "cos": (torch.cos, -6, 6), "tan": (torch.tan, -1.2, 1.2),
    "asin": (torch.asin, -0.9, 0.9), "acos": (torch.acos, -0.9, 0.9), "atan": (torch.atan, -6, 6),
    "sinh": (torch.sinh, -3, 3), "cosh": (torch.cosh, -3, 3), "tanh": (torch.tanh, -3, 3),
    "asinh": (torch.asinh, -6, 6), "acosh": (torch.acosh, 1.1, 20), "atanh": (torch.atanh, -0.9, 0.9),
    "erf": (torch.erf, -2.5, 2.5), "erfc": (torch.erfc, -2.5, 2.5), "erfinv": (torch.erfinv, -0.9, 0.9),
    "sigmoid": (torch.sigmoid, -6, 6), "softplus": (torch.nn.functional.softplus, -6, 6),
    "sinc": (torch.sinc, 0.2, 3), "lgamma": (_lgamma, 0.3, 9), "digamma": (_digamma, 0.3, 9),
    "relu": (torch.relu, -20, 20), "abs": (torch.abs, -20, 20), "sign": (torch.sign, -20, 20),
    "floor": (torch.floor, -20, 20), "ceil": (torch.ceil, -20, 20), "round": (torch.round, -20, 20),
    "trunc": (torch.trunc, -20, 20), "neg": (operator.neg, -99, 99), "square": (torch.square, -9, 9),
    "reciprocal": (torch.reciprocal, -20, 20),
}  # fmt: skip
"""Functions of one tensor, and the interval of arguments at which they are recorded."""

BINARY: dict[str, Callable[..., Tensor]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
    "power": operator.pow, "mod": _number_first(operator.mod), "fmod": _number_first(torch.fmod),
    "maximum": _number_first(torch.maximum), "minimum": _number_first(torch.minimum),
    "hypot": _number_first(torch.hypot), "atan2": _number_first(torch.atan2),
    "logaddexp": _number_first(torch.logaddexp), "xlogy": torch.xlogy, "copysign": _number_first(torch.copysign),
}  # fmt: skip

REDUCTIONS: dict[str, Callable[..., Tensor]] = {
    "sum": _reduction(torch.sum), "mean": _reduction(torch.mean), "prod": _prod,
    "max": _reduction(torch.amax), "min": _reduction(torch.amin),
    "var": _spread(torch.var), "std": _spread(torch.std),
    "norm": _reduction(torch.linalg.vector_norm), "logsumexp": _reduction(torch.logsumexp),
}  # fmt: skip

OTHERS: dict[str, Callable[..., Tensor]] = {
    "polygamma": _polygamma,
    "less": torch.lt, "greater": torch.gt, "where": _number_first(torch.where),
    "clip": torch.clamp, "fma": lambda x, y, z: torch.addcmul(z, x, y),
    "real": torch.real, "imag": torch.imag, "conj": lambda x: torch.conj(x).resolve_conj(),
    "cumsum": _cumsum, "getitem": _getitem,
    "reshape": lambda x, shape: x.reshape(shape), "ravel": lambda x: x.ravel(), "transpose": _transpose,
    "broadcast_to": lambda x, shape: x.expand(shape),
    "concatenate": lambda parts, axis=0: torch.cat(parts, dim=axis),
    "stack": lambda parts, axis=0: torch.stack(parts, dim=axis),
    "matmul": torch.matmul, "dot": _dot, "outer": lambda x, y: torch.outer(x.ravel(), y.ravel()),
}  # fmt: skip

STEPS = {name: row[0] for name, row in UNARY.items()} | BINARY | REDUCTIONS | OTHERS


def _to_integers(x: Tensor) -> Tensor:
    return (x - x.round()).abs()


def _lead(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """By how much the greatest element leads, along the axes reduced over."""
    axes = [d % x.ndim for d in dims(x, axis)]
    rest = [d for d in range(x.ndim) if d not in axes]
    count = math.prod(x.shape[d] for d in axes)
    top = x.permute([*rest, *axes]).reshape(-1, count).topk(min(2, count), dim=-1).values
    return top[:, 0] - top[:, 1] if count > 1 else torch.ones(())


def _cut(z: Tensor) -> Tensor:
    """How far from the branch cut of log and sqrt; real numbers must lie above it."""
    return torch.hypot(z.real.clamp(min=0), z.imag) if z.is_complex() else z


def _base(x: Tensor, n: Tensor) -> Tensor:
    constant = n.ndim == 0 and not n.requires_grad and bool(n == n.round())
    return x.abs() if constant else x


def _remainder(x: Tensor, y: Tensor) -> Tensor:
    return torch.minimum(y.abs(), _to_integers(x / y))


KINKS: dict[str, Callable[..., Tensor]] = {
    "abs": torch.abs, "sign": torch.abs, "relu": torch.abs, "reciprocal": torch.abs, "log": _cut, "sqrt": _cut,
    "floor": _to_integers, "ceil": _to_integers, "trunc": _to_integers, "round": lambda x: _to_integers(x - 0.5),
    "div": lambda x, y: y.abs(), "power": _base, "mod": _remainder, "fmod": _remainder,
    "maximum": lambda x, y: (x - y).abs(), "minimum": lambda x, y: (x - y).abs(),
    "less": lambda x, y: (x - y).abs(), "greater": lambda x, y: (x - y).abs(),
    "clip": lambda x, low, high: torch.minimum((x - low).abs(), (x - high).abs()),
    "hypot": torch.hypot, "atan2": lambda y, x: torch.hypot(x.clamp(min=0), y),
    "xlogy": lambda x, y: torch.minimum(x.abs(), y), "copysign": lambda x, y: torch.minimum(x.abs(), y.abs()),
    "max": _lead, "min": lambda x, **where: _lead(-x, **where), "prod": lambda x, **_: x.abs(),
    "std": REDUCTIONS["std"], "norm": REDUCTIONS["norm"],
}  # fmt: skip
"""For each step that has them, how far every element is from the points without a derivative (or from poles)."""


def take(op: str, args: list[Any], options: dict[str, Any]) -> Tensor:
    """The step's value; ``args`` are tensors, lists of tensors, numbers, or an index."""
    if op in UNARY and not args[0].is_complex() and args[0].numel():
        _, low, high = UNARY[op]
        plain = args[0].detach()
        if float(plain.min()) < low or float(plain.max()) > high:
            raise Rejected(f"{op} outside of {low} to {high}")
    if op in KINKS and not any(isinstance(a, Tensor) and a.numel() == 0 for a in args):
        distance = KINKS[op](*(a if isinstance(a, Tensor) else torch.tensor(a) for a in args), **options)
        if not bool((distance.detach() > NEAR).all()):
            raise Rejected(f"{op} near a kink")
    value = STEPS[op](*args, **options)
    limit = 1e4
    if value.dtype != torch.bool and value.numel() and not float(value.detach().abs().max()) < limit:
        raise Rejected(f"{op} is beyond {limit} or not finite")
    return value
