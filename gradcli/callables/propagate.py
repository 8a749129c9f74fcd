"""`propagate`, the result of an expression with its uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradcli.callables.function import function
from gradcli.callables.recipe import Text


def propagate(expression: Text | Sequence[Text] | Mapping[str, Text], /, *args: Any, **inputs: Any) -> Any:
    """The result of an expression with its standard uncertainty, by the GUM, from inputs with theirs.

    ``expression``: as for `function`. Inputs by name, or by position, and options: see `Function.propagate`, which this
    is for an expression that is used once. Raises GradError.

    >>> from gradcli import propagate
    >>> g = propagate("4*pi**2*L/T**2", L="1.000(2)", T=(2.0, 0.01))
    >>> print(g, round(g.budget["T"].share, 3))
    9.87(10) 0.962
    """
    return function(expression).propagate(*args, **inputs)
