"""Expr: a node of the expression graph, immutable and interned (hash-consed): one object per meaning.

Must not know which operations there are, how they are simplified or how they are printed.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from fractions import Fraction
from itertools import count
from typing import TYPE_CHECKING
from weakref import _remove_dead_weakref  # type: ignore[attr-defined]

from gradcli.errors import GradError
from gradcli.limits.work import MADE, spend

Number = Fraction | float
"""An exact constant; a float only for what no fraction can say: inf, nan and -0.0."""

FOLD_BITS = 2048
LARGEST = Fraction(1.7976931348623157e308)
HALF_TINIEST = Fraction(1, 2**1075)
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

    if TYPE_CHECKING:  # bound to `apply` in `canonical`; == stays identity

        def __add__(self, other: Expr | int) -> Expr: ...
        def __radd__(self, other: int) -> Expr: ...
        def __sub__(self, other: Expr | int) -> Expr: ...
        def __rsub__(self, other: int) -> Expr: ...
        def __mul__(self, other: Expr | int) -> Expr: ...
        def __rmul__(self, other: int) -> Expr: ...
        def __truediv__(self, other: Expr | int) -> Expr: ...
        def __rtruediv__(self, other: int) -> Expr: ...
        def __pow__(self, other: Expr | int) -> Expr: ...
        def __neg__(self) -> Expr: ...

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


def intern(op: str, args: tuple[Expr, ...], value: Number | str | int | None) -> Expr:
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
            return intern("const", (), value)
        value = Fraction(repr(value))
    number = value if type(value) is Fraction else Fraction(value)
    # Fractions are slow to compare.
    if abs(number.numerator.bit_length() - number.denominator.bit_length()) > _ORDINARY:
        if abs(number) > LARGEST:
            raise GradError("the number is beyond the range of a double (about 1.8e308)")
        if number and abs(number) <= HALF_TINIEST:
            raise GradError("the number is too small for a double (it would become 0)")
    return intern("const", (), number)


ZERO = const(0)
ONE = const(1)
TWO = const(2)


def var(name: str) -> Expr:
    return intern("var", (), name)


def constant(name: str) -> Expr:
    """pi, e or tau."""
    return intern("constant", (), name)


def exact(e: Expr) -> Fraction | None:
    """The number, where the node is an exact constant."""
    return e.value if e.op == "const" and isinstance(e.value, Fraction) else None


def variables(e: Expr) -> list[str]:
    """Names of the variables a node depends on, in alphabetical order."""
    return sorted(name for name, place in _table.bits.copy().items() if e.variables >> place & 1)
