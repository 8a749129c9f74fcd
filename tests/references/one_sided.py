"""Both sides of a point: limits and derivatives by divided differences at steps down to 10**-200, and the corpora.

    python tests/references/one_sided.py [--write] [--seconds N]

makes tests/data/one_sided.jsonl and tests/data/mixed.jsonl again (without --write it only counts).

k! times the divided difference of f at k + 1 points is the k-th derivative somewhere between them, so its limit is
that of the derivative wherever there is one. A number is said where two steps agree to 20 digits, 0 and infinities
where it falls or grows as powers and logarithms do, and nothing where more digits would change the answer.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path
from typing import Any, NamedTuple

sys.path.extend(str(Path(__file__).parents[2] / folder) for folder in (".", "tests"))

from exact_values import FAST, HEAVY, Evaluator, Number, Undefined, Unsure, divide, multiply, real, subtract
from mpmath import mp

from gradcli.expr import Expr, reachable
from gradcli.language import parse

DATA = Path(__file__).parents[1] / "data"
RATIOS = [Fraction(1), Fraction(13, 7), Fraction(29, 11), Fraction(43, 12), Fraction(67, 14), Fraction(83, 13)]
"""Of the nodes of one difference; no two steps fall on a lattice."""
SHARES = [Fraction(37, 41), Fraction(53, 59), Fraction(61, 67)]
UNSAID = "cannot say"
OSCILLATES = "oscillates"
HALVES = 2
"""Of a corpus, each made by a process with a seed of its own."""
Said = str
"""Digits, "inf", "-inf", "oscillates" or "cannot say"."""


class Steps(NamedTuple):
    """The decimal exponents of three steps, and the digits worked with."""

    exponents: tuple[int, int, int]
    digits: int

    def finer(self) -> Steps:
        return Steps(self.exponents, self.digits * 8 // 5)


PLAIN = Steps((50, 100, 200), 1300)
COARSE = Steps((25, 50, 100), 560)
"""For special functions, whose series take long."""


class Side(NamedTuple):
    limit: Said
    derivatives: list[Said]


def single(text: str) -> Expr:
    ((_, e),) = parse(text).outputs
    return e


def steps(root: Expr) -> Steps:
    return COARSE if any(e.op in HEAVY for e in reachable([root])) else PLAIN


def divided(nodes: list[Fraction], values: list[Number]) -> list[Number]:
    """k! times the divided difference of the first k + 1 nodes, for every k: exact for exact values, and 0 where
    nothing but the rounding of the values is left.
    """
    column, found = list(values), []
    largest = max((abs(real(v)) for v in values), default=mp.mpf(0))
    for k in range(len(nodes)):
        d = multiply(column[0], Fraction(math.factorial(k)))
        rest = largest * mp.mpf(10) ** (15 - mp.dps) / abs(real(nodes[0])) ** k
        found.append(mp.mpf(0) if not isinstance(d, Fraction) and k and abs(d) < rest else real(d))
        column = [divide(subtract(b, a), nodes[i + k + 1] - nodes[i]) for i, (a, b) in enumerate(pairwise(column))]
    return found


def differences(
    f: Evaluator, point: Mapping[str, Number], wrt: str, sign: int, h: Fraction, order: int
) -> list[Number]:
    """Derivatives 0..order somewhere within 7*h beside the point. Raises Undefined or Unsure."""
    nodes = [sign * h * r for r in RATIOS[: order + 1]]
    return divided(nodes, [f.at({**point, wrt: _moved(point[wrt], node)}) for node in nodes])


def _moved(x: Number, by: Fraction) -> Number:
    return x + by if isinstance(x, Fraction) else x + real(by)


def size(x: Number) -> float:
    return float(mp.log10(abs(x))) if x else -math.inf


def said(d: list[Number], exponents: tuple[int, int, int]) -> Said | None:
    """The limit of three numbers at steps 10**-exponents; None where only more samples tell."""
    a, b, c = d
    if c and b and size(c - b) < size(c) - 20 and size(b - a) < size(c) - 10:
        return str(mp.nstr(c, 21))
    small = [size(x) for x in d]
    if small[2] == -math.inf and small[1] < -20:
        return "0"
    if small[2] < -18 and small[2] < small[1] - 2 and small[1] < small[0] - 1:
        # As h**r does: the exponents fall with those of the steps.
        if small[0] < 0 and small[2] / small[1] > 0.8 * exponents[2] / exponents[1]:
            return "0"
        if small[2] < -60:
            return "0"
    if a * b > 0 and b * c > 0 and abs(c) > abs(b) > abs(a):
        first, second = b / a, c / b
        if second > 1.3 and second >= first * mp.mpf("0.98"):
            return "inf" if c > 0 else "-inf"
    return None


def _unsettled(samples: list[Number]) -> Said:
    """What many samples at ever smaller steps say: whether they go up and down without end."""
    turns = [b - a for a, b in pairwise(samples)]
    changes = sum(x * y < 0 for x, y in pairwise(turns))
    sizes = [size(x) for x in samples]
    if changes < len(samples) // 4:
        return UNSAID
    half = len(samples) // 2
    spread = [max(part) - min(part) for part in (samples[:half], samples[half:])]
    if not spread[0] or not spread[1]:
        return UNSAID
    # Of one size, or growing: not the last digits of something that converges.
    return OSCILLATES if size(spread[1]) > size(spread[0]) - 1.5 and size(spread[1]) > max(sizes) - 40 else UNSAID


def _once(root: Expr, point: Mapping[str, Any], wrt: str, sign: int, order: int, work: Steps) -> list[Said] | None:
    """Limit and derivatives; None where there is no such side. Raises Unsure."""
    with mp.workdps(work.digits):
        f = Evaluator(root)
        at = {name: place() if callable(place) else place for name, place in point.items()}
        rows, missing = [], 0
        for exponent, share in zip(work.exponents, SHARES, strict=True):
            try:
                rows.append(differences(f, at, wrt, sign, share / 10**exponent, order))
            except Undefined:
                missing += 1
        if missing:
            if missing == len(work.exponents):
                return None
            raise Unsure
        answers: list[Said] = []
        fast = any(e.op in FAST for e in reachable([root]))
        samples: list[list[Number]] | None = None
        for k in range(order + 1):
            answer = said([row[k] for row in rows], work.exponents)
            if f.wild and k > 1 and answer != OSCILLATES and answer is not None:
                answer = UNSAID  # the difference may converge where the derivative does not
            if answer is None and not f.wild:
                answer = UNSAID
            if answer is None or (fast and answer.endswith("inf")):
                if samples is None:
                    tries = [Fraction(37 + 5 * i, 41 + 7 * i) / 10 ** (work.exponents[0] + i) for i in range(16)]
                    samples = [differences(f, at, wrt, sign, h, order) for h in tries]
                column = [row[k] for row in samples]
                grows = all(x * y > 0 and abs(y) > abs(x) for x, y in pairwise(column))
                if f.wild and k and grows:
                    answer = UNSAID  # steps without end grow in the mean, and have no slope
                elif answer is None or not grows:
                    answer = _unsettled(column)
            answers.append(answer)
            if answer == OSCILLATES:
                answers += [OSCILLATES] * (order - k)
                break
        return answers


def close(a: Said, b: Said) -> bool:
    """Whether two answers are one: numbers to 19 digits."""
    if a == b:
        return True
    try:
        x, y = mp.mpf(a), mp.mpf(b)
    except ValueError:
        return False
    return bool(mp.isfinite(x) and mp.isfinite(y) and x and abs(x - y) < abs(x) * mp.mpf(10) ** -19)


def side(root: Expr, point: Mapping[str, Any], wrt: str, sign: int, order: int) -> Side | Said | None:
    """One side of a point (exact fractions, or functions that give an mpf): None where there is none, "cannot say"
    where nothing is known. Two precisions must agree.
    """
    work = steps(root)
    try:
        first = _once(root, point, wrt, sign, order, work)
        if first is None or all(_settled(a) for a in first):
            second = first
        else:
            second = _once(root, point, wrt, sign, order, work.finer())
    except (Unsure, Undefined):
        return UNSAID
    if first is None or second is None:
        return None if first is second else UNSAID
    both = [a if close(a, b) else UNSAID for a, b in zip(first, second, strict=True)]
    return Side(both[0], both[1:])


def _settled(answer: Said) -> bool:
    """Whether it is a number that cannot be a rest of rounding."""
    return answer[-1].isdigit() and answer != "0"


def value(root: Expr, point: Mapping[str, Any]) -> Said | None:
    """The value itself: None where there is none."""
    answers = []
    for digits in (120, 200):
        with mp.workdps(digits):
            try:
                v = Evaluator(root).at({name: place() if callable(place) else place for name, place in point.items()})
                if not isinstance(v, Fraction) and size(v) < -digits * 0.7:
                    return UNSAID
                answers.append(mp.nstr(real(v), 21) if v else "0")
            except Undefined:
                answers.append(None)
            except Unsure:
                return UNSAID
    if None in answers:
        return None if answers[0] is answers[1] else UNSAID
    return answers[0] if close(*answers) else UNSAID


def quadrants(root: Expr, point: Mapping[str, Fraction], powers: tuple[int, int], names: tuple[str, str]) -> Said:
    """A second partial derivative: digits, "none" where there is none, or "cannot say".

    The mixed one is the common limit of the differences over rectangles with a corner at the point, in four quadrants
    and in three shapes, where both slopes exist; the pure one that of both sides where value and slope join.
    """
    if 2 in powers:
        return _along(root, point, names[powers.index(2)], 2)
    for wrt in names:
        slope = _along(root, point, wrt, 1)
        if slope in ("none", UNSAID, "inf", "-inf"):
            return slope if slope == UNSAID else "none"
    work = steps(root)
    found = set()
    with mp.workdps(work.digits):
        f = Evaluator(root)
        for sx, sy, (p, q) in product((1, -1), (1, -1), ((1, 1), (1, 2), (2, 1))):
            row = []
            for exponent, share in zip(work.exponents, SHARES, strict=True):
                h, k = sx * share / 10 ** (exponent * p // 2), sy * share * RATIOS[1] / 10 ** (exponent * q // 2)
                try:
                    corners = [
                        f.at({**point, names[0]: point[names[0]] + a, names[1]: point[names[1]] + b})
                        for a, b in ((h, k), (h, 0), (0, k), (0, 0))
                    ]
                except Undefined:
                    return "none"
                except Unsure:
                    return UNSAID
                rise = subtract(subtract(corners[0], corners[1]), subtract(corners[2], corners[3]))
                rest = max(abs(real(c)) for c in corners) * mp.mpf(10) ** (15 - mp.dps)
                row.append(real(rise) / real(h * k) if isinstance(rise, Fraction) or abs(rise) > rest else mp.mpf(0))
            half = tuple(e // 2 for e in work.exponents)
            answer = said(row, half)  # type: ignore[arg-type]
            if f.wild or (answer is None and work is COARSE):
                return UNSAID
            if answer is None or answer.endswith("inf"):
                return "none"
            found.add(answer[:20] if answer != "0" else "0")
    if len(found) == 1:
        return answer
    numbers = sorted(mp.mpf(x) for x in found)
    return "none" if numbers[-1] - numbers[0] > mp.mpf(10) ** -8 else UNSAID


def _along(root: Expr, point: Mapping[str, Fraction], wrt: str, order: int) -> Said:
    """The pure derivative of that order where all below exist; "none" where there is none."""
    middle = value(root, point)
    if middle is None:
        return "none"
    left, right = (side(root, point, wrt, s, order) for s in (-1, 1))
    if isinstance(left, str) or isinstance(right, str) or middle == UNSAID:
        return UNSAID
    if left is None or right is None:
        return UNSAID  # an edge: its own rule
    pairs = [(left.limit, right.limit), *zip(left.derivatives, right.derivatives, strict=True)]
    for k, (a, b) in enumerate(pairs):
        if UNSAID in (a, b):
            return UNSAID
        if OSCILLATES in (a, b) or not close(a, b) or (k == 0 and not close(a, middle)):
            return "none"
        if k < order and a.endswith("inf"):
            return "none"
    return pairs[order][0]


# Random expressions.

LEAVES = ["x", "x", "x", "x", "1", "2", "x-1", "x+1", "1-x", "1/2", "x*x", "-x", "2*x", "x**2", "3", "1-x**2"]
ONE = [
    "abs",
    "sin",
    "cos",
    "exp",
    "log",
    "sqrt",
    "relu",
    "sign",
    "floor",
    "cbrt",
    "tanh",
    "atan",
    "asin",
    "expm1",
    "log1p",
    "sinh",
    "cosh",
    "round",
    "ceil",
    "trunc",
    "sigmoid",
    "softplus",
    "sinc",
    "tan",
    "acos",
    "asinh",
    "acosh",
    "atanh",
    "sec",
    "csc",
    "cot",
    "sech",
    "csch",
    "coth",
    "asec",
    "acsc",
    "acot",
    "asech",
    "acsch",
    "acoth",
    "exp2",
    "log2",
    "log10",
    "log1mexp",
    "logit",
    "exprel",
    "sinhc",
]
SPECIAL = [
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "normcdf",
    "normpdf",
    "gamma",
    "lgamma",
    "digamma",
    "factorial",
    "airyai",
    "airybi",
    "airyaiprime",
    "airybiprime",
    "lambertw",
]
SPECIAL_CALLS = [
    "besselj(0,{})", "besselj(1,{})", "bessely(0,{})", "besseli(1,{})", "besselk(0,{})", "polygamma(1,{})",
    "lambertw({},-1)", "gammainc(2,{})", "gammaincc(1/2,{})", "betainc(2,3,{})", "beta(2,{})", "betaln({},3)",
    "besselj(1/2,{})",
]  # fmt: skip
TWO = ["max", "min", "hypot", "atan2", "mod", "fmod", "copysign", "heaviside", "logaddexp", "xlogy"]


def drawn(r: random.Random, depth: int) -> str:
    """An expression in x."""
    if depth == 0 or r.random() < 0.12:
        return r.choice(LEAVES)
    inner = lambda: drawn(r, depth - 1)
    k = r.random()
    if k < 0.38:
        return f"({inner()}{r.choice('+-**//')}({inner()}))"
    if k < 0.72:
        return f"{r.choice(ONE)}({inner()})"
    if k < 0.77:
        return f"{r.choice(SPECIAL)}({inner()})"
    if k < 0.80:
        return r.choice(SPECIAL_CALLS).format(inner())
    if k < 0.88:
        return f"{r.choice(TWO)}({inner()},{inner()})"
    if k < 0.93:
        return f"({inner()})**({r.choice(['2', '3', '0.5', '1.5', '1/3', '-1', 'x', '2/3'])})"
    if k < 0.95:
        return f"clip({inner()},{r.choice(['0', '-1', 'x'])},{r.choice(['1', '2', '1/2'])})"
    condition = f"{inner()}{r.choice(['>', '>=', '==', '<', '!=', '<='])}{inner()}"
    if r.random() < 0.3:
        condition = f"({condition}) {r.choice(['and', 'or'])} {r.choice(['x>0', 'x<1', 'not x==0', 'x<=1/2'])}"
    return f"where({condition},{inner()},{inner()})"


LEAVES_2 = ["x", "y", "x", "y", "x*y", "x-y", "x+y", "1", "2", "x**2", "y**2", "x*x*y", "x**2+y**2", "x-1", "y-1"]
ONE_2 = [
    "abs",
    "sin",
    "cos",
    "exp",
    "sqrt",
    "relu",
    "cbrt",
    "tanh",
    "atan",
    "sinh",
    "sign",
    "floor",
    "log",
    "expm1",
    "log1p",
    "sinc",
    "softplus",
]


def drawn_pair(r: random.Random, depth: int) -> str:
    """An expression in x and y."""
    if depth == 0 or r.random() < 0.1:
        return r.choice(LEAVES_2)
    inner = lambda: drawn_pair(r, depth - 1)
    k = r.random()
    if k < 0.36:
        return f"({inner()}{r.choice('+-***/')}({inner()}))"
    if k < 0.56:
        return f"{r.choice(ONE_2)}({inner()})"
    if k < 0.80:
        return f"{r.choice(['hypot', 'atan2', 'max', 'min', 'logaddexp'])}({inner()},{inner()})"
    if k < 0.90:
        return f"({inner()})**({r.choice(['2', '3', '1.5', '2', '4', '1/3'])})"
    condition = r.choice(["x*y==0", "x==0 and y==0", "x==y", "x>y", "x*y>0", "hypot(x,y)==0", "x==0", "y>=1"])
    return f"where({condition},{inner()},{inner()})"


class OutOfTime(Exception):
    pass


def _alarm(*_: object) -> None:
    raise OutOfTime


def timed(seconds: float, work: Callable[[], Any]) -> Any:
    """The result, or None past the time: such a case is left out of the corpus."""
    signal.signal(signal.SIGALRM, _alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return work()
    except OutOfTime:
        return None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def fields(answer: Side | Said | None) -> tuple[Said | None, list[Said] | Said | None]:
    if answer is None:
        return None, None
    return (UNSAID, UNSAID) if isinstance(answer, str) else (answer.limit, answer.derivatives)


def one_case(text: str, at: str, order: int) -> dict[str, Any] | None:
    """A case of one_sided.jsonl; None where neither side says anything."""
    root = single(text)
    point = {"x": Fraction(at)}
    left, right = (fields(side(root, point, "x", s, order)) for s in (-1, 1))
    if left[0] == right[0] == UNSAID:
        return None
    names = ("limit_left", "limit_right", "left", "right", "value")
    return {
        "expr": text, "x": at, "order": order,
        **dict(zip(names, (left[0], right[0], left[1], right[1], value(root, point)), strict=True)),
    }  # fmt: skip


def cases(seed: int, count: int, until: float) -> Iterator[dict[str, Any]]:
    r = random.Random(seed)
    seen: set[tuple[str, str]] = set()
    made = nowhere = 0
    while made < count and time.monotonic() < until:
        text, at = drawn(r, 3), r.choice(["0", "0", "0", "1", "-1", "1/2"])
        if (text, at) in seen:
            continue
        seen.add((text, at))
        try:
            if not single(text).variables:
                continue
        except Exception:  # what the language refuses
            continue
        case = timed(2, lambda: one_case(text, at, 2))  # noqa: B023
        if case is None:
            continue
        nowhere += case["left"] is case["right"] is case["value"] is None
        if case["value"] is not None or case["left"] is not None or case["right"] is not None or nowhere <= count // 10:
            made += 1
            yield case


def mixed_cases(seed: int, count: int, until: float) -> Iterator[dict[str, Any]]:
    r = random.Random(seed)
    made = 0
    seen: set[str] = set()
    while made < count and time.monotonic() < until:
        text = drawn_pair(r, r.choice([1, 2, 2, 3]))
        at = {"x": r.choice("001"), "y": r.choice("0001")}
        try:
            root = single(text)
        except Exception:
            continue
        if text in seen or len([e for e in reachable([root]) if e.op == "var"]) < 2:
            continue
        seen.add(text)
        point = {name: Fraction(v) for name, v in at.items()}
        found = timed(3, lambda: [quadrants(root, point, p, ("x", "y")) for p in ((2, 0), (1, 1), (0, 2))])  # noqa: B023
        if found is not None and found[1] != UNSAID:
            made += 1
            yield {"expr": text, "at": at, "xx": found[0], "xy": found[1], "yy": found[2]}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", action="store_true")
    options.add_argument("--seconds", type=float, default=900)
    options.add_argument("--count", type=int, default=1900)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only")
    chosen = options.parse_args()
    for name, make, count in (("one_sided", cases, chosen.count), ("mixed", mixed_cases, min(chosen.count, 200))):
        if chosen.only not in (None, name):
            continue
        until = time.monotonic() + chosen.seconds
        with ProcessPoolExecutor(HALVES) as pool:
            parts = [pool.submit(_listed, make, chosen.seed + i, count // HALVES, until) for i in range(HALVES)]
            lines = [json.dumps(case, separators=(",", ":")) for part in parts for case in part.result()]
        print(f"{name}: {len(lines)} cases, {sum(map(len, lines)) // 1000} kB")
        if chosen.write:
            (DATA / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines))


def _listed(make: Callable[[int, int, float], Iterator[Any]], seed: int, count: int, until: float) -> list[Any]:
    return list(make(seed, count, until))


if __name__ == "__main__":
    main()
