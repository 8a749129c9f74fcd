"""Well-defined formulas whose doubles lose digits or overflow in between, with derivatives to 22 digits by mpmath.

    python tests/references/losing_digits.py [--write]

makes tests/data/losing_digits.jsonl again. Formulas and points are common ones of statistics, physics and numerical
analysis (Higham, Accuracy and Stability of Numerical Algorithms, ch. 1; Kahan's examples), varied by a fixed seed; a
line is kept where plain doubles are off by more than 1e-10, or not finite, in the value or a partial derivative to
the second order. Points are doubles; every literal is its double, exactly.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

sys.path.extend(str(Path(__file__).parents[2] / folder) for folder in (".", "tests"))

from exact_values import Evaluator, Number, Undefined, Unsure, real
from mpmath import mp

from gradcli.calculus.derive import derive
from gradcli.compute.backends.scalar import at_point
from gradcli.expr import Expr
from gradcli.language import parse

PATH = Path(__file__).parents[1] / "data" / "losing_digits.jsonl"
COUNT = 300
ORDERS = {1: [(0,), (1,), (2,)], 2: [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]}
FAR, VERY_FAR, SMALL, TINY = (20, 800), (1e4, 1e9), (1e-9, 1e-3), (1e-160, 1e-20)
TEMPLATES: list[tuple[str, list[tuple[float, float]]]] = [
    ("log(1+exp({a}*x))", [(10, 40), (360, 800)]),
    ("log({b}+exp(-x))", [(-800, -710), (-40, -10)]),
    ("log(exp(x)+exp({a}*x))", [(300, 900), (-900, -800)]),
    ("log(cosh({a}*x))", [(15, 40), (712, 900)]),
    ("log(sinh(x))", [(15, 40), (712, 900)]),
    ("1/({b}+exp(x))", [(711, 900), (360, 700)]),
    ("1/(1+exp(-{a}*x))", [(-900, -711), (15, 40)]),
    ("exp({a}*x)/(1+exp({a}*x))", [(360, 900), (12, 40)]),
    ("exp(x)/(exp(x)+exp(2*x)+{b})", [(360, 900), (-800, -720)]),
    ("(exp(x)-exp(-x))/(exp(x)+exp(-x))", [(10, 19), (711, 900)]),
    ("x**2/(exp(x)-1)", [SMALL, (711, 800)]),
    ("sqrt({b}+x**2)", [VERY_FAR, (1e155, 1e200)]),
    ("sqrt(x**2+{b})-x", [VERY_FAR]),
    ("x*(sqrt(x**2+{b})-x)", [VERY_FAR]),
    ("x-sqrt(x**2-{b})", [VERY_FAR]),
    ("x/sqrt({b}+x**2)", [VERY_FAR, (1e155, 1e200)]),
    ("sqrt(x+{b})-sqrt(x)", [VERY_FAR]),
    ("(1-cos({a}*x))/x**2", [SMALL]),
    ("(x-sin(x))/x**3", [SMALL]),
    ("(tan(x)-x)/x**3", [SMALL]),
    ("(exp({a}*x)-1)/x", [SMALL]),
    ("(exp(x)-1-x)/x**2", [SMALL]),
    ("sin({a}*x)/x", [SMALL]),
    ("log(1+{a}*x)/x", [SMALL]),
    ("(sqrt(1+x)-1)/x", [SMALL]),
    ("(cbrt(1+x)-1)/x", [SMALL]),
    ("(1+x)**(1/x)", [SMALL]),
    ("(1+1/x)**x", [VERY_FAR]),
    ("x/(exp(x)-1)", [SMALL, (-1e-3, -1e-9)]),
    ("1/x-1/(exp(x)-1)", [SMALL]),
    ("1/sin(x)-1/x", [SMALL]),
    ("coth(x)-1/x", [SMALL]),
    ("1/tan(x)-1/x", [SMALL]),
    ("1/sinh(x)**2-1/x**2", [SMALL]),
    ("(cosh(x)-1)/x**2", [SMALL]),
    ("(x**3-8)/(x-2)", [(2 + 1e-9, 2 + 1e-4)]),
    ("(x**{n}-1)/(x-1)", [(1 + 1e-9, 1 + 1e-4), (1 - 1e-4, 1 - 1e-9)]),
    ("(sqrt(x)-1)/(x-1)", [(1 + 1e-9, 1 + 1e-4)]),
    ("log(x)/(x-1)", [(1 + 1e-9, 1 + 1e-4)]),
    ("(x**2-9)/(x**2-x-6)", [(3 + 1e-8, 3 + 1e-4)]),
    ("(x-{n})*(x+1)/(x**2-{n}*x)", [(1e4, 1e8)]),
    ("x**{n}/(x**{n}+{b})", [(1e3, 1e5), (1e100, 1e150)]),
    ("(x**2-{b})/(x**2+{b})", [(1e5, 1e8), (1e155, 1e180)]),
    ("x/(x+{b})", [(1e6, 1e9)]),
    ("1/x-1/(x+{b})", [VERY_FAR]),
    ("(x+1)**{n}-x**{n}", [(1e5, 1e8)]),
    ("x**3-3*x**2+3*x-1", [(1 + 1e-6, 1 + 1e-4)]),
    ("exp(-x**2)/({b}+exp(-x**2))", [(5, 8), (27, 30)]),
    ("exp(x**2)*erfc(x)", [(5, 8), (27.5, 40)]),
    ("1-erf(x)", [(4, 8)]),
    ("log(1-erf(x))", [(3, 5.5)]),
    ("x*exp(x**2)*erfc(x)", [(27.5, 60)]),
    ("gamma(x+{b})/gamma(x)", [(172, 250)]),
    ("log(gamma(x))", [(172, 250)]),
    ("lgamma(x+1)-lgamma(x)", [(100, 280)]),
    ("atan(x+1)-atan(x)", [VERY_FAR]),
    ("acos(1-x)", [SMALL]),
    ("acosh(1+x)", [SMALL]),
    ("log(x+sqrt(x**2+1))", [(-1e9, -1e4), (1e155, 1e200)]),
    ("asin(x/(x+1))", [(1e5, 1e8)]),
    ("tanh(x)-1", [(10, 30)]),
    ("log(tanh(x))", [(12, 30)]),
    ("cosh(x)/exp({a}*x)", [(712, 800)]),
    ("exp(x)*exp(-x**2/{b})", [(20, 38)]),
    ("besseli(0,x)*exp(-x)", [(714, 900)]),
    ("exp(x)**{n}/exp({n}*x-x)", [(300, 700)]),
    ("log(1-exp(-x))", [(20, 40), (1e-9, 1e-4)]),
    ("log(1+x**2)-2*log(x)", [(1e4, 1e8)]),
    ("x**2*exp(-{b}/x**2)", [(1e-3, 0.05)]),
    ("(1-exp(-x))/(1+exp(-x))", [(20, 40), (-900, -711)]),
    ("sqrt(1+sin(x))", [(-1.5709, -1.5707)]),
    ("1-sqrt(1-x**2)", [SMALL]),
    ("sqrt(1-cos(x))", [SMALL]),
    ("(x-1)/(x**{n}-1)", [(1 + 1e-8, 1 + 1e-4)]),
    ("sqrt(x**2+y**2)", [(1e155, 1e200), (1e-200, 1e-165)]),
    ("x*y/(x**2+y**2)", [(1e155, 1e180), (1e-180, 1e-165)]),
    ("log({b}+x**2*y**2)", [(1e4, 1e6)]),
    ("log(exp(x)+exp(y))", [(711, 900), (-900, -760)]),
    ("exp(x)/(exp(x)+exp(y))", [(711, 900)]),
    ("x**2/(x**2+y**2+{b})", [(1e155, 1e180)]),
    ("exp(x-y)/(1+exp(x))", [(711, 760)]),
    ("sqrt(x+y)-sqrt(x)", [(1e6, 1e9)]),
    ("1/sqrt(x**2+y**2+{b})", [(1e104, 1e153)]),
    ("log(x**2+y**2)", [(1e155, 1e200)]),
    ("x*y/(x+y)", [(1e155, 1e200)]),
    ("(x**2-y**2)/(x-y)", [(1e6, 1e8)]),
    ("(exp(x*y)-1)/x", [SMALL]),
    ("y*log(1+exp(x/y))", [(900, 1200)]),
]
NEAR_PAIRS = ["(exp(x)-exp(y))/(x-y)", "(sin(x)-sin(y))/(x-y)", "(x*log(x)-y*log(y))/(x-y)", "(x**3-y**3)/(x-y)"]


def partial(f: Evaluator, at: Mapping[str, Fraction], powers: tuple[int, ...], step: Fraction) -> Number:
    """By central differences with steps relative to the variables."""
    terms: list[tuple[int, dict[str, Fraction]]] = [(1, dict(at))]
    scale = Fraction(1)
    for (name, x), k in zip(at.items(), powers, strict=True):
        h = abs(x) * step
        weights = {0: {0: 1}, 1: {-1: -1, 1: 1}, 2: {-1: 1, 0: -2, 1: 1}}[k]
        terms = [(c * w, {**p, name: p[name] + m * h}) for c, p in terms for m, w in weights.items()]
        scale *= (2 * h) if k == 1 else h**k
    return mp.fsum(c * real(f.at(p)) for c, p in terms) / real(scale)


def reference(root: Expr, at: Mapping[str, float], powers: tuple[int, ...]) -> str | None:
    """22 digits, agreed on by two steps and two precisions; None where they do not."""
    point = {name: Fraction(x) for name, x in at.items()}
    found = []
    for digits, step in ((900, Fraction(1, 10**45)), (1200, Fraction(1, 10**60))):
        with mp.workdps(digits):
            try:
                found.append(partial(Evaluator(root), point, powers, step))
            except (Undefined, Unsure):
                return None
    a, b = found
    with mp.workdps(60):
        if abs(a - b) > abs(b) * mp.mpf(10) ** -30:
            # Both are rests of rounding where the derivative is 0.
            return "0" if max(abs(a), abs(b)) < mp.mpf(10) ** -400 else None
        return str(mp.nstr(b, 22)) if b else "0"


def plain(root: Expr, names: list[str]) -> dict[tuple[int, ...], Expr]:
    """The graphs of the partials to the second order."""
    columns = derive([("f", root)], names, 2)
    return dict(zip(ORDERS[len(names)], (e for _, e in columns), strict=True))


def far_off(computed: float, true: str) -> bool:
    with mp.workdps(40):
        t = mp.mpf(true)
        if abs(t) > mp.mpf(1.7976931348623157e308):
            return False
        return not math.isfinite(computed) or abs(computed - t) > max(abs(t) * mp.mpf("1e-10"), mp.mpf(2) ** -1073)


def candidates(r: random.Random) -> Iterator[tuple[str, dict[str, float]]]:
    while True:
        for template, ranges in TEMPLATES:
            text = template.format(a=r.choice([1, 2, 3]), b=r.choice([1, 2, 3, 5]), n=r.choice([3, 4, 5, 7]))
            yield text, {name: _between(r, *r.choice(ranges)) for name in ("x", "y") if name in _letters(text)}
        text = r.choice(NEAR_PAIRS)
        x = r.uniform(0.5, 3)
        yield text, {"x": x, "y": x * (1 + r.choice([1e-9, 1e-7, 1e-5]))}


def _letters(text: str) -> set[str]:
    ((_, e),) = parse(text).outputs
    return set(parse(text).variables) if e.variables else set()


def _between(r: random.Random, low: float, high: float) -> float:
    """Even on the logarithms where the ends are far apart, else even on the distance to a nearby whole number."""
    near = round(low)
    if near and abs(low - near) < 1e-2 > abs(high - near):
        a, b = sorted((abs(low - near), abs(high - near)))
        return near + math.copysign(math.exp(r.uniform(math.log(a), math.log(b))), high + low - 2 * near)
    if low * high > 0 and max(abs(low), abs(high)) > 20 * min(abs(low), abs(high)):
        a, b = sorted((abs(low), abs(high)))
        return math.copysign(math.exp(r.uniform(math.log(a), math.log(b))), low)
    return r.uniform(low, high)


def lines(seed: int = 1) -> Iterator[dict[str, Any]]:
    r = random.Random(seed)
    made, tried = 0, 0
    for text, at in candidates(r):
        if made == COUNT or tried == 4 * COUNT:
            return
        tried += 1
        ((_, root),) = parse(text).outputs
        names = sorted(at)
        at = {name: at[name] for name in names}
        true = {k: reference(root, at, k) for k in ORDERS[len(names)]}
        if None in true.values():
            continue
        graphs = plain(root, names)
        numbers = at_point(list(graphs.values()), at)
        if any(far_off(float(n), true[k] or "0") for k, n in zip(graphs, numbers, strict=True)):
            made += 1
            partials = {"".join(n * p for n, p in zip(names, k, strict=True)): t for k, t in true.items()}
            yield {"expr": text, "at": {n: repr(x) for n, x in at.items()}, "partials": partials}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    made = list(lines())
    print(f"{len(made)} formulas")
    if chosen.write:
        PATH.write_text("".join(f"{json.dumps(line)}\n" for line in made))


if __name__ == "__main__":
    main()
