"""Quadratic forms of expressions in a correlation matrix, without overflow and without needless cancellation.

Layer: purely symbolic; must not know what the vectors mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import reduce

from gradcli.expr import ONE, ZERO, Expr, apply, const, exact
from gradcli.functions.row import abs_, and_, gt, lt, maximum, sqrt, where

LARGEST = 200
"""Inputs that are correlated, at most: a matrix of so many takes a second to check."""
ROUNDED = 1e-15
"""How far a correlation that is computed may be from 1 by rounding."""
Vector = Mapping[str, Expr]
"""Components by the name of the input; one that is zero everywhere is missing."""
Correlations = Mapping[tuple[str, str], Expr]
"""Correlation coefficients by pairs of names, each pair in one order; pairs that are missing are uncorrelated."""

_INFINITE = const(math.inf)
_ROUNDED = const(Fraction(-1, 10**12))
"""A scaled quadratic form between this and 0 is 0 but for rounding; below it the matrix is no correlation matrix."""


def coefficient(r: Correlations, a: str, b: str) -> Expr | None:
    """Return the correlation of two inputs, ONE of an input with itself, None where there is none."""
    if a == b:
        return ONE
    return r.get((a, b)) or r.get((b, a))


def total(terms: Iterable[Expr | None]) -> Expr | None:
    """Return the sum of the terms that are not None; None if there are none."""
    known = [term for term in terms if term is not None and term is not ZERO]
    return reduce(lambda a, b: apply("add", a, b), known) if known else None


def product(*factors: Expr | None) -> Expr | None:
    """Return the product from left to right; None if a factor is None."""
    if any(factor is None or factor is ZERO for factor in factors):
        return None
    return reduce(lambda a, b: apply("mul", a, b), [factor for factor in factors if factor is not None])


def length(vector: Vector, r: Correlations) -> Expr:
    """Return sqrt(v' R v), the standard uncertainty of a sum of terms ``vector`` (JCGM 100, 5.1.2 and 5.2.2).

    Independent groups of inputs are joined by ``hypot``, which neither overflows nor underflows. A pair a, b is
    hypot(a + r*b, sqrt((1 - r)*(1 + r))*b), which keeps its digits where r is near -1 and a near b. Larger groups are
    sums by Cholesky's factor of constant correlations, else a quadratic form, scaled by its largest component.

    >>> from gradcli.expr import text, var
    >>> text(length({"x": var("a"), "y": var("b")}, {}))
    'hypot(a, b)'
    """
    parts: list[Expr] = []
    for group in groups(vector, r):
        if len(group) == 1:
            parts.append(vector[group[0]])
        elif len(group) == 2:
            parts += _pair(vector[group[0]], vector[group[1]], coefficient(r, *group) or ZERO)
        else:
            parts += _sums(group, vector, r) or [_form({name: vector[name] for name in group}, r)]
    return joined(parts)


def joined(parts: Sequence[Expr]) -> Expr:
    """Return the root of the sum of squares, by ``hypot`` in a balanced tree: its rounding grows with log2 of them."""
    parts = [part for part in parts if part is not ZERO]
    if not parts:
        return ZERO
    if len(parts) == 1:
        return parts[0] if parts[0].op == "hypot" else abs_(parts[0])
    while len(parts) > 1:
        pairs = [apply("hypot", a, b) for a, b in zip(parts[:-1:2], parts[1::2], strict=True)]
        parts = [*pairs, parts[-1]] if len(parts) % 2 else pairs
    return parts[0]


def scale(parts: Sequence[Expr]) -> Expr:
    """Return the largest absolute value of the parts where it is a divisor, else 1."""
    largest = reduce(maximum, map(abs_, dict.fromkeys(parts)))
    return where(and_(gt(largest, ZERO), lt(largest, _INFINITE)), largest, ONE)


def root(scaled: Expr, size: Expr) -> Expr:
    """Return size*sqrt(scaled): 0 where ``scaled`` is below 0 by rounding alone, nan where it is truly negative."""
    rounded = and_(lt(scaled, ZERO), gt(scaled, _ROUNDED))
    return size * sqrt(where(rounded, ZERO, scaled))


def bilinear(left: Vector, right: Vector, r: Correlations) -> Expr | None:
    """Return left' R right; None if it is zero everywhere."""
    return total(product(a, coefficient(r, i, j), b) for i, a in left.items() for j, b in right.items())


def _pair(a: Expr, b: Expr, r: Expr) -> list[Expr]:
    if r is ONE:
        return [a + b]
    if r is const(-1):
        return [a - b]
    return [a + r * b, sqrt((1 - r) * (1 + r)) * b]


def factor(matrix: Sequence[Sequence[float]], tolerance: float = 1e-12) -> list[list[float]] | tuple[int, int]:
    """Return Cholesky's factor of a correlation matrix, row by row below the diagonal; pivots that are 0 are skipped.

    If the matrix is not positive semidefinite to the tolerance, return the places of two inputs that contradict each
    other (Higham, Accuracy and Stability of Numerical Algorithms, 10.3).
    """
    lower: list[list[float]] = []
    small = math.sqrt(tolerance)
    for i, entries in enumerate(matrix):
        row: list[float] = []
        for j in range(i):
            rest = entries[j] - math.fsum([a * b for a, b in zip(row, lower[j], strict=False)])
            if lower[j][j] <= small:
                if abs(rest) > small:
                    return i, j
                row.append(0.0)
            else:
                row.append(rest / lower[j][j])
        left = 1 - math.fsum([a * a for a in row])
        if left < -tolerance:
            return i, max(range(i), key=lambda j: abs(row[j]))
        row.append(math.sqrt(max(left, 0.0)) if left > tolerance else 0.0)
        lower.append(row)
    return lower


def _sums(group: Sequence[str], vector: Vector, r: Correlations) -> list[Expr]:
    """Components whose length is that of a group, L'v for Cholesky's factor L; none if a correlation is no constant."""
    numbers = {(a, b): exact(coefficient(r, a, b) or ZERO) for a in group for b in group}
    if None in numbers.values():
        return []
    lower = factor([[float(numbers[a, b] or 0) for b in group] for a in group])
    if isinstance(lower, tuple):
        return []
    places = range(len(group))
    parts = [total(product(const(lower[i][j]), vector[group[i]]) for i in places[j:] if lower[i][j]) for j in places]
    return [part for part in parts if part is not None]


def _form(vector: Vector, r: Correlations) -> Expr:
    size = scale([*vector.values()])
    names = [*vector]
    parts = {name: e / size for name, e in vector.items()}
    squares = [parts[name] * parts[name] for name in names]
    mixed = [
        product(parts[a], parts[b], coefficient(r, a, b)) for k, a in enumerate(names) for b in names[k + 1 :]
    ]  # fmt: skip
    twice = total(mixed)
    scaled = total([*squares, None if twice is None else const(2) * twice])
    assert scaled is not None
    return root(scaled, size)


def groups(vector: Mapping[str, object], r: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Return the names of a vector in groups that correlations connect, in the order of the vector."""
    group = {name: [name] for name in vector}
    for a, b in r:
        if a in group and b in group and group[a] is not group[b]:
            group[a] += group[b]
            for name in group[b]:
                group[name] = group[a]
    order = {name: k for k, name in enumerate(vector)}
    found = {id(names): names for names in group.values()}
    return [sorted(names, key=order.__getitem__) for names in found.values()]
