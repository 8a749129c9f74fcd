"""Display forms: what a person would write, the same function, never longer, whatever came before."""

from __future__ import annotations

import math
import random

import pytest

from gradcli.backends.scalar import function
from gradcli.derive import derive
from gradcli.expr import Expr, reachable, readable, text, variables
from gradcli.parse import parse
from gradcli.program import build
from gradcli.simplify import simplified


def one(e: Expr) -> Expr:
    return simplified([e])[0]


def read(source: str) -> Expr:
    return parse(source).outputs[0][1]


def length(e: Expr) -> int:
    sizes: dict[Expr, int] = {}
    for node in reachable([e]):
        sizes[node] = 1 + sum(sizes[a] for a in node.args)
    return sizes[e]


GOLDEN = """
2*x -> 2*x
x + x -> 2*x
3*x + 2*x -> 5*x
3*x - 3*x -> 0
x*y + y*x -> 2*x*y
x*x**2 -> x**3
x**a*x**b -> x**(a + b)
x/x**3 -> x**-2
3*x/x**3 -> 3/x**2
2*(3*x) -> 6*x
x/x -> 1
0*x -> 0
x + 0 -> x
x - x -> 0
exp(x)*sin(x) + exp(x)*cos(x) -> (cos(x) + sin(x))*exp(x)
exp(x)*sin(x) + exp(x)*cos(x) + y -> (cos(x) + sin(x))*exp(x) + y
sin(x)**2 + cos(x)**2 -> 1
3*sin(x*y)**2 + 3*cos(x*y)**2 + x -> x + 3
1 - sin(x)**2 -> cos(x)**2
cosh(x)**2 - sinh(x)**2 -> 1
cosh(x)**2 - 1 -> sinh(x)**2
exp(x)*exp(y) -> exp(x + y)
exp(x)*exp(-x) -> 1
exp(x)**2 -> exp(2*x)
1/exp(x) -> exp(-x)
x*exp(-x) -> x*exp(-x)
x/exp(x) -> x/exp(x)
2**x*2**y -> 2**(x + y)
e*exp(x) -> exp(x + 1)
log(exp(x)) -> x
exp(log(x)) -> x
log(a*b) -> log(a*b)
log(1) -> 0
sqrt(x**2) -> abs(x)
(x**2)**0.5 -> abs(x)
(x**2)**1.5 -> (x**2)**1.5
(x**3)**(1/3) -> x
sqrt(x)**2 -> x
sqrt(x)*sqrt(x) -> x
sqrt(x)*sqrt(y) -> sqrt(y)*sqrt(x)
x/sqrt(x) -> sqrt(x)
x**(1/3)*x**(2/3) -> x
sqrt(4) -> 2
sqrt(8) -> sqrt(8)
-(x - y) -> y - x
a - (b - c) -> a - b + c
-a - b -> -a - b
-x**2 + 1 -> 1 - x**2
x**2 + 2*x + 1 -> 2*x + x**2 + 1
x*x - 2*x*x -> -x**2
x**2*2*x -> 2*x**3
2*(x + 1) + 3 -> 2*x + 5
2*(x + y) + z -> 2*(x + y) + z
x/2 + x/3 -> 5/6*x
x*(1/3) -> x/3
0.5*x -> x/2
0.1*x -> 0.1*x
0.5*x/y -> x/(2*y)
(1 - x/(1 + x))/(1 + x) -> (x + 1)**-2
x*(x + 1) - x**2 -> x
a/b/c -> a/(b*c)
a/(b/c) -> a*c/b
x*y/(x*z) -> y/z
1/(1/x) -> x
2*x + 2*y -> 2*(x + y)
sin(-x) -> -sin(x)
cos(-2*x) -> cos(2*x)
sin(x)/cos(x) -> tan(x)
sin(0) + cos(0) -> 1
abs(-x) -> abs(x)
abs(x)*abs(x) -> x**2
abs(exp(x)) -> exp(x)
(-x)**3 -> -x**3
(2*x)**2 -> 4*x**2
x*(x*y)**2 -> x**3*y**2
(x + 1)*(x + 1) -> (x + 1)**2
-2*x*exp(-x**2)*-2*x -> 4*x**2*exp(-x**2)
where(x > 0, x + x, x + x) -> 2*x
where(x > 0, x*x, 0*y) -> where(x > 0, x**2, 0)
inf - inf -> inf - inf
0/0 -> 0/0
x/0 -> x/0
sign(x)*abs(x) -> abs(x)*sign(x)
"""


@pytest.mark.parametrize("line", GOLDEN.strip().splitlines())
def test_golden(line: str) -> None:
    given, wanted = line.split(" -> ")
    assert text(one(read(given))) == wanted


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("x/(1 + x)", "(x + 1)**-2"),
        ("exp(x)*sin(x)", "(cos(x) + sin(x))*exp(x)"),
        ("x**2*exp(-x**2)", "2*x*exp(-x**2)*(1 - x**2)"),
        ("log(cos(x))", "-tan(x)"),
        ("sqrt(1 - x**2)", "-x/sqrt(1 - x**2)"),
        ("erf(x)", "2*exp(-x**2)/sqrt(pi)"),
        ("(x**2 + 1)/(x**2 - 1)", "-4*x/(x**2 - 1)**2"),
        ("atan(x)", "1/(x**2 + 1)"),
    ],
)
def test_derivatives_as_in_the_book(source: str, wanted: str) -> None:
    found = derive([("f", read(source))], ["x"], 1)[1][1]
    assert text(one(found)) == wanted


# The same function.

LEAVES = ["x", "y", "x", "y", "1", "2", "3", "0.5", "pi", "x + 1", "x*y"]
UNARY = "sin cos exp log sqrt abs tanh atan cosh sinh log1p sign erf tan sech".split()  # noqa: SIM905  a list of words


def made(rng: random.Random, depth: int) -> str:
    if depth == 0 or rng.random() < 0.1:
        return f"({rng.choice(LEAVES)})"
    kind = rng.random()
    if kind < 0.3:
        return f"{rng.choice(UNARY)}({made(rng, depth - 1)})"
    if kind < 0.4:
        return f"({made(rng, depth - 1)})**{rng.choice(['2', '3', '-1', '0.5', '1.5', '-2', '(1/3)', 'y'])}"
    if kind < 0.45:
        return f"(-{made(rng, depth - 1)})"
    if kind < 0.5:
        return f"where(x < {made(rng, 1)}, {made(rng, depth - 1)}, {made(rng, depth - 1)})"
    operator = rng.choice(["+", "-", "*", "/", "*", "+"])
    left = made(rng, depth - 1)
    right = left if rng.random() < 0.15 else made(rng, depth - 1)
    return f"({left}{operator}{right})"


def agree(a: Expr, b: Expr, at: dict[str, float]) -> bool | None:
    """Whether two forms have one value at a point; None where rounding could explain any difference."""
    names = list(at)
    f, g = (function(build([e], [names]), names) for e in (a, b))
    p, q = f(*at.values()), g(*at.values())
    if not math.isfinite(p) or not math.isfinite(q) or max(abs(p), abs(q)) > 1e100:
        return None
    # How much the first form says of a point moved by rounding is what rounding may do to it.
    noise = 0.0
    for nudge in (1e-9, -1e-9):
        moved = [v * (1 + nudge * (i + 1)) for i, v in enumerate(at.values())]
        r, s = f(*moved), g(*moved)
        if not math.isfinite(r) or not math.isfinite(s):
            return None
        noise = max(noise, abs(r - p), abs(s - q))
    return abs(p - q) <= 1e-9 * max(abs(p), abs(q), intermediate(a, at)) + noise


def intermediate(e: Expr, at: dict[str, float]) -> float:
    """The largest number on the way, which is what cancels in the end."""
    names = list(at)
    nodes = [n for n in reachable([e]) if n.op in ("add", "sub", "mul", "div", "power", "exp")]
    found = [abs(float(function(build([n], [names]), names)(*at.values()))) for n in nodes]
    return min(1e6, max([v for v in found if math.isfinite(v)], default=0.0))


@pytest.mark.parametrize("seed", range(400))
def test_the_same_function(seed: int) -> None:
    rng = random.Random(seed)
    source = made(rng, rng.choice([2, 3, 3, 4]))
    e = read(source)
    names = variables(e) or ["x"]
    told = 0
    for _, root in derive([("f", e)], names, 1 + seed % 2):
        s = one(root)
        assert parse(text(s)).outputs[0][1] is s
        assert length(s) <= length(readable([root])[0])
        assert one(s) is s or length(one(s)) <= length(s)
        for _ in range(6):
            at = {n: rng.choice([-1, 1, 1]) * rng.uniform(0.2, 2.5) for n in names}
            same = agree(root, s, at)
            assert same is not False, (text(root), text(s), at)
            told += same is True
