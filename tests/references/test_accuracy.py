"""Every row of the table against the references: values and all partials up to order 4, on every engine.

`accuracy.py` prints the same measurement with many more points.
"""

import importlib.util
import itertools
import math

import accuracy
import pytest
import reference
from engines import ENGINES, partials
from mpmath import mp
from reference import FIXED_POWERS, REFERENCES

from gradcli.expr import ONE, apply, const, var
from gradcli.functions import TABLE

POINTS = 100
ROWS = [row.name for row in TABLE.values() if not row.internal and not (row.reduces and row.arity == (1, 1))]
"""Every function of a point. Reductions have tests of their own."""

x, y = var("x"), var("y")


def needs(name: str) -> None:
    row = TABLE["power" if name in FIXED_POWERS else name]
    if row.needs and importlib.util.find_spec(row.needs) is None:
        pytest.skip(f"{row.needs} is not installed")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", [*ROWS, *FIXED_POWERS])
def test_accuracy(name, engine):
    assert name in REFERENCES or name in FIXED_POWERS, f"no reference for {name}: add one to references/reference.py"
    needs(name)
    bad = [f for f in accuracy.findings(name, engine, POINTS) if f.share > 1 and not accuracy.limited(name, f)]
    assert not bad, f"{len(bad)} beyond the allowance:\n" + "\n".join(map(accuracy.describe, bad[:10]))


def test_every_reference_has_a_row():
    assert set(REFERENCES) == set(ROWS)


def sinpi_free_sinc(t):
    return mp.sin(mp.pi * t) / (mp.pi * t)


@pytest.mark.parametrize(
    ("name", "f", "at"),
    [
        ("tan", mp.tan, (1.2,)), ("asec", mp.asec, (1.7,)), ("acsch", mp.acsch, (-0.4,)), ("sech", mp.sech, (0.9,)),
        ("coth", mp.coth, (-1.1,)), ("asech", mp.asech, (0.3,)), ("acoth", mp.acoth, (2.5,)), ("erf", mp.erf, (0.7,)),
        ("sinc", sinpi_free_sinc, (0.6,)), ("sinc", sinpi_free_sinc, (7.3,)), ("erfinv", mp.erfinv, (0.8,)),
        ("gamma", mp.gamma, (-2.6,)), ("lgamma", mp.loggamma, (3.3,)), ("digamma", mp.digamma, (-0.2,)),
        ("sigmoid", lambda t: 1 / (1 + mp.exp(-t)), (-2.0,)), ("softplus", lambda t: mp.log(1 + mp.exp(t)), (3.0,)),
        ("hypot", lambda s, t: mp.sqrt(s * s + t * t), (0.3, -1.4)), ("atan2", mp.atan2, (-0.7, -0.2)),
        ("power", mp.power, (1.3, -2.2)), ("logaddexp", lambda s, t: mp.log(mp.exp(s) + mp.exp(t)), (1.0, 0.4)),
    ],
)  # fmt: skip
def test_references_are_derivatives(name, f, at):
    """Central differences at 200 digits: slow and independent of every rule in the references."""
    true = reference.truth(name, at)
    with mp.workdps(200):
        step = mp.mpf(10) ** -30
        for index in [k for order in range(5) for k in reference.indices(len(at), order)]:
            total = mp.mpf(0)
            for shift in itertools.product(*[range(k + 1) for k in index]):
                weight = math.prod((-1) ** i * math.comb(k, i) for k, i in zip(index, shift, strict=True))
                moved = [mp.mpf(v) + (mp.mpf(k) / 2 - i) * step for v, k, i in zip(at, index, shift, strict=True)]
                total += weight * mp.re(f(*moved))
            difference = total / step ** sum(index)
            assert abs(difference - true[index]) < mp.mpf("1e-40") * abs(true[index])


@pytest.mark.parametrize("parameter", [0, 1, 4])
@pytest.mark.parametrize("near", [0.7, 40.0, 300.0])
@pytest.mark.parametrize("name", ["besselj", "bessely", "besseli", "besselk"])
def test_bessel_references(name, parameter, near):
    with mp.workdps(40):
        true = getattr(mp, name)(parameter, near)
        assert abs(reference.truth(name, (near,), parameter)[0,] - true) < mp.mpf("1e-33") * abs(true)


def test_ulp_measure():
    with mp.workprec(120):
        third = reference.mark(mp.mpf(1) / 3, mp.mpf(0))
    assert third.nearest == 1 / 3
    assert 0 < reference.off(1 / 3, third) < 0.5 < reference.off(math.nextafter(1 / 3, 1), third) < 1.5
    vast, tiny = (reference.mark(mp.ldexp(1, k), mp.mpf(0)) for k in (1024, -1080))
    largest = math.nextafter(math.inf, 0)
    assert reference.off(math.inf, vast) == 0
    assert reference.off(largest, vast) == 1
    assert reference.off(-math.inf, vast) == reference.off(math.nan, vast) == math.inf
    assert reference.off(0.0, tiny) == reference.off(5e-324, tiny) == 0
    assert 1.9 < reference.off(1e-323, tiny) < 2
    assert reference.off(math.inf, reference.mark(mp.mpf(largest), mp.mpf(0))) == 1
    assert reference.off(math.inf, reference.mark(mp.mpf(1), mp.mpf(0))) == math.inf


# Points where at least one well-known library is wrong in the value or a first derivative.
HARD: list[tuple[str, tuple[float, ...]]] = [
    ("cbrt", (-8.0,)), ("sinc", (1e-8,)), ("sinc", (1e-4,)), ("tanh", (20.0,)), ("sigmoid", (40.0,)),
    ("softplus", (25.0,)), ("logaddexp", (1e3, 1e3)), ("erfc", (26.0,)), ("lgamma", (-0.5,)), ("acosh", (1 + 1e-12,)),
    ("acosh", (1e200,)), ("asin", (1 - 1e-12,)), ("atanh", (1 - 1e-12,)), ("hypot", (1e200, 1e200)),
    ("atan2", (1e-200, 1e-200)), ("atan2", (1e200, 1e200)),
]  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "at"), HARD, ids=[f"{name} @ {at}" for name, at in HARD])
def test_hard_points(name, at, engine):
    marks = reference.marks(name, at)
    args = (x, y)[: len(at)]
    found = partials(apply(name, *args), dict(zip("xy", at, strict=False)), 1, engine=engine)
    first = [k for order in (0, 1) for k in reference.indices(len(at), order)]
    for key, index in zip(found, first, strict=True):
        m = marks[index]
        assert reference.off(found[key], m) <= reference.allowance(accuracy.error(name), sum(index), m), (
            key,
            found[key],
            m.nearest,
        )


@pytest.mark.parametrize("engine", ENGINES)
def test_hard_points_of_the_users_own_formulas(engine):
    """What these formulas say in doubles is kept, cancellation and inf*0 included; what to use is beside each."""
    exp, log, sqrt, cos = (lambda *a, n=n: apply(n, *a) for n in ("exp", "log", "sqrt", "cos"))
    assert math.isnan(partials(ONE / (ONE + exp(-x)), {"x": -800.0}, 1, engine=engine)["df_dx"])
    assert partials(apply("sigmoid", x), {"x": -800.0}, 1, engine=engine)["df_dx"] == 0
    assert math.isnan(partials(log(ONE + exp(x)), {"x": 800.0}, 1, engine=engine)["df_dx"])
    assert partials(apply("softplus", x), {"x": 800.0}, 1, engine=engine)["df_dx"] == 1
    assert math.isnan(partials(log(x + sqrt(x * x + ONE)), {"x": -1e8}, 1, engine=engine)["df_dx"])
    assert partials(apply("asinh", x), {"x": -1e8}, 1, engine=engine)["df_dx"] == 1e-8
    assert abs(partials((ONE - cos(x)) / x**2, {"x": 1e-8}, 1, engine=engine)["df_dx"]) > 1
    norm = partials(sqrt(x * x + y * y), {"x": 1e200, "y": 1e200}, 1, engine=engine)
    assert math.isinf(norm["f"])
    assert norm["df_dx"] == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_high_orders(engine):
    """d^40 of exp(sin(x)) and of 1/(1 + 25*x**2): relative error under 1e-12."""
    with mp.workdps(120):
        at = mp.mpf(0.7)
        sine = [mp.sin(at + k * mp.pi / 2) / mp.factorial(k) for k in range(41)]
        first = [mp.exp(sine[0])]
        for k in range(1, 41):
            first.append(mp.fsum(j * sine[j] * first[k - j] for j in range(1, k + 1)) / k)
        # 1/(1 + 25*t**2) is the real part of 1/(1 - 5i*t)
        second = mp.re((5j) ** 40 / (1 - 5j * at) ** 41)
        true = [first[40] * mp.factorial(40), second * mp.factorial(40)]
    for e, t in zip((apply("exp", apply("sin", x)), ONE / (ONE + const(25) * x**2)), true, strict=True):
        computed = partials(e, {"x": 0.7}, 40, engine=engine)["d40f_dx40"]
        assert abs(mp.mpf(computed) / t - 1) < 1e-12


@pytest.mark.parametrize("engine", ENGINES)
def test_the_worst_turn(engine):
    """The double nearest to a multiple of pi/2, where the C library's own reduction is a few ulp off."""
    at = 6381956970095103 * 2.0**797
    for name in ("sin", "cos", "tan", "sec", "csc", "cot"):
        marks = reference.marks(name, (at,))
        found = partials(apply(name, x), {"x": at}, 1, engine=engine)
        assert reference.off(found["f"], marks[0,]) <= 16
        assert reference.off(found["df_dx"], marks[1,]) <= 32


@pytest.mark.parametrize("n", [19, 40, 41, 165, 171, 1000])
def test_polygamma_of_any_order(n):
    """A double wherever one is near, 0 and the infinities beyond, though n! and the power leave the doubles before."""
    needs("polygamma")
    near = [-7.25, -3.4, -0.5, 1e-9, 0.3, 1.5, 9.0, 2.0 * n, 2.5 * n, 20.0 * n, 5e3, 1e6, 1e16]
    found = [partials(apply("polygamma", x, value=n), {"x": at}, 0)["f"] for at in near]
    with mp.workdps(60 + n // 2):
        for at, value in zip(near, found, strict=True):
            # Stepped up to where mpmath's expansion holds.
            steps = max(0, math.ceil(2 * n - at))
            lost = mp.fsum((mp.mpf(at) + k) ** -(n + 1) for k in range(steps))
            true = (-1) ** (n + 1) * mp.factorial(n) * lost + mp.polygamma(n, mp.mpf(at) + steps)
            if abs(true) > mp.mpf(2) ** 1024:
                assert value == math.copysign(math.inf, true), at
            else:
                assert abs(value - true) <= 32 * math.ulp(float(true)), at
    ends = [partials(apply("polygamma", x, value=n), {"x": at}, 0)["f"] for at in (math.inf, -math.inf, math.nan)]
    assert ends[0] == 0
    assert all(map(math.isnan, ends[1:]))
