"""A function over the rows of a data frame: its columns bound by name, the results appended to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradcli.callables.arguments import number
from gradcli.callables.calls import Calls
from gradcli.callables.frame_columns import numbers
from gradcli.callables.frame_kinds import Frame, opened
from gradcli.errors import BadType, BadValue, meant
from gradcli.language import Parsed


def table(
    calls: Calls, parsed: Sequence[Parsed], df: Any, order: int, keep: bool, na: str | None,
    at: Mapping[str, float] | None,
) -> Any:  # fmt: skip
    """A frame with the partials of a function up to an order at its rows; see ``Function.table``.

    ``parsed``: the expressions of the function.
    """
    if na not in (None, "nan"):
        raise BadValue(f'na is "nan", which reads nulls as nan, or None, not {na!r}')
    frame = opened(df)
    fixed = _fixed(at, calls.args)
    columns = dict.fromkeys(name for name in frame.names if isinstance(name, str))
    _check_constants(parsed, columns)
    _check_names(frame, columns, calls.args, fixed)
    if keep:
        taken = next((name for name in calls.names(order) if name in columns), None)
        if taken is not None:
            free = next((n for n in "ygh" if n not in columns and n not in calls.args), "result")
            raise BadValue(
                f"'{taken}' would be both a column that is kept and a result",
                hint=f"name the result: {free} = ...; or have the results alone: keep=False",
            )
    args = [fixed[name] if name in fixed else numbers(frame.column(name), name, na) for name in calls.args]
    results = calls.partials(*args, order=order)
    if len(fixed) == len(args):
        import numpy as np

        results = {name: np.full(frame.rows, value) for name, value in results.items()}
    return frame.with_results(results, keep)


def _fixed(at: Mapping[str, float] | None, args: Sequence[str]) -> dict[str, float]:
    """The values that hold for all rows, as floats."""
    if at is None:
        return {}
    if not isinstance(at, Mapping):
        raise BadType(f"at is a dict of numbers by the names of variables, not {type(at).__name__}")
    fixed = {}
    for name, value in at.items():
        if name not in args:
            raise BadValue(f"at: there is no variable {name!r}", hint=meant(str(name), args, "the variables are"))
        x = number(value, name)
        if x is None:
            raise BadType(f"at: '{name}' is one number for all rows, not {type(value).__name__}")
        fixed[name] = x
    return fixed


def _check_constants(parsed: Sequence[Parsed], columns: Mapping[str, Any]) -> None:
    """Raises BadValue for a constant of the expressions that is a column, too: the reader may mean either."""
    for expression in parsed:
        for name, span in expression.constants.items():
            if name in columns:
                raise BadValue(
                    f"'{name}' is a constant, and a column of the frame too",
                    hint=f"for the column write `{name}` in backquotes, for the constant rename the column",
                    span=span, source=expression.source,
                )  # fmt: skip


def _check_names(frame: Frame, columns: Mapping[str, Any], args: Sequence[str], fixed: Mapping[str, float]) -> None:
    """Raises BadValue unless each variable is a column, or has a value."""
    for name in args:
        if name in fixed and name in columns:
            raise BadValue(f"'{name}' is a column of the frame, and given in at too")
        if name in fixed or name in columns:
            continue
        if frame.names and not columns:
            hint = f"its columns have no texts as names, but such as {frame.names[0]!r}"
        elif name in frame.index_names():
            hint = f"'{name}' is in the index, and made a column by df.reset_index()"
        else:
            hint = meant(name, [*columns], "its columns are")
            if not hint.startswith("did"):
                hint += f"; for one value at all rows: at={{{name!r}: 1}}"
        raise BadValue(f"the frame has no column '{name}'", hint=hint)
