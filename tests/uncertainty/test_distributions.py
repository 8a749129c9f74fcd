"""Distributions: moments against integrals, draws against moments, and the texts of `--dist`."""

import math

import mpmath
import numpy as np
import pytest

from gradcli.errors import GradError
from gradcli.uncertainty.distributions import Distribution, Shape, distribution

pytestmark = pytest.mark.quick

DENSITIES = {
    "N": mpmath.npdf,
    "R": lambda x: mpmath.mpf(1) / 2,
    "T": lambda x: 1 - abs(x),
    "U": lambda x: 1 / (mpmath.pi * mpmath.sqrt(1 - x**2)),
}
"""At mean 0 and width 1."""


def moment(kind: str, order: int, df: float = math.inf) -> mpmath.mpf:
    if kind == "t":
        factor = mpmath.gamma((mpmath.mpf(df) + 1) / 2) / mpmath.sqrt(df * mpmath.pi) / mpmath.gamma(mpmath.mpf(df) / 2)
        return 2 * factor * mpmath.quad(lambda x: x**order * (1 + x**2 / df) ** (-(df + 1) / 2), [0, 1, 10, mpmath.inf])
    limit = mpmath.inf if kind == "N" else 1
    return 2 * mpmath.quad(lambda x: x**order * DENSITIES[kind](x), [0, limit])


@pytest.mark.parametrize(
    ("kind", "df"), [("N", math.inf), ("R", math.inf), ("T", math.inf), ("U", math.inf), ("t", 5.0), ("t", 9.5)]
)
def test_moments(kind: str, df: float):
    for width in (1.0, 0.005, 3e7):
        made = Distribution(kind, 1.02, width, df)
        with mpmath.workdps(30):
            assert made.u == pytest.approx(float(width * mpmath.sqrt(moment(kind, 2, df))), rel=1e-12)
            assert made.fourth == pytest.approx(float(mpmath.mpf(width) ** 4 * moment(kind, 4, df)), rel=1e-7)
        assert made.third == 0 and made.mean == 1.02


def test_moments_that_do_not_exist():
    """Student's t has no more moments than degrees of freedom."""
    assert [Distribution("t", 0, 1, df).u for df in (1.0, 2.0)] == [math.inf] * 2
    assert Distribution("t", 0, 1, 3.0).u == math.sqrt(3) and math.isnan(Distribution("t", 0, 1, 3.0).third)
    assert [Distribution("t", 0, 1, df).fourth for df in (1.0, 3.0, 4.0)] == [math.inf] * 3
    assert Distribution("t", 0, 0.5).u == 0.5 and Distribution("t", 0, 0.5).fourth == 3 * 0.5**4
    fixed = Distribution("t", 0, 0.0, 1.0)
    assert (fixed.u, fixed.third, fixed.fourth) == (0, 0, 0)


@pytest.mark.parametrize(
    ("kind", "df"), [("N", math.inf), ("R", math.inf), ("T", math.inf), ("U", math.inf), ("t", 12.0), ("t", math.inf)]
)
def test_draws(kind: str, df: float):
    size = 200_000
    made = Distribution(kind, 100.0, 0.25, df)
    draws = made.draw(np.random.Generator(np.random.Philox(7)), size)
    assert draws.shape == (size,) and draws.dtype == np.float64 and draws.flags.writeable
    assert np.array_equal(draws, made.draw(np.random.Generator(np.random.Philox(7)), size))
    # Five standard deviations of the mean and of the variance.
    assert abs(draws.mean() - 100) < 5 * made.u / math.sqrt(size)
    assert abs(draws.var() - made.u**2) < 5 * math.sqrt((made.fourth - made.u**4) / size)
    if kind in "RTU":
        assert 0.249 < np.abs(draws - 100).max() <= 0.25
    assert made.draw(np.random.default_rng(0), 0).shape == (0,)


def test_limits_that_are_one_double():
    draws = Distribution("R", 1e5, 1e-12).draw(np.random.default_rng(1), 10)
    assert (draws == 1e5).all() and Distribution("R", 1e5, 1e-12).u == pytest.approx(1e-12 / math.sqrt(3))


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("N", Shape("N")),
        (" N ", Shape("N")),
        ("N()", None),
        ("R(1,3)", Shape("R", Distribution("R", 2.0, 1.0))),
        (" T ( -1 , 1 ) ", Shape("T", Distribution("T", 0.0, 1.0))),
        ("U(1e-3,3e-3)", Shape("U", Distribution("U", 2e-3, 1e-3))),
        ("R(-sqrt(4), min(2,3))", Shape("R", Distribution("R", 0.0, 2.0))),
        ("R(-1e308,1.7e308)", Shape("R", Distribution("R", 3.5e307, 1.35e308))),
        ("t(9)", Shape("t", None, 9.0)),
        ("t(4.5)", Shape("t", None, 4.5)),
        ("t(inf)", Shape("t", None, math.inf)),
    ],
)
def test_texts(text: str, made: Shape | None):
    if made is None:
        with pytest.raises(GradError, match="takes no number"):
            distribution(text, "--dist")
        return
    result = distribution(text, "--dist")
    assert (result.kind, result.df) == (made.kind, made.df)
    if made.fixed is None:
        assert result.fixed is None and result.at(1.02, 0.005) == Distribution(made.kind, 1.02, 0.005, made.df)
    else:
        assert result.fixed is not None and result.at(5, 6) == result.fixed and result.fixed.kind == made.kind
        assert result.fixed[1:3] == pytest.approx(made.fixed[1:3], rel=1e-15)


@pytest.mark.parametrize(
    ("text", "message", "marked"),
    [
        ("", "unknown distribution", ""),
        ("Q(1,2)", "unknown distribution", "Q"),
        ("n", "unknown distribution", "n"),
        ("R(1,2", "unknown distribution", "R(1,2"),
        ("R", "takes two numbers", "R"),
        ("R()", "takes two numbers", "R"),
        ("T(1)", "takes two numbers", "1"),
        ("U(1,2,3)", "takes two numbers", "1,2,3"),
        ("t", "takes one number", "t"),
        ("t(1,2)", "takes one number", "1,2"),
        ("N(1,2)", "takes no number", "1,2"),
        ("R(2,1)", "must be below", "2,1"),
        ("R(1,1)", "must be below", "1,1"),
        ("R(nan,1)", "must be below", "nan,1"),
        ("R(1,inf)", "must be below", "1,inf"),
        ("t(0.5)", "at least 1", "0.5"),
        ("t(nan)", "at least 1", "nan"),
        ("t(-inf)", "at least 1", "-inf"),
        ("R(x,1)", "the lower limit is not a number", "x"),
        ("R(,1)", "the lower limit is missing", None),
        ("R(1,2)" + " " * 1000 + "x", "unknown distribution", None),
        ("R(" + "(" * 1000, "unknown distribution", "R(" + "(" * 1000),
        ("t(" + "(" * 1000 + ")", "the number of degrees of freedom is not a number", None),
        ("R" * 10**6, "more than 2,000 characters", None),
        ("R(" + "1" * 10**6 + "x,2)", "more than 2,000 characters", None),
    ],
    ids=lambda text: str(text)[:20],
)
def test_errors(text: str, message: str, marked: str | None):
    with pytest.raises(GradError) as caught:
        distribution(text, "--dist")
    error = caught.value
    assert error.message.startswith("--dist: ") and message in error.message and error.exit_code == 2
    if marked is not None:
        assert error.source is not None and error.span is not None
        assert error.source.text[slice(*error.span)] == marked
