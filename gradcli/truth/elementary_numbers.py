"""Powers, logarithms, exponentials, sines and cosines of exact real numbers, in normal form where they have one."""

from __future__ import annotations

from flint import arb, fmpq, fmpz

from gradcli.truth.budget import BITS
from gradcli.truth.field import Field
from gradcli.truth.numbers import (
    ONE,
    ZERO,
    Atom,
    Exact,
    Monomial,
    Power,
    Real,
    add,
    as_power,
    ball,
    ball_of_form,
    form_of,
    from_form,
    mul,
    neg,
    rational,
)

_TRIAL = 1000
"""Primes up to here are found; what is left of a number is one opaque base, so that no factoring takes long."""
_ROOTS = (2, 3, 5, 7)
_RATIONAL_COSINES = (1, 2, 3, 4, 6)
"""Denominators of the multiples of pi whose sine and cosine are square roots of rationals."""


def current(a: Exact) -> arb:
    """The enclosure of a number in normal form at the current precision."""
    return arb(a) if isinstance(a, fmpq) else ball_of_form(form_of(a))


def _factors(n: fmpz) -> list[tuple[int, int]]:
    """Bases and exponents whose product is n > 0."""
    bases = []
    for base, exponent in n.factor(trial_limit=_TRIAL) if n > 1 else ():
        p, e = int(base), int(exponent)
        if p > _TRIAL**2:
            for k in _ROOTS:
                while (root := int(fmpz(p).root(k))) ** k == p:
                    p, e = root, e * k
        bases.append((p, e))
    return bases


def _prime(field: Field, p: int) -> Atom:
    return field.atom("prime", p, lambda: arb(p))


def _log_prime(field: Field, p: int) -> Atom:
    return field.atom("log prime", p, lambda: arb(p).log())


def _positive(monomial: Monomial) -> bool:
    return all(atom.kind in ("prime", "pi", "e", "exp", "power") or atom.ball() > 0 for atom, _ in monomial)


def power(field: Field, a: Exact, r: fmpq) -> Exact:
    """a**r for rational r: a > 0, or r whole."""
    a = field.normal(a)
    whole = r.q == 1
    if isinstance(a, fmpq):
        if whole and abs(int(r.p)) * a.height_bits() <= BITS:
            return a ** int(r.p)
        if not whole and a > 0:
            powers: dict[Atom, Power] = {}
            if abs(int(r.p)) * a.height_bits() <= BITS * int(r.q):
                for part, sign in ((a.p, 1), (a.q, -1)):
                    for p, e in _factors(part):
                        prime = _prime(field, p)
                        powers[prime] = powers.get(prime, 0) + sign * e * as_power(r)
                factor, monomial = field.monomial(powers)
                return from_form({monomial: factor})
    elif len(form := form_of(a)) == 1:
        ((monomial, factor),) = form.items()
        if factor > 0 and _positive(monomial):
            more, result = field.monomial({atom: e * as_power(r) for atom, e in monomial})
            return mul(power(field, factor, r), from_form({result: more}))
    elif whole and 0 < int(r.p) <= 4:
        result_: Exact = a
        for _ in range(int(r.p) - 1):
            result_ = mul(result_, a)
        return result_
    return field.number("power", (field.identity(a), r.p, r.q), lambda: current(a) ** arb(r))


def log(field: Field, a: Exact) -> Exact:
    """The logarithm of a > 0."""
    a = field.normal(a)
    if isinstance(a, fmpq):
        form: dict[Monomial, fmpq] = {}
        for part, sign in ((a.p, 1), (a.q, -1)):
            for p, e in _factors(part):
                key = ((_log_prime(field, p), 1),)
                form[key] = form.get(key, ZERO) + sign * e
        return from_form(form)
    if len(form_of(a)) == 1:
        ((monomial, factor),) = form_of(a).items()
        if factor > 0 and _positive(monomial):
            total = log(field, factor)
            for atom, exponent in monomial:
                total = add(total, mul(rational(exponent), _log_atom(field, atom)))
            return total
    return field.number("log", field.identity(a), lambda: current(a).log())


def _log_atom(field: Field, atom: Atom) -> Exact:
    if atom.kind == "e":
        return ONE
    if atom.kind == "prime":
        assert isinstance(atom.argument, int)
        return from_form({((_log_prime(field, atom.argument), 1),): ONE})
    if atom.kind == "exp":
        assert isinstance(atom.argument, tuple)
        return from_form({atom.argument: ONE})
    return field.number("log atom", atom, lambda: atom.ball().log())


def exp(field: Field, a: Exact) -> Exact:
    """The exponential: a product of powers of e, of primes and of exponentials of single monomials."""
    a = field.normal(a)
    product: Exact = ONE
    for monomial, factor in form_of(a).items():
        product = mul(product, _exp_term(field, monomial, factor))
    return product


def _exp_term(field: Field, monomial: Monomial, factor: fmpq) -> Exact:
    if not monomial:
        return from_form({((field.atom("e", None, arb.const_e), as_power(factor)),): ONE})
    first, exponent = monomial[0]
    if len(monomial) == 1 and exponent == 1 and first.kind == "log prime":
        assert isinstance(first.argument, int)
        return power(field, fmpq(first.argument), factor)
    atom = field.atom("exp", monomial, lambda: ball_of_form({monomial: ONE}).exp())
    return from_form({((atom, as_power(factor)),): ONE})


def sine_and_cosine(field: Field, a: Exact) -> tuple[Exact, Exact]:
    """Exact at 0 and at multiples of pi/6 and pi/4; else atoms, that of the cosine even in a."""
    a = field.normal(a)
    if isinstance(a, fmpq) and not a:
        return ZERO, ONE
    pi = ((field.atom("pi", None, arb.pi), 1),)
    if isinstance(a, Real) and len(form_of(a)) == 1 and pi in form_of(a):
        turn = form_of(a)[pi]
        if turn.q in _RATIONAL_COSINES:
            twelfths = int(turn.p) * (12 // int(turn.q)) % 24
            return _sine(field, twelfths), _sine(field, (twelfths + 6) % 24)
    sign = field.sign(a)
    size = field.normal(a if sign >= 0 else neg(a))
    argument = field.identity(size)
    sine = field.number("sin", argument, lambda: current(size).sin())
    cosine = field.number("cos", argument, lambda: current(size).cos())
    return sine if sign >= 0 else neg(sine), cosine


def _sine(field: Field, twelfths: int) -> Exact:
    """The sine of so many twelfths of pi, of which it is a root of a rational."""
    if twelfths >= 12:
        return neg(_sine(field, twelfths - 12))
    twelfths = min(twelfths, 12 - twelfths)
    squares = {0: fmpq(0), 2: fmpq(1, 4), 3: fmpq(1, 2), 4: fmpq(3, 4), 6: fmpq(1)}
    square = squares[twelfths]
    return power(field, square, fmpq(1, 2)) if square else ZERO


def floor(field: Field, a: Exact) -> int | None:
    """The largest integer <= a; None where the balls cannot tell it."""
    if isinstance(a, fmpq):
        return int(a.p // a.q)
    enclosure = ball(a)
    if not enclosure.is_finite():
        return None
    whole = enclosure.floor().unique_fmpz()
    if whole is None:
        whole = (enclosure + arb("0.5")).floor().unique_fmpz()
        if whole is not None and field.compare(a, fmpq(whole)) < 0:
            whole -= 1
    return None if whole is None else int(whole)
