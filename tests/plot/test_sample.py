"""Pictures against the curve itself: half a pixel everywhere, nothing missed, nothing invented."""

import math

import numpy as np
import pytest
from true_curves import CASES, HEIGHT, WIDTH, Case

from gradcli.errors import GradError
from gradcli.language import parse
from gradcli.plot.curve import Curve
from gradcli.plot.limits import limits, padded
from gradcli.plot.sample import Frame, Sampled, sampled

POINTS = 20_000
HALF = 0.5
FALSE = 0.15
"""The share of the height of a picture that a false vertical takes at least."""


def curve_of(text: str) -> Curve:
    (_, e), *_ = parse(text).outputs
    return Curve(e, "x")


def pictured(case: Case) -> tuple[Curve, Frame, Sampled]:
    curve = curve_of(case.text)
    ends = limits(curve, case.left, case.right)
    assert ends is not None
    frame = Frame(case.left, case.right, *padded(*ends), WIDTH, HEIGHT)
    return curve, frame, sampled(curve, frame)


def truth(case: Case, count: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(len(case.text))
    x = rng.uniform(case.left, case.right, count)
    if case.near is not None:
        middle, reach = case.near
        x = np.concatenate(
            [x, np.linspace(max(middle - reach, case.left), min(middle + reach, case.right), count // 4)]
        )
    x = np.sort(x)
    with np.errstate(all="ignore"):
        return x, case.true(x)


def distances(picture: Sampled, frame: Frame, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How many pixels points of the curve that lie in the frame are from what is drawn."""
    k = np.clip(np.searchsorted(picture.x, x, side="right") - 1, 0, len(picture.x) - 2)
    left, right = picture.x[k], picture.x[k + 1]
    with np.errstate(all="ignore"):
        t = (x - left) / (right - left)
        slope = (picture.y[k + 1] - picture.y[k]) / (right - left) * frame.up / frame.across
        chord = np.abs(picture.y[k] * (1 - t) + picture.y[k + 1] * t - y) * frame.up / np.sqrt(1 + slope * slope)
        bar = np.maximum(0, np.maximum(picture.low[k] - y, y - picture.high[k])) * frame.up
        # In a gap the curve is as far as the point at which it is drawn again.
        gap = np.minimum(np.abs(x - left), np.abs(x - right)) * frame.across
    away = np.where(picture.gap[k], gap, np.where(picture.bar[k], bar, chord))
    seen = np.isfinite(y) & (y >= frame.bottom) & (y <= frame.top)
    return np.where(seen, away, 0.0)


def false_verticals(picture: Sampled, frame: Frame, case: Case) -> int:
    """Long segments that the curve does not follow: it has no value near their middle."""
    shown = np.clip(picture.y, frame.bottom, frame.top)
    height = frame.top - frame.bottom
    long = (np.abs(np.diff(shown)) > FALSE * height) & ~picture.gap & ~picture.bar
    count = 0
    for k in np.flatnonzero(long):
        with np.errstate(all="ignore"):
            y = case.true(np.linspace(picture.x[k], picture.x[k + 1], 5001))
        count += not np.any(np.abs(y - (shown[k] + shown[k + 1]) / 2) < FALSE * height)
    return count


def overdrawn(picture: Sampled, frame: Frame, case: Case) -> float:
    """How many pixels bars reach beyond the curve within half a pixel of them, at most."""
    most = 0.0
    bars = np.flatnonzero(picture.bar)
    for k in bars[:: max(1, len(bars) // 25)]:
        reach = HALF / frame.across
        x = np.linspace(picture.x[k] - reach, picture.x[k + 1] + reach, 4001)
        if case.near is not None:
            x = np.append(x, case.near[0])
        with np.errstate(all="ignore"):
            y = case.true(x)
        low, high = np.clip([picture.low[k], picture.high[k]], frame.bottom, frame.top)
        most = max(most, (np.nanmin(y) - low) * frame.up, (high - np.nanmax(y)) * frame.up)
    return most


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.text} {c.left}:{c.right}")
def test_pictures_are_right_to_half_a_pixel(case):
    _, frame, picture = pictured(case)
    assert picture.complete and np.all(np.diff(picture.x) > 0)
    assert distances(picture, frame, *truth(case)).max() <= HALF
    assert false_verticals(picture, frame, case) == 0
    assert overdrawn(picture, frame, case) <= HALF
    if case.tame:
        assert len(picture.x) <= 220


def drawn(picture: Sampled) -> float:
    """The greatest value that is drawn."""
    joined = ~picture.gap
    return max(float(np.max(picture.high[joined])), float(np.nanmax(picture.y)))


@pytest.mark.quick
@pytest.mark.parametrize("factor", [1e6, 1e10, 1e16, 1e24])
def test_a_spike_of_any_width_is_drawn(factor):
    curve = curve_of(f"exp(-{factor:g}*(x-0.123456)**2)")
    picture = sampled(curve, Frame(0, 1, -0.03, 1.03, WIDTH, HEIGHT))
    assert drawn(picture) > 1 - 1 / HEIGHT


def test_a_pole_of_any_weight_is_found():
    curve = curve_of("1e-12/(x-0.3)**2")
    picture = sampled(curve, Frame(0, 1, -0.1, 1, WIDTH, HEIGHT))
    (hard,) = picture.hard
    assert hard.place.x == 0.3 and hard.left.limit == hard.right.limit == math.inf


@pytest.mark.quick
def test_a_removable_point_is_no_gap():
    for text, at, limit in (("sin(x)/x", 0, 1), ("(x**2-1)/(x-1)", 1, 2), ("sin(x)**2/x", 0, 0), ("x*log(x**2)", 0, 0)):
        for left, right in ((-5, 5), (-4.7, 5.3)):
            picture = sampled(curve_of(text), Frame(left, right, -3, 3, WIDTH, HEIGHT))
            k = int(np.searchsorted(picture.x, at - 1e-9))
            assert picture.y[k] == pytest.approx(limit, abs=1e-6)
            near = np.abs(picture.x[:-1] - at) < 0.02
            assert not picture.gap[near].any()


def test_gaps_are_at_jumps_and_only_between_their_limits():
    picture = sampled(curve_of("floor(x)"), Frame(-2.5, 2.5, -4, 4, WIDTH, HEIGHT))
    gaps = np.flatnonzero(picture.gap)
    assert np.rint(picture.x[gaps]).tolist() == [-2, -1, 0, 1, 2]
    assert np.all(np.diff(picture.x)[gaps] < 1e-12)
    assert (picture.y[gaps + 1] - picture.y[gaps]).tolist() == [1] * 5


def test_kinks_are_points():
    picture = sampled(curve_of("abs(x-1/3)"), Frame(-1, 1, -0.1, 1.4, WIDTH, HEIGHT))
    assert np.min(np.abs(picture.x - 1 / 3)) < 1e-15
    assert not picture.gap.any()


def test_a_curve_that_stands_still():
    curve = curve_of("sin(x)**2+cos(x)**2")
    low, high = limits(curve, -5, 5)
    assert 1 - 1e-15 <= low <= high <= 1 + 1e-15
    assert padded(low, high) == pytest.approx((0.5, 1.5))
    picture = sampled(curve, Frame(-5, 5, *padded(low, high), WIDTH, HEIGHT))
    assert len(picture.x) <= 220 and not picture.gap.any() and np.allclose(picture.y, 1)


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [("x*1e300", 0, 1), ("x", -1e300, 1e300), ("x", 0, 1e-299), ("x/1e300", -1, 1), ("x**2", -1e-140, 1e-140),
     ("1e300/x", -1, 1), ("exp(500*x)", -1, 1), ("x+1e15", 0, 1), ("1/x", -1e-299, 1e-299), ("x**3", 1e100, 1e102)],
)  # fmt: skip
def test_huge_and_tiny_numbers(text, left, right):
    curve = curve_of(text)
    ends = limits(curve, left, right)
    assert ends is not None and all(map(math.isfinite, ends)) and ends[0] <= ends[1]
    frame = Frame(left, right, *padded(*ends), WIDTH, HEIGHT)
    picture = sampled(curve, frame)
    assert picture.complete and len(picture.x) <= 300
    assert np.isfinite(picture.y).sum() > len(picture.x) / 2


@pytest.mark.quick
@pytest.mark.parametrize(
    ("left", "right", "why"),
    [(1, 1, "to a greater"), (2, 1, "to a greater"), (math.nan, 1, "to a greater"), (0, math.inf, "farther"),
     (-1e308, 1e308, "farther"), (1, 1 + 1e-13, "450 doubles"), (1e15, 1e15 + 8, "64 doubles"),
     (0, 1e-310, "too near")],
)  # fmt: skip
def test_ranges_without_a_picture(left, right, why):
    curve = curve_of("x**2")
    with pytest.raises(GradError, match=why):
        limits(curve, left, right)
    with pytest.raises(GradError, match=why):
        sampled(curve, Frame(left, right, 0, 1, WIDTH, HEIGHT))


@pytest.mark.quick
def test_outside_the_domain_there_is_nothing():
    curve = curve_of("sqrt(x)")
    assert limits(curve, -5, -1) is None
    picture = sampled(curve, Frame(-5, -1, 0, 1, WIDTH, HEIGHT))
    assert picture.gap.all() and not picture.hard


def test_what_lies_above_the_picture_is_not_drawn():
    picture = sampled(curve_of("x**2"), Frame(-100, 100, 0, 1, WIDTH, HEIGHT))
    middles = (picture.x[:-1] + picture.x[1:]) / 2
    assert picture.gap[np.abs(middles) > 5].all() and not picture.gap[np.abs(middles) < 0.9].any()


def test_a_function_without_a_rule_is_sampled_at_equal_distances(monkeypatch):
    curve = curve_of("floor(x)+sin(x)/x+1/(x-2)")
    frame = Frame(-3, 3, -10, 10, WIDTH, HEIGHT)
    curve.sampled = "some"
    picture = sampled(curve, frame)
    assert len(picture.x) >= 4 * WIDTH
    gaps = picture.x[:-1][picture.gap]
    assert all(np.min(np.abs(gaps - k)) < 0.01 for k in (-2, -1, 1, 2))
    x = np.random.default_rng(1).uniform(-3, 3, POINTS)
    y = np.floor(x) + np.sin(x) / x + 1 / (x - 2)
    assert distances(picture, frame, x, y).max() <= HALF


def test_a_long_expression_is_sampled_at_equal_distances():
    curve = curve_of("+".join(f"sin({k}*x)/{k}" for k in range(1, 600)))
    assert curve.sampled is not None and curve.sampled.endswith("operations")
    picture = sampled(curve, Frame(0.1, 6, -1, 3, 200, 100))
    x = np.linspace(0.2, 5.9, 1000)
    y = sum(np.sin(k * x) / k for k in range(1, 600))
    assert np.abs(np.interp(x, picture.x, picture.y) - y).max() < 0.05


@pytest.mark.parametrize(("text", "log", "true"), [
    ("x**3", "xy", lambda t: 3 * t),
    ("1/x", "x", lambda t: 10**-t),
    ("exp(-x)+1e-6", "y", lambda x: np.log10(np.exp(-x) + 1e-6)),
    ("x*exp(-x)", "xy", lambda t: t - 10**t / math.log(10)),
])  # fmt: skip
def test_logarithmic_axes(text, log, true):
    (_, e), *_ = parse(text).outputs
    curve = Curve(e, "x", log)
    left, right = (-2.0, 2.0) if "x" in log else (0.0, 20.0)
    ends = limits(curve, left, right)
    assert ends is not None
    frame = Frame(left, right, *padded(*ends), WIDTH, HEIGHT)
    x = np.random.default_rng(1).uniform(left, right, POINTS)
    picture = sampled(curve, frame)
    assert len(picture.x) <= 260
    assert distances(picture, frame, x, true(x)).max() <= HALF


def test_logarithms_of_what_is_not_positive_are_not_drawn():
    (_, e), *_ = parse("x").outputs
    curve = Curve(e, "x", "y")
    picture = sampled(curve, Frame(-1, 1, -4, 1, WIDTH, HEIGHT))
    assert picture.gap[picture.x[:-1] < -1e-9].all()
