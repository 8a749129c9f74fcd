"""Hessian-vector products of functions of many variables, without the Hessian.

The product is the gradient of grad(f).v, whose graph by reverse mode is a few times that of f, whatever the number of
variables (Pearlmutter, Neural Computation 6, 1994; Griewank & Walther, ch. 5), while the Hessian has n*(n + 1)/2
columns. At hard points, and where the product is not finite, the Hessian decides as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcli.calculus.derive import expand
from gradcli.calculus.reverse import gradient
from gradcli.callables.arguments import broadcast
from gradcli.callables.evaluation import Evaluation
from gradcli.callables.model import Model
from gradcli.callables.products import times, vector
from gradcli.compute.backends.compiled import Matrix
from gradcli.expr import ZERO, Expr, var


def hessian_vector(model: Model, hessian: Callable[[], Callable[..., Any]]) -> Callable[[Sequence[Any], Any], Any]:
    """The function of the arguments and of a vector of shape (n,) or S + (n,) that returns the product, S + (n,).

    ``model``: of one output. ``hessian``: makes the function of the arguments that returns its Hessian.
    """
    n = len(model.wrt)
    # Names with a line break cannot be typed, so that no variable has them.
    directions = [f"\nv{k}" for k in range(n)]
    (root,) = expand([model.outputs[0][1]])
    first = gradient(root, model.wrt)
    along = ZERO
    for name, direction in zip(model.wrt, directions, strict=True):
        along += first.get(name, ZERO) * var(direction)
    second = gradient(along, model.wrt)
    columns = [*[second.get(name, ZERO) for name in model.wrt], *model.mask]
    outputs: list[tuple[str | None, Expr]] = [(f"\nh{k}", e) for k, e in enumerate(columns)]
    names = (*model.args, *directions)
    parsed = model.parsed[0]._replace(outputs=outputs, names={}, variables=names)
    job = replace(model.job, expressions=[parsed], wrt=(), allow_unused=True, kink="convention")
    product = Matrix((n,), tuple(range(n)))
    masked = bool(model.mask)
    evaluation = Evaluation(Model(job, names), 0, range(len(columns)), (product, n) if masked else (product,))

    made: list[Callable[..., Any]] = []

    def call(args: Sequence[Any], v: Any) -> Any:
        given = broadcast(args, model.args)
        v = vector(v, "v", (n,), given.shape)
        components: list[Any] = v.tolist() if v.ndim == 1 else list(np.moveaxis(v, -1, 0))
        results = evaluation.call(*args, *components)
        answer = results[0].astype(np.float32 if given.single else np.float64, copy=False)
        if model.settles:
            hard = ~np.isfinite(results[0]).all(-1)
            if masked:
                hard |= results[1] != 0
            if hard.any():
                points = [np.broadcast_to(a, given.shape)[hard] for a in given.arrays]
                if not made:
                    made.append(hessian())
                answer[hard] = times(made[0](*points), np.broadcast_to(v, answer.shape)[hard], model.wrt)
        return answer

    return call
