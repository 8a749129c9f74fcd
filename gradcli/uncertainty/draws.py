"""Draws of the inputs of a simulation, block by block: each block has a stream of random numbers of its own.

Layer: must not know expressions or options.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.errors import GradError
from gradcli.expr import spell_name
from gradcli.uncertainty.distributions import Distribution
from gradcli.uncertainty.matrices import factor, groups

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float64]]

BLOCK = 1 << 16
"""Draws of a block. It decides which numbers are drawn, so that no machine and no option may change it."""


class Sides(NamedTuple):
    """The distribution of an input with uncertainties ``plus`` upwards and ``minus`` downwards, in its unit.

    Half of a normal distribution lies on either side: ``value`` is the median, and ``value - minus`` and
    ``value + plus`` are the limits of the 68.3 % interval. JCGM 101 has no such distribution.
    """

    value: float
    plus: float
    minus: float

    def draw(self, generator: np.random.Generator, size: int) -> Array:
        """Return ``size`` draws, in the unit of the value, as an array of doubles that is the caller's."""
        import numpy as np

        draws = generator.standard_normal(size)
        draws *= np.where(draws > 0, self.plus, self.minus)
        draws += self.value
        return draws


class Draws:
    """The joint distribution of inputs: ``inputs`` by name, ``r`` the correlations of pairs.

    Inputs that correlations connect are jointly normal (JCGM 101:2008, 6.4.8), or jointly of Student's t, as repeated
    readings of several quantities are (JCGM 102:2011, 5.3.2). Raises GradError where they are neither, and for
    correlations whose matrix is not positive semidefinite.

    >>> draws = Draws({"L": Distribution("N", 1.0, 0.002), "T": Distribution("R", 2.0, 0.01)})
    >>> [len(column) for column in draws.block(seed=1, index=0, size=1000)]
    [1000, 1000]
    """

    def __init__(
        self, inputs: Mapping[str, Distribution | Sides], r: Mapping[tuple[str, str], float] | None = None
    ) -> None:
        pairs = {pair: value for pair, value in (r or {}).items() if value}
        self.inputs = dict(inputs)
        self.groups = [_Group(names, inputs, pairs) for names in groups(inputs, pairs) if len(names) > 1]

    @property
    def names(self) -> list[str]:
        """The names of the inputs, in the order of their columns."""
        return [*self.inputs]

    def block(self, seed: int, index: int, size: int) -> list[Array]:
        """Return the columns of block ``index``, ``size`` draws each, in the units of the inputs.

        They depend on the seed and the index alone: blocks are 2**192 numbers apart in the sequence of Philox 4x64
        (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011).
        """
        import numpy as np

        generator = np.random.Generator(np.random.Philox(key=seed, counter=index << 192))
        columns: dict[str, Array] = {}
        for group in self.groups:
            columns |= group.draw(generator, size)
        for name, found in self.inputs.items():
            if name not in columns:
                columns[name] = found.draw(generator, size)
        return [columns[name] for name in self.inputs]


class _Group:
    """Correlated inputs: a normal distribution, or one of Student's t whose inputs have ``df`` in common."""

    def __init__(
        self, names: Sequence[str], inputs: Mapping[str, Distribution | Sides], r: Mapping[tuple[str, str], float]
    ) -> None:
        self.members = {name: self.member(name, inputs[name]) for name in names}
        first, *others = self.members
        self.df = self.members[first].df
        for name in others:
            if self.members[name].df != self.df:
                raise GradError(
                    f"{spell_name(first)} and {spell_name(name)} are correlated, and their degrees of freedom differ: "
                    "a simulation draws them from one distribution, which has those of both",
                    hint="give both the same --df, or none, or leave out their correlation",
                )
        lower = factor([[1.0 if a == b else r.get((a, b), r.get((b, a), 0.0)) for b in names] for a in names])
        if isinstance(lower, tuple):
            a, b = (names[place] for place in sorted(lower))
            raise GradError(
                f"the correlations contradict each other at '{a}' and '{b}': their matrix is not positive semidefinite",
                hint="check the coefficients and their signs",
            )
        self.lower = lower

    @staticmethod
    def member(name: str, found: Distribution | Sides) -> Distribution:
        if isinstance(found, Distribution) and found.kind in ("N", "t"):
            return found
        what = "two-sided" if isinstance(found, Sides) else "not normal"
        raise GradError(
            f"{spell_name(name)} is correlated and {what}: a simulation draws correlated inputs from normal "
            "distributions",
            hint="leave out its distribution, or its correlations",
        )

    def draw(self, generator: np.random.Generator, size: int) -> dict[str, Array]:
        """Return a column for each input: Cholesky's factor times independent draws (JCGM 101:2008, C.5)."""
        import numpy as np

        columns = [generator.standard_normal(size) for _ in self.members]
        # From the last one down, since each is made of itself and those before it. No library of linear algebra: its
        # sums may depend on the number of its threads.
        for i in reversed(range(len(columns))):
            columns[i] *= self.lower[i][i]
            for j in range(i):
                if self.lower[i][j]:
                    columns[i] += self.lower[i][j] * columns[j]
        if math.isfinite(self.df):
            # Student's t: all of them over the root of one chi-squared draw over its degrees of freedom.
            spread = np.sqrt(generator.chisquare(self.df, size) / self.df)
            for column in columns:
                column /= spread
        for column, held in zip(columns, self.members.values(), strict=True):
            column *= held.width
            column += held.mean
        return dict(zip(self.members, columns, strict=True))
