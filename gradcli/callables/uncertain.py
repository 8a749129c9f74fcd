"""Results of a propagation in Python: values with their uncertainties, budgets, and ufloats made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gradcli.callables.quantities import Pair, Quantity
from gradcli.errors import BadValue, GradError, missing
from gradcli.uncertainty.outcome import BudgetLine, Outcome

if TYPE_CHECKING:
    from gradcli.uncertainty.flags import Flag
    from gradcli.uncertainty.rounding import Rounded
    from gradcli.uncertainty.simulation import Simulation


class Sources:
    """The inputs of a call as ufloats, each made once, so that results of one call are correlated as they are."""

    def __init__(self, inputs: Mapping[str, Quantity], r: Mapping[Pair, float]) -> None:
        self._inputs, self._r = inputs, r
        self._ufloats: dict[str, Any] | None = None

    @property
    def ufloats(self) -> dict[str, Any]:
        """The inputs by name. Raises GradError if the package is needed and missing."""
        if self._ufloats is None:
            self._ufloats = self._made()
        return self._ufloats

    def _made(self) -> dict[str, Any]:
        made = {name: q.ufloat for name, q in self._inputs.items() if q.ufloat is not None}
        others = [name for name, q in self._inputs.items() if q.ufloat is None and q.u]
        if not others:
            return made
        crossed = [pair for pair in self._r if len({*pair} & {*made}) == 1]
        if crossed:
            raise BadValue(f"'{crossed[0][0]}' and '{crossed[0][1]}' are correlated by corr, and one is a ufloat",
                           hint="make both of them ufloats: uncertainties.correlated_values")  # fmt: skip
        package = _package()
        tied = [name for name in others if any(name in pair for pair in self._r)]
        if tied:
            pairs = [(self._inputs[name].value, self._inputs[name].u) for name in tied]
            r = [[1.0 if a == b else self._r.get((a, b), self._r.get((b, a), 0.0)) for b in tied] for a in tied]
            made.update(zip(tied, package.correlated_values_norm(pairs, r), strict=True))
        for name in others:
            if name not in made:
                made[name] = package.ufloat(self._inputs[name].value, self._inputs[name].u, name)
        return made


def _package() -> Any:
    from importlib import import_module

    try:
        return import_module("uncertainties")
    except ImportError as error:
        if not missing(error, "uncertainties"):
            raise
        raise GradError("a ufloat needs the package uncertainties", hint="pip install uncertainties") from None


@dataclass(frozen=True)
class Uncertain(Outcome):
    """A result: its ``value``, its standard uncertainty ``u`` in the same unit, and the ``budget`` by input.

    ``plus`` and ``minus`` where an input is two-sided. ``second``: value, uncertainty and the quotient of both
    uncertainties to second order, where it was computed. ``expanded`` (U, k, degrees_of_freedom, coverage) and
    ``simulation`` (JCGM 101) where they were asked for. ``flags``: why first order may not be enough.
    ``correlations``: with the other results of the call, by their names.

    >>> from gradcli import propagate
    >>> g = propagate("4*pi**2*L/T**2", L=(1.0, 0.002), T=(2.0, 0.01))
    >>> print(g)
    9.87(10)
    >>> g.value, g.u, [line.name for line in g.sources]
    (9.869604401089358, 0.10065061086519174, ['T', 'L'])
    """

    flags: tuple[Flag, ...] = ()
    simulation: Simulation | None = None
    correlations: Mapping[str, float] = field(default_factory=dict)
    origin: Sources | None = field(default=None, repr=False, compare=False)

    def rounded(self, rule: str = "2") -> Rounded:
        """The result rounded for people, by a rule of ``gradcli propagate --rounding``: 2, 1, pdg or none.

        >>> from gradcli import propagate
        >>> propagate("2*x", x="1.234(56)").rounded("1").spelled
        '2.5 ± 0.1'
        """
        from gradcli.uncertainty.texts import result_of

        return result_of(self, rule)

    @property
    def ufloat(self) -> Any:
        """The result as a number of the package uncertainties, correlated with the ufloats that it was made of.

        Raises GradError if the package is needed and missing.
        """
        if self.origin is None:
            raise GradError("the result has lost its inputs: pickles have none")
        total: Any = self.value
        for name, source in self.origin.ufloats.items():
            line = self.budget.get(name)
            if line is not None and line.u:
                total = total + line.sensitivity * (source - line.value)
        return total

    def __str__(self) -> str:
        return self.rounded().concise

    def __repr__(self) -> str:
        return f"Uncertain({self.name} = {self}, value={self.value!r}, u={self.u!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "origin": None}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update(state)


@dataclass(frozen=True, eq=False)
class UncertainArray:
    """Results at many points: ``value`` and ``u`` are arrays of one shape, and so are the numbers in the ``budget``.

    ``second``: value, uncertainty and the quotient of both uncertainties to second order, where it was asked for.
    ``correlations``: with the other results of the call, by their names.
    """

    name: str
    value: Any
    u: Any
    budget: Mapping[str, BudgetLine]
    second: tuple[Any, Any, Any] | None = None
    correlations: Mapping[str, Any] = field(default_factory=dict)

    @property
    def relative(self) -> Any:
        """The relative standard uncertainty, u/abs(value); inf or nan where the value is 0."""
        import numpy as np

        with np.errstate(all="ignore"):
            return self.u / np.abs(self.value)
