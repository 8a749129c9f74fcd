"""jvp, vjp, jacobian, hessian and hvp of a function of tensors: what grad gives, arranged.

Each takes a function of one or several tensors and ``inputs``, a tensor (or array) or a tuple of them; what comes
back is one or a tuple as the inputs and outputs are. ``create_graph``: results can be differentiated in turn.
``strict``: an output that does not depend on an input is an error (RuntimeError) instead of zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.autograd.errors import BadType, Refused
from gradcli.autograd.grad import grad
from gradcli.autograd.graph import needed
from gradcli.autograd.operations import lift, record
from gradcli.autograd.shape_ops import Moving, reshape
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import C128, Value, settled

Function = Callable[..., Any]
_SAME = Moving("same", lambda a: a, lambda k, g, y, x: g, carries=True, view=True)


def jvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The outputs, and the Jacobian times ``v``, in the shapes of the outputs.

    By two vector-Jacobian products: the first is linear in its cotangent, and its derivative by that is the answer.
    """
    xs, _ = _fresh(inputs, create_graph)
    vs = _directions(v, xs, "v", "the inputs")
    ys, alone = _called(func, xs, strict)
    _independent(ys, xs, strict)
    live = [y for y in ys if y.requires_grad]
    weights = [_zeros(y).requires_grad_() for y in live]
    found: Sequence[Any] = [_zeros(y) for y in live]
    if live:
        gs = grad(live, xs, weights, create_graph=True, materialize_grads=True)
        linear = [(g, d) for g, d in zip(gs, vs, strict=True) if g.requires_grad]
        if linear:
            first, way = [g for g, _ in linear], [d for _, d in linear]
            found = grad(first, weights, way, create_graph=create_graph, materialize_grads=True)
    each = iter(found)
    result = [next(each) if y.requires_grad else _zeros(y) for y in ys]
    return _given(ys, alone, create_graph), _arranged(result, alone)


def vjp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The outputs, and ``v`` times the Jacobian, in the shapes of the inputs."""
    xs, one = _fresh(inputs, create_graph)
    ys, alone = _called(func, xs, strict)
    vs = _directions(v, ys, "v", "the outputs")
    _independent(ys, xs, strict)
    live = [(y, w) for y, w in zip(ys, vs, strict=True) if y.requires_grad]
    found: Sequence[Any] = [_zeros(x) for x in xs]
    if live:
        found = grad([y for y, _ in live], xs, [w for _, w in live], create_graph=create_graph, materialize_grads=True)
    return _given(ys, alone, create_graph), _arranged(found, one)


def jacobian(func: Function, inputs: Any, create_graph: bool = False, strict: bool = False) -> Any:
    """All derivatives of all outputs: an array of shape (*output.shape, *input.shape) for each pair."""
    xs, one = _fresh(inputs, create_graph)
    ys, alone = _called(func, xs, strict)
    _independent(ys, xs, strict)
    rows = []
    for y in ys:
        if y.requires_grad and y.size:
            units = np.eye(y.size, dtype=y.dtype).reshape(y.size, *y.shape)
            found = grad(
                y, xs, Tensor(Value(units.shape, y.dtype, units)), retain_graph=True, create_graph=create_graph,
                is_grads_batched=True, allow_unused=True,
            )  # fmt: skip
        else:
            found = (None,) * len(xs)
        shapes = [(*y.shape, *x.shape) for x in xs]
        row = [
            reshape(g, shape) if g is not None else _zeros(x, shape)
            for g, x, shape in zip(found, xs, shapes, strict=True)
        ]
        rows.append(_arranged(row, one))
    return _arranged(rows, alone)


def hessian(func: Function, inputs: Any, create_graph: bool = False, strict: bool = False) -> Any:
    """All second derivatives of a function that gives one number: (*input.shape, *input.shape) for each pair."""
    xs, one = _fresh(inputs, create_graph)

    def gradients(*given: Tensor) -> Any:
        y = _number(func(*given), "hessian")
        if not y.requires_grad:
            if strict:
                raise _not_differentiable(0)
            return _arranged([_zeros(x) for x in given], one)
        return _arranged(grad(y, given, create_graph=True, allow_unused=True, materialize_grads=True), one)

    return jacobian(gradients, xs[0] if one else xs, create_graph, strict)


def hvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The one number that ``func`` gives, and its Hessian times ``v``, in the shapes of the inputs."""
    xs, one = _fresh(inputs, create_graph)
    vs = _directions(v, xs, "v", "the inputs")
    y = _number(func(*xs), "hvp")
    _independent([y], xs, strict)
    found: Sequence[Any] = [_zeros(x) for x in xs]
    if y.requires_grad:
        gs = grad(y, xs, create_graph=True, materialize_grads=True)
        if strict and not all(g.requires_grad for g in gs):
            raise _not_differentiable(0)
        live = [(g, w) for g, w in zip(gs, vs, strict=True) if g.requires_grad]
        if live:
            found = grad(
                [g for g, _ in live], xs, [w for _, w in live], create_graph=create_graph, materialize_grads=True
            )
    return _given([y], True, create_graph), _arranged(found, one)


def _fresh(inputs: Any, create_graph: bool) -> tuple[list[Tensor], bool]:
    """The inputs as tensors of their own, and whether there is just one.

    With a graph kept they stay connected to what was given, but are told apart from other uses of it.
    """
    # A list of numbers is an array; of tensors, several inputs.
    one = not isinstance(inputs, tuple) and not (
        isinstance(inputs, list) and any(isinstance(x, Tensor) for x in inputs)
    )
    found = []
    for x in (inputs,) if one else inputs:
        x = lift(x)
        if create_graph and x.requires_grad:
            x = record(_SAME, (x,), x.shape, x.dtype)
        else:
            x = x.detach().requires_grad_()
        found.append(x)
    if not found:
        raise BadType("no inputs are given")
    return found, one


def _called(func: Function, xs: Sequence[Tensor], strict: bool) -> tuple[list[Tensor], bool]:
    """The outputs of the function, and whether there is just one."""
    found = func(*xs)
    alone = not isinstance(found, (tuple, list))
    ys = [found] if alone else list(found)
    for k, y in enumerate(ys):
        if not isinstance(y, Tensor):
            raise BadType(
                f"The outputs of the user-provided function must be Tensors, but output {k} is of type "
                f"{type(y).__name__}"
            )
        if strict and not y.requires_grad:
            raise _not_differentiable(k)
        if y.dtype is C128 and any(x.dtype is not C128 for x in xs):
            raise BadType(f"output {k} is complex and an input is not", hint="take np.real and np.imag of it")
    return ys, alone


def _not_differentiable(k: int) -> Refused:
    return Refused(
        f"Output {k} of the user-provided function does not require gradients. The outputs must be computed in a "
        "differentiable manner from the input when running in strict mode."
    )


def _independent(ys: Sequence[Tensor], xs: Sequence[Tensor], strict: bool) -> None:
    if not strict:
        return
    for k, y in enumerate(ys):
        for i, x in enumerate(xs):
            assert x.node is not None
            if y.node is not None and x.node not in needed([y.node], [x.node]):
                raise Refused(
                    f"Output {k} of the user-provided function is independent of input {i}. This is not allowed in "
                    "strict mode."
                )


def _number(y: Any, name: str) -> Tensor:
    if not isinstance(y, Tensor) or y.size != 1:
        raise Refused(f"The function given to {name} should return a Tensor with a single element")
    return reshape(y, ())


def _directions(v: Any, like: Sequence[Tensor], name: str, what: str) -> list[Tensor]:
    """``v`` as tensors that fit ``like``; ones where there is one number to multiply."""
    if v is None:
        if len(like) != 1 or like[0].size != 1:
            raise Refused(f"{name} can be left out only where {what} are a single number")
        return [_zeros(like[0]) + 1]
    several = isinstance(v, tuple) or (isinstance(v, list) and any(isinstance(x, Tensor) for x in v))
    listed = list(v) if several else [v]
    if len(listed) != len(like):
        raise Refused(f"{name} must be as many as {what}: {len(like)}, not {len(listed)}")
    given = [lift(x, t) for x, t in zip(listed, like, strict=True)]
    if [g.shape for g in given] != [t.shape for t in like]:
        shapes = ", ".join(str(t.shape) for t in like)
        raise Refused(f"{name} must have the shapes of {what}: {shapes}")
    return given


def _zeros(like: Tensor, shape: tuple[int, ...] | None = None) -> Tensor:
    zeros = np.zeros(like.shape if shape is None else shape, like.dtype)
    return Tensor(Value(zeros.shape, like.dtype, settled(zeros, like.dtype)))


def _given(ys: Sequence[Tensor], alone: bool, create_graph: bool) -> Any:
    return _arranged(ys if create_graph else [y.detach() for y in ys], alone)


def _arranged(found: Sequence[Any], one: bool) -> Any:
    return found[0] if one else tuple(found)
