"""Every row of the function table in ball arithmetic: against mpmath, and against the graph of its derivatives."""

import math
from fractions import Fraction

import pytest
import reference
from accuracy import LETTERS, expression
from mpmath import mp
from reference import FIXED_POWERS, REFERENCES

from gradcli.calculus.derive import derive
from gradcli.expr import Expr, apply, const, exact, var
from gradcli.functions import NONLOCAL, TABLE

pytest.importorskip("flint")

from flint import arb, fmpq

from gradcli.truth.balls import arithmetic
from gradcli.truth.jets import RULES, Jet
from gradcli.truth.repair import Repair

ORDER, POINTS = 4, 10
BY_JET = {"where", "instead", "and", "or", "power_shift"}
"""Rows whose arguments decide how they are computed: the walk over the graph knows them."""
OF_ALL_POINTS = {
    "sum",
    "mean",
    "prod",
    "norm",
    "along",
    "sum_lost",
    "norm_lead",
    "norm_scale",
    "prod_lead",
    "prod_scale",
}
FOLDED = {"x**(1/3)"}
"""A folded fraction is exact for a ball, and its double for a reference."""


@pytest.mark.quick
def test_every_row_has_a_rule():
    missing = TABLE.keys() - RULES.keys() - BY_JET
    assert missing == OF_ALL_POINTS | NONLOCAL
    assert not RULES.keys() - TABLE.keys()


def double(true) -> float | None:
    """Rounded once from the number itself; mpmath's own conversion rounds a subnormal number twice."""
    if true is None or mp.isnan(true):
        return None
    sign, mantissa, exponent, size = true._mpf_
    if not mantissa:
        return 0.0 if true == 0 else math.inf if true > 0 else -math.inf
    if exponent + size > 1030:
        return -math.inf if sign else math.inf
    if exponent + size < -1100:
        return 0.0
    try:
        return float(Fraction(-int(mantissa) if sign else int(mantissa)) * Fraction(2) ** exponent)
    except OverflowError:
        return -math.inf if sign else math.inf


@pytest.mark.parametrize("name", [name for name in [*REFERENCES, *FIXED_POWERS] if name not in FOLDED])
def test_numbers_are_correctly_rounded(name):
    """Value and all partials up to order 4, near zeros, edges and the ends of the range too."""
    names = LETTERS[: len(reference.reference(name).domain)]
    indices = [k for order in range(ORDER + 1) for k in reference.indices(len(names), order)]
    powers = [dict(zip(names, k, strict=True)) for k in indices]
    undecided = 0
    for parameter, at in reference.points(name, POINTS):
        true = reference.truth(name, at, parameter)
        point = dict(zip(names, map(float, at), strict=True))
        numbers = Repair(expression(name, parameter), ORDER).numbers([point], powers)[0]
        for index, (value, why) in zip(indices, numbers, strict=True):
            if index not in true:
                continue
            nearest = double(true[index])
            if value is None:
                assert nearest is None or why in ("kink", "undecided"), (parameter, at, index, why)
                undecided += why == "undecided"
            elif nearest is not None:
                assert value == nearest, (parameter, at, index)
    assert undecided <= 2


AT = {"betainc": (2.5, 1.5, 0.25), "betapdf": (2.5, 1.5, 0.25), "gammainc": (2.5, 1.75), "gammaincc": (2.5, 1.75),
      "gammapdf": (2.5, 1.75), "asec": (1.75,), "acsc": (1.75,), "acoth": (1.75,), "acosh": (1.75,),
      "lambertw_low": (-0.25,), "log1mexp": (-0.75,)}  # fmt: skip
VALUES = (0.625, 0.375, 1.5)
CONDITIONS = {"lt", "le", "gt", "ge", "eq", "ne", "not"}
STRAIGHT = [name for name in TABLE if name in RULES and name not in CONDITIONS]


def call(name: str, parameter: int) -> tuple[Expr, dict[str, float]]:
    """A row of arguments that are no bare variables, and the point."""
    row = TABLE[name]
    values = AT.get(name, VALUES[: max(row.arity[0], 2 if name in ("min", "max") else 1)])
    arguments = []
    for k, (letter, value) in enumerate(zip("xyz", values, strict=False)):
        # An argument without a derivative in closed form stays a number; the others bend.
        still = k < len(row.arguments) and row.arguments[k] in row.unknown
        t = var(letter)
        arguments.append(const(value) if still else t + (t - const(value)) ** 2)
    return apply(name, *arguments, value=parameter if row.parameter else None), dict(zip("xyz", values, strict=False))


@pytest.mark.parametrize(
    ("name", "parameter"), [(name, n) for name in STRAIGHT for n in ((1, 2) if TABLE[name].parameter else (1,))]
)
def test_series_are_those_of_the_graph(name, parameter):
    if name in ("lambertw_above", "lambertw_ratio"):
        parameter -= 1
    e, at = call(name, parameter)
    if name in ("lambertw_above", "lambertw_ratio") and parameter:
        at["x"] = -0.25
        e = apply(name, var("x"), value=1)
    with arithmetic(192, 4):
        point = {letter: arb(value) for letter, value in at.items()}
        for wrt in [letter for letter in at if e.variables and letter in "".join(Jet(e).variables)]:
            derived = [d for _, d in derive([("f", e)], [wrt], 3)]
            series = Jet(e, doubles=False).run(point, (), {wrt: 1})
            for k, d in enumerate(derived):
                number = exact(d)
                graph = (
                    arb(fmpq(number.numerator, number.denominator))
                    if number is not None
                    else Jet(d, doubles=False).run(point, (), {})[0]
                )
                jet = series[k] * math.factorial(k)
                assert jet.is_finite() and graph.is_finite()
                assert jet.overlaps(graph), (wrt, k, jet, graph)
                assert jet.rad() < 1e-40 * (1 + abs(jet.mid()))
