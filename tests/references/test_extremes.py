"""Derivatives in range at points where a step of the textbook form leaves the range of a double."""

import itertools
import random

import accuracy
import pytest
import reference
from engines import ENGINES, evaluate

from gradcli.calculus.derive import derive
from gradcli.expr import apply, var

pytestmark = pytest.mark.quick

POINTS: list[tuple[str, reference.Parameter, tuple[float, ...]]] = [
    ("cbrt", None, (7.181776939288523e-186,)), ("cbrt", None, (-1.3e-116,)), ("cbrt", None, (5e-324,)),
    ("cbrt", None, (1e308,)), ("besseli", 0, (-713.7524654544499,)), ("besseli", 5, (713.5985690124265,)),
    ("besseli", 2, (713.482206290106,)), ("besselk", 5, (1e-51,)), ("bessely", 5, (1e-60,)), ("bessely", 1, (1e-200,)),
    ("bessely", 0, (1e-200,)), ("bessely", 1, (1e-154,)),
    ("atan2", None, (1e-200, -1e-200)), ("atan2", None, (1e-310, 1e-310)),
    ("atan2", None, (-5e-324, 5e-324)), ("atan2", None, (3e-77, 4e-320)), ("atan2", None, (1e77, 1e-100)),
    ("atan2", None, (1.0099320993398126e-244, -1.551479877089127e19)),
    ("hypot", None, (-5e-324, 1e-310)), ("hypot", None, (5e-35, 8e-216)), ("hypot", None, (1e-249, 1e-47)),
    ("hypot", None, (3e-103, 1e-150)), ("hypot", None, (1e-310, 1e-310)), ("hypot", None, (1e200, 3e-20)),
    ("asinh", None, (1e77,)), ("asinh", None, (1e-320,)), ("atan", None, (1e77,)), ("acot", None, (1e-320,)),
]  # fmt: skip


def off(name: str, parameter: reference.Parameter, at: tuple[float, ...], engine: str) -> list[str]:
    """The partials up to order 4 beyond the allowance."""
    marks = reference.marks(name, at, parameter)
    names = accuracy.LETTERS[: len(at)]
    derived = derive([("f", accuracy.expression(name, parameter))], names, 4)
    found = evaluate(derived, dict(zip(names, at, strict=True)), engine)
    indices = [k for order in range(5) for k in reference.indices(len(at), order)]
    return [
        f"{key}: {found[key]!r}, true {marks[k].nearest!r}"
        for (key, _), k in zip(derived, indices, strict=True)
        if k in marks
        and reference.off(found[key], marks[k]) > reference.allowance(accuracy.error(name), sum(k), marks[k])
    ]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "parameter", "at"), POINTS, ids=[f"{p[0]} @ {p[2]}" for p in POINTS])
def test_extremes(name, parameter, at, engine):
    assert not off(name, parameter, at, engine)


@pytest.mark.parametrize("name", ["hypot", "atan2"])
def test_the_plane_at_all_sizes(name):
    """Points whose arguments differ by any power of ten, and any power of two from 1."""
    chosen = random.Random(5)
    sizes = [-323, -309, -280, -200, -155, -104, -78, -40, -1, 0, 30, 77, 103, 154, 250, 307]
    for a, b in itertools.combinations_with_replacement(sizes, 2):
        at = tuple(chosen.choice((-1, 1)) * chosen.uniform(1, 1.7) * 10.0**k for k in (a, b))
        assert not off(name, None, at, "scalar"), at
        assert not off(name, None, at[::-1], "scalar"), at


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("order", [4, 5, 6])
def test_the_angle_is_exact_on_the_diagonals(engine, order):
    """Its derivative of order 4 vanishes there, whatever the size of the point."""
    derived = derive([("f", apply("atan2", var("x"), var("y")))], ["x"], order)
    name = f"d{order}f_dx{order}"
    for size in (5e-324, 1e-310, 1e-200, 1.0, 1e80):
        value = evaluate(derived, {"x": size, "y": -size}, engine)[name]
        assert (value == 0) == (order == 4 or size == 1e80), (size, value)
