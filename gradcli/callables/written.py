"""The expressions of a function as text, formulas, code and explanations."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Any

from gradcli.callables.python_errors import in_python
from gradcli.errors import BadType, BadValue
from gradcli.expr import spell_name, text
from gradcli.job.request import as_text

if TYPE_CHECKING:
    from inspect import Signature

    from gradcli.calculus.derive import Named
    from gradcli.callables.model import Model


class _Signature:
    """``__signature__`` of a function: its arguments, which editors show and `scipy.optimize.curve_fit` counts.

    It is left out for the class itself, and for arguments whose names are no names in Python.
    """

    def __get__(self, function: Written | None, owner: type) -> Signature:
        from inspect import Parameter, Signature

        try:
            if function is not None:
                return Signature([Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in function.args])
        except ValueError:
            pass
        raise AttributeError("__signature__")


class Written:
    """Expressions with the order of their arguments, in forms to read and to copy.

    ``args``: the arguments in order; ``wrt``: the variables to differentiate in; ``outputs``: the names of the outputs.
    """

    _model: Model
    __signature__ = _Signature()

    @property
    def args(self) -> tuple[str, ...]:
        return self._model.args

    @property
    def wrt(self) -> tuple[str, ...]:
        return self._model.wrt

    @property
    def outputs(self) -> tuple[str, ...]:
        return tuple([name for name, _ in self._model.outputs])

    def names(self, order: int = 1) -> tuple[str, ...]:
        """The names of the outputs and of their partials up to an order, as the shell's columns.

        >>> from gradcli import function
        >>> function("x*y").names(2)
        ('f', 'df_dx', 'df_dy', 'd2f_dx2', 'd2f_dxdy', 'd2f_dy2')
        """
        return tuple([name for name, _ in self._derived(order)])

    def expressions(self, order: int = 1) -> dict[str, str]:
        """The outputs and their partials up to an order as text that parses back, by name.

        >>> from gradcli import function
        >>> function("x**3").expressions()
        {'f': 'x**3', 'df_dx': '3*x**2'}
        """
        return {name: as_text(e) for name, e in self._derived(order)}

    def latex(self, order: int = 0, *, environment: str | None = None) -> str:
        """The outputs, and their partials up to an order, as LaTeX, one formula a line.

        ``environment``: one of align, aligned, gather and the like, which holds the formulas.

        >>> from gradcli import function
        >>> print(function("a*exp(-b*x)").latex())
        f = a e^{-b x}
        """
        from gradcli.notation import ENVIRONMENTS

        if environment and environment not in ENVIRONMENTS:
            raise BadValue(f"no environment {environment!r}", hint=f"there are {', '.join(ENVIRONMENTS)}")
        options = {"environment": environment} if environment else {}
        return self._formulas("latex", order, **options).rstrip("\n")

    def _repr_latex_(self) -> str:
        return "\n\n".join(f"$\\displaystyle {line}$" for line in self.latex().splitlines())

    def _repr_html_(self) -> str:
        return "".join(f"<div>{line}</div>" for line in self._formulas("mathml", 0).splitlines())

    def _formulas(self, name: str, order: int, **options: str) -> str:
        """The outputs and their partials up to an order in a notation; derivatives are shown as those of `of`."""
        from gradcli import notation

        of = self._model.of if order == 0 else ()
        with in_python():
            return notation.write(name, self._derived(order), self.args, of=of, **options)

    def code(self, language: str, order: int = 0) -> str:
        """A source text in another language: a function of the arguments, in their order.

        ``language``: one of those of ``gradcli show --as``, such as "c" or "sql". ``order``: that of the partials it
        returns beside the outputs. Raises GradError for a language that is not known, or lacks a function.

        >>> from gradcli import function
        >>> function("a*x**2").code("python").splitlines()[-1]
        '    return (x*x*a,)'
        """
        from gradcli.codegen import code

        with in_python():
            return code(language, self._derived(order), list(self.args))

    def explain(self, /, **at: float) -> str:
        """How the derivatives in ``wrt`` come about: the rule at each step.

        With a value for every argument by its name: the tables of forward and reverse mode at that point, and the
        series on both sides of it.

        >>> from gradcli import function
        >>> print(function("x**2").explain())  # doctest: +ELLIPSIS
        df_dx, where f = x**2
        ...
        """
        from gradcli.callables.arguments import bound, number
        from gradcli.job.near import nears
        from gradcli.job.parse_at_grid_fill import Points
        from gradcli.notation.explain import explained

        request = self._model.request(0)
        if not self.wrt:
            raise BadValue("there is no variable to differentiate in")
        if not at:
            return explained(request.outputs, self.wrt, None, ()).rstrip("\n")
        points = Points()
        for name, value in zip(self.args, bound((), at, self.args), strict=True):
            x = number(value, name)
            if x is None:
                raise BadType(f"argument '{name}' is a number here, one point at a time, not {type(value).__name__}")
            points.at[name] = x
        beside = nears(request, points, self.wrt, 4)
        return explained(request.outputs, self.wrt, points.at, beside or ()).rstrip("\n")

    def _derived(self, order: Any) -> Named:
        return self._model.request(self._order(order)).derived

    @staticmethod
    def _order(order: Any) -> int:
        """An order as an int. Raises BadType, or BadValue for a negative one."""
        try:
            whole = index(order)
        except TypeError:
            raise BadType(f"an order is a whole number, not {order!r}") from None
        if isinstance(order, bool):
            raise BadType(f"an order is a whole number, not {order!r}")
        if whole < 0:
            raise BadValue("the order must be at least 0")
        return whole

    def __str__(self) -> str:
        return "; ".join(f"{spell_name(name)} = {text(e)}" for name, e in self._model.outputs)
