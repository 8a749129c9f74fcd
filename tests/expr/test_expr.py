"""Interning, exact simplification, canonical order, printing."""

import copy
import gc
import math
from fractions import Fraction

import pytest

from gradcli.errors import GradError
from gradcli.expr import (
    ONE,
    TWO,
    ZERO,
    Expr,
    apply,
    bit,
    const,
    constant,
    exact,
    post_order,
    printing,
    reachable,
    readable,
    rebuild,
    statements,
    substitute,
    text,
    var,
    variables,
)
from gradcli.expr.node import _pauses, _resume, _table, collector_paused
from gradcli.limits import work

pytestmark = pytest.mark.quick

x, y, z = var("x"), var("y"), var("z")


def sin(e: Expr) -> Expr:
    return apply("sin", e)


def test_one_object_per_meaning():
    assert sin(x * y) is sin(y * x)
    assert const(0.1) + const(0.2) is const(Fraction(3, 10))
    assert const(-0.0) is not ZERO
    assert const(math.nan) is const(math.nan)


def test_intern_table_lets_go():
    gc.collect()
    before = len(_table.nodes)
    e = sin(var("x") + 12345)
    assert len(_table.nodes) > before
    del e
    gc.collect()
    assert len(_table.nodes) == before


@pytest.mark.parametrize(
    ("made", "simple"),
    [
        (x * 1, x), (x / 1, x), (x**1, x), (apply("neg", -x), x), (x * -1, -x), (x + -y, x - y), (x - -y, x + y),
        (-x + y, y - x), (-x * -y, x * y), (x + x, 2 * x), (-(2 * x), const(-2) * x), (x + const(-2) * y, x - 2 * y),
        (x**0, ONE), (const(2) ** 10, const(1024)), (const(1) / 3, const(Fraction(1, 3))), (const(3) - 5, const(-2)),
        (constant("e") ** x, apply("exp", x)),
    ],
)  # fmt: skip
def test_simplified(made, simple):
    assert made is simple


@pytest.mark.parametrize("kept", [x - x, x / x, ZERO * x, x + ZERO, ZERO / x, 2 * (3 * x), x * (y * z), ONE / ZERO])
def test_left_alone_because_not_exact_in_ieee(kept):
    assert kept.args


def test_negative_zero_stays_a_double():
    assert math.copysign(1, -const(0).value if isinstance(const(0).value, float) else apply("neg", ZERO).value) < 0


@pytest.mark.parametrize(
    "make", [lambda: const(10**400), lambda: const(9) ** 9**9, lambda: const(Fraction(1, 10**400))]
)
def test_constants_outside_the_doubles_are_refused(make):
    with pytest.raises(GradError, match=r"beyond the range|too small"):
        make()


def test_a_fold_beyond_its_bound_stays_unfolded():
    total = ZERO
    for k in range(1, 3000):
        total = total + ONE / k
    assert total.op == "add"


@pytest.mark.parametrize(
    ("e", "printed"),
    [
        (x**2 + x + 1, "x**2 + x + 1"), (1 + x + x**2, "x + 1 + x**2"), (2 * x * sin(y), "2*x*sin(y)"),
        (-(x**2), "-x**2"), ((-x) ** 2, "(-x)**2"), (x ** (y**z), "x**y**z"), ((x**y) ** z, "(x**y)**z"),
        (x - (y - z), "x - (y - z)"), (x / (y * z), "x/(y*z)"), (x * y / z, "x*y/z"), (-(x * y), "-x*y"),
        (const(Fraction(1, 3)) * x, "1/3*x"), (x ** const(Fraction(1, 3)), "x**(1/3)"), (const(1e-7) * x, "1e-7*x"),
        (apply("where", apply("lt", x, y), x, y), "where(x < y, x, y)"), (var("temp C") * 2, "2*`temp C`"),
        (apply("besselj", x, value=2), "besselj(2, x)"), (x ** const(-2), "x**-2"),
        (const(6.02214076e23), "6.02214076e23"),
    ],
)  # fmt: skip
def test_printing(e, printed):
    assert text(e) == printed


def test_shared_parts_become_statements_once():
    part = sin(x * y + 1234567)
    lines = list(statements([("f", part * x), ("g", part / y)]))
    assert lines == [("t1", "sin(x*y + 1234567)"), ("f", "x*t1"), ("g", "t1/y")]
    assert next(iter(statements([("f", var("t1") + part), ("g", part)])))[0] == "t2"


def test_order_does_not_depend_on_history():
    first = text(sin(var("aa")) * sin(var("bb")) + sin(var("cc")))
    gc.collect()
    cc, bb, aa = sin(var("cc")), sin(var("bb")), sin(var("aa"))
    assert text(cc + bb * aa) == first


def test_a_node_stored_by_another_thread_first_is_the_one_kept():
    first, late, dead = sin(var("first")), Expr.__new__(Expr), Expr.__new__(Expr)
    key = ("sin", first.args, None)
    assert _table.keep(key, late) is first
    key = ("an", "unused", "key")
    assert _table.keep(key, dead) is dead
    entry = _table.nodes[key]
    del dead
    _table.nodes[key] = entry  # as a thread finds it between the death of the node and its removal
    assert _table.keep(key, late) is late
    del _table.nodes[key]


def test_variables_of_a_node():
    e = sin(z) * y + x
    assert (variables(e), variables(const(1)), variables(constant("pi"))) == (["x", "y", "z"], [], [])
    assert e.variables == bit("x") | bit("y") | bit("z") and len({bit("x"), bit("y"), bit("z")}) == 3
    assert all(bit(name).bit_count() == 1 for name in "xyz")


def test_variables_of_a_node_take_no_look_at_all_names_of_the_process(monkeypatch):
    class Unlisted(dict[str, int]):
        def never(self):
            raise AssertionError("every name was looked at")

        __iter__ = copy = items = keys = values = never

    for k in range(1000):
        bit(f"met before {k}")
    late = var("met after them")
    monkeypatch.setattr(_table, "bits", Unlisted(_table.bits))
    assert variables(late * x + sin(z)) == ["met after them", "x", "z"]


def test_the_structure_of_a_node():
    e = apply("besselj", x * y, value=2)
    assert (e.op, e.value, e.args) == ("besselj", 2, (x * y,))
    assert x.serial < (x * y).serial < e.serial
    assert len({n.digest for n in (x, y, e, apply("besselj", x * y, value=3), x * y, x - y, y - x, const(2))}) == 8
    assert copy.copy(e) is copy.deepcopy(e) is e
    assert (exact(const(3)), exact(const(math.inf)), exact(x), exact(constant("pi"))) == (3, None, None, None)


def test_traversals():
    e = sin(x * y) + x * y * z
    assert [text(n) for n in post_order([e, x])] == ["x", "y", "x*y", "z", "x*y*z", "sin(x*y)", text(e)]
    nodes = reachable([e, y])
    assert set(nodes) == set(post_order([e, y])) and len(nodes) == 7
    assert all(a.serial < n.serial for n in nodes for a in n.args)
    assert rebuild(e, e.args) is e
    assert rebuild(apply("besselj", x, value=3), (y,)) is apply("besselj", y, value=3)
    assert substitute([e, z], {"x": TWO, "z": x}) == [sin(2 * y) + 2 * y * x, x]


def test_visiting_a_node_takes_a_step():
    e = sin(x * y) + x * y * z
    for visit in (reachable, post_order):
        with work.within(1000):
            visit([e])
            assert work._budget.left == 993
    with work.within(1000):
        assert sin(x * y) * 1 is sin(x * y)
        assert work._budget.left < 1000 - 4 * work.MADE


def test_the_collector_rests_while_nodes_are_made():
    assert gc.isenabled()
    with collector_paused():
        assert not gc.isenabled()
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled() and not _pauses
    with pytest.raises(ValueError, match="inside"), collector_paused():
        raise ValueError("inside")
    assert gc.isenabled() and not _pauses
    gc.disable()
    try:
        with collector_paused():
            _resume()
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
    with collector_paused():
        _resume()
        assert gc.isenabled() and not _pauses


def test_textbook_forms(monkeypatch):
    monkeypatch.setattr(printing, "FORMS", {"inner": lambda a: a + 1, "order": lambda a, n: a * n, "big": beyond})
    monkeypatch.setattr(printing, "KINKS", {"inner"})
    inner, plain = apply("inner", x), sin(x)
    assert readable([sin(inner), apply("order", inner, value=3)]) == [sin(x + 1), (x + 1) * 3]
    assert readable([sin(inner), apply("order", x, value=3)], kinks=True) == [sin(inner), x * 3]
    assert readable([plain]) == [plain]
    assert readable([apply("big", inner)]) == [apply("big", x + 1)]


def beyond(_: Expr) -> Expr:
    return const(10**400)


def test_depth_costs_no_recursion():
    e = x
    for _ in range(50_000):
        e = sin(e) + 1
    assert len(reachable([e])) == 100_002
    assert substitute([e], {"x": TWO})[0].variables == 0
    assert text(e).count("sin") == 50_000
