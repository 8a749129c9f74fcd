"""`check`: derivatives that a program claims, compared with the exact ones.

Layer: must not know how a claim is judged, nor print.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gradcli.callables.points import Given, number_text, points_of, texts_of, type_error, value_error
from gradcli.callables.python_errors import in_python
from gradcli.callables.report import Report
from gradcli.caret import Source
from gradcli.expr import spell_name

if TYPE_CHECKING:
    from gradcli.verify import CheckJob, Data, Tolerance
    from gradcli.verify import Report as Verified

_SEEDS = 2**63
_NOTHING = 'such as: check("x**2", "df_dx = 2*x")'


def check(
    expression: str | Source | Sequence[str | Source] | Mapping[str, Any],
    *claims: Any,
    at: Given = None,
    grid: Given = None,
    points: int | None = None,
    seed: int = 0,
    thorough: bool = False,
    rtol: float | None = None,
    atol: float | None = None,
    max_ulp: float | None = None,
    equals: Given = None,
    let: Given = None,
) -> Report:
    """Whether claimed derivatives of an expression are right: a report that is true if all of them are.

    ``expression``: a text, several, or a mapping of names of outputs to texts. A claim is

    - a text: ``"df_dx = 2*x"``, or ``"2*x"`` if there is a single derivative it can be;
    - a mapping of derivatives to claims: ``{"df_dx": "2*x", "d2f_dx2": 2}``;
    - a function of numbers, which is called with floats at every point and returns a number. It gets the variables by
      the names of its parameters where it has these names, else in the order in which the expression mentions them.
      ArithmeticError and ValueError mean that it has no value there. Since its rounding errors are not known, a
      relative difference of 1e-7 is allowed, and chosen points are from 1/8 to 8 in size;
    - an array of the values at the points of ``at`` or ``grid``, in their order (C order for a product of axes).

    Without claims and ``equals``, the text is a model: its definitions such as ``df_dx = 2*x`` are the claims.
    ``equals``: an expression that has the same value; ``let``: names for all texts, as ``{"u": "exp(-x)"}``.

    Where to compare: at chosen points, 200 of them by default, ``points`` or with ``thorough`` 4000, the same for the
    same ``seed``; or at those of ``at`` and ``grid``. ``at={"x": 1, "y": "pi/2"}`` is a single point,
    ``at={"x": xs, "y": ys}`` with two arrays of n numbers are n points; of ``grid={"x": xs, "y": "0:1:11"}`` all
    combinations are taken. Both may be texts of the command line. Numbers are in the units of their variables.

    A claim agrees where it differs from the exact derivative by no more than the rounding errors of both formulas
    (Higham, Accuracy and Stability of Numerical Algorithms, ch. 3); ``atol + rtol*abs(true)`` and ``max_ulp`` units in
    the last place, whichever is larger, decide otherwise.

    Raises GradError for a text that cannot be read and for other arguments that do not fit, which is a ValueError or
    TypeError, too. What a function raises otherwise passes through.

    >>> report = check("x**2*sin(y)", {"df_dx": "2*x*sin(y)", "df_dy": "x**2*sin(y)"})
    >>> print(report)
    df_dx  agrees     the same expression
    df_dy  DISAGREES  at x=1, y=0: claimed 0, true 1 (it is f)
           claimed    x**2*sin(y)
           true       x**2*cos(y)
    2 claims: 1 agrees, 1 disagrees (points chosen by --seed 0)
    >>> bool(report), report["df_dy"].point
    (False, {'x': 1.0, 'y': 0.0})
    >>> bool(check("x**3", lambda x: 3 * x * x))
    True
    """
    from gradcli.verify import CheckJob, Texts

    place = points_of(at, grid)
    given = bool(place.at or place.grids or place.axes)
    if given and (points is not None or thorough):
        name = "thorough" if thorough else "points"
        value_error(f"{name} is for points that are chosen", "leave it out, or at and grid")
    formulas, data = _claims(claims)
    if not given and any(not d.rtol for d in data):
        value_error("an array claims a value at each point: give the points by at or grid")
    with in_python():
        job = CheckJob(
            _expressions(expression), Texts(formulas, _named(equals, "equals"), (), _named(let, "let"), data),
            points=None if points is None else _integer(points, "points", 1, None),
            seed=_integer(seed, "seed", 0, _SEEDS), thorough=bool(thorough), tolerance=_tolerance(rtol, atol, max_ulp),
            at=place.at, grids=place.grids, axes=place.axes,
        )  # fmt: skip
        report = _checked(job, given)
        if report.errors:
            raise report.errors[0]
    return Report(report)


def derivative_of(expression: Any, wrt: str | None, order: int) -> str:
    """The name of a derivative of a single output in one variable, such as ``d2f_dx2``; ``wrt`` None: the only one.

    Raises GradError if the expression cannot be read, or has several outputs or, without ``wrt``, several variables.
    """
    from gradcli.calculus.leibniz import derivative_name
    from gradcli.job.request import Expressions, check_order
    from gradcli.limits import work

    order = _integer(order, "order", 0, None)
    if not isinstance(wrt, str | None):
        type_error(f"wrt: the name of a variable is a text, not {type(wrt).__name__}")
    with in_python(), work.request():
        check_order(order, 1, 1)
        read = Expressions(_expressions(expression), [] if wrt is None else [wrt])
        names = [name for name, _ in read.outputs]
        if len(names) > 1:
            value_error("which output is claimed?", f"name the derivatives: {{'d{names[0]}_d...': claim}}")
        if wrt is None and len(read.variables) != 1:
            value_error("wrt: in which variable?", f"its variables are {', '.join(read.variables) or 'none'}")
    return derivative_name(names[0], read.variables if wrt is None else [wrt], (0,) * order)


def _checked(job: CheckJob, given: bool) -> Verified:
    from gradcli.verify import check_model, run_check

    texts = job.texts
    if not (texts.claims or texts.equals or texts.data):
        (text, *others) = job.expressions
        if others:
            value_error("nothing is claimed", _NOTHING)
        report = check_model(text if isinstance(text, Source) else Source(text), job)
        if not report.verdicts and not report.errors:
            value_error("nothing is claimed", _NOTHING)
        return report
    if given or not texts.data or not (texts.claims or texts.equals):
        return run_check(job)
    # Formulas are compared at points of all sizes, functions where their rounding errors are small.
    first = run_check(replace(job, texts=texts._replace(data=())))
    second = run_check(replace(job, texts=texts._replace(claims=(), equals=())))
    names = {v.claim.name for v in first.verdicts}
    twice = next((v.claim.name for v in second.verdicts if v.claim.name in names), None)
    if twice is not None and not texts.equals:
        value_error(f"'{twice}' is claimed twice")
    return first._replace(
        verdicts=[*first.verdicts, *second.verdicts], errors=[*first.errors, *second.errors],
        missing=first.missing + second.missing,
    )  # fmt: skip


# Arguments.


def _expressions(given: object) -> list[str | Source]:
    if isinstance(given, str | Source):
        return [given]
    if isinstance(given, Mapping) and given:
        return [_definition(name, text, "expression") for name, text in given.items()]
    if isinstance(given, Sequence) and given and all(isinstance(text, str | Source) for text in given):
        return list(given)
    type_error(f"expression: a text, a list of texts or a mapping of names is needed, not {type(given).__name__}")


def _named(given: Given, what: str) -> list[str]:
    if isinstance(given, Mapping):
        return [_definition(name, text, what) for name, text in given.items()]
    return texts_of(given, what)


def _definition(name: object, value: object, what: str) -> str:
    text = value if isinstance(value, str) else number_text(value)
    if not isinstance(name, str) or text is None:
        wrong = type(name).__name__ if not isinstance(name, str) else type(value).__name__
        type_error(f"{what}: a mapping of names to texts is needed, not of {wrong}")
    return f"{spell_name(name)} = {text}"


def _claims(claims: Sequence[Any]) -> tuple[list[str | Source], list[Data]]:
    """The claims that are texts, and those whose values are numbers."""
    formulas: list[str | Source] = []
    data: list[Data] = []

    def read(claim: Any, name: str | None) -> None:
        if isinstance(claim, str):
            formulas.append(claim if name is None else _definition(name, claim, "claim"))
        elif isinstance(claim, Source) and name is None:
            formulas.append(claim)
        elif isinstance(claim, Mapping) and name is None:
            for key, value in claim.items():
                if not isinstance(key, str):
                    type_error(f"the name of a derivative is a text such as 'df_dx', not {type(key).__name__}")
                read(value, key)
        elif isinstance(claim, list | tuple) and claim and all(isinstance(text, str) for text in claim):
            for text in claim:
                read(text, name)
        elif (number := number_text(claim)) is not None:
            read(number, name)
        else:
            from gradcli.callables.values import of_array, of_function

            data.append(of_function(claim, name) if callable(claim) else of_array(claim, name))

    for claim in claims:
        read(claim, None)
    names = [d.name for d in data]
    twice = next((name for k, name in enumerate(names) if name in names[:k]), "")
    if twice != "":
        value_error(f"'{twice}' is claimed twice" if twice else "claims in numbers need names, such as {'df_dx': f}")
    return formulas, data


def _integer(value: object, what: str, least: int, most: int | None) -> int:
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        type_error(f"{what}: an integer is needed, not {type(value).__name__}")
    if number < least or (most is not None and number > most):
        value_error(f"{what}: an integer from {least}{'' if most is None else ' to 2**63'} is needed")
    return number


def _tolerance(rtol: object, atol: object, max_ulp: object) -> Tolerance:
    from gradcli.verify import Tolerance

    limits = list[float | None]()
    for name, value in (("rtol", rtol), ("atol", atol), ("max_ulp", max_ulp)):
        text = None if value is None else number_text(value)
        if value is not None and text is None:
            type_error(f"{name}: a number is needed, not {type(value).__name__}")
        try:
            limit = None if value is None else float(value)  # type: ignore[arg-type]
        except OverflowError:
            limit = math.inf
        if limit is not None and not 0 <= limit < math.inf:
            value_error(f"{name}: a finite number from 0 is needed")
        limits.append(limit)
    return Tolerance(*limits)
