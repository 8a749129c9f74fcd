"""`Expr`, a node of the expression graph: immutable and interned (hash-consed), one object for equal nodes.

Layer: must not know which operations there are, how they are simplified or how they are printed.
"""

from __future__ import annotations

import gc
import math
import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import count
from typing import TYPE_CHECKING
from weakref import _remove_dead_weakref  # type: ignore[attr-defined]

from gradcli.errors import GradError
from gradcli.limits.work import MADE, spend

Number = Fraction | float
"""An exact constant; a float only for values without a fraction: inf, nan and -0.0."""

FOLD_BITS = 2048
"""The longest constant that folding makes: bits of numerator and denominator together."""
LARGEST = Fraction(1.7976931348623157e308)
"""The largest finite double."""
HALF_TINIEST = Fraction(1, 2**1075)
"""Half of the smallest subnormal double: numbers up to it round to 0."""
_SAFE_BITS = 1000
"""Difference of the lengths in bits of numerator and denominator up to which a fraction is surely a normal double."""
_MASK = (1 << 63) - 1

CONSTANTS = {"pi": math.pi, "e": math.e, "tau": math.tau}
COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
BOOLEANS = frozenset(COMPARISONS) | {"and", "or", "not"}
WORDS = {"if", "else", "and", "or", "not", "inf", "nan", "diff", *CONSTANTS}
"""Reserved words of the language: a variable with such a name is written in backquotes. The function table adds its
names.
"""


class Expr:
    """A node: ``op`` applied to ``args``.

    ``value`` is the number of a "const", the name of a "var" or "constant", the integer parameter of a function that
    takes one, the order of a "diff". ``variables`` has one bit for each variable that the node depends on.
    ``serial`` increases with every node made, so that sorting by it is a topological order. ``digest`` is a hash of
    the structure that is the same in every process.
    """

    __slots__ = ("__weakref__", "args", "digest", "op", "serial", "value", "variables")
    op: str
    args: tuple[Expr, ...]
    value: Number | str | int | None
    variables: int
    serial: int
    digest: int

    if TYPE_CHECKING:  # bound to `apply` in `canonical`; == stays identity

        def __neg__(self) -> Expr: ...
        def __add__(self, other: Expr | int) -> Expr: ...

        __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __pow__ = __add__

    def __copy__(self) -> Expr:
        return self

    def __deepcopy__(self, memo: object) -> Expr:
        return self


class _Entry(weakref.ref["Expr"]):
    """A weak reference to a node with its key, by which its callback removes it from the intern table."""

    __slots__ = ("key",)
    key: object


class _Interned:
    """The intern table: every live node by operation, arguments and value, through weak references.

    The bits of variables and the hashes of names are kept for the life of the process. All threads share the table
    without a lock, since every change is one atomic operation of a dict: a forked child never inherits a lock that a
    missing thread holds, and finalizers and signal handlers may make nodes at any time.
    """

    def __init__(self) -> None:
        self.nodes: dict[object, _Entry] = {}
        self.bits: dict[str, int] = {}
        self.names: dict[int, str] = {}
        self.hashes: dict[str, int] = {}
        self.serials = count(1)
        self.positions = count()

    # A default argument survives the end of the interpreter, which clears the globals of modules.
    def forget(self, entry: _Entry, remove: Callable[..., None] = _remove_dead_weakref) -> None:
        # Removes a dead entry only: another thread may have stored a new node under the key.
        remove(self.nodes, entry.key)

    def keep(self, key: object, node: Expr) -> Expr:
        """The interned node of ``key``: ``node``, unless another thread stored one first."""
        own = _Entry(node, self.forget)
        own.key = key
        while True:
            entry = self.nodes.setdefault(key, own)
            if entry is own:
                return node
            live = entry()
            if live is not None:
                return live
            self.forget(entry)

    def hash(self, word: str) -> int:
        """A hash without Python's per-process seed: an order by it is the same in every run."""
        known = self.hashes.get(word)
        if known is None:
            known = self.hashes[word] = int.from_bytes(word.encode(), "big") % _MASK
        return known


_table = _Interned()


def intern(op: str, args: tuple[Expr, ...], value: Number | str | int | None) -> Expr:
    """The node of this operation, arguments and value: the live one, or a new one."""
    # Floats are keyed by repr, since 0.0 == -0.0 and nan != nan; fractions by their pair, whose hash needs no division.
    kind = type(value)
    last = repr(value) if kind is float else value.as_integer_ratio() if kind is Fraction else value  # type: ignore[union-attr]
    key = (op, args, last)
    spend(MADE)
    table = _table
    entry = table.nodes.get(key)
    if entry is not None:
        live = entry()
        if live is not None:
            return live
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
    node.serial = next(table.serials)
    mark = 0 if last is None else table.hash(last) if isinstance(last, str) else hash(value)
    node.digest = hash((table.hash(op), mark, *[a.digest for a in args])) & _MASK
    return table.keep(key, node)


def bit(name: str) -> int:
    """The bit that stands for a variable in ``Expr.variables``."""
    position = _table.bits.get(name)
    if position is None:
        # Two threads that add a name at the same time leave one position unused; no two names share a position.
        # The name is stored first, so that every position in use has one.
        position = next(_table.positions)
        _table.names[position] = name
        position = _table.bits.setdefault(name, position)
    return 1 << position


def const(value: int | Number) -> Expr:
    """An exact constant. A finite float means its shortest decimal (0.1 is 1/10).

    Raises GradError for a number beyond the range of a double, or one that would round to 0.
    """
    if isinstance(value, float):
        if not math.isfinite(value) or (value == 0 and math.copysign(1, value) < 0):
            return intern("const", (), value)
        value = Fraction(repr(value))
    number = value if type(value) is Fraction else Fraction(value)
    # The lengths in bits decide nearly always; comparing fractions multiplies long integers.
    if abs(number.numerator.bit_length() - number.denominator.bit_length()) > _SAFE_BITS:
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
    """The constant "pi", "e" or "tau"."""
    return intern("constant", (), name)


def exact(e: Expr) -> Fraction | None:
    """The number of an exact constant; None for any other node."""
    return e.value if e.op == "const" and isinstance(e.value, Fraction) else None


def variables(e: Expr) -> list[str]:
    """Names of the variables that a node depends on, in alphabetical order.

    The work does not grow with the number of names that the process has met.
    """
    digits, names = f"{e.variables:b}"[::-1], []
    position = digits.find("1")
    while position >= 0:
        names.append(_table.names[position])
        position = digits.find("1", position + 1)
    return sorted(names)


# Nodes form no cycles: while many are made, passes of the garbage collector would double the time.

_pauses: list[None] = []
"""One entry for each pause that a thread of this process has to end."""


@contextmanager
def collector_paused() -> Iterator[None]:
    """Disable the collector inside the block, if it is enabled, and enable it afterwards."""
    if not gc.isenabled():
        yield
        return
    _pauses.append(None)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        if _pauses:
            _pauses.pop()


def _resume() -> None:
    """Enable the collector in a forked child: the threads that would end the pauses do not exist there."""
    if _pauses:
        _pauses.clear()
        gc.enable()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_resume)
