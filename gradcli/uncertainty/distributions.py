"""Distributions of input quantities: their moments, draws from them, and their texts.

Layer: must not know expressions or options' values, only a name, a position and a width.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.caret import Source, Span
from gradcli.errors import GradError
from gradcli.job.parse_at_grid_fill import number, split

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float64]]

WANTED = "N, R(a,b), T(a,b), U(a,b) or t(df)"
"""The texts of `--dist`."""
_LONGEST = 2000
"""Characters of such a text, at most."""
_NAMES = {"N": "normal", "R": "rectangular", "T": "triangular", "U": "arcsine", "t": "Student's t"}
_VARIANCE = {"N": 1.0, "R": 3.0, "T": 6.0, "U": 2.0}
"""The square of the width over the variance: JCGM 101:2008, 6.4.2.3, 6.4.5.3, 6.4.6.3 and 6.4.7.3."""
_KURTOSIS = {"N": 3.0, "R": 1.8, "T": 2.4, "U": 1.5}
"""The fourth central moment over the square of the variance."""


class Distribution(NamedTuple):
    """A symmetric distribution of an input quantity.

    ``kind``: N (normal), R (rectangular), T (triangular), U (arcsine, U-shaped) or t (Student's t). ``mean`` is the
    centre, and ``width``, in its unit, the half-width of R, T and U, the standard deviation of N and the scale of t.
    ``df``: the degrees of freedom of t, at least 1, else infinite. A half-width is held in place of the two limits,
    since these may be the same double. Source: JCGM 101:2008, 6.4 and table 1.

    >>> from gradcli.uncertainty.distributions import Distribution
    >>> Distribution("R", 1.0, 0.3).u
    0.17320508075688773
    """

    kind: str
    mean: float
    width: float
    df: float = math.inf

    @property
    def u(self) -> float:
        """The standard deviation, in the unit of the mean: infinite for t with at most 2 degrees of freedom.

        For t it exceeds the scale, which is the standard uncertainty of the GUM (JCGM 101:2008, 6.4.9.4).
        """
        if self.kind != "t":
            return self.width / math.sqrt(_VARIANCE[self.kind])
        if self.df <= 2:
            return math.inf if self.width else 0.0
        return self.width if math.isinf(self.df) else self.width * math.sqrt(self.df / (self.df - 2))

    @property
    def third(self) -> float:
        """The third central moment: 0, by symmetry; nan for t with at most 3 degrees of freedom, which has none."""
        return math.nan if self.kind == "t" and self.df <= 3 and self.width else 0.0

    @property
    def kurtosis(self) -> float:
        """The fourth central moment over u**4: infinite for t with at most 4 degrees of freedom."""
        if self.kind != "t" or math.isinf(self.df):
            return _KURTOSIS.get(self.kind, 3.0)
        return 3 + 6 / (self.df - 4) if self.df > 4 else math.inf

    @property
    def fourth(self) -> float:
        """The fourth central moment, in the fourth power of the unit."""
        if not self.width:
            return 0.0
        return self.kurtosis * self.u**2 * self.u**2

    def draw(self, generator: np.random.Generator, size: int) -> Array:
        """``size`` draws, in the unit of the mean, as an array of doubles that is the caller's.

        Sources: JCGM 101:2008, 6.4.2.4 (rectangular), 6.4.5.4 (triangular, as the sum of two draws), 6.4.6.4
        (arcsine), 6.4.7.4 (normal) and 6.4.9.5 (t).

        >>> import numpy as np
        >>> Distribution("R", 5.0, 0.5).draw(np.random.default_rng(1), 3).round(3)
        array([5.012, 5.45 , 4.644])
        """
        draws: Array
        if self.kind == "N" or (self.kind == "t" and math.isinf(self.df)):
            draws = generator.standard_normal(size)
        elif self.kind == "t":
            draws = generator.standard_t(self.df, size)
        else:
            draws = generator.random(size)
            if self.kind == "U":
                import numpy as np

                draws *= 2 * math.pi
                np.sin(draws, out=draws)
            else:
                draws += generator.random(size) if self.kind == "T" else draws
                draws -= 1
        draws *= self.width
        draws += self.mean
        return draws


class Shape(NamedTuple):
    """A distribution as ``--dist`` gives it: ``fixed`` is all of it for R, T and U; N and t take their place from --at.

    >>> from gradcli.uncertainty.distributions import distribution
    >>> distribution("t(9)", "--dist").at(1.02, 0.005)
    Distribution(kind='t', mean=1.02, width=0.005, df=9.0)
    """

    kind: str
    fixed: Distribution | None = None
    df: float = math.inf

    def at(self, value: float, u: float) -> Distribution:
        """The distribution for a value with standard uncertainty ``u``; one that is fixed takes neither."""
        return self.fixed or Distribution(self.kind, value, u, self.df)


_FORM = re.compile(r"\s*+([A-Za-z]++)\s*+(?:\((.*)\))?\s*+", re.DOTALL)


def distribution(text: str, option: str) -> Shape:
    """The distribution that a text names: N, R(a,b), T(a,b), U(a,b) with limits a < b, or t(df) with df >= 1.

    Limits and degrees of freedom are constant expressions, such as ``R(-sqrt(3), sqrt(3))``. Raises GradError, which
    names ``option``, for any other text.

    >>> distribution("R(0.9, 1.1)", "--dist").fixed
    Distribution(kind='R', mean=1.0, width=0.10000000000000003, df=inf)
    """
    if len(text) > _LONGEST:
        raise GradError(f"{option}: a distribution of more than {_LONGEST:,} characters", hint=f"it is one of {WANTED}")
    form = _FORM.fullmatch(text)
    kind = form[1] if form else ""
    source = Source(text)
    if form is None or kind not in _NAMES:
        span = Span(form.start(1), form.end(1)) if form else Span(0, len(text))
        raise GradError(f"{option}: unknown distribution", hint=f"it is one of {WANTED}", span=span, source=source)
    arguments = [] if form[2] is None else split(form[2], ",")
    names = {"N": [], "t": ["the number of degrees of freedom"]}.get(kind, ["the lower limit", "the upper limit"])
    span = Span(form.start(2) if form[2] else form.start(1), form.end(2) if form[2] else form.end(1))
    if len(arguments) != len(names):
        hint = {"N": "N stands alone: value and uncertainty are those of --at", "t": "t(df), such as t(9)"}.get(
            kind, f"{kind}(a,b), such as {kind}(0.9,1.1)"
        )
        counts = {0: "no number", 1: "one number", 2: "two numbers"}
        raise GradError(
            f"{option}: the {_NAMES[kind]} distribution takes {counts[len(names)]}",
            hint=hint, span=span, source=source,
        )  # fmt: skip
    numbers = [number(argument, option, name) for argument, name in zip(arguments, names, strict=True)]
    if kind == "t":
        (df,) = numbers
        if not df >= 1:
            raise GradError(f"{option}: the degrees of freedom must be at least 1", span=span, source=source)
        return Shape(kind, None, df)
    if kind == "N":
        return Shape(kind)
    lower, upper = numbers
    if not (math.isfinite(lower) and math.isfinite(upper) and lower < upper):
        raise GradError(f"{option}: the lower limit must be below the upper one, both finite", span=span, source=source)
    # Halves, since the sum or the difference of the limits may overflow.
    mean, width = lower / 2 + upper / 2, upper / 2 - lower / 2
    return Shape(kind, Distribution(kind, mean, width))
