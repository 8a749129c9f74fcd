"""Requests for pictures: ticks, what is read of options, data, overlays, panels."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gradcli.calculus.derive import derivatives
from gradcli.compute.backends.scalar import at_point
from gradcli.errors import GradError
from gradcli.job import Job, run
from gradcli.language import parse
from gradcli.plot.compose import picture
from gradcli.plot.curve import Curve
from gradcli.plot.frame import Frame
from gradcli.plot.layout import Canvas, arranged, pixel_canvas, text_canvas
from gradcli.plot.measured import Columns
from gradcli.plot.overlays import overlay
from gradcli.plot.picture import Picture
from gradcli.plot.request import Data, Overlay, PlotJob, read_range
from gradcli.plot.ticks import decimal, log_ticks, ticks

pytestmark = pytest.mark.quick

CANVAS = pixel_canvas(800, 500)


def of(*texts: str, canvas: Canvas = CANVAS, **options) -> Picture:
    return picture(PlotJob(expressions=texts, grids=options.pop("grids", ["x=-2:2"]), **options), canvas)


# Ticks.


@pytest.mark.parametrize(
    ("low", "high", "most", "labels"),
    [
        (0, 1, 6, "0 0.2 0.4 0.6 0.8 1"),
        (-10, 10, 5, "-10 -5 0 5 10"),
        (1e300, 1.1e300, 3, "1e300 1.05e300 1.1e300"),
        (-1e-300, 1e-300, 3, "-1e-300 0 1e-300"),
        (1000000000, 1000000001, 3, "1000000000 1000000000.5 1000000001"),
        (0.3, 0.7, 5, "0.3 0.4 0.5 0.6 0.7"),
        (-1.7e308, 1.7e308, 4, "-1e308 0 1e308"),
    ],
)
def test_ticks_are_round(low: float, high: float, most: int, labels: str) -> None:
    found = ticks(low, high, most)
    assert [float(t.label) for t in found] == [float(x) for x in labels.split()]
    assert [t.place for t in found] == [float(t.label) for t in found]
    assert len({t.label for t in found}) == len(found)


def test_ticks_fit_at_random() -> None:
    rng = np.random.default_rng(1)
    for _ in range(500):
        low = float(rng.normal() * 10.0 ** rng.integers(-300, 300))
        high = low + float(abs(rng.normal()) * 10.0 ** rng.integers(-10, 3)) * max(abs(low), 1e-300)
        if not low < high < math.inf:
            continue
        most = int(rng.integers(2, 12))
        found = ticks(low, high, most)
        assert 0 < len(found) <= most
        slack = 1e-6 * (high - low)
        assert all(low - slack <= t.place <= high + slack for t in found)


def test_logarithmic_ticks() -> None:
    assert [t.label for t in log_ticks(-3, 3, 8)] == ["0.001", "0.01", "0.1", "1", "10", "100", "1000"]
    assert 2 <= len(log_ticks(-300, 300, 4)) <= 4
    assert [t.label for t in log_ticks(math.log10(2.1), math.log10(2.4), 4)] == ["2.1", "2.2", "2.3", "2.4"]
    assert decimal(-25, -12) == "-2.5e-11"


# Options.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grids": []}, "plot needs a range: --grid x=-5:5"),
        ({"grids": ["x=1"]}, "--grid x=1: plot needs a range: --grid x=-5:5"),
        ({"grids": ["x=1,2"]}, "--grid x=1,2: plot needs a range: --grid x=-5:5"),
        ({"grids": ["x=1:1"]}, "--grid x=1:1: the range has one point, and a picture needs more"),
        ({"grids": ["x=2:1"]}, "--grid x=2:1: the range ends before it begins"),
        ({"grids": ["x=0:inf"]}, "--grid x=0:inf: the ends must be finite"),
        ({"grids": ["x=-1e308:1e308"]}, "--grid x=-1e308:1e308: the range is wider than the largest double"),
        ({"grids": ["x=1:1+1e-15"]}, "--grid x=1:1+1e-15: the range is too narrow: doubles are not near enough"),
        ({"grids": ["x=0:1:1"]}, "--grid x=0:1:1: the count is a whole number from 2 to 100000"),
        ({"grids": ["x=0:1:2:3"]}, "--grid x=0:1:2:3: a range is START:STOP or START:STOP:COUNT"),
        ({"grids": ["3x4"]}, "--grid needs NAME=START:STOP, such as x=-5:5, not '3x4'"),
        ({"grids": ["x=0:1", "x=0:2"]}, "--grid: 'x' is given twice"),
        ({"grids": ["x=0:1", "a=0:2", "b=0:1"]}, "a picture has one or two ranges, not 3"),
        ({"grids": ["z=0:1"], "at": ["x=1"]}, "'z' is not used in the expression"),
        ({"at": ["x=1"]}, "'x' has a range and a value: leave out one of --grid and --at"),
        ({"ylim": "1"}, "--ylim needs LOW:HIGH, such as -1:1, not '1'"),
        ({"ylim": "2:1"}, "--ylim 2:1: the range ends before it begins"),
        ({"ylim": "1:1"}, "--ylim 1:1: the range has one point"),
        ({"ylim": "-1e308:1e308"}, "--ylim -1e308:1e308: the range is wider than the largest double"),
        ({"ylim": "0:1", "log": "y"}, "--ylim 0:1: a logarithmic axis needs a range above 0"),
        ({"log": "x"}, "--grid x=-2:2: a logarithmic axis needs a range above 0"),
        ({"tangents": ["1"]}, "--tangent needs NAME=VALUE, such as x=1, not '1'"),
        ({"tangents": ["y=1"]}, "--tangent y=1: it is drawn over 'x'"),
        ({"taylors": ["x=1"]}, "--taylor needs NAME=VALUE:ORDER, such as x=0:5, not 'x=1'"),
        ({"taylors": ["x=1:31"]}, "--taylor x=1:31: the order is a whole number from 0 to 30"),
        ({"taylors": ["x=inf:3"]}, "--taylor x=inf:3: the value must be finite"),
        ({"kind": "contour"}, "--kind contour is for surfaces"),
        ({"arrows": 3}, "--arrows is for surfaces"),
        ({"order": -1}, "the order must be at least 0"),
        ({"order": 30}, "31 outputs and derivatives are too many for a picture: the limit is 24"),
        ({"wrt": ["q"]}, "--wrt: 'q' is not used in the expression"),
    ],
)
def test_wrong_requests(options: dict[str, object], message: str) -> None:
    with pytest.raises(GradError) as error:
        of("x**2", **options)
    assert error.value.message.startswith(message) and error.value.exit_code == 2


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        (["a*x"], {}, "variable 'a' has no value"),
        (["a*x + b"], {}, "variables 'a' and 'b' have no value"),
        (["sqrt(x)"], {"grids": ["x=-5:-1"]}, "sqrt(x) has no value in -5:-1"),
        (["-x*x"], {"log": "y"}, "-x*x has no value above 0 in -2:2"),
        (["sqrt(-x*x-y*y-1)"], {"grids": ["x=0:1", "y=0:1"]}, "sqrt(-x*x - y*y - 1) has no value in x=0:1, y=0:1"),
        (["x*y"], {"grids": ["x=0:1", "y=0:1"], "tangents": ["x=1"]}, "--tangent is for a curve"),
        (["sum(x)"], {}, "sum with one argument takes all points at once"),
        (["abs(x)"], {"tangents": ["x=0"]}, "--tangent x=0: there is no derivative"),
        (["log(x)"], {"taylors": ["x=0:2"]}, "--taylor x=0:2: there is no value"),
        (["abs(x)**3"], {"taylors": ["x=0:3"]}, "--taylor x=0:3: there is no derivative of order 3"),
    ],
)
def test_what_cannot_be_drawn(texts: list[str], options: dict[str, object], message: str) -> None:
    with pytest.raises(GradError) as error:
        of(*texts, **options)
    assert error.value.message.startswith(message)


def test_ranges() -> None:
    assert read_range("x=-pi:pi")[1:3] == (-math.pi, math.pi)
    assert read_range("x=log:1:1000:4")[1:5] == (1, 1000, 4, True)
    assert read_range("`a b`=0:1").name == "a b"


# Curves.


def test_derivatives_have_curves_and_panels_by_scale() -> None:
    assert [len(p.series) for p in of("sin(x)", order=3).panels] == [4]
    assert [[s.name for s in p.series] for p in of("sin(100*x)", order=2).panels] == [["f"], ["df_dx"], ["d2f_dx2"]]
    assert len(of("sin(100*x)", order=2, ylim="-1:1").panels) == 1


def test_derivatives_in_other_variables() -> None:
    drawn = of("a*exp(-b*x)", at=["a=2,b=1"], wrt=["a", "b"], order=1, grids=["x=0:5"])
    assert [c.label for line in drawn.legend for c in line] == ["f", "\u2202f/\u2202a", "\u2202f/\u2202b"]
    assert [s.name for p in drawn.panels for s in p.series] == ["f", "df_da", "df_db"]


def test_counted_points_are_joined_as_they_are() -> None:
    (series,) = of("x**2", grids=["x=0:2:3"]).panels[0].series
    (stroke,) = series.strokes
    assert stroke.x.tolist() == [0, 1, 2] and stroke.y.tolist() == [0, 1, 4]
    (dots,) = of("1/x", grids=["x=log:1:100:3"], style="dots").panels[0].series
    assert dots.measured.x.tolist() == pytest.approx([1, 10, 100])


def test_hard_points_are_told() -> None:
    assert of("floor(x) + 1/(x - 0.25)").notes == ["3 jumps, 1 pole near x=0.25"]
    notes = of("1/x", "x").notes
    assert notes == ["f1: 1 pole near x=0"]


def test_constants_and_tiny_ranges_are_drawn() -> None:
    for text, grid in (("3 + 0*x", "x=0:1"), ("x", "x=1e-300:2e-300"), ("1e300*x", "x=0:1"), ("x", "x=1e12:1e12+1")):
        frame = of(text, grids=[grid]).panels[0].frame
        assert frame.bottom < frame.top and math.isfinite(frame.top - frame.bottom)


@pytest.mark.parametrize(
    ("text", "place", "order"), [("sin(x)", 0.7, 5), ("exp(x)/(1+x)", 1, 4), ("x**x", 2, 3), ("log(x)", 3, 6)]
)
def test_taylor_polynomials_have_the_derivatives_of_diff(text: str, place: float, order: int) -> None:
    ((_, e),) = parse(text).outputs
    polynomial = overlay(Curve(e, "x"), Overlay(place, order, False), "x")
    partials = derivatives(polynomial, ["x"], order)
    found = at_point([polynomial, *[partials[(0,) * k] for k in range(1, order + 1)]], {"x": place})
    truth = run(Job([text], order=order, at=[f"x={place!r}"], careful=False))
    wanted = [column[0] for column in truth.output.whole()][1:]
    assert found == pytest.approx(wanted, rel=1e-15)


def test_overlays_touch_their_curve() -> None:
    series = of("x**3 - 3*x", tangents=["x=2"], taylors=["x=0:1"], grids=["x=-3:3"]).panels[0].series
    assert [s.kind for s in series] == ["curve", "taylor", "tangent"]
    tangent = series[2]
    slope = np.diff(tangent.strokes[0].y) / np.diff(tangent.strokes[0].x)
    assert slope == pytest.approx(9) and tangent.dots[0][:2] == (2, 2)


# Data.


def written(path: Path, rows: list[tuple[object, ...]]) -> Data:
    path.write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n")
    return Data([str(path)])


def test_data_are_columns_by_name(tmp_path: Path) -> None:
    data = written(tmp_path / "d.csv", [("u_y", "x", "y", "note"), (0.5, 1, 3, 7), (0.1, -1, 2, 7), (1, 9, 9, 7)])
    drawn = of("y = x**2", data=data)
    points, curve = drawn.panels[0].series
    assert points.measured.x.tolist() == [1, -1] and points.measured.uy.tolist() == [0.5, 0.1]
    assert np.isnan(points.measured.ux).all() and curve.kind == "curve"
    assert [c.text for line in drawn.legend for c in line] == ["x**2", "data"]


def test_data_make_room(tmp_path: Path) -> None:
    data = written(tmp_path / "d.csv", [("x", "f", "u_f"), (1, 30, 5)])
    frame = of("x**2", data=data).panels[0].frame
    assert frame.top > 35 and frame.bottom < 0


def test_data_without_the_column(tmp_path: Path) -> None:
    data = written(tmp_path / "d.csv", [("x", "y"), (1, 3)])
    with pytest.raises(GradError) as error:
        of("x**2", data=data)
    assert "there is no column 'f'" in error.value.message
    assert error.value.hint == 'name the output as its column: "y = ..."'
    with pytest.raises(GradError, match="there is no column 'x'"):
        of("f = x", data=written(tmp_path / "e.csv", [("t", "f"), (1, 3)]))
    with pytest.raises(GradError, match="there are no rows"):
        of("f = x", data=written(tmp_path / "n.csv", [("x", "f")]))


def test_many_points_are_thinned_and_long_bars_are_kept() -> None:
    frame = Frame(0, 1, 0, 1, 800, 400)
    rng = np.random.default_rng(3)
    x, y = rng.random((2, 200_000))
    u = np.full(len(x), 0.01)
    u[::1000] = 0.3
    found = Columns(x, y, None, u).thinned(frame)
    assert found.total == 200_000 and 2_000 < len(found.x) <= 12_000
    assert np.count_nonzero(found.uy == 0.3) > 150
    # What is left out lies beside what is drawn.
    near = np.hypot((x[:300, None] - found.x) * 800, (y[:300, None] - found.y) * 400).min(axis=1)
    assert near.max() < 20


def test_nothing_of_data_is_lost_when_few() -> None:
    x = np.array([0.1, 0.5, np.nan, 0.7, 2.0])
    found = Columns(x, np.array([0.1, np.inf, 0.3, 0.7, 0.5]), None, None).thinned(Frame(0, 1, 0, 1, 100, 100))
    assert found.x.tolist() == [0.1, 0.7] and found.total == 2


# Layout.


def test_panels_do_not_overlap() -> None:
    for canvas in (pixel_canvas(160, 120), CANVAS, text_canvas(24, 6), text_canvas(200, 50)):
        for count in (1, 2, 5):
            layout = arranged(canvas, count, ["-0.25"], ["df/dx"], 2, ("x", ""))
            tops = layout.tops
            assert all(b - a >= layout.height for a, b in pairwise(tops))
            assert layout.left > 0 and layout.width > 0


# Surfaces.


def test_surfaces_have_their_values_and_gradients() -> None:
    drawn = of("x**2 - y", grids=["x=-2:2", "y=0:1"], arrows=4)
    field = drawn.panels[0].field
    mesh = field.raster.x[None, :] ** 2 - field.raster.y[:, None]
    assert np.allclose(field.raster.values, mesh)
    assert all((a.dx, a.dy) == (2 * a.x, -1) for a in field.arrows) and field.arrows
    assert drawn.panels[0].y.label == "y" and drawn.description.startswith(
        "f = x**2 - y over x from -2 to 2 and y from"
    )
    assert not of("x*y", grids=["x=0:1", "y=0:1"], arrows=0).panels[0].field.arrows
    assert not of("x*y", grids=["x=0:1", "y=0:1"], kind="contour").panels[0].field.heat


def test_derivatives_of_surfaces_have_panels() -> None:
    drawn = of("x*y", grids=["x=0:1", "y=0:1"], order=1)
    assert len(drawn.panels) == 3
    drawn = of("x*y", grids=["x=0:1:5", "y=0:1:3"])
    assert drawn.panels[0].field.raster.values.shape == (3, 5)
