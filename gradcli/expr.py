"""Expr: the abstract syntax and the graph in one, immutable and hash-consed.

One object per meaning, so common subexpressions are found at birth. `apply` is the only way to make
a node; it simplifies only what is exact in IEEE-754 arithmetic, and folds constants as exact fractions.
Must not know parsing, derivatives or numbers of any backend.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import count
from weakref import _remove_dead_weakref  # type: ignore[attr-defined]

from gradcli.errors import GradError
from gradcli.work import MADE, spend

Number = Fraction | float
"""An exact constant; a float only for what no fraction can say: inf, nan and -0.0."""

FOLD_BITS = 2048
LARGEST = Fraction(1.7976931348623157e308)
_HALF_TINIEST = Fraction(1, 2**1075)
_ORDINARY = 1000
"""How far apart the lengths in bits of numerator and denominator may be without a second look."""
_MASK = (1 << 63) - 1

CONSTANTS = {"pi": math.pi, "e": math.e, "tau": math.tau}
COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
BOOLEANS = frozenset(COMPARISONS) | {"and", "or", "not"}
WORDS = {"if", "else", "and", "or", "not", "inf", "nan", "diff", *CONSTANTS}
"""What a bare word means in the language; as a variable it stands in backquotes. The function table adds its names."""


class Expr:
    """A node: ``op`` applied to ``args``.

    ``value`` is the number of a "const", the name of a "var" or "constant", the integer parameter of a
    row that takes one, the order of a "diff". ``variables`` has one bit per variable it depends on.
    ``serial`` rises with birth, so sorting by it is a topological order.
    """

    __slots__ = ("__weakref__", "args", "digest", "op", "serial", "value", "variables")
    op: str
    args: tuple[Expr, ...]
    value: Number | str | int | None
    variables: int
    serial: int
    digest: int

    def __repr__(self) -> str:
        return f"<Expr {text(self, 400)}>"

    # Arithmetic, for the rules of the table; == stays identity.
    def __add__(self, other: Expr | int) -> Expr:
        return apply("add", self, _node(other))

    def __radd__(self, other: int) -> Expr:
        return apply("add", _node(other), self)

    def __sub__(self, other: Expr | int) -> Expr:
        return apply("sub", self, _node(other))

    def __rsub__(self, other: int) -> Expr:
        return apply("sub", _node(other), self)

    def __mul__(self, other: Expr | int) -> Expr:
        return apply("mul", self, _node(other))

    def __rmul__(self, other: int) -> Expr:
        return apply("mul", _node(other), self)

    def __truediv__(self, other: Expr | int) -> Expr:
        return apply("div", self, _node(other))

    def __rtruediv__(self, other: int) -> Expr:
        return apply("div", _node(other), self)

    def __pow__(self, other: Expr | int) -> Expr:
        return apply("power", self, _node(other))

    def __neg__(self) -> Expr:
        return apply("neg", self)

    def __copy__(self) -> Expr:
        return self

    def __deepcopy__(self, memo: object) -> Expr:
        return self


class _Entry(weakref.ref["Expr"]):
    """A weak entry of the intern table that knows its key."""

    __slots__ = ("key",)
    key: object


class _Interned:
    """Every live node by its meaning. Holds its entries weakly; variables' bits and names' hashes for good.

    Shared by all threads without a lock, since every change is one indivisible operation: a forked child never finds a
    lock held by a thread it does not have, and a finalizer or a signal's handler may make nodes wherever it runs.
    """

    def __init__(self) -> None:
        self.nodes: dict[object, _Entry] = {}
        self.bits: dict[str, int] = {}
        self.hashes: dict[str, int] = {}
        self.births = count(1)
        self.places = count()

    # The default is there even when the interpreter ends, which forgets what modules hold.
    def forget(self, entry: _Entry, remove: Callable[..., None] = _remove_dead_weakref) -> None:
        # Only if it is dead: another thread may have put a new node in its place.
        remove(self.nodes, entry.key)

    def keep(self, key: object, node: Expr) -> Expr:
        """The one node of that meaning: ``node``, or what another thread made first."""
        mine = _Entry(node, self.forget)
        mine.key = key
        while True:
            entry = self.nodes.setdefault(key, mine)
            if entry is mine:
                return node
            found = entry()
            if found is not None:
                return found
            self.forget(entry)

    def hash(self, word: str) -> int:
        """A hash that no seed changes: order by it must be the same in every run."""
        known = self.hashes.get(word)
        if known is None:
            known = self.hashes[word] = int.from_bytes(word.encode(), "big") % _MASK
        return known


_table = _Interned()


def _intern(op: str, args: tuple[Expr, ...], value: Number | str | int | None) -> Expr:
    # 0.0 == -0.0 and nan != nan: floats are keyed by their spelling. Hashing a fraction takes a division.
    kind = type(value)
    last = repr(value) if kind is float else value.as_integer_ratio() if kind is Fraction else value  # type: ignore[union-attr]
    key = (op, args, last)
    spend(MADE)
    table = _table
    entry = table.nodes.get(key)
    if entry is not None:
        found = entry()
        if found is not None:
            return found
    node = Expr.__new__(Expr)
    node.op = op
    node.args = args
    node.value = value
    variables = 0
    for arg in args:
        variables |= arg.variables
    if op == "var":
        assert isinstance(value, str)
        variables = bit(value)
    node.variables = variables
    node.serial = next(table.births)
    mark = 0 if last is None else table.hash(last) if isinstance(last, str) else hash(value)
    node.digest = hash((table.hash(op), mark, *[a.digest for a in args])) & _MASK
    return table.keep(key, node)


def bit(name: str) -> int:
    """The bit that stands for a variable in ``Expr.variables``."""
    place = _table.bits.get(name)
    if place is None:
        # Two threads that meet a name at once leave one place unused; no two names share one.
        place = _table.bits.setdefault(name, next(_table.places))
    return 1 << place


def const(value: int | Number) -> Expr:
    """An exact constant. A finite float means its shortest decimal (0.1 is 1/10)."""
    if isinstance(value, float):
        if not math.isfinite(value) or (value == 0 and math.copysign(1, value) < 0):
            return _intern("const", (), value)
        value = Fraction(repr(value))
    number = value if type(value) is Fraction else Fraction(value)
    # Fractions are slow to compare.
    if abs(number.numerator.bit_length() - number.denominator.bit_length()) > _ORDINARY:
        if abs(number) > LARGEST:
            raise GradError("the number is beyond the range of a double (about 1.8e308)")
        if number and abs(number) <= _HALF_TINIEST:
            raise GradError("the number is too small for a double (it would become 0)")
    return _intern("const", (), number)


def _node(item: Expr | int) -> Expr:
    return const(item) if isinstance(item, int) else item


ZERO = const(0)
ONE = const(1)
TWO = const(2)


def var(name: str) -> Expr:
    return _intern("var", (), name)


def constant(name: str) -> Expr:
    """pi, e or tau."""
    return _intern("constant", (), name)


def exact(e: Expr) -> Fraction | None:
    """The number, where the node is an exact constant."""
    return e.value if e.op == "const" and isinstance(e.value, Fraction) else None


# Simplification: each rule returns None where nothing is exact.


def _folded(operation: Callable[[], Fraction]) -> Expr | None:
    result = operation()
    if result.numerator.bit_length() + result.denominator.bit_length() > FOLD_BITS:
        if abs(result) > LARGEST:
            return const(result)
        return None
    return const(result) if not result or abs(result) > _HALF_TINIEST else None


def _add(a: Expr, b: Expr) -> Expr | None:
    p, q = a.op, b.op
    if p == "const" == q and (x := exact(a)) is not None and (y := exact(b)) is not None:
        return _folded(lambda: x + y)
    if p == "neg":
        return apply("sub", b, a.args[0])
    if q == "neg":
        return apply("sub", a, b.args[0])
    if a is b:
        return apply("mul", TWO, a)
    # Subtracting what is subtracted reads better than adding a negative multiple, and rounds the same.
    if q in _SCALED and _negative(b):
        return apply("sub", a, apply("neg", b))
    return apply("sub", b, apply("neg", a)) if p in _SCALED and _negative(a) else None


_SCALED = frozenset({"const", "mul", "div"})


def _negative(e: Expr) -> bool:
    number = exact(e.args[0]) if e.args else exact(e)
    return number is not None and number < 0


def _sub(a: Expr, b: Expr) -> Expr | None:
    p, q = a.op, b.op
    if p == "const" == q and (x := exact(a)) is not None and (y := exact(b)) is not None:
        return _folded(lambda: x - y)
    if q == "neg":
        return apply("add", a, b.args[0])
    return apply("add", a, apply("neg", b)) if q in _SCALED and _negative(b) else None


def _mul(a: Expr, b: Expr) -> Expr | None:
    p, q = a.op, b.op
    if p == "neg":
        return apply("neg", apply("mul", a.args[0], b))
    if q == "neg":
        return apply("neg", apply("mul", a, b.args[0]))
    if p != "const" and q != "const":
        return None
    x, y = exact(a), exact(b)
    if x is not None and y is not None:
        return _folded(lambda: x * y)
    for number, other in ((x, b), (y, a)):
        if number == 1:
            return other
        if number == -1:
            return apply("neg", other)
    return None


def _div(a: Expr, b: Expr) -> Expr | None:
    p, q = exact(a), exact(b)
    if p is not None and q:
        return _folded(lambda: p / q)
    if a.op == "neg":
        return apply("neg", apply("div", a.args[0], b))
    if b.op == "neg":
        return apply("neg", apply("div", a, b.args[0]))
    if q == 1:
        return a
    return apply("neg", a) if q == -1 else None


def _neg(a: Expr) -> Expr | None:
    if a.op == "neg":
        return a.args[0]
    if a.op == "const":
        number = a.value
        assert isinstance(number, Fraction | float)
        return const(-number) if number or isinstance(number, float) else const(-0.0)
    if a.op in ("mul", "div") and a.args[0].op == "const":
        return apply(a.op, apply("neg", a.args[0]), a.args[1])
    return None


def _power(a: Expr, b: Expr) -> Expr | None:
    p, q = exact(a), exact(b)
    if q == 1:
        return a
    if q == 0:
        return ONE
    if a.op == "abs" and q is not None and q % 2 == 0:
        return apply("power", a.args[0], b)
    if a.op == "constant" and a.value == "e":
        return apply("exp", b)
    if p is not None and q is not None and q.denominator == 1 and (p or q > 0):
        n = int(q)
        size = abs(n) * max(p.numerator.bit_length() - 1, p.denominator.bit_length() - 1)
        if size <= 4 * FOLD_BITS:
            return _folded(lambda: p**n)
        if n * (math.log2(abs(p.numerator)) - math.log2(p.denominator)) > 1025:
            raise GradError("the number is beyond the range of a double (about 1.8e308)")
    return None


_RULES: dict[str, Callable[..., Expr | None]] = {
    "add": _add, "sub": _sub, "mul": _mul, "div": _div, "neg": _neg, "power": _power,
}  # fmt: skip


_PLACES = {
    "mul": {"const": 0, "constant": 0, "mul": 1, "var": 2},
    "add": {"add": 1, "var": 3, "const": 4, "constant": 4},
}


def _before(a: Expr, b: Expr, op: str) -> bool:
    """Whether ``a`` comes first as an operand of ``op``: products read 2*x*sin(x), sums read x**2 + x + 1.

    By structure, never by birth: what is printed must not depend on history.
    """
    places = _PLACES[op]
    unnamed = 3 if op == "mul" else 2
    # In a product a power of a variable stands where the variable would.
    first = a.args[0] if op == "mul" and a.op == "power" else a
    second = b.args[0] if op == "mul" and b.op == "power" else b
    if first.op != "var":
        first = a
    if second.op != "var":
        second = b
    p, q = places.get(first.op, unnamed), places.get(second.op, unnamed)
    if p != q:
        return p < q
    names = [str(e.value) if e.op in ("var", "constant") else e.op for e in (first, second)]
    return names[0] < names[1] if names[0] != names[1] else a.digest < b.digest


def apply(op: str, *args: Expr, value: int | None = None) -> Expr:
    """The node for ``op`` applied to ``args``, in its one canonical form.

    Raises GradError where a constant leaves the range of a double.
    """
    rule = _RULES.get(op)
    if rule is not None:
        simpler = rule(*args)
        if simpler is not None:
            return simpler
    if op == "add" or op == "mul":
        a, b = args
        if _before(b, a, op):
            args = (b, a)
    return _intern(op, args, value)


def rebuild(e: Expr, args: tuple[Expr, ...]) -> Expr:
    """The same operation on other arguments."""
    if args == e.args:
        return e
    return apply(e.op, *args, value=e.value if isinstance(e.value, int) else None)


def reachable(roots: Iterable[Expr]) -> list[Expr]:
    """Every node below ``roots``, arguments before users, each once."""
    seen: set[Expr] = set()
    stack = list(roots)
    while stack:
        e = stack.pop()
        if e not in seen:
            seen.add(e)
            stack.extend(e.args)
    spend(len(seen))
    return sorted(seen, key=lambda e: e.serial)


def post_order(roots: Iterable[Expr]) -> list[Expr]:
    """Arguments before users, each user as soon after its arguments as can be: few values are alive at a time."""
    seen: set[Expr] = set()
    order: list[Expr] = []
    for root in roots:
        stack = [(root, False)]
        while stack:
            e, ready = stack.pop()
            if ready:
                order.append(e)
            elif e not in seen:
                seen.add(e)
                stack.append((e, True))
                stack.extend((a, False) for a in reversed(e.args))
    spend(len(seen))
    return order


def substitute(roots: Iterable[Expr], names: dict[str, Expr]) -> list[Expr]:
    """``roots`` with the variables in ``names`` replaced."""
    roots = list(roots)
    new: dict[Expr, Expr] = {}
    for e in reachable(roots):
        if e.op == "var":
            new[e] = names.get(str(e.value), e)
        else:
            new[e] = rebuild(e, tuple([new[a] for a in e.args]))
    return [new[r] for r in roots]


def variables(e: Expr) -> list[str]:
    """Names of the variables a node depends on, in alphabetical order."""
    return sorted(name for name, place in _table.bits.copy().items() if e.variables >> place & 1)


# Printing: what is printed parses back to the same node.

_LOOSE, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _UNARY, _POWER, ATOM = range(10)
_SHARE = 16


def spell_number(value: Number) -> tuple[str, int]:
    """The shortest text of an exact constant, and how tightly it binds."""
    if isinstance(value, float):
        if value == 0:
            return "-0.0", _UNARY
        return ("nan", ATOM) if value != value else ("inf", ATOM) if value > 0 else ("-inf", _UNARY)
    sign, size = ("-", -value) if value < 0 else ("", value)
    bind = _UNARY if sign else ATOM
    # Through the nearest double when that decimal is the number (nearly always), exactly otherwise.
    near = float(size)
    if Fraction(repr(near)) == size:
        plain = (
            str(int(size))
            if size.denominator == 1 and size < 10**16
            else repr(near).replace("e+", "e").replace("e-0", "e-")
        )
        return sign + plain, bind
    rest, twos, fives = size.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if size.denominator == 1:
        return sign + str(size.numerator), bind
    if rest == 1 and max(twos, fives) <= 40:
        places = max(twos, fives)
        digits = str(size.numerator * 10**places // size.denominator).zfill(places + 1)
        return f"{sign}{digits[:-places]}.{digits[-places:]}", bind
    if rest == 1 and size.numerator.bit_length() + size.denominator.bit_length() > FOLD_BITS:
        # As a quotient it would not be folded again.
        return f"{sign}{size.numerator * 10 ** max(twos, fives) // size.denominator}e-{max(twos, fives)}", bind
    # Both parts scaled alike where one alone is beyond the range of a double.
    scale = "" if max(size.numerator, size.denominator) <= LARGEST else "e-310"
    return f"{sign}{size.numerator}{scale}/{size.denominator}{scale}", _PRODUCT


def spell_name(name: str) -> str:
    """A variable as it is typed: in backquotes unless it is an identifier that means nothing else."""
    return name if name.isidentifier() and name.isascii() and name not in WORDS else f"`{name}`"


def _polynomial(terms: Iterable[tuple[int, Expr]]) -> Expr:
    total: Expr | None = None
    for factor, power in terms:
        if factor:
            term = const(factor) * power
            total = term if total is None else total + term
    return ZERO if total is None else total


def _inverted(x: Expr, y: Expr, n: int, imaginary: bool) -> Expr:
    """Real or imaginary part of (x + i*y)**-n as a quotient of polynomials."""
    above = _polynomial(
        (-math.comb(n, k) if (k + imaginary) // 2 % 2 else math.comb(n, k), x ** (n - k) * y**k)
        for k in range(int(imaginary), n + 1, 2)
    )
    return above / (x**2 + y**2) ** n


def _hermite(x: Expr, n: int) -> Expr:
    """The polynomial before exp(-x**2) in its n-th derivative."""
    before, factors = [0], [1]
    for k in range(n):
        lifted = [0, *[-2 * c for c in factors]]
        for i, c in enumerate(before):
            lifted[i] -= 2 * k * c
        before, factors = factors, lifted
    return _polynomial((factors[k], x**k) for k in range(n, -1, -1))


_TEXTBOOK: dict[str, Callable[..., Expr]] = {
    "defined": lambda y, slope: slope,
    "instead": lambda condition, rare, usual: usual,
    "power_shift": lambda x, c, n: x ** (c - const(n)),
    "direction": lambda x, y: x / apply("hypot", x, y) if x is not ONE else ONE / apply("sqrt", y**2 + ONE),
    "inversion": lambda x, y, n: _inverted(x, y, n, False),
    "inversion_im": lambda x, y, n: _inverted(x, y, n, True),
    "softmax": lambda x, y: apply("sigmoid", x - y),
    "xdivy": lambda x, y: x / y,
    "floordiv": lambda x, y: apply("floor", x / y),
    "truncdiv": lambda x, y: apply("trunc", x / y),
    "dgauss": lambda x, n: _hermite(x, n) * apply("exp", -(x**2)),
}
"""What serves accuracy alone, as a textbook writes it."""


def _textbook(e: Expr, args: tuple[Expr, ...]) -> Expr:
    form = _TEXTBOOK.get(e.op)
    if form is None:
        return rebuild(e, args)
    try:
        return form(*args) if e.value is None else form(*args, e.value)
    except GradError:
        # A number of the textbook's form may leave the range of a double where the careful form has none.
        return rebuild(e, args)


_KINKS = frozenset({"defined", "instead", "direction", "inversion", "inversion_im", "xdivy"})
"""Rows whose textbook form is another function at kinks and where the function itself is not defined."""


def readable(roots: Iterable[Expr], *, kinks: bool = False) -> list[Expr]:
    """The same functions in textbook forms.

    Equal wherever the function itself is defined; at kinks and near the ends of the range of a double the careful form,
    which is the one evaluated, is better. ``kinks``: equal at kinks too.
    """
    roots = list(roots)
    nodes = reachable(roots)
    if all(e.op not in _TEXTBOOK for e in nodes):
        return roots
    new: dict[Expr, Expr] = {}
    for e in nodes:
        args = tuple([new[a] for a in e.args])
        new[e] = rebuild(e, args) if kinks and e.op in _KINKS else _textbook(e, args)
    return [new[r] for r in roots]


Parts = tuple["str | Expr", ...]


def shape(e: Expr, bind: dict[Expr, int]) -> tuple[Parts, int]:
    """A node's text in parts, its arguments standing for their own, and how tightly it binds."""

    def inside(index: int, at_least: int) -> Parts:
        a = e.args[index]
        return (a,) if bind[a] >= at_least else ("(", a, ")")

    op = e.op
    if op == "const":
        assert isinstance(e.value, Fraction | float)
        word, strength = spell_number(e.value)
        return (word,), strength
    if op == "var":
        return (spell_name(str(e.value)),), ATOM
    if op == "constant":
        return (str(e.value),), ATOM
    if op in ("add", "sub"):
        return (*inside(0, _SUM), " + " if op == "add" else " - ", *inside(1, _PRODUCT)), _SUM
    if op in ("mul", "div", "mod"):
        sign = {"mul": "*", "div": "/", "mod": " % "}[op]
        return (*inside(0, _PRODUCT), sign, *inside(1, _UNARY)), _PRODUCT
    if op == "neg":
        first = e.args[0]
        while first.op in ("mul", "div"):
            first = first.args[0]
        # -x*y reads as (-x)*y, which is the same node; -2*x*y would not be.
        at_least = _UNARY if first.op in ("const", "mod") else _PRODUCT
        return ("-", *inside(0, at_least)), at_least
    if op == "power":
        return (*inside(0, ATOM), "**", *inside(1, _UNARY)), _POWER
    if op in COMPARISONS:
        return (*inside(0, _SUM), f" {COMPARISONS[op]} ", *inside(1, _SUM)), _COMPARE
    if op == "not":
        return ("not ", *inside(0, _NOT)), _NOT
    if op in ("and", "or"):
        strength = _AND if op == "and" else _OR
        return (*inside(0, strength), f" {op} ", *inside(1, strength + 1)), strength
    parts: list[str | Expr] = [f"{op}(" if op == "diff" or not isinstance(e.value, int) else f"{op}({e.value}, "]
    for a in e.args:
        parts += [a, ", "]
    parts[-1] = f", {e.value})" if op == "diff" and e.value != 1 else ")"
    return tuple(parts), ATOM


def statements(
    named: Iterable[tuple[str, Expr]], *, share: bool = True, kinks: bool = False, most: float = math.inf
) -> Iterator[tuple[str, str]]:
    """``name, text`` lines; what several of them share comes first as ``t1``, ``t2`` ..., used by the later ones.

    ``kinks`` as for `readable`. A text is cut after ``most`` characters: without sharing it can grow without end.
    """
    names, roots = zip(*named, strict=True)
    pairs = list(zip(names, readable(roots, kinks=kinks), strict=True))
    nodes = reachable(e for _, e in pairs)
    uses: dict[Expr, int] = {}
    for e in nodes:
        for a in e.args:
            uses[a] = uses.get(a, 0) + 1
    for _, e in pairs:
        uses[e] = uses.get(e, 0) + 1
    taken = {str(e.value) for e in nodes if e.op == "var"} | {name for name, _ in pairs}
    parts: dict[Expr, Parts] = {}
    bind: dict[Expr, int] = {}
    length: dict[Expr, int] = {}

    def written(e: Expr) -> str:
        # One pass over the leaves: joining texts level by level would be quadratic in the depth.
        done: list[str] = []
        stack: list[str | Expr] = [e]
        room = most
        while stack and room >= 0:
            top = stack.pop()
            if isinstance(top, str):
                done.append(top)
                room -= len(top)
            else:
                stack.extend(reversed(parts[top]))
        return "".join(done) if room >= 0 else "".join(done)[: int(most)] + " ..."

    count = 0
    for e in nodes:
        parts[e], bind[e] = shape(e, bind)
        length[e] = sum(len(part) if isinstance(part, str) else length[part] for part in parts[e])
        if share and uses[e] > 1 and length[e] > _SHARE and e.op not in BOOLEANS:
            count += 1
            while f"t{count}" in taken:
                count += 1
            yield f"t{count}", written(e)
            parts[e], bind[e], length[e] = (f"t{count}",), ATOM, len(f"t{count}")
    for name, e in pairs:
        yield name, written(e)


def text(e: Expr, most: float = math.inf) -> str:
    """One expression as text, nothing shared, cut after ``most`` characters."""
    return next(body for _, body in statements([("", e)], share=False, most=most))
