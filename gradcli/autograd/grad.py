"""`grad`, with its checks in the order of ``torch.autograd.grad`` and its errors in the same words."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, overload

import numpy as np

from gradcli.autograd.backward import pull_back
from gradcli.autograd.errors import NotATensor, Refused
from gradcli.autograd.evaluate import evaluate
from gradcli.autograd.graph import Node
from gradcli.autograd.operations import cast, lift
from gradcli.autograd.shape_ops import expand, stack
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import BOOL, C128, SMALL, Array, Shape, stored
from gradcli.errors import BadType, BadValue, GradError

Key = TypeVar("Key")
_Tensors = Tensor | Sequence[Tensor]
_Weight = Tensor | Array | complex
_Weights = _Weight | Sequence[_Weight | None] | None


def _described(kind: str, key: object, t: Tensor) -> str:
    """An argument in a hint: its index or key, and the name of the tensor."""
    return f"{kind}[{key!r}]" + (f", named '{t.name}'" if t.name else "")


@overload
def grad(
    outputs: _Tensors, inputs: Mapping[Key, Tensor], grad_outputs: _Weights = ..., retain_graph: bool | None = ...,
    create_graph: bool = ..., only_inputs: bool = ..., *, allow_unused: None = ..., is_grads_batched: bool = ...,
    materialize_grads: bool = ...,
) -> dict[Key, Tensor]: ...  # fmt: skip
@overload
def grad(
    outputs: _Tensors, inputs: Mapping[Key, Tensor], grad_outputs: _Weights = ..., retain_graph: bool | None = ...,
    create_graph: bool = ..., only_inputs: bool = ..., allow_unused: bool | None = ..., is_grads_batched: bool = ...,
    materialize_grads: bool = ...,
) -> dict[Key, Tensor | None]: ...  # fmt: skip
@overload
def grad(
    outputs: _Tensors, inputs: _Tensors, grad_outputs: _Weights = ..., retain_graph: bool | None = ...,
    create_graph: bool = ..., only_inputs: bool = ..., *, allow_unused: None = ..., is_grads_batched: bool = ...,
    materialize_grads: bool = ...,
) -> tuple[Tensor, ...]: ...  # fmt: skip
@overload
def grad(
    outputs: _Tensors, inputs: _Tensors, grad_outputs: _Weights = ..., retain_graph: bool | None = ...,
    create_graph: bool = ..., only_inputs: bool = ..., allow_unused: bool | None = ..., is_grads_batched: bool = ...,
    materialize_grads: bool = ...,
) -> tuple[Tensor | None, ...]: ...  # fmt: skip
def grad(
    outputs: Any, inputs: Any, grad_outputs: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
    only_inputs: bool = True, allow_unused: bool | None = None, is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> Any:  # fmt: skip
    """The vector-Jacobian product: for each input x, the sum over the outputs y_k of grad_outputs[k] . dy_k/dx.

    ``outputs``, ``inputs``: a tensor or a sequence of tensors. A dict of inputs gives a dict of gradients, anything
    else a tuple. Each gradient has the shape and dtype of its input, and the unit of the outputs (times that of
    ``grad_outputs``) per unit of the input.
    ``grad_outputs``: the cotangents, one for each output and in its shape: tensors, arrays or numbers, alone or in a
    sequence. They do not broadcast. None for an output of one element means 1.
    ``retain_graph``: keep the graph for another call (default: as ``create_graph``); otherwise the values that it
    saved are freed.
    ``create_graph``: record the graph of the gradients, so that they can be differentiated in turn.
    ``only_inputs``: deprecated and ignored, with a warning if it is false.
    ``allow_unused``: return None, instead of raising, for an input that no output depends on.
    ``is_grads_batched``: the first axis of each of ``grad_outputs`` is a batch of cotangents; each gradient has the
    same first axis.
    ``materialize_grads``: return zeros for an input that no output depends on.

    The gradient of a complex tensor is the conjugate of the derivative where that exists (dL/dz* of a real loss L).
    Reverse mode costs a small multiple of computing the outputs, however many inputs there are (Griewank and Walther,
    Evaluating Derivatives, ch. 4). Arguments, checks, warnings and messages are those of ``torch.autograd.grad`` in
    PyTorch's documentation, but more grad_outputs than outputs are refused, and arrays and numbers are taken for
    constant tensors. Raises RuntimeError, ValueError or TypeError, each of them a GradError too.

    >>> x = tensor([1.0, 2.0, 3.0])
    >>> (g,) = grad((x**3).sum(), x, create_graph=True)
    >>> g.tolist()
    [3.0, 12.0, 27.0]
    >>> grad(g, x, grad_outputs=np.array([1.0, 0.0, 1.0]))
    (tensor([ 6.,  0., 18.]),)
    >>> a, b = tensor(2.0), tensor(5.0)
    >>> grad(a * b, {"a": a, "b": b})
    {'a': tensor(5.), 'b': tensor(2.)}
    """
    if materialize_grads and allow_unused is False:
        raise BadValue(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    if allow_unused is None:
        allow_unused = materialize_grads
    by_key = isinstance(inputs, Mapping)
    ends = _tuple(outputs)
    starts = tuple(inputs.values()) if by_key else _tuple(inputs)
    keys = list(inputs) if by_key else range(len(starts))
    if not starts:
        raise Refused("`inputs` argument to `grad()` cannot be empty.")
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). Gradients for other parts of "
            "the graph are had by naming them among the inputs.",
            FutureWarning,
            stacklevel=2,
        )
    weights = (None,) * len(ends) if grad_outputs is None else _tuple(grad_outputs, _CONSTANTS)
    cotangents = _cotangents(ends, weights, is_grads_batched)
    if len(weights) != len(ends):
        raise Refused(
            f"got {len(ends)} tensors and {len(weights)} gradients", hint="give one grad_output for each output"
        )
    for k, y in enumerate(ends):
        if y.node is None:
            raise Refused(
                f"element {k} of tensors does not require grad and does not have a grad_fn",
                hint=f"it is {_described('outputs', k, y)}",
            )
    nodes: list[Node] = []
    for key, x in zip(keys, starts, strict=True):
        if not isinstance(x, Tensor):
            raise Refused(f"all inputs have to be Tensors, but got {type(x).__name__}", hint=f"it is inputs[{key!r}]")
        if x.node is None:
            raise Refused(
                "One of the differentiated Tensors does not require grad", hint=f"it is {_described('inputs', key, x)}"
            )
        nodes.append(x.node)
    retain = create_graph if retain_graph is None else bool(retain_graph)
    gradients = _passes(ends, cotangents, starts, retain, create_graph, is_grads_batched)
    results: list[Tensor | None] = []
    for k, (x, node) in enumerate(zip(starts, nodes, strict=True)):
        if node not in gradients:
            if not allow_unused:
                raise Refused(
                    f"The differentiated Tensor at index {k} appears to not have been used in the graph. Set "
                    "allow_unused=True if this is the desired behavior.",
                    hint=f"it is {_described('inputs', keys[k], x)}",
                )
            results.append(zeros(x).requires_grad_(create_graph) if materialize_grads else None)
            continue
        results.append(gradients[node])
    # Evaluate lazy values now: an unevaluated value keeps its whole expression, and every array in it, alive.
    lazy = [x.value for x in starts if x.is_leaf]
    if not create_graph:
        lazy += [g.value for g in results if g is not None]
    if not retain:
        lazy += [y.value for y in ends]
    evaluate(lazy)
    return dict(zip(keys, results, strict=True)) if by_key else tuple(results)


_CONSTANTS = (np.ndarray, np.generic, int, float, complex)


def _tuple(items: Any, single: tuple[type, ...] = ()) -> tuple[Any, ...]:
    """One tensor, or one thing of a type in ``single``, or several as a tuple."""
    try:
        return (items,) if isinstance(items, (Tensor, *single)) else tuple(items)
    except TypeError as e:
        hint = "tensors are needed" + ("; of a function f: gradcli.jacobian(f, x)" if callable(items) else "")
        raise BadType(str(e), hint=hint) from None


def _cotangents(outputs: Sequence[Any], weights: Sequence[Any], batched: bool) -> list[Tensor]:
    """The cotangent of each output, in its dtype; ones for None. Raises as `grad` does for one that does not fit."""
    cotangents: list[Tensor] = []
    batch: int | None = None
    for k, (y, g) in enumerate(zip(outputs, weights, strict=False)):
        if not isinstance(y, Tensor):
            raise NotATensor(
                "Expected output to be a gradcli Tensor", hint=f"outputs[{k}] is of type {type(y).__name__}"
            )
        if g is None:
            if y.node is not None and y.size != 1:
                raise Refused(
                    "grad can be implicitly created only for scalar outputs",
                    hint=f"{_described('outputs', k, y)}, has the shape {y.shape}: give its grad_outputs",
                )
            if y.node is not None and y.dtype is C128:
                raise Refused(
                    f"grad can be implicitly created only for real scalar outputs but got {y.dtype}",
                    hint=f"it is {_described('outputs', k, y)}",
                )
            g = expand(lift(1.0), y.shape)
        elif not isinstance(g, Tensor):
            g = _constant(g, y, k)
        if batched:
            if g.shape[1:] != y.shape or not g.shape or batch not in (None, g.shape[0]):
                raise Refused(
                    "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch "
                    "dimension. The sizes of the remaining dimensions are expected to match the shape of corresponding "
                    f"output, but a mismatch was detected: grad_output[{k}] has a shape of {g.shape} and output[{k}] "
                    f"has a shape of {y.shape}."
                )
            batch = g.shape[0]
        elif g.shape != y.shape:
            raise Refused(
                f"Mismatch in shape: grad_output[{k}] has a shape of {g.shape} and output[{k}] has a shape of "
                f"{y.shape}.",
                hint=f"grad_outputs do not broadcast; the output is {_described('outputs', k, y)}",
            )
        if (g.dtype is C128) != (y.dtype is C128):
            raise Refused(
                "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in "
                f"dtype: grad_output[{k}] has a dtype of {g.dtype} and output[{k}] has a dtype of {y.dtype}."
            )
        g = cast(g, y.dtype) if y.dtype is not BOOL else g
        cotangents.append(_unit(g) if g.node is None and g.size > SMALL else g)
    return cotangents


def _constant(g: Any, y: Tensor, k: int) -> Tensor:
    """An array or a number as the cotangent of the output y; a number takes its dtype."""
    try:
        return lift(g, y)
    except GradError as e:
        raise BadType(
            f"gradients can be either Tensors or None, but got {type(g).__name__}",
            hint=f"it is grad_outputs[{k}]; arrays and numbers are taken for tensors, but here: {e.message}",
        ) from None


def _unit(g: Tensor) -> Tensor:
    """A cotangent of ones as a broadcast scalar 1, by which nothing is multiplied; any other cotangent unchanged."""
    array = g.value.array
    return expand(lift(1.0, g), g.shape) if array is not None and np.all(array == 1) else g


def _passes(
    outputs: Sequence[Tensor], cotangents: Sequence[Tensor], inputs: Sequence[Tensor], retain: bool, create: bool,
    batched: bool,
) -> dict[Node, Tensor]:  # fmt: skip
    """The gradient of each input that an output depends on; with ``batched`` stacked over the batch of cotangents."""
    ends = [y.node for y in outputs if y.node is not None]
    starts = {x.node: x for x in inputs if x.node is not None}

    def once(weights: Sequence[Tensor], retain: bool) -> dict[Node, Tensor]:
        pairs = [(n, v if create else v.detach()) for n, v in zip(ends, weights, strict=True)]
        gradients = pull_back(pairs, list(starts), retain=retain, create=create)
        return {n: g if isinstance(g, Tensor) else zeros(starts[n], node=g) for n, g in gradients.items()}

    if not batched:
        return once(cotangents, retain)
    count = cotangents[0].shape[0] if cotangents else 0
    if not count:
        reached = once([zeros(y) for y in outputs], retain)
        return {n: zeros(g[None][:0]) for n, g in reached.items()}
    each = [once([v[b] for v in cotangents], retain or b < count - 1) for b in range(count)]
    return {n: stack([gradients[n] for gradients in each]) for n in each[0]}


def zeros(like: Tensor, shape: Shape | None = None, node: Node | None = None) -> Tensor:
    """Zeros of the dtype of ``like``, and of its shape unless another is given."""
    return Tensor(stored(np.zeros(like.shape if shape is None else shape, like.dtype)), node)
