"""Draws of the inputs of a simulation, block by block: each block has a stream of random numbers of its own.

Layer: must not know expressions or options.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.errors import GradError
from gradcli.expr import spell_name
from gradcli.uncertainty.distributions import Distribution
from gradcli.uncertainty.matrices import factor

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
    """The joint distribution of inputs: ``inputs`` by name, ``r`` the correlations of pairs, zeros left out or not.

    Correlated inputs are normal, and jointly so (JCGM 101:2008, 6.4.8). Raises GradError for one that is not, and for
    correlations whose matrix is not positive semidefinite.

    >>> draws = Draws({"L": Distribution("N", 1.0, 0.002), "T": Distribution("R", 2.0, 0.01)})
    >>> [len(column) for column in draws.block(seed=1, index=0, size=1000)]
    [1000, 1000]
    """

    def __init__(
        self, inputs: Mapping[str, Distribution | Sides], r: Mapping[tuple[str, str], float] | None = None
    ) -> None:
        pairs = {pair: value for pair, value in (r or {}).items() if value}
        together = {name for pair in pairs for name in pair}
        self.inputs = dict(inputs)
        self.group = [name for name in inputs if name in together]
        self.normal = {name: self._normal(name) for name in self.group}
        lower = factor(
            [[1.0 if a == b else pairs.get((a, b), pairs.get((b, a), 0.0)) for b in self.group] for a in self.group]
        )
        if isinstance(lower, tuple):
            a, b = (self.group[place] for place in sorted(lower))
            raise GradError(
                f"the correlations contradict each other at '{a}' and '{b}': their matrix is not positive semidefinite",
                hint="check the coefficients and their signs",
            )
        self.lower = lower

    def _normal(self, name: str) -> Distribution:
        found = self.inputs[name]
        if isinstance(found, Distribution) and found.kind == "N":
            return found
        if isinstance(found, Sides):
            what = "two-sided"
        else:
            what = "of Student's t" if found.kind == "t" else "not normal"
        raise GradError(
            f"a simulation draws correlated inputs from normal distributions, and {spell_name(name)} is {what}",
            hint="leave out its correlations, or its " + ("degrees of freedom" if what[0] == "o" else "distribution"),
        )

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
        joint = self._joint(generator, size)
        return [
            joint[name] if name in joint else found.draw(generator, size) for name, found in self.inputs.items()
        ]  # fmt: skip

    def _joint(self, generator: np.random.Generator, size: int) -> dict[str, Array]:
        """The columns of correlated inputs: Cholesky's factor times independent draws (JCGM 101:2008, C.5)."""
        columns = [generator.standard_normal(size) for _ in self.group]
        # From the last one down, since each is made of itself and those before it. No library of linear algebra: its
        # sums may depend on the number of its threads.
        for i in reversed(range(len(columns))):
            columns[i] *= self.lower[i][i]
            for j in range(i):
                if self.lower[i][j]:
                    columns[i] += self.lower[i][j] * columns[j]
        for column, held in zip(columns, self.normal.values(), strict=True):
            column *= held.width
            column += held.mean
        return dict(zip(self.group, columns, strict=True))
