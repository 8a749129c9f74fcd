"""Emitter: straight-line vector code in LLVM's language, every operation said once.

An operation on the same operands is the same line, so what two functions share (the reduced argument of sine and
cosine) is computed once. Must not know programs or the mathematics of any function.
"""

from __future__ import annotations

import struct
from collections import ChainMap
from collections.abc import Callable, MutableMapping, Sequence
from typing import NamedTuple

from gradcli.compute.backends.native.machine import Machine
from gradcli.errors import GradError

NUMBER, TRUTH, BITS = "double", "i1", "i64"


class Value(NamedTuple):
    """One register: its name in the text, what its lanes hold, and who emitted it."""

    text: str
    kind: str
    to: Emitter

    def __add__(self, other: Value | float) -> Value:  # type: ignore[override]
        return self.to.two("fadd" if self.kind == NUMBER else "add", self, other)

    def __sub__(self, other: Value | float) -> Value:
        return self.to.two("fsub" if self.kind == NUMBER else "sub", self, other)

    def __mul__(self, other: Value | float) -> Value:  # type: ignore[override]
        return self.to.two("fmul", self, other)

    def __truediv__(self, other: Value | float) -> Value:
        return self.to.two("fdiv", self, other)

    def __radd__(self, other: float) -> Value:
        return self.to.number(other) + self

    def __rsub__(self, other: float) -> Value:
        return self.to.number(other) - self

    def __rmul__(self, other: float) -> Value:  # type: ignore[override]
        return self.to.number(other) * self

    def __rtruediv__(self, other: float) -> Value:
        return self.to.number(other) / self

    def __neg__(self) -> Value:
        return self.to.one("fneg", self)

    def __and__(self, other: Value | int) -> Value:
        return self.to.two("and", self, other)

    def __or__(self, other: Value | int) -> Value:
        return self.to.two("or", self, other)

    def __invert__(self) -> Value:
        return self.to.two("xor", self, -1)

    def __lshift__(self, places: int) -> Value:
        return self.to.two("shl", self, places)

    def __rshift__(self, places: int) -> Value:
        return self.to.two("lshr", self, places)

    # Ordered comparisons: false where either is nan. NamedTuple's own order and equality stay what they are.
    def below(self, other: Value | float) -> Value:
        return self.to.compare("olt", self, other)

    def at_most(self, other: Value | float) -> Value:
        return self.to.compare("ole", self, other)

    def above(self, other: Value | float) -> Value:
        return self.to.compare("ogt", self, other)

    def at_least(self, other: Value | float) -> Value:
        return self.to.compare("oge", self, other)

    def same(self, other: Value | float) -> Value:
        return self.to.compare("oeq", self, other)

    def is_nan(self) -> Value:
        return self.to.compare("uno", self, self)


class Emitter:
    """Lines of one function; ``outside`` is what its module must declare or define, by name: all of it has one."""

    def __init__(self, machine: Machine, outside: dict[str, str]) -> None:
        self.machine = machine
        self.lanes = machine.lanes
        self.lines: list[str] = []
        self.outside = outside
        self.block = "entry"
        self._known: MutableMapping[str, str] = {}
        self._count = 0

    def type(self, kind: str) -> str:
        return f"<{self.lanes} x {kind}>"

    # Lines.

    def line(self, text: str) -> str:
        """The register that holds what ``text`` computes, which has no side effects."""
        name = self._known.get(text)
        if name is None:
            name = self._known[text] = self.fresh()
            self.lines.append(f"{name} = {text}")
        return name

    def fresh(self, what: str = "v") -> str:
        self._count += 1
        return f"%{what}{self._count}"

    def start(self, label: str) -> None:
        """Begin a block."""
        self.block = label
        self.lines.append(f"{label}:")

    # Values.

    def number(self, value: float | Value) -> Value:
        if isinstance(value, Value):
            return value
        (bits,) = struct.unpack("<Q", struct.pack("<d", value))
        return Value(f"splat (double 0x{bits:016X})", NUMBER, self)

    def _like(self, value: float | Value, kind: str) -> Value:
        if isinstance(value, Value):
            return value
        return self.number(value) if kind == NUMBER else Value(f"splat ({kind} {int(value)})", kind, self)

    def one(self, operation: str, x: Value) -> Value:
        return Value(self.line(f"{operation} {self.type(x.kind)} {x.text}"), x.kind, self)

    def two(self, operation: str, x: Value, y: Value | float) -> Value:
        return Value(self.line(f"{operation} {self.type(x.kind)} {x.text}, {self._like(y, x.kind).text}"), x.kind, self)

    def compare(self, how: str, x: Value, y: Value | float) -> Value:
        return Value(self.line(f"fcmp {how} {self.type(NUMBER)} {x.text}, {self.number(y).text}"), TRUTH, self)

    def select(self, c: Value, a: Value | float, b: Value | float) -> Value:
        kind = next((v.kind for v in (a, b) if isinstance(v, Value)), NUMBER)
        a, b = self._like(a, kind), self._like(b, kind)
        t = self.type(kind)
        return Value(self.line(f"select {self.type(TRUTH)} {c.text}, {t} {a.text}, {t} {b.text}"), kind, self)

    def nonzero(self, x: Value) -> Value:
        """Whether any of the bits is set."""
        return Value(self.line(f"icmp ne {self.type(BITS)} {x.text}, zeroinitializer"), TRUTH, self)

    def below_unsigned(self, x: Value, bound: int) -> Value:
        return Value(self.line(f"icmp ult {self.type(BITS)} {x.text}, splat (i64 {bound})"), TRUTH, self)

    def number_bits(self, value: float) -> int:
        """The 64 bits of a constant."""
        (bits,) = struct.unpack("<q", struct.pack("<d", value))
        return int(bits)

    def bits(self, x: Value) -> Value:
        """The 64 bits of a number."""
        return Value(self.line(f"bitcast {self.type(NUMBER)} {x.text} to {self.type(BITS)}"), BITS, self)

    def from_bits(self, x: Value) -> Value:
        return Value(self.line(f"bitcast {self.type(BITS)} {x.text} to {self.type(NUMBER)}"), NUMBER, self)

    def truth(self, x: Value) -> Value:
        """Truth values from numbers 0 and 1."""
        return x if x.kind == TRUTH else self.compare("une", x, 0.0)

    def stored(self, x: Value) -> Value:
        """Numbers, of truth values 0 and 1."""
        if x.kind == NUMBER:
            return x
        return Value(self.line(f"uitofp {self.type(TRUTH)} {x.text} to {self.type(NUMBER)}"), NUMBER, self)

    # Memory.

    def load(self, pointer: str) -> Value:
        """A register of the numbers that begin at ``pointer``."""
        return Value(self.line(f"load {self.type(NUMBER)}, ptr {pointer}, align 8"), NUMBER, self)

    def spread(self, pointer: str) -> Value:
        """A register full of one number."""
        t, number = self.type(NUMBER), self.line(f"load double, ptr {pointer}, align 8")
        first = self.line(f"insertelement {t} poison, double {number}, i32 0")
        return Value(
            self.line(f"shufflevector {t} {first}, {t} poison, <{self.lanes} x i32> zeroinitializer"), NUMBER, self
        )

    def store(self, x: Value, pointer: str) -> None:
        self.lines.append(f"store {self.type(NUMBER)} {x.text}, ptr {pointer}, align 8")

    # Calls.

    def apart(self, name: str, make: Callable[..., tuple[Value, ...]], count: int, x: Sequence[Value]) -> list[Value]:
        """What ``make`` emits, ``count`` values, in a function of its own, which is called."""
        t = self.type(NUMBER)
        many = "{ " + ", ".join([t] * count) + " }"
        found = f"row_{name}"
        if found not in self.outside:
            b = Emitter(self.machine, self.outside)
            b.start("entry")
            last = "poison"
            for k, value in enumerate(make(b, *[Value(f"%x{k}", NUMBER, b) for k in range(len(x))])):
                b.lines.append(f"%r{k} = insertvalue {many} {last}, {t} {b.stored(value).text}, {k}")
                last = f"%r{k}"
            given = ", ".join(f"{t} %x{k}" for k in range(len(x)))
            head = f"define internal {many} @{found}({given}) noinline memory(none) {self.machine.attributes} {{"
            self.outside[found] = "\n".join([head, *b.lines, f"ret {many} {last}", "}"])
        called = self.line(f"call {many} @{found}({', '.join(f'{t} {self.stored(v).text}' for v in x)})")
        return [Value(self.line(f"extractvalue {many} {called}, {k}"), NUMBER, self) for k in range(count)]

    def intrinsic(self, name: str, *x: Value | float) -> Value:
        """One of LLVM's own functions of numbers: fma, sqrt, fabs, copysign, floor, ceil, trunc, rint ..."""
        return self._call(f"llvm.{name}.v{self.lanes}f64", x)

    def fma(self, x: Value | float, y: Value | float, z: Value | float) -> Value:
        return self.intrinsic("fma", x, y, z)

    def scaled(self, x: Value, n: Value) -> Value:
        """x * 2**n, by the instruction of AVX-512."""
        t, name = self.type(NUMBER), "llvm.x86.avx512.mask.scalef.pd.512"
        self.outside[name] = f"declare {t} @{name}({t}, {t}, {t}, i8, i32)"
        call = f"call {t} @{name}({t} {x.text}, {t} {n.text}, {t} zeroinitializer, i8 -1, i32 4)"
        return Value(self.line(call), NUMBER, self)

    def _call(self, name: str, x: tuple[Value | float, ...]) -> Value:
        t = self.type(NUMBER)
        self.outside.setdefault(name, f"declare {t} @{name}({', '.join([t] * len(x))}) nounwind memory(none)")
        arguments = ", ".join(f"{t} {self.number(v).text}" for v in x)
        return Value(self.line(f"call {t} @{name}({arguments})"), NUMBER, self)

    def library(self, name: str, *x: Value) -> Value:
        """A function of the C library: of whole registers where it has one, else lane by lane."""
        whole = self.machine.vectors(name, len(x))
        return self._call(whole, x) if whole else self.each(name, *x)

    def each(self, name: str, *x: Value) -> Value:
        """A function of the C library, lane by lane."""
        return self._call(self._lane_by_lane(name, len(x)), x)

    def _lane_by_lane(self, name: str, arity: int) -> str:
        """A function of registers that calls one of single numbers."""
        found = f"each_{name}"
        t = self.type(NUMBER)
        if not self.machine.library(name):
            raise GradError(f"the C library has no {name}", hint="use --engine vector")
        lines = [f"declare double @{name}({', '.join(['double'] * arity)}) nounwind"]
        lines.append(
            f"define internal {t} @{found}({', '.join(f'{t} %x{k}' for k in range(arity))}) noinline nounwind {{"
        )
        last = "poison"
        for lane in range(self.lanes):
            for k in range(arity):
                lines.append(f"%x{k}_{lane} = extractelement {t} %x{k}, i32 {lane}")
            arguments = ", ".join(f"double %x{k}_{lane}" for k in range(arity))
            lines.append(f"%y{lane} = call double @{name}({arguments})")
            lines.append(f"%r{lane} = insertelement {t} {last}, double %y{lane}, i32 {lane}")
            last = f"%r{lane}"
        lines += [f"ret {t} {last}", "}"]
        self.outside[found] = "\n".join(lines)
        return found

    def rarely(self, where: Value, usual: Value, otherwise: Callable[[], Value]) -> Value:
        """``usual``, but in the lanes ``where`` what ``otherwise`` emits, which is skipped where no lane needs it."""
        any_lane = self.fresh("any")
        mask = self.line(f"bitcast {self.type(TRUTH)} {where.text} to i{self.lanes}")
        label = any_lane[1:]
        self.lines.append(f"{any_lane} = icmp ne i{self.lanes} {mask}, 0")
        self.lines.append(f"br i1 {any_lane}, label %{label}rare, label %{label}on, !prof !0")
        before, outside = self.block, self._known
        # What is computed here is not there for the lines after.
        self._known = ChainMap({}, outside)
        self.start(f"{label}rare")
        other = self.select(where, otherwise(), usual)
        after = self.block
        self.lines.append(f"br label %{label}on")
        self._known = outside
        self.start(f"{label}on")
        t = self.type(NUMBER)
        result = self.fresh()
        self.lines.append(f"{result} = phi {t} [ {usual.text}, %{before} ], [ {other.text}, %{after} ]")
        return Value(result, NUMBER, self)
