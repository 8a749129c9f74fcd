"""Writes data/claims.jsonl: right claims written differently from what gradcli derives, and wrong ones made of them.

Right: calculus texts' antiderivatives with the integrand, and derivatives of formulas in use, rewritten by identities.
Wrong: a right claim with one thing changed (sign, factor, exponent, variable, term, function, index). Which is which is
decided by mpmath alone, with 50 digits: numerical differentiation of the function at random points of its domain.

Run as ``python make_claims.py``; the formulas in use come from data/formulas.txt.
"""

import json
import random
from collections import Counter
from pathlib import Path

from mpmath import mp

from gradcli.calculus.derive import derivatives
from gradcli.errors import GradError
from gradcli.expr import Expr, apply, const, exact, reachable, readable, text, var, variables
from gradcli.language import parse

DATA = Path(__file__).parents[1] / "data"
RIGHT, WRONG = 200, 2000

TEXTBOOK = """
x**5/5 | x*x*x*x
x**(n+1)/(n+1) | exp(n*log(x)) | x
log(abs(x)) | x**-1
exp(a*x)/a | exp(a*x/2)**2 | x
a**x/log(a) | exp(x*log(a)) | x
-cos(x) | 2*sin(x/2)*cos(x/2)
sin(a*x+b)/a | cos(a*x)*cos(b) - sin(a*x)*sin(b) | x
-log(abs(cos(x))) | sin(x)/cos(x)
log(abs(sin(x))) | cos(x)/sin(x)
log(abs(sec(x) + tan(x))) | 1/cos(x)
-log(abs(csc(x) + cot(x))) | 1/sin(x)
tan(x) | 1/cos(x)**2
-cot(x) | 1/sin(x)**2
sec(x) | sin(x)/cos(x)**2
-csc(x) | cos(x)/sin(x)**2
asin(x/a) | 1/sqrt(a**2 - x**2)*sign(a) | x
atan(x/a)/a | 1/(a**2 + x**2) | x
asec(x) | 1/(abs(x)*sqrt(x**2-1))
log(x + sqrt(x**2 + a**2)) | 1/sqrt(x**2 + a**2) | x
log(abs(x + sqrt(x**2 - 1))) | 1/sqrt(x**2 - 1)
log(abs((x-1)/(x+1)))/2 | 1/(x**2 - 1)
x*log(x) - x | log(x)
x**2/2*log(x) - x**2/4 | x*log(x)
x*exp(x) - exp(x) | x*exp(x)
(x**2 - 2*x + 2)*exp(x) | x*x*exp(x)
exp(a*x)*(a*sin(b*x) - b*cos(b*x))/(a**2 + b**2) | exp(a*x)*sin(b*x) | x
exp(a*x)*(a*cos(b*x) + b*sin(b*x))/(a**2 + b**2) | exp(a*x)*cos(b*x) | x
x/2 - sin(2*x)/4 | sin(x)**2
x/2 + sin(2*x)/4 | 1 - sin(x)**2
cos(x)**3/3 - cos(x) | sin(x)**3
sin(x) - sin(x)**3/3 | cos(x)**3
tan(x) - x | tan(x)**2
-cot(x) - x | cot(x)**2
(sec(x)*tan(x) + log(abs(sec(x) + tan(x))))/2 | 1/cos(x)**3
x*sin(x) + cos(x) | x*cos(x)
sin(x) - x*cos(x) | x*sin(x)
x*asin(x) + sqrt(1-x**2) | asin(x)
x*acos(x) - sqrt(1-x**2) | pi/2 - asin(x)
x*atan(x) - log(1+x**2)/2 | atan(x)
x*atanh(x) + log(1-x**2)/2 | log((1+x)/(1-x))/2
x*asinh(x) - sqrt(1+x**2) | log(x + sqrt(x**2+1))
x*acosh(x) - sqrt(x-1)*sqrt(x+1) | log(x + sqrt(x-1)*sqrt(x+1))
x/2*sqrt(a**2-x**2) + a**2/2*asin(x/abs(a)) | sqrt(a**2 - x**2) | x
x/2*sqrt(x**2+a**2) + a**2/2*log(x+sqrt(x**2+a**2)) | sqrt(x**2+a**2) | x
x/sqrt(1+x**2) | (1+x**2)**-1.5
-1/(a*(a*x+b)) | (a*x+b)**-2 | x
log(abs(a*x+b))/a | 1/(a*x+b) | x
x/a - b/a**2*log(abs(a*x+b)) | x/(a*x+b) | x
log(abs(x/(a*x+b)))/b | 1/(x*(a*x+b)) | x
2*sqrt(a*x+b)/a | (a*x+b)**-0.5 | x
2*(3*a*x-2*b)*(a*x+b)**1.5/(15*a**2) | x*sqrt(a*x+b) | x
sinh(x) | (exp(x)+exp(-x))/2
cosh(x) | (exp(x)-exp(-x))/2
log(cosh(x)) | (1-exp(-2*x))/(1+exp(-2*x))
tanh(x) | 4/(exp(x)+exp(-x))**2
2*atan(exp(x)) | 1/cosh(x)
log(tanh(x/2)) | 1/sinh(x)
sqrt(pi)/2*erf(x) | exp(-x*x)
x*erf(x) + exp(-x**2)/sqrt(pi) | 1 - erfc(x)
1/(1+exp(-x)) | exp(-x)/(1+exp(-x))**2
sigmoid(x) | sigmoid(x)*(1-sigmoid(x))
softplus(x) | 1/(1+exp(-x))
tanh(x) | 1 - tanh(x)**2
log(1+x**2)/2 | x/(1+x*x)
exp(sin(x)) | exp(sin(x))*cos(x)
sin(cos(x)) | -sin(x)*cos(cos(x))
x**x | x**x*(1 + log(x))
(1+1/x)**x | (1+1/x)**x*(log(1+1/x) - 1/(1+x))
abs(x) | x/abs(x)
x*abs(x) | 2*sqrt(x*x)
sqrt(x**2) | sign(x)
max(x, 0) | where(x > 0, 1, 0)
where(x < 0, x**2, x**3) | where(x < 0, 2*x, 3*x*x)
abs(sin(x)) | cos(x)*sin(x)/abs(sin(x))
min(x, y) | where(x < y, 1, 0) | x
hypot(x, y) | x/sqrt(x*x + y*y) | x
atan2(y, x) | -y/(x*x + y*y) | x
atan2(y, x) | x/(x*x + y*y) | y
log(x*x + y*y)/2 | y/(x**2 + y**2) | y
logaddexp(x, y) | exp(x)/(exp(x)+exp(y)) | x
gamma(x) | gamma(x)*digamma(x)
lgamma(x) | digamma(x)
besselj(0, x) | -besselj(1, x)
besselj(2, x) | besselj(1, x) - 2*besselj(2, x)/x
x*besselj(1, x) | x*besselj(0, x)
cbrt(x) | 1/(3*cbrt(x)**2)
log2(x) | 1/(x*log(2))
log10(x**2) | 2/(x*log(10))
expm1(x)/x | (x*exp(x) - exp(x) + 1)/x**2
sin(x)/x | (x*cos(x) - sin(x))/x**2
x/(x**2+1) | (1-x**2)/(1+x**2)**2
(x**2-1)/(x**2+1) | 4*x/(x**2+1)**2
sqrt(x + sqrt(x)) | (2*sqrt(x)+1)/(4*sqrt(x)*sqrt(x+sqrt(x)))
asin(2*x/(1+x**2)) | 2*sign(1-x**2)/(1+x**2)
acos((1-x**2)/(1+x**2)) | 2*sign(x)/(1+x**2)
atan((1+x)/(1-x)) | 1/(1+x**2)
exp(-x**2/2)/sqrt(2*pi) | -x*exp(-x**2/2)/sqrt(2*pi)
1/(s*sqrt(2*pi))*exp(-(x-m)**2/(2*s**2)) | (x-m)/s**2*exp(-(x-m)**2/(2*s**2))/(s*sqrt(2*pi)) | m
"""


def valued(e: Expr, point: dict):
    """An expression at a point, by mpmath alone. Raises ValueError outside the domain."""
    value = {}
    for node in reachable([e]):
        a = [value[arg] for arg in node.args]
        value[node] = _value(node, a, point)
    return value[e]


def _real(x):
    if isinstance(x, mp.mpc):
        if abs(x.imag) > mp.mpf(10) ** -40 * abs(x.real):
            raise ValueError("not real")
        x = x.real
    if not mp.isfinite(x):
        raise ValueError("not finite")
    return x


def _value(node: Expr, a: list, point: dict):
    op = node.op
    if op == "const":
        return mp.mpf(node.value.numerator) / node.value.denominator
    if op == "constant":
        return {"pi": mp.pi, "e": mp.e, "tau": 2 * mp.pi}[node.value] + 0
    if op == "var":
        return point[node.value]
    simple = {
        "add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y, "neg": lambda x: -x,
        "lt": lambda x, y: x < y, "le": lambda x, y: x <= y, "gt": lambda x, y: x > y, "ge": lambda x, y: x >= y,
        "eq": lambda x, y: x == y, "ne": lambda x, y: x != y, "and": lambda x, y: x and y, "or": lambda x, y: x or y,
        "not": lambda x: not x, "abs": abs, "sign": mp.sign, "max": lambda *x: max(x), "min": lambda *x: min(x),
        "hypot": mp.hypot, "atan2": mp.atan2, "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
        "softplus": lambda x: mp.log1p(mp.exp(x)), "logaddexp": lambda x, y: mp.log(mp.exp(x) + mp.exp(y)),
        "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)), "log2": lambda x: mp.log(x) / mp.log(2),
        "digamma": lambda x: mp.psi(0, x), "lgamma": lambda x: mp.log(abs(mp.gamma(x))),
        "softmax": lambda x, y: 1 / (1 + mp.exp(y - x)), "exp2": lambda x: mp.power(2, x),
        "heaviside": lambda x, h: mp.mpf(1) if x > 0 else mp.mpf(0) if x < 0 else h,
    }  # fmt: skip
    try:
        if op == "where":
            return a[1] if a[0] else a[2]
        if op == "div":
            return _real(a[0] / a[1])
        if op == "power":
            return _real(mp.power(*a))
        if op == "polygamma":
            return _real(mp.psi(node.value, a[0]))
        if op.startswith("bessel"):
            return _real(getattr(mp, op)(node.value, a[0]))
        found = simple[op](*a) if op in simple else getattr(mp, op)(*a)
    except (ZeroDivisionError, OverflowError, TypeError) as e:
        raise ValueError(str(e)) from None
    return found if isinstance(found, bool) else _real(found)


def _points(names: list[str], seed: str):
    draw = random.Random(seed)
    while True:
        low, high = draw.choice([(-3, 3), (0.1, 3), (0.05, 0.95), (1.05, 6), (-0.95, 0.95)])
        yield {n: mp.mpf(draw.uniform(low, high)) for n in names}


def _slope(f: Expr, x: str, point: dict):
    return _real(mp.diff(lambda t: valued(f, point | {x: t}), point[x], h=mp.mpf(10) ** -20))


def _samples(f: Expr, x: str, seed: str) -> list[tuple[dict, object]]:
    """Points of the domain with the slope there."""
    found = []
    names = variables(f)
    for _, point in zip(range(200), _points(names, seed), strict=False):
        try:
            found.append((point, _slope(f, x, point)))
        except ValueError:
            continue
        if len(found) == 12:
            break
    return found


def differ(claim: Expr, samples) -> int:
    """At how many sampled points a claim is wrong, or has no value."""
    count = 0
    for point, true in samples:
        try:
            value = valued(claim, point)
            count += abs(value - true) > mp.mpf(10) ** -12 * max(abs(value), abs(true))
        except ValueError:
            count += 1
    return count


# Identities.


def _half(x: Expr) -> Expr:
    return x / 2


def _f(name: str, *x: Expr) -> Expr:
    return apply(name, *x)


def rewritings(e: Expr, a: tuple[Expr, ...]) -> list[Expr]:
    op = e.op
    found = []
    if op == "mul":
        found += (
            [_f("mul", a[0], b) + _f("mul", a[0], c) for b, c in [a[1].args] if a[1].op == "add"]
            if a[1].op == "add"
            else []
        )
        found += [a[0] / (1 / a[1])] if a[1].variables else []
    elif op == "div" and a[1].variables:
        found += [a[0] * a[1] ** -1]
    elif op == "power" and (n := exact(a[1])) is not None:
        if n.denominator == 1 and n > 2:
            found += [a[0] ** (a[1] - 1) * a[0]]
        if n == 2:
            found += [a[0] * a[0], _f("abs", a[0]) * _f("abs", a[0])]
    elif op == "sqrt":
        found += [a[0] ** const(0.5)]
    elif op == "exp":
        found += [1 / _f("exp", -a[0]), _f("exp", _half(a[0])) ** 2]
        found += [_f("exp", a[0].args[0]) * _f("exp", a[0].args[1])] if a[0].op == "add" else []
    elif op == "log":
        found += [2 * _f("log", _f("sqrt", a[0]))]
    elif op == "sin":
        found += [2 * _f("sin", _half(a[0])) * _f("cos", _half(a[0])), -_f("sin", -a[0])]
    elif op == "cos":
        found += [1 - 2 * _f("sin", _half(a[0])) ** 2, _f("cos", -a[0])]
    elif op in ("tan", "tanh"):
        pair = ("sin", "cos") if op == "tan" else ("sinh", "cosh")
        found += [_f(pair[0], a[0]) / _f(pair[1], a[0])]
    elif op in ("sec", "sech", "csc", "csch", "cot", "coth"):
        other = {"sec": "cos", "csc": "sin", "cot": "tan", "sech": "cosh", "csch": "sinh", "coth": "tanh"}[op]
        found += [1 / _f(other, a[0])]
    elif op == "cosh":
        found += [(_f("exp", a[0]) + _f("exp", -a[0])) / 2]
    elif op == "sub":
        found += [-(a[1] - a[0]), a[0] + const(-1) * a[1]]
    return found


def rewritten(e: Expr, draw: random.Random) -> Expr:
    new = {}
    for node in reachable([e]):
        args = tuple(new[arg] for arg in node.args)
        choices = rewritings(node, args)
        if choices and draw.random() < 0.5:
            new[node] = draw.choice(choices)
        else:
            new[node] = (
                apply(node.op, *args, value=node.value if isinstance(node.value, int) else None) if args else node
            )
    return new[e]


# Mistakes.

_OTHER = {"sin": "cos", "cos": "sin", "sinh": "cosh", "cosh": "sinh", "tan": "cot", "exp": "log", "log": "log10",
          "asin": "acos", "tanh": "coth", "sqrt": "cbrt", "erf": "erfc", "max": "min", "sec": "csc"}  # fmt: skip


def mistakes(e: Expr, names: list[str]) -> list[tuple[str, Expr]]:
    """A node with one thing wrong."""
    a = e.args
    found = []
    if e.op == "var":
        found += [("variable", var(n)) for n in names if n != e.value]
    elif (n := exact(e)) is not None:
        found += [("index", const(n + 1)), ("index", const(n - 1)), ("factor", const(2 * n))]
    elif e.op in ("add", "sub"):
        found += [("sign", apply("sub" if e.op == "add" else "add", *a)), ("term", a[0]), ("term", a[1])]
    elif e.op in ("mul", "div"):
        found += [("factor", 2 * e), ("sign", -e), ("factor", a[0])]
    elif e.op == "neg":
        found += [("sign", a[0])]
    elif e.op == "power" and exact(a[1]) is not None:
        found += [("exponent", apply("power", a[0], a[1] + 1)), ("exponent", apply("power", a[0], a[1] - 1))]
    elif e.op in _OTHER:
        found += [("function", apply(_OTHER[e.op], *a)), ("factor", 2 * e)]
    elif isinstance(e.value, int):
        found += [("index", apply(e.op, *a, value=e.value + 1))]
    return found


def mutant(e: Expr, names: list[str], draw: random.Random) -> tuple[str, Expr] | None:
    """An expression with a mistake at one place of its tree."""
    path = []
    node = e
    while node.args and draw.random() < 0.75:
        k = draw.randrange(len(node.args))
        path.append((node, k))
        node = node.args[k]
    choices = mistakes(node, names)
    if not choices:
        return None
    kind, made = draw.choice(choices)
    for above, k in reversed(path):
        args = [*above.args[:k], made, *above.args[k + 1 :]]
        made = apply(above.op, *args, value=above.value if isinstance(above.value, int) else None)
    return kind, made


def _pairs(draw: random.Random):
    for line in TEXTBOOK.strip().splitlines():
        f, claim, *x = (part.strip() for part in line.split("|")) if "||" not in line else ()
        e, c = (parse(t).outputs[0][1] for t in (f, claim))
        yield e, c, x[0] if x else variables(e)[0]
    formulas = (DATA / "formulas.txt").read_text().split("\n")
    while True:
        e = parse(draw.choice(formulas[:-1])).outputs[0][1]
        x = draw.choice(variables(e))
        (truth,) = readable([derivatives(e, [x], 1).get((0,), const(0))])
        claim = rewritten(truth, draw)
        if claim is not truth and len(reachable([claim])) < 120:
            yield e, claim, x


def main() -> None:
    mp.dps = 60
    draw = random.Random(2024)
    rows, wrong = [], 0
    for e, claim, x in _pairs(draw):
        samples = _samples(e, x, text(e))
        if len(samples) < 6 or any(row["f"] == text(e) and row["x"] == x for row in rows):
            continue
        if differ(claim, samples):
            print("not right:", text(e), x, text(claim))
            continue
        mutants: dict[str, str] = {}
        for _ in range(200):
            if len(mutants) == WRONG // RIGHT:
                break
            try:
                made = mutant(claim, variables(e), draw)
                if made is None or differ(made[1], samples) < 3:
                    continue
                if not set(variables(made[1])) <= set(variables(e)):
                    continue
                parse(text(made[1]))
            except (GradError, ValueError, KeyError, AttributeError):
                continue
            mutants.setdefault(text(made[1]), made[0])
        rows.append({"f": text(e), "x": x, "right": text(claim), "wrong": mutants})
        wrong += len(mutants)
        if len(rows) >= RIGHT and wrong >= WRONG:
            break
    (DATA / "claims.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(len(rows), wrong, Counter(kind for row in rows for kind in row["wrong"].values()))


if __name__ == "__main__":
    main()
