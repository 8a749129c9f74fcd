"""`jvp`, `vjp`, `jacobian`, `hessian` and `hvp` of a function of tensors, as in ``torch.autograd.functional``.

Each takes a function of one or several tensors and ``inputs``, a tensor (or array, or number) or a tuple or list of
them. A result is a single tensor or a tuple as the inputs and outputs are. ``create_graph``: results can be
differentiated in turn.
``strict``: raise RuntimeError for an output that does not depend on an input, instead of returning zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.autograd.errors import Refused
from gradcli.autograd.grad import grad, zeros
from gradcli.autograd.graph import needed
from gradcli.autograd.operations import Primitive, lift, record
from gradcli.autograd.shape_ops import reshape
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import C128, stored
from gradcli.errors import BadType
from gradcli.limits.memory import check

Function = Callable[..., Any]
_SAME = Primitive("same", lambda a: a, lambda k, g, y, x: g, carries=True, view=True)


def jvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The outputs and the Jacobian-vector product (forward derivative along ``v``), in the shapes of the outputs.

    ``inputs``: a tensor, an array or a number, or a tuple or list of them; a list of numbers is one array. ``v``: the
    same in the same shapes, 1 if left out for a single number. The unit of the product is that of the output times that
    of ``v`` per unit of the input. ``create_graph``: the results can be differentiated in turn; otherwise they require
    no gradient. ``strict``: an output that depends on no input is an error instead of zeros.
    Computed by two vector-Jacobian products: the first is linear in its cotangent, in which the second differentiates.
    Source: ``torch.autograd.functional.jvp`` in PyTorch's documentation; Griewank and Walther, Evaluating Derivatives,
    ch. 3. Raises RuntimeError for a ``v`` that does not fit and TypeError for outputs that are no tensors, each a
    GradError too.

    >>> jvp(lambda x: x**2, np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    xs, _ = _fresh(inputs, create_graph)
    vs = _directions(v, xs, "the inputs")
    ys, one_output = _outputs(func, xs, strict)
    _check_dependence(ys, xs, strict)
    live = [y for y in ys if y.requires_grad]
    weights = [zeros(y).requires_grad_() for y in live]
    products: Sequence[Tensor] = []
    if live:
        gs = grad(live, xs, weights, create_graph=True, materialize_grads=True)
        products = _products(gs, vs, weights, create_graph)
    each = iter(products)
    result = [next(each) if y.requires_grad else zeros(y) for y in ys]
    return _results(ys, one_output, create_graph), _arranged(result, one_output)


def vjp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The outputs and the vector-Jacobian product (``v`` times the Jacobian), in the shapes of the inputs.

    ``v``: a cotangent in the shape of each output, 1 if left out for a single number; the unit of the product is that
    of ``v`` times that of the output per unit of the input. Other arguments and errors as for `jvp`.
    Source: ``torch.autograd.functional.vjp`` in PyTorch's documentation; Griewank and Walther, ch. 3.

    >>> vjp(lambda x, y: x * y, (np.array([1.0, 2.0]), np.array([3.0, 4.0])), np.array([1.0, 10.0]))
    (tensor([3., 8.]), (tensor([ 3., 40.]), tensor([ 1., 20.])))
    """
    xs, one_input = _fresh(inputs, create_graph)
    ys, one_output = _outputs(func, xs, strict)
    vs = _directions(v, ys, "the outputs")
    _check_dependence(ys, xs, strict)
    return _results(ys, one_output, create_graph), _arranged(_products(ys, vs, xs, create_graph), one_input)


def jacobian(func: Function, inputs: Any, create_graph: bool = False, strict: bool = False) -> Any:
    """The Jacobian: the derivative of every element of every output in every element of every input.

    A tensor of shape (*output.shape, *input.shape) for each pair of output and input, in a tuple over the inputs inside
    a tuple over the outputs wherever there are several; its unit is that of the output per unit of the input. One
    vector-Jacobian product for each element of the outputs. Other arguments and errors as for `jvp`.
    Source: ``torch.autograd.functional.jacobian`` in PyTorch's documentation.

    >>> jacobian(lambda x: x**2, np.array([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    xs, one_input = _fresh(inputs, create_graph)
    ys, one_output = _outputs(func, xs, strict)
    _check_dependence(ys, xs, strict)
    rows = []
    for y in ys:
        held = 8 * y.size * (y.size + sum(x.size for x in xs))
        check(held, "the Jacobian", "take products with it, by jvp or vjp, or fewer outputs")
        if y.requires_grad and y.size:
            units = np.eye(y.size, dtype=y.dtype).reshape(y.size, *y.shape)
            gradients = grad(
                y, xs, Tensor(stored(units)), retain_graph=True, create_graph=create_graph, is_grads_batched=True,
                allow_unused=True,
            )  # fmt: skip
        else:
            gradients = (None,) * len(xs)
        shapes = [(*y.shape, *x.shape) for x in xs]
        row = [
            reshape(g, shape) if g is not None else zeros(x, shape)
            for g, x, shape in zip(gradients, xs, shapes, strict=True)
        ]
        rows.append(_arranged(row, one_input))
    return _arranged(rows, one_output)


def hessian(func: Function, inputs: Any, create_graph: bool = False, strict: bool = False) -> Any:
    """The Hessian: all second derivatives of a function that returns one number.

    A tensor of shape (*a.shape, *b.shape) for each pair of inputs a, b, in a tuple of tuples if there are several; its
    unit is that of the output per unit of a and per unit of b. Other arguments and errors as for `jvp`; a function that
    returns more than one element raises RuntimeError.
    Source: ``torch.autograd.functional.hessian`` in PyTorch's documentation.

    >>> hessian(lambda x: x[0] ** 2 * x[1], np.array([1.0, 3.0]))
    tensor([[6., 2.],
            [2., 0.]])
    """
    xs, one_input = _fresh(inputs, create_graph)

    def gradients(*tensors: Tensor) -> Any:
        y = _number(func(*tensors), "hessian")
        if not y.requires_grad:
            if strict:
                raise _not_differentiable(0)
            return _arranged([zeros(x) for x in tensors], one_input)
        return _arranged(grad(y, tensors, create_graph=True, allow_unused=True, materialize_grads=True), one_input)

    return jacobian(gradients, xs[0] if one_input else xs, create_graph, strict)


def hvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The number that ``func`` returns, and the Hessian-vector product, in the shapes of the inputs.

    ``v``: the same shapes as the inputs, 1 if left out for a single number. The Hessian itself is never formed: the
    cost is a small multiple of computing the number (Griewank and Walther, Evaluating Derivatives, ch. 5). Other
    arguments and errors as for `hessian`. Source: ``torch.autograd.functional.hvp`` in PyTorch's documentation.

    >>> hvp(lambda x: (x**3).sum(), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    xs, one_input = _fresh(inputs, create_graph)
    vs = _directions(v, xs, "the inputs")
    y = _number(func(*xs), "hvp")
    _check_dependence([y], xs, strict)
    products: Sequence[Tensor] = [zeros(x) for x in xs]
    if y.requires_grad:
        gs = grad(y, xs, create_graph=True, materialize_grads=True)
        if strict and not all(g.requires_grad for g in gs):
            raise _not_differentiable(0)
        products = _products(gs, vs, xs, create_graph)
    return _results([y], True, create_graph), _arranged(products, one_input)


def _products(
    ys: Sequence[Tensor], weights: Sequence[Tensor], xs: Sequence[Tensor], create_graph: bool
) -> Sequence[Tensor]:
    """The vector-Jacobian product of those outputs that depend on an input."""
    live = [(y, w) for y, w in zip(ys, weights, strict=True) if y.requires_grad]
    if not live:
        return [zeros(x) for x in xs]
    return grad([y for y, _ in live], xs, [w for _, w in live], create_graph=create_graph, materialize_grads=True)


def _fresh(inputs: Any, create_graph: bool) -> tuple[list[Tensor], bool]:
    """The inputs as new tensors, and whether there is a single one (not in a tuple).

    With ``create_graph`` they stay connected to the caller's tensors, through a node of their own, so that other uses
    of the caller's tensors inside the function are not differentiated.
    """
    one_input = not several(inputs)
    xs = []
    for x in (inputs,) if one_input else inputs:
        x = lift(x)
        if create_graph and x.requires_grad:
            x = record(_SAME, (x,), x.shape, x.dtype)
        else:
            x = x.detach().requires_grad_()
        xs.append(x)
    if not xs:
        raise BadType("no inputs are given")
    return xs, one_input


def several(given: Any) -> bool:
    """Whether an argument is several arrays: any tuple is, and a list with a tensor or an array in it.

    A list of numbers, or of lists of numbers, is one array.
    """
    if isinstance(given, list):
        return any(isinstance(x, (Tensor, np.ndarray)) for x in given)
    return isinstance(given, tuple)


def _outputs(func: Function, xs: Sequence[Tensor], strict: bool) -> tuple[list[Tensor], bool]:
    """The outputs of the function, and whether there is a single one (not in a tuple)."""
    returned = func(*xs)
    one_output = not isinstance(returned, (tuple, list))
    ys = [returned] if one_output else list(returned)
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
    return ys, one_output


def _not_differentiable(k: int) -> Refused:
    return Refused(
        f"Output {k} of the user-provided function does not require gradients. The outputs must be computed in a "
        "differentiable manner from the input when running in strict mode."
    )


def _check_dependence(ys: Sequence[Tensor], xs: Sequence[Tensor], strict: bool) -> None:
    """With ``strict``, raise RuntimeError if an output does not depend on an input."""
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
    """The output of a function as a tensor without axes. Raises RuntimeError unless it has a single element."""
    if not isinstance(y, Tensor) or y.size != 1:
        raise Refused(f"The function given to {name} should return a Tensor with a single element")
    return reshape(y, ())


def _directions(v: Any, like: Sequence[Tensor], partners: str) -> list[Tensor]:
    """``v`` as tensors in the shapes of ``like``; 1 if it is None and ``like`` a single number."""
    if v is None:
        if len(like) != 1 or like[0].size != 1:
            raise Refused(f"v can be left out only where {partners} are a single number")
        return [zeros(like[0]) + 1]
    listed = list(v) if several(v) else [v]
    if len(listed) != len(like):
        raise Refused(f"v must be as many as {partners}: {len(like)}, not {len(listed)}")
    directions = [lift(x, t) for x, t in zip(listed, like, strict=True)]
    if [d.shape for d in directions] != [t.shape for t in like]:
        shapes = ", ".join(str(t.shape) for t in like)
        raise Refused(f"v must have the shapes of {partners}: {shapes}")
    return directions


def _results(ys: Sequence[Tensor], single: bool, create_graph: bool) -> Any:
    return _arranged(ys if create_graph else [y.detach() for y in ys], single)


def _arranged(items: Sequence[Any], single: bool) -> Any:
    return items[0] if single else tuple(items)
