"""The calls of a function: its value and derivatives at numbers and at arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from operator import itemgetter
from typing import Any

from gradcli.callables.arguments import bound
from gradcli.callables.evaluation import Evaluation
from gradcli.callables.model import Model
from gradcli.callables.recipe import Recipe, model_of
from gradcli.callables.results import values_of
from gradcli.callables.series import scaled
from gradcli.callables.written import Written
from gradcli.compute.backends.compiled import Matrix
from gradcli.errors import BadValue
from gradcli.expr.node import collector_paused
from gradcli.limits import work

FEW = 8
"""Variables up to which a Hessian-vector product is made from the Hessian, which takes less time."""


class Calls(Written):
    """The methods that compute numbers.

    Shapes: S is the shape that the arguments broadcast to, () for numbers; m the number of outputs; n that of the
    variables in ``wrt``. A function of one output has no axis of outputs. Results are in units of the output per units
    of the variables.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._model = model_of(recipe)
        args = self._model.args
        self._count = len(args)
        self._in_order: Callable[[Mapping[str, Any]], Any] = (
            itemgetter(*args) if len(args) > 1 else lambda named: [named[name] for name in args]
        )
        self._calls: dict[Any, Callable[..., Any]] = {}

    # Calls.

    def __call__(self, /, *args: Any, **named: Any) -> Any:
        """The value, of shape S; of several outputs a tuple of these with names.

        >>> from gradcli import function
        >>> function("x**2 + y")(3, y=1)
        10.0
        """
        call = self._calls.get("value") or self._prepared("value")
        return call(*(self._bound(args, named) if named or len(args) != self._count else args))

    value = __call__

    def grad(self, /, *args: Any, **named: Any) -> Any:
        """The gradient of the only output in ``wrt``, an array of shape S + (n,). Raises GradError for several outputs.

        >>> from gradcli import function
        >>> function("x**2*y").grad(3, 1)
        array([6., 9.])
        """
        call = self._calls.get("grad") or self._prepared("grad")
        return call(*(self._bound(args, named) if named or len(args) != self._count else args))

    def value_and_grad(self, /, *args: Any, **named: Any) -> tuple[Any, Any]:
        """The value and the gradient, as from both calls, in one pass.

        >>> from gradcli import function
        >>> function("x**2*y").value_and_grad(3, 1)
        (9.0, array([6., 9.]))
        """
        call = self._calls.get("value_and_grad") or self._prepared("value_and_grad")
        pair: tuple[Any, Any] = call(*(self._bound(args, named) if named or len(args) != self._count else args))
        return pair

    def jacobian(self, /, *args: Any, **named: Any) -> Any:
        """The Jacobian, an array of shape S + (m, n); S + (n,) for one output.

        >>> from gradcli import function
        >>> function("u = x*y; v = x - y").jacobian(2, 3)
        array([[ 3.,  2.],
               [ 1., -1.]])
        """
        call = self._calls.get("jacobian") or self._prepared("jacobian")
        return call(*(self._bound(args, named) if named or len(args) != self._count else args))

    def hessian(self, /, *args: Any, **named: Any) -> Any:
        """The second derivatives, an array of shape S + (m, n, n); S + (n, n) for one output.

        >>> from gradcli import function
        >>> function("x**2*y").hessian(2, 3)
        array([[6., 4.],
               [4., 0.]])
        """
        call = self._calls.get("hessian") or self._prepared("hessian")
        return call(*(self._bound(args, named) if named or len(args) != self._count else args))

    def partials(self, /, *args: Any, order: int = 1, **named: Any) -> dict[str, Any]:
        """The outputs and all their partials up to an order, each of shape S, by the names of the shell's columns.

        A variable called order is given by its position.

        >>> from gradcli import function
        >>> function("x*y").partials(2, 3, order=2)
        {'f': 6.0, 'df_dx': 3.0, 'df_dy': 2.0, 'd2f_dx2': 0.0, 'd2f_dxdy': 1.0, 'd2f_dy2': 0.0}
        """
        order = self._order(order)
        call = self._calls.get(order) or self._prepared(order)
        columns: dict[str, Any] = call(*(self._bound(args, named) if named or len(args) != self._count else args))
        return columns

    def jvp(self, v: Any, /, *args: Any, **named: Any) -> Any:
        """The derivative along a direction, of shape S + (m,); S for one output. ``v``: of shape (n,) or S + (n,).

        >>> from gradcli import function
        >>> function("x*y").jvp([1, 10], 2, 3)
        23.0
        """
        from gradcli.callables.products import along

        return along(self.jacobian(*args, **named), v, len(self.outputs) > 1, self.wrt)

    def vjp(self, w: Any, /, *args: Any, **named: Any) -> Any:
        """A weighted sum of the outputs' gradients, of shape S + (n,). ``w``: of shape (m,) or S + (m,).

        For one output ``w`` is a number or of shape S.

        >>> from gradcli import function
        >>> function("u = x*y; v = x - y").vjp([1, 10], 2, 3)
        array([13., -8.])
        """
        from gradcli.callables.products import weighted

        return weighted(self.jacobian(*args, **named), w, len(self.outputs) > 1, self.outputs)

    def hvp(self, v: Any, /, *args: Any, **named: Any) -> Any:
        """The Hessian of the only output times a vector, of shape S + (n,). ``v``: of shape (n,) or S + (n,).

        For many variables the Hessian is not made: the product takes a few times the work of the value.

        >>> from gradcli import function
        >>> function("x**2*y").hvp([1, 10], 2, 3)
        array([46.,  4.])
        """
        self._single("hvp", "hessian")
        if len(self.wrt) > FEW and not self._model.settles_all:
            product = self._calls.get("hvp") or self._prepared("hvp")
            return product(self._bound(args, named), v)
        from gradcli.callables.products import times

        return times(self.hessian(*args, **named), v, self.wrt)

    def taylor(self, order: int, /, *args: Any, **named: Any) -> Any:
        """The coefficients of the Taylor polynomial, of shape S + (order + 1,), the last axis being the power.

        The variable is the only one of ``wrt``, else the first argument. For several outputs: a tuple with names.

        >>> from gradcli import function
        >>> function("exp(2*x)").taylor(3, 0)
        array([1.        , 2.        , 2.        , 1.33333333])
        """
        order = self._order(order)
        call = self._calls.get(("taylor", order)) or self._prepared(("taylor", order))
        return call(*(self._bound(args, named) if named or len(args) != self._count else args))

    # Evaluations.

    def _bound(self, args: Sequence[Any], named: Mapping[str, Any]) -> Any:
        if not args and len(named) == self._count:
            try:
                return self._in_order(named)
            except KeyError:
                pass
        return bound(args, named, self.args)

    def _prepared(self, method: Any) -> Callable[..., Any]:
        """The function of the arguments that a method calls, made when it is first needed."""
        with collector_paused(), work.request():
            made: Callable[..., Any] = self._made(method)
        return self._calls.setdefault(method, made)

    def _made(self, method: Any) -> Callable[..., Any]:
        model = self._model
        outputs = range(len(model.outputs))
        several = len(outputs) > 1
        if method == "value":
            names = self.outputs
            return Evaluation(
                model, 0, outputs, tuple(outputs) if several else 0, values_of(names) if several else None
            ).call
        if isinstance(method, int):
            columns = self.names(method)
            places = range(len(columns))
            return Evaluation(model, method, places, tuple(places), lambda t: dict(zip(columns, t, strict=True))).call
        if isinstance(method, tuple):
            return self._taylor(method[1])
        if method == "hvp":
            from gradcli.callables.hessian_vector import hessian_vector

            return hessian_vector(model, lambda: stacked(model, 2))
        if method in ("grad", "value_and_grad"):
            self._single(method, "jacobian")
        return stacked(model, 2 if method == "hessian" else 1, method == "value_and_grad")

    def _taylor(self, order: int) -> Callable[..., Any]:
        if not self.args:
            raise BadValue("there is no variable to expand in")
        variable = self.wrt[0] if len(self.wrt) == 1 else self.args[0]
        model = model_of(replace(self._recipe, wrt=(variable,), args=self.args))
        rows = [
            Matrix((order + 1,), tuple(range(k, k + order + 1)))
            for k in range(0, len(self.outputs) * (order + 1), order + 1)
        ]
        several = len(rows) > 1
        finish = scaled(order, values_of(self.outputs) if several else None)
        return Evaluation(
            model, order, range(len(rows) * (order + 1)), tuple(rows) if several else rows[0], finish
        ).call

    def _single(self, method: str, other: str) -> None:
        if len(self.outputs) > 1:
            raise BadValue(
                f"{method} is of one output, and here are {len(self.outputs)}: {', '.join(self.outputs[:10])}",
                hint=f"for several outputs: {other}",
            )


def stacked(model: Model, order: int, value: bool = False) -> Callable[..., Any]:
    """The function of the arguments that returns the partials of one order as an array; ``value``: after the value."""
    outputs, n = range(len(model.outputs)), len(model.wrt)
    partials = {p: k for k, p in enumerate(model.partials(order))}
    wanted = [tuple(sorted(p)) for p in product(range(n), repeat=order)]
    place = {p: k for k, p in enumerate(dict.fromkeys(wanted))}
    columns = [k * len(partials) + partials[p] for k in outputs for p in place]
    shape = (*((len(outputs),) if len(outputs) > 1 else ()), *(n,) * order)
    places = tuple([k * len(place) + place[p] for k in outputs for p in wanted])
    if not value:
        return Evaluation(model, order, columns, Matrix(shape, places)).call
    return Evaluation(model, order, [0, *columns], (0, Matrix(shape, tuple([k + 1 for k in places])))).call
