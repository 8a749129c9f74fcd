"""Surfaces: values and gradients on a raster, level lines that lie on their level, arrows."""

import math

import numpy as np
import pytest
from mpmath import mp

from gradcli.errors import GradError
from gradcli.language import parse
from gradcli.plot.contours import contours
from gradcli.plot.frame import Frame
from gradcli.plot.request import Checked, PlotJob
from gradcli.plot.surface import Surface, arrows, levels, value_limits


def surface(text: str) -> Surface:
    (_, e), *_ = parse(text).outputs
    return Surface(e, ["x", "y"])


SIDE = np.linspace(-2, 2, 81)


@pytest.mark.quick
def test_values_and_gradients_are_those_of_mpmath():
    x, y = np.linspace(-1, 2, 7), np.linspace(0.5, 3, 5)
    raster = surface("exp(-x*y)*sin(x) + y**3").raster(x, y)
    assert raster.values.shape == raster.dx.shape == raster.dy.shape == (5, 7)
    for j, i in np.ndindex(5, 7):
        a, b = mp.mpf(float(x[i])), mp.mpf(float(y[j]))
        assert raster.values[j, i] == pytest.approx(float(mp.exp(-a * b) * mp.sin(a) + b**3), rel=1e-13)
        assert raster.dx[j, i] == pytest.approx(float(mp.exp(-a * b) * (mp.cos(a) - b * mp.sin(a))), rel=1e-12)
        assert raster.dy[j, i] == pytest.approx(float(-a * mp.exp(-a * b) * mp.sin(a) + 3 * b**2), rel=1e-12)


def test_a_surface_may_depend_on_one_variable_or_none():
    raster = surface("x**2").raster(SIDE, SIDE[:3])
    assert np.allclose(raster.values, SIDE**2) and not raster.dy.any()
    assert (surface("3").raster(SIDE, SIDE).values == 3).all()


def test_what_has_no_value_is_nan():
    raster = surface("sqrt(x) + 1/y").raster(SIDE, SIDE)
    assert np.isnan(raster.values[:, SIDE < 0]).all()
    assert np.isnan(raster.values[SIDE == 0]).all()


def test_two_variables_are_needed():
    (_, e), *_ = parse("x").outputs
    for names in ([], ["x"], ["x", "x"], ["x", "y", "z"]):
        with pytest.raises(GradError, match="two variables"):
            Surface(e, names)


@pytest.mark.quick
@pytest.mark.parametrize(
    ("text", "level", "f"),
    [
        ("x**2 + y**2", 1.5, lambda x, y: x * x + y * y),
        ("x**2 - y**2", 0.3, lambda x, y: x * x - y * y),
        ("sin(3*x)*cos(3*y)", 0.25, lambda x, y: np.sin(3 * x) * np.cos(3 * y)),
        ("exp(-x*x-y*y)", 0.5, lambda x, y: np.exp(-x * x - y * y)),
        ("atan(1e6*(x-y/3))", 0.5, lambda x, y: np.arctan(1e6 * (x - y / 3))),
    ],
)
def test_contours_lie_on_their_level(text, level, f):
    made = surface(text)
    (contour,) = contours(made, made.raster(SIDE, SIDE), [level])
    assert contour.level == level and contour.lines
    for x, y in contour.lines:
        x, y = np.array(x), np.array(y)
        slope = np.abs(f(x + 1e-8, y) - f(x - 1e-8, y)) + np.abs(f(x, y + 1e-8) - f(x, y - 1e-8))
        assert (np.abs(f(x, y) - level) < 1e-9 + slope).all()
        # Neighbours are in one cell.
        assert np.abs(np.diff(x)).max() <= 0.0501 and np.abs(np.diff(y)).max() <= 0.0501


def test_every_crossing_is_drawn():
    """Along every line of the raster a sign change of value - level is a point of a contour."""
    made = surface("sin(4*x + y) + cos(3*y)*x")
    (contour,) = contours(made, made.raster(SIDE, SIDE), [0.1])
    points = {(round(a, 9), round(b, 9)) for x, y in contour.lines for a, b in zip(x, y, strict=True)}
    values = np.sin(4 * SIDE[None] + SIDE[:, None]) + np.cos(3 * SIDE[:, None]) * SIDE[None] > 0.1
    assert len(points) == np.count_nonzero(values[:, 1:] != values[:, :-1]) + np.count_nonzero(
        values[1:] != values[:-1]
    )


def test_closed_lines_are_closed():
    made = surface("x**2 + y**2")
    for level in (0.25, 1.0, 3.9):
        (contour,) = contours(made, made.raster(SIDE, SIDE), [level])
        ((x, y),) = contour.lines
        assert (x[0], y[0]) == (x[-1], y[-1])
        area = abs(np.sum(np.array(x[:-1]) * np.diff(y) - np.array(y[:-1]) * np.diff(x))) / 2
        assert area == pytest.approx(math.pi * level, rel=2e-2)


def test_a_saddle_joins_the_sides_that_belong_together():
    made = surface("x*y")
    side = np.array([-1.0, 1.0])
    raster = made.raster(side, side)
    for level, sign in ((0.1, 1), (-0.1, -1)):
        (contour,) = contours(made, raster, [level])
        assert len(contour.lines) == 2
        for x, y in contour.lines:
            assert np.sign(np.mean(x) * np.mean(y)) == sign


def test_jumps_and_poles_are_no_contours():
    assert contours(made := surface("floor(x) + 0*y"), made.raster(SIDE + 0.01, SIDE), [0.5])[0].lines == []
    assert contours(made := surface("1/(x - y/3)"), made.raster(SIDE + 0.01, SIDE), [0.0])[0].lines == []
    (contour,) = contours(made := surface("floor(x) + y"), made.raster(SIDE + 0.01, SIDE), [0.25])
    assert len(contour.lines) == 3
    assert all(np.ptp(y) < 1e-6 for _, y in contour.lines)


def test_levels_are_round():
    assert levels(0, 1, 4) == [0.5]
    assert levels(-3.2, 4.1) == [-3, -2, -1, 0, 1, 2, 3, 4]
    assert levels(0, 0.61, 6) == [0.2, 0.4, 0.6]
    assert levels(1, 1) == levels(0, math.inf) == levels(math.nan, 1) == []
    assert levels(-1e300, 1e300, 4) == [-5e299, 0, 5e299]
    for low, high in ((0, 1e-300), (1e15, 1e15 + 4), (-1e308, 1e308)):
        assert len(levels(low, high)) < 20


def test_limits_of_values_leave_poles_out():
    values = surface("1/(x**2 + y**2)").raster(SIDE + 1e-9, SIDE).values
    low, high = value_limits(values)
    assert 0.1 < low < high < 20
    assert value_limits(surface("x + y").raster(SIDE, SIDE).values) == (-4, 4)
    assert value_limits(np.full((2, 2), np.nan)) is None


@pytest.mark.quick
def test_arrows_are_gradients():
    frame = Frame(-2, 2, -1, 1, 800, 400)
    made = arrows(surface("x**2 + 3*y"), frame, 8)
    assert len(made) == 8 * 4
    for arrow in made:
        assert (arrow.dx, arrow.dy) == pytest.approx((2 * arrow.x, 3))
        across, up = arrow.tip_x - arrow.x, arrow.tip_y - arrow.y
        assert across * arrow.dy == pytest.approx(up * arrow.dx) and up > 0
        assert math.hypot(across * frame.across, up * frame.up) <= 0.9 * 100 + 1e-9


def test_no_arrows_where_there_is_no_gradient():
    frame = Frame(-2, 2, -1, 1, 800, 400)
    assert arrows(surface("3"), frame) == []
    assert all(arrow.x > 0 for arrow in arrows(surface("sqrt(x) + y"), frame))
    assert len(arrows(surface("1e300*x"), frame)) == 15 * 8


@pytest.mark.quick
def test_arrows_of_gradients_whose_sum_overflows():
    found = arrows(surface("1.2e308*x + 1.2e308*y"), Frame(-50, 50, -50, 50, 100, 100), 3)
    assert len(found) == 9
    assert {(a.dx, a.dy) for a in found} == {(1.2e308, 1.2e308)}


@pytest.mark.quick
def test_rasters_beyond_what_a_picture_holds_are_refused():
    with pytest.raises(GradError, match="10,000,000,000 points are too many for a surface"):
        Checked(PlotJob(expressions=["x*y"], grids=["x=0:1:100000", "y=0:1:100000"]))
