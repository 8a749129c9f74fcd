"""Random expressions with reductions: their gradients, and gradients of those, against differences at many digits."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from gradcli.errors import GradError
from gradcli.expr import Expr, apply, const, reachable, text, var
from gradcli.job.gradient import GradJob, grad_formulas, run_grad
from gradcli.language import parse


def gradients(expression: str, wrt: str = "x", **request: Any) -> dict[str, list[float]]:
    result = run_grad(GradJob([expression], wrt.split(","), **request))
    columns = zip(result.shapes or result.names, result.whole(), strict=True)
    return {n: [float(v) for v in c] for n, c in columns if n.startswith("grad_") and c is not None}


POINTS = [0.5, 1.25, 2.0]


def at_points(e: Expr, x: list[mpf], a: mpf) -> Any:
    """The value of a node at each point, as a list; at the precision that is set."""
    known: dict[Expr, list[mpf]] = {}
    for node in reachable([e]):
        args = [known[arg] for arg in node.args]
        if node.op == "var":
            known[node] = x if node.value == "x" else [a] * len(x)
        elif node.op == "const":
            value = Fraction(node.value)  # type: ignore[arg-type]
            known[node] = [mpf(value.numerator) / value.denominator] * len(x)
        elif node.op in OVER_ALL and len(args) == 1:
            known[node] = [OVER_ALL[node.op](args[0])] * len(x)
        else:
            known[node] = [AT_EACH[node.op](*values) for values in zip(*args, strict=True)]
    return known[e]


OVER_ALL: dict[str, Callable[..., mpf]] = {
    "sum": mp.fsum, "mean": lambda v: mp.fsum(v) / len(v), "prod": mp.fprod, "max": max, "min": min,
    "norm": lambda v: mp.sqrt(mp.fsum([one**2 for one in v])),
}  # fmt: skip
AT_EACH: dict[str, Callable[..., mpf]] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "neg": lambda a: -a,
    "div": lambda a, b: a / b, "sin": mp.sin, "power": lambda a, b: a**b, "atan": mp.atan,
}  # fmt: skip


@st.composite
def expressions(draw: st.DrawFn) -> Expr:
    nodes = [var("x"), var("a"), const(2)]
    for kind in draw(st.lists(st.sampled_from(["pair", "pair", "one", "all", "all"]), min_size=2, max_size=7)):
        pick = st.sampled_from(nodes)
        if kind == "pair":
            made = apply(draw(st.sampled_from(["add", "sub", "mul"])), draw(pick), draw(pick))
        elif kind == "one":
            made = apply(draw(st.sampled_from(["sin", "atan", "neg"])), draw(pick))
        else:
            made = apply(draw(st.sampled_from(["sum", "mean", "prod", "norm", "max", "min"])), draw(pick))
        nodes.append(made)
    return nodes[-1]


def loss(e: Expr, x: list[mpf], a: mpf) -> mpf:
    values = at_points(e, x, a)
    return mp.fsum(values) if not single(e) else values[0]


def single(e: Expr) -> bool:
    """Whether a node is one number: x stands in reductions alone."""
    fixed: dict[Expr, bool] = {}
    for node in reachable([e]):
        reduced = node.op in OVER_ALL and len(node.args) == 1
        fixed[node] = node is not var("x") and (reduced or all(fixed[arg] for arg in node.args))
    return fixed[e]


def smooth(e: Expr) -> bool:
    """Whether no extreme is attained twice nor a norm 0 at the points, where differences are no gradients."""
    x, a = [mpf(v) for v in POINTS], mpf("0.75")
    for node in reachable([e]):
        if node.op in ("max", "min", "norm", "prod") and len(node.args) == 1:
            values = at_points(node.args[0], x, a)
            if node.op == "norm" and max(map(abs, values)) < 1e-3:
                return False
            if node.op in ("max", "min") and min(abs(p - q) for p, q in itertools.combinations(values, 2)) < 1e-3:
                return False
        if max(map(abs, at_points(node, x, a))) > 1e6:
            return False
    return True


def close(found: float, true: mpf, scale: float) -> bool:
    return bool(abs(found - true) <= 1e-9 * (1 + abs(true) + scale))


def slope(f: Callable[[mpf], mpf]) -> mpf:
    step = mpf(10) ** -20
    return (f(step) - f(-step)) / (2 * step)


@settings(max_examples=80)
@given(expressions(), st.sampled_from(["scalar", "vector", "native"]))
def test_random_gradients(e: Expr, chosen: str) -> None:
    with mp.workdps(60):
        x, a = [mpf(v) for v in POINTS], mpf("0.75")
        if not smooth(e):
            return
        request: dict[str, Any] = {"at": ["a=0.75"], "grids": ["x=0.5,1.25,2"], "engine": chosen}
        used = [name for name in ("x", "a") if var(name) in reachable([e])]
        if not used:
            return
        found = gradients(text(e), wrt=",".join(used), allow_unused=True, **request)
        scale = float(max(max(map(abs, at_points(node, x, a))) for node in reachable([e])))
        if "a" in used:
            true = slope(lambda h: loss(e, x, a + h))
            assert close(found["grad_a"][0], true, scale)
        for k in range(len(x) if "x" in used else 0):
            true = slope(lambda h, k=k: loss(e, [v + h * (i == k) for i, v in enumerate(x)], a))
            assert close(found["grad_x"][k], true, scale)


@settings(max_examples=40)
@given(expressions())
def test_random_gradients_of_gradients(e: Expr) -> None:
    """The gradient, printed, read and differentiated again, in the direction of i + 1."""
    with mp.workdps(80):
        x = [mpf(v) for v in POINTS]
        a = mpf("0.75")
        if not smooth(e) or var("x") not in reachable([e]):
            return
        points: dict[str, Any] = {"at": ["a=0.75"], "grids": ["x=0.5,1.25,2"]}
        lines = grad_formulas(GradJob([text(e)], ["x"], allow_unused=True, **points)).lines
        again = "\n".join(f"{name} = {body}" for name, body in lines)
        try:
            found = gradients(again, grad_outputs=["grad_x=i + 1"], materialize_grads=True, **points)["grad_x"]
        except GradError as error:
            # A constant has no index, and its gradient is 0.
            assert "is a single number" in error.message and not parse(again).variables
            found = [0.0] * 3

        def weighted(x: list[mpf]) -> mpf:
            # d/dt of the loss along x + t*(1, 2, 3).
            return slope(lambda h: loss(e, [v + h * (i + 1) for i, v in enumerate(x)], a))

        scale = float(max(max(map(abs, at_points(node, x, a))) for node in reachable([e])))
        for k in range(3):
            true = slope(lambda h, k=k: weighted([v + h * (i == k) for i, v in enumerate(x)]))
            assert close(found[k], true, scale * scale)
