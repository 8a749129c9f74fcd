"""Claims whose values are numbers: arrays, and functions that are called at the points.

Layer: must not know how a claim is judged.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from gradcli.callables.points import array, type_error, value_error
from gradcli.caret import counted
from gradcli.compute.grid import Column, Grid, Held, Values, joined
from gradcli.verify import Data

_RTOL = 1e-7
"""The relative error of a function's values: formulas that cancel at half of the digits pass, most mistakes do not."""
_CALLS = 1_000_000
"""The most points at which a function is called, at 0.1 to 10 us a call."""
_NO_VALUE = (ArithmeticError, ValueError)
"""What a function raises where it has no value, such as math.log(-1) and 1/0."""


def of_array(values: Any, name: str | None) -> Data:
    """The claim that a derivative has these values at the points of a grid."""
    what = f"claim {name}" if name else "claim"
    numbers = array(values, what)

    def column(grid: Grid, variables: Sequence[str]) -> Column:
        if numbers.size != grid.size:
            value_error(f"{what}: {counted(numbers.size, 'numbers')} for {counted(grid.size, 'points')}")
        return Held(numbers.ravel())

    return Data(name, f"an array of {counted(numbers.size, 'numbers')}", column)


def of_function(function: Callable[..., Any], name: str | None) -> Data:
    """The claim that a function gives the values of a derivative."""
    own = _arguments(function) is not None
    typed = repr(function) if own else f"the function {getattr(function, '__name__', type(function).__name__)}"

    def column(grid: Grid, variables: Sequence[str]) -> Column:
        if grid.size > _CALLS:
            value_error(
                f"{typed}: {grid.size:,} points are beyond the limit of {_CALLS:,}", "give an array of its values"
            )
        call = _call(function, typed, variables)
        axis = joined(grid.axes) if grid.axes else None
        columns = {} if axis is None else dict(zip(axis.names, axis.columns, strict=True))
        coordinates = [columns[variable].floats(0, grid.size) for variable in variables]
        values, failures, first = list[float](), 0, None
        with np.errstate(all="ignore"):
            for point in zip(*coordinates, strict=True) if coordinates else [()]:
                try:
                    values.append(_number(call(point), typed))
                except _NO_VALUE as error:
                    failures, first = failures + 1, first or error
                    values.append(math.nan)
        if first is not None and failures == len(values):
            # A function that fails everywhere is broken rather than undefined.
            raise first
        return Values(values)

    return Data(name, typed, column, _RTOL)


def _call(function: Callable[..., Any], typed: str, variables: Sequence[str]) -> Callable[[tuple[float, ...]], Any]:
    """How to call a function with the values of variables: by the names of its parameters, else by position."""
    arguments = _arguments(function)
    if arguments is not None and {*arguments} <= {*variables}:
        places = [variables.index(name) for name in arguments]
        return lambda point: function(*[point[k] for k in places])
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        # Functions written in C may not tell.
        return lambda point: function(*point)
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    named = {p.name: p.default for p in signature.parameters.values() if p.kind in by_name}
    others = [p for p in signature.parameters.values() if p.kind == inspect.Parameter.POSITIONAL_ONLY]
    needed = {name for name, default in named.items() if default is inspect.Parameter.empty}
    if named and not others and needed <= {*variables} and {*named} & {*variables}:
        chosen = [(name, k) for k, name in enumerate(variables) if name in named]
        return lambda point: function(**{name: point[k] for name, k in chosen})
    try:
        signature.bind(*variables)
    except TypeError:
        told = ", ".join(variables) or "none"
        type_error(f"{typed} takes {signature}, and the variables are {told}")
    return lambda point: function(*point)


def _arguments(function: Callable[..., Any]) -> tuple[str, ...] | None:
    """The names of the arguments of a function of an expression, which tells them itself."""
    names = getattr(function, "args", None)
    return names if isinstance(names, tuple) and not isinstance(function, partial) else None


def _number(value: Any, typed: str) -> float:
    if isinstance(value, float | int):
        return float(value)
    numbers = array(value, typed)
    if numbers.size != 1:
        type_error(f"{typed} returns {numbers.size} numbers for a point; one is needed")
    return float(numbers.ravel()[0])
