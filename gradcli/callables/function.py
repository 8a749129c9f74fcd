"""`function`, an expression as a compiled function with exact derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gradcli.callables.arguments import bound
from gradcli.callables.calls import Calls
from gradcli.callables.options import flag, order_of
from gradcli.callables.recipe import Names, Recipe, Text, names_of, texts_of
from gradcli.errors import BadType, BadValue, meant

if TYPE_CHECKING:
    from gradcli.callables.packed import Packed
    from gradcli.callables.report import Report


def function(
    expression: Text | Sequence[Text] | Mapping[str, Text],
    wrt: Names | None = None,
    args: Names | None = None,
    *,
    kink: str = "derivative",
    careful: bool = False,
    exact: bool = False,
    engine: str = "auto",
    threads: int | None = None,
    natural: bool = False,
) -> Function:
    """An expression in gradcli's language as a function of numbers and arrays, with exact derivatives of any order.

    ``expression``: a text, a list of texts, or a dict of texts by the names of their outputs; a text may hold several
    statements. ``wrt``: the variables to differentiate in, as "a,b" or a list of names; by default all arguments.
    ``args``: the order of the arguments; by default that of first occurrence.

    ``kink``: what values and derivatives are at kinks, jumps and holes, as ``gradcli diff --kink``: "derivative" (where
    there is one, else convention), "convention" (plain doubles, nothing looked at), "left", "right", "mean", "limit",
    "nan" or "error". ``careful``: numbers with few right digits are computed again in ball arithmetic; ``exact``: all
    are. ``engine``: "auto", "scalar", "vector" or "native", which arrays are computed by; ``threads``: how many for
    large arrays, by default as many as pay.

    ``natural``: the texts are in the notation of people, in which the names of ``wrt`` and ``args`` are known, as
    ``gradcli diff --natural`` reads it: ``function("3x² - sin 2x", natural=True)``. ``print`` shows how it was read.

    The function takes its arguments by position or by name: numbers give floats, arrays (lists, Series) broadcast as in
    NumPy and give float64 arrays, or float32 arrays if all arrays are float32. It may be called from several threads,
    and pickled.

    Raises GradError, which shows the place in the text, for an expression that cannot be read.

    >>> from gradcli import function
    >>> f = function("a*exp(-b*x)", wrt="a,b", args="x,a,b")
    >>> f(0, 2, 0.5), f(x=[0, 1], a=2, b=0)
    (2.0, array([2., 2.]))
    >>> f.grad(1, 2, 0)
    array([ 1., -2.])
    """
    recipe = Recipe(
        texts_of(expression), names_of(wrt, "wrt"), names_of(args, "args"), kink, flag(careful, "careful"),
        flag(exact, "exact"), engine, threads, flag(natural, "natural"),
    )  # fmt: skip
    return Function(recipe)


class Function(Calls):
    """An expression as a function, made by `function`.

    It may be called from several threads, and pickled. Methods that take arguments take them as the function does. S is
    the shape that they broadcast to, m the number of outputs, n that of the variables in ``wrt``.
    """

    def partial(self, /, *spec: str | int, **named: Any) -> Any:
        """One partial derivative, of shape S: ``f.partial("x", 2, "y", x=1, y=2)`` is that of x twice and y once.

        >>> from gradcli import function
        >>> function("x**3*y").partial("x", 2, "y", x=1, y=2)
        6.0
        """
        if not all(isinstance(word, (str, int)) for word in spec):
            return self.diff(*spec)(**named)
        call = self._calls.get(("partial", spec))
        if call is None:
            call = self._calls.setdefault(("partial", spec), self.diff(*spec))
        return call(**named)

    # Other functions.

    def diff(self, /, *spec: str | int) -> Function:
        """A partial derivative of every output as another function of the same arguments.

        ``spec``: names of variables, each with the order that follows it, or once; none: the only argument.

        >>> from gradcli import function
        >>> print(function("x**3*y").diff("x", 2, "y"))
        d3f_dx2dy = 6*x
        """
        powers: dict[str, int] = {}
        last: str | None = None
        for word in spec or self.args[:1] if len(self.args) < 2 else spec:
            if isinstance(word, str):
                if word not in self.args:
                    raise BadValue(f"'{word}' is not an argument", hint=meant(word, self.args, "its arguments are"))
                powers[word] = powers.get(word, 0) + 1
                last = word
            elif last is None or isinstance(word, bool) or not isinstance(word, int):
                raise BadType('names of variables and orders are needed, such as diff("x", 2, "y")')
            else:
                powers[last] += order_of(word) - 1
                last = None
        if not powers:
            raise BadType(
                f"a variable is needed, such as diff({self.args[0]!r})" if self.args else "there is no variable"
            )
        recipe = self._recipe
        if recipe.steps and recipe.steps[-1][0] == "diff":
            # The second derivative of f, not the first of df_dx.
            before = dict(recipe.steps[-1][1])
            powers = before | {name: before.get(name, 0) + times for name, times in powers.items()}
            return Function(replace(recipe, steps=(*recipe.steps[:-1], ("diff", tuple(powers.items())))))
        return self._then("diff", tuple(powers.items()))

    def derivatives(self, order: int = 1, wrt: Names | None = None) -> Function:
        """The outputs and all their partials up to an order as a function of several outputs, named as the columns.

        >>> from gradcli import function
        >>> function("a*x**2").derivatives(1, wrt="x")(a=1, x=3)
        Values(f=9.0, df_dx=6.0)
        """
        order = order_of(order)
        chosen = self if wrt is None else Function(replace(self._recipe, wrt=names_of(wrt, "wrt")))
        return chosen._then("derivatives", (order, chosen.wrt))

    def simplify(self) -> Function:
        """The outputs in the form of a textbook; each was compared with the original at sample points.

        >>> from gradcli import function
        >>> print(function("sin(x)**2 + cos(x)**2 + x").simplify())
        f = x + 1
        """
        return self._then("simplify", None)

    def side(self, which: str) -> Function:
        """The function as it is on one side of kinks, jumps and holes, "left" or "right".

        >>> from gradcli import function
        >>> function("abs(x)").side("left").grad(0)
        array([-1.])
        """
        if not isinstance(which, str):
            raise BadType(f"a side is 'left' or 'right', not {type(which).__name__}")
        if which not in ("left", "right"):
            raise BadValue(f"a side is 'left' or 'right', not {which!r}")
        return Function(replace(self._recipe, kink=which))

    @property
    def exact(self) -> Function:
        """The function with every number correctly rounded, by ball arithmetic.

        >>> from gradcli import function
        >>> function("(1 - cos(x))/x**2").exact(1e-8)
        0.5
        """
        return Function(replace(self._recipe, exact=True))

    def verdict(self, /, *args: Any, **named: Any) -> Any:
        """What lies at the points: "smooth", "kink", "jump", "removable", "pole" and the like, of shape S.

        It tells of values and first derivatives, in the words of ``gradcli diff --verdict``.

        A text for numbers, else an array of texts; for several outputs or variables a tuple of these with names.

        >>> from gradcli import function
        >>> function("abs(x)").verdict([0, 1]).tolist()
        ['kink', 'smooth']
        """
        from gradcli.callables.verdicts import verdicts

        return verdicts(self._model, bound(args, named, self.args))

    def check(self, /, *claims: Any, **options: Any) -> Report:
        """Whether claimed derivatives of the outputs are right, as `gradcli.check` of the texts, with its options.

        >>> from gradcli import function
        >>> print(function("a*exp(-b*x)").check("df_da = exp(-b*x)"))
        df_da  agrees     the same expression
        1 claim: 1 agrees
        """
        from gradcli.callables.claims import check

        texts = self._recipe.texts
        if self._recipe.steps or self._recipe.natural or any(name is not None for name, _ in texts):
            return check(self.expressions(0), *claims, **options)
        return check([text for _, text in texts], *claims, **options)

    def propagate(
        self, /, *args: Any, corr: Any = None, cov: Any = None, samples: Any = None, df: Any = None,
        second_order: bool = False, coverage: Any = None, k: float | None = None, mc: Any = None, seed: int = 0,
        **named: Any,
    ) -> Any:  # fmt: skip
        """The result with its standard uncertainty, by the GUM, from arguments with theirs; see `Uncertain`.

        An argument is a pair ``(1.02, 0.005)`` of value and standard uncertainty, in one unit; a text as the command
        line has it, "1.020(5)", "1.02±0.5%", "1.02+0.03-0.01" or "R(1.01,1.03)"; a ufloat of the package uncertainties;
        or a number without uncertainty. Pairs of arrays broadcast, and give arrays. Of a data frame with columns L and
        u_L (and r_L_T), in place of the arguments, the results are new columns f and u_f.

        ``corr``: correlations, ``{"L,T": 0.3}``; those of ufloats are known. ``cov``: a covariance matrix with its
        names, ``("a,b", pcov)``, or a data frame. ``samples``: repeated readings, a dict of sequences or a data frame.
        ``df``: degrees of freedom, ``{"L": 9}``. ``second_order``, ``coverage`` in percent, ``k``, ``mc`` and ``seed``:
        as the options of ``gradcli propagate``. A variable of such a name is given by its position.

        Of several outputs a tuple of results with names. Raises GradError for inputs that do not fit.

        >>> from gradcli import function
        >>> f = function("g = 4*pi**2*L/T**2")
        >>> print(f.propagate(L=(1.0, 0.002), T=(2.0, 0.01)))
        9.87(10)
        """
        from gradcli.callables.propagation import Inputs, at_arrays, at_frame, at_numbers, options

        asked = options(df, second_order, coverage, k, mc, seed)
        if len(args) == 1 and hasattr(args[0], "columns") and cov is None and samples is None:
            return at_frame(self, args[0], named, corr, asked)
        inputs = Inputs(args, named, self.args, corr, cov, samples)
        return at_numbers(self._model, inputs, asked) if inputs.single else at_arrays(self, inputs, asked)

    def _propagated(self, detail: Any) -> Function:
        """The outputs with their uncertainties as a function of the arguments and of their uncertainties."""
        kink = "convention" if self._recipe.kink == "derivative" else self._recipe.kink
        recipe = replace(self._recipe, kink=kink)
        return Function(replace(recipe, steps=(*recipe.steps, ("propagate", detail))))

    def packed(self, wrt: Names | None = None, /, *, time: Any = None, **fixed: Any) -> Packed:
        """The function of one vector that SciPy's solvers need: the variables of ``wrt``, in their order.

        ``wrt`` is by default that of the function, or all arguments that are not fixed. ``fixed``: numbers and arrays
        for the other arguments, by name. ``time``: the name of the variable of integration, for `Packed.rhs`.

        >>> from gradcli import function
        >>> p = function("(1 - x)**2 + a*(y - x**2)**2").packed(a=100)
        >>> p.fun([2, 3]), p.jac([2, 3])
        (101.0, array([ 802., -200.]))
        """
        from gradcli.callables.packed import Packed

        return Packed(self, self._recipe.wrt if wrt is None else names_of(wrt, "wrt"), time, fixed)

    def _over(self, wrt: Sequence[str], args: Sequence[str]) -> Function:
        """The function of its arguments in another order, differentiated in other variables."""
        return self._then("over", (tuple(args), tuple(wrt)))

    def table(
        self, df: Any, order: int = 1, keep: bool = True, *, at: Mapping[str, float] | None = None,
        na: str | None = None,
    ) -> Any:  # fmt: skip
        """A data frame with the outputs and their partials up to an order as new columns; see `frame`.

        >>> import pandas as pd
        >>> from gradcli import function
        >>> function("x**2").table(pd.DataFrame({"x": [1, 2]}, index=["a", "b"]))
           x    f  df_dx
        a  1  1.0    2.0
        b  2  4.0    4.0
        """
        from gradcli.callables.table import table

        return table(self, self._model.parsed, df, order_of(order), flag(keep, "keep"), na, at)

    def _then(self, step: str, detail: Any) -> Function:
        recipe = self._recipe
        return Function(replace(recipe, steps=(*recipe.steps, (step, detail))))

    # Pickles and text.

    def __reduce__(self) -> tuple[Callable[..., Function], tuple[Any, ...]]:
        return restored, (self._recipe.texts, self._recipe.changes())

    def __repr__(self) -> str:
        spelled = self._recipe.spelled()
        return f"<gradcli.function {spelled}: {self}>" if self._recipe.steps else f"gradcli.function({spelled})"


def restored(texts: tuple[tuple[str | None, Text], ...], changes: Mapping[str, Any]) -> Function:
    """The function of a pickle."""
    return Function(Recipe(texts, **changes))
