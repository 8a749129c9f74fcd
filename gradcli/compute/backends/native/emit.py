"""An emitter of vector code in LLVM's intermediate representation, with common subexpressions eliminated.

An operation on equal operands is emitted once, so that subexpressions shared by two functions, such as the reduced
argument of sine and cosine, are computed once.
Layer: must not know programs or the mathematics of any function.
"""

from __future__ import annotations

import struct
from collections import ChainMap
from collections.abc import Callable, MutableMapping, Sequence
from typing import NamedTuple

from gradcli.compute.backends.native.llvm import Target
from gradcli.errors import GradError

NUMBER, TRUTH, BITS = "double", "i1", "i64"


class Value(NamedTuple):
    """A vector value: its name or literal in the text, the type of its lanes, and its emitter."""

    text: str
    kind: str
    emitter: Emitter

    def __add__(self, other: Value | float) -> Value:  # type: ignore[override]
        return self.emitter.binary("fadd" if self.kind == NUMBER else "add", self, other)

    def __sub__(self, other: Value | float) -> Value:
        return self.emitter.binary("fsub" if self.kind == NUMBER else "sub", self, other)

    def __mul__(self, other: Value | float) -> Value:  # type: ignore[override]
        return self.emitter.binary("fmul", self, other)

    def __truediv__(self, other: Value | float) -> Value:
        return self.emitter.binary("fdiv", self, other)

    def __radd__(self, other: float) -> Value:
        return self.emitter.number(other) + self

    def __rsub__(self, other: float) -> Value:
        return self.emitter.number(other) - self

    def __rmul__(self, other: float) -> Value:  # type: ignore[override]
        return self.emitter.number(other) * self

    def __rtruediv__(self, other: float) -> Value:
        return self.emitter.number(other) / self

    def __neg__(self) -> Value:
        emitter = self.emitter
        return Value(emitter.line(f"fneg {emitter.type(NUMBER)} {self.text}"), NUMBER, emitter)

    def __and__(self, other: Value | int) -> Value:
        return self.emitter.binary("and", self, other)

    def __or__(self, other: Value | int) -> Value:
        return self.emitter.binary("or", self, other)

    def __invert__(self) -> Value:
        return self.emitter.binary("xor", self, -1)

    def __lshift__(self, bits: int) -> Value:
        return self.emitter.binary("shl", self, bits)

    def __rshift__(self, bits: int) -> Value:
        return self.emitter.binary("lshr", self, bits)

    # Ordered comparisons, false if either operand is nan. The comparison operators remain those of NamedTuple.
    def below(self, other: Value | float) -> Value:
        return self.emitter.compare("olt", self, other)

    def above(self, other: Value | float) -> Value:
        return self.emitter.compare("ogt", self, other)

    def at_least(self, other: Value | float) -> Value:
        return self.emitter.compare("oge", self, other)

    def same(self, other: Value | float) -> Value:
        return self.emitter.compare("oeq", self, other)

    def is_nan(self) -> Value:
        return self.emitter.compare("uno", self, self)


class Emitter:
    """The lines of a function; ``module`` maps names to the declarations and definitions that the module needs."""

    def __init__(self, target: Target, module: dict[str, str]) -> None:
        self.target = target
        self.lanes = target.lanes
        self.lines: list[str] = []
        self.module = module
        self.block = "entry"
        self._known: MutableMapping[str, str] = {}
        self._count = 0

    def type(self, kind: str) -> str:
        return f"<{self.lanes} x {kind}>"

    # Lines.

    def line(self, text: str) -> str:
        """Return the name of the value of ``text``, an operation without side effects, emitted at most once."""
        name = self._known.get(text)
        if name is None:
            name = self._known[text] = self.fresh()
            self.lines.append(f"{name} = {text}")
        return name

    def fresh(self, what: str = "v") -> str:
        """Return an unused name."""
        self._count += 1
        return f"%{what}{self._count}"

    def start(self, label: str) -> None:
        """Begin a basic block."""
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

    def binary(self, operation: str, x: Value, y: Value | float) -> Value:
        return Value(self.line(f"{operation} {self.type(x.kind)} {x.text}, {self._like(y, x.kind).text}"), x.kind, self)

    def compare(self, how: str, x: Value, y: Value | float) -> Value:
        return Value(self.line(f"fcmp {how} {self.type(NUMBER)} {x.text}, {self.number(y).text}"), TRUTH, self)

    def select(self, c: Value, a: Value | float, b: Value | float) -> Value:
        kind = next((v.kind for v in (a, b) if isinstance(v, Value)), NUMBER)
        a, b = self._like(a, kind), self._like(b, kind)
        t = self.type(kind)
        return Value(self.line(f"select {self.type(TRUTH)} {c.text}, {t} {a.text}, {t} {b.text}"), kind, self)

    def nonzero(self, x: Value) -> Value:
        """Return whether any bit is set, lane by lane."""
        return Value(self.line(f"icmp ne {self.type(BITS)} {x.text}, zeroinitializer"), TRUTH, self)

    def below_unsigned(self, x: Value, bound: int) -> Value:
        return Value(self.line(f"icmp ult {self.type(BITS)} {x.text}, splat (i64 {bound})"), TRUTH, self)

    def number_bits(self, value: float) -> int:
        """Return the 64 bits of a constant as a signed integer."""
        (bits,) = struct.unpack("<q", struct.pack("<d", value))
        return int(bits)

    def bits(self, x: Value) -> Value:
        """Reinterpret numbers as 64-bit integers."""
        return Value(self.line(f"bitcast {self.type(NUMBER)} {x.text} to {self.type(BITS)}"), BITS, self)

    def from_bits(self, x: Value) -> Value:
        return Value(self.line(f"bitcast {self.type(BITS)} {x.text} to {self.type(NUMBER)}"), NUMBER, self)

    def truth(self, x: Value) -> Value:
        """Convert numbers 0 and 1 to booleans; booleans are returned as they are."""
        return x if x.kind == TRUTH else self.compare("une", x, 0.0)

    def stored(self, x: Value) -> Value:
        """Convert booleans to numbers 0 and 1; numbers are returned as they are."""
        if x.kind == NUMBER:
            return x
        return Value(self.line(f"uitofp {self.type(TRUTH)} {x.text} to {self.type(NUMBER)}"), NUMBER, self)

    # Memory.

    def load(self, pointer: str) -> Value:
        """Load a vector of consecutive numbers from ``pointer``."""
        return Value(self.line(f"load {self.type(NUMBER)}, ptr {pointer}, align 8"), NUMBER, self)

    def broadcast(self, pointer: str) -> Value:
        """Load a number and broadcast it to all lanes."""
        t, number = self.type(NUMBER), self.line(f"load double, ptr {pointer}, align 8")
        first = self.line(f"insertelement {t} poison, double {number}, i32 0")
        return Value(
            self.line(f"shufflevector {t} {first}, {t} poison, <{self.lanes} x i32> zeroinitializer"), NUMBER, self
        )

    def store(self, x: Value, pointer: str) -> None:
        self.lines.append(f"store {self.type(NUMBER)} {x.text}, ptr {pointer}, align 8")

    # Calls.

    def shared(self, name: str, make: Callable[..., tuple[Value, ...]], count: int, x: Sequence[Value]) -> list[Value]:
        """Emit a call of a function with the ``count`` results of ``make``; define it at its first use."""
        t = self.type(NUMBER)
        many = "{ " + ", ".join([t] * count) + " }"
        function = f"row_{name}"
        if function not in self.module:
            b = Emitter(self.target, self.module)
            b.start("entry")
            last = "poison"
            for k, value in enumerate(make(b, *[Value(f"%x{k}", NUMBER, b) for k in range(len(x))])):
                b.lines.append(f"%r{k} = insertvalue {many} {last}, {t} {b.stored(value).text}, {k}")
                last = f"%r{k}"
            parameters = ", ".join(f"{t} %x{k}" for k in range(len(x)))
            head = f"define internal {many} @{function}({parameters}) noinline memory(none) {self.target.attributes} {{"
            self.module[function] = "\n".join([head, *b.lines, f"ret {many} {last}", "}"])
        called = self.line(f"call {many} @{function}({', '.join(f'{t} {self.stored(v).text}' for v in x)})")
        return [Value(self.line(f"extractvalue {many} {called}, {k}"), NUMBER, self) for k in range(count)]

    def intrinsic(self, name: str, *x: Value | float) -> Value:
        """Emit a call of an intrinsic function of LLVM: fma, sqrt, fabs, copysign, floor, ceil, trunc, rint ..."""
        return self._call(f"llvm.{name}.v{self.lanes}f64", x)

    def fma(self, x: Value | float, y: Value | float, z: Value | float) -> Value:
        return self.intrinsic("fma", x, y, z)

    def scaled(self, x: Value, n: Value) -> Value:
        """Emit x * 2**n by the instruction VSCALEFPD of AVX-512."""
        t, name = self.type(NUMBER), "llvm.x86.avx512.mask.scalef.pd.512"
        self.module[name] = f"declare {t} @{name}({t}, {t}, {t}, i8, i32)"
        call = f"call {t} @{name}({t} {x.text}, {t} {n.text}, {t} zeroinitializer, i8 -1, i32 4)"
        return Value(self.line(call), NUMBER, self)

    def _call(self, name: str, x: tuple[Value | float, ...]) -> Value:
        t = self.type(NUMBER)
        self.module.setdefault(name, f"declare {t} @{name}({', '.join([t] * len(x))}) nounwind memory(none)")
        arguments = ", ".join(f"{t} {self.number(v).text}" for v in x)
        return Value(self.line(f"call {t} @{name}({arguments})"), NUMBER, self)

    def library(self, name: str, *x: Value) -> Value:
        """Emit a call of a function of the C library: its vector version if it has one, else a call for each lane."""
        whole = self.target.vector_function(name, len(x))
        return self._call(whole, x) if whole else self.per_lane(name, *x)

    def per_lane(self, name: str, *x: Value) -> Value:
        """Emit a call of a function of vectors that calls a scalar function of the C library for each lane."""
        function, arity, t = f"each_{name}", len(x), self.type(NUMBER)
        if not self.target.library(name):
            raise GradError(f"the C library has no {name}", hint="use --engine vector")
        parameters = ", ".join(f"{t} %x{k}" for k in range(arity))
        lines = [f"declare double @{name}({', '.join(['double'] * arity)}) nounwind"]
        lines.append(f"define internal {t} @{function}({parameters}) noinline nounwind {{")
        last = "poison"
        for lane in range(self.lanes):
            for k in range(arity):
                lines.append(f"%x{k}_{lane} = extractelement {t} %x{k}, i32 {lane}")
            arguments = ", ".join(f"double %x{k}_{lane}" for k in range(arity))
            lines.append(f"%y{lane} = call double @{name}({arguments})")
            lines.append(f"%r{lane} = insertelement {t} {last}, double %y{lane}, i32 {lane}")
            last = f"%r{lane}"
        lines += [f"ret {t} {last}", "}"]
        self.module[function] = "\n".join(lines)
        return self._call(function, x)

    def rarely(self, where: Value, usual: Value, otherwise: Callable[[], Value]) -> Value:
        """Return ``usual``, replaced in the lanes ``where`` by the result of ``otherwise``.

        The code of ``otherwise`` is in a branch that is skipped if no lane needs it.
        """
        any_lane = self.fresh("any")
        mask = self.line(f"bitcast {self.type(TRUTH)} {where.text} to i{self.lanes}")
        label = any_lane[1:]
        self.lines.append(f"{any_lane} = icmp ne i{self.lanes} {mask}, 0")
        self.lines.append(f"br i1 {any_lane}, label %{label}rare, label %{label}on, !prof !0")
        before, known = self.block, self._known
        # Values computed in the branch are not available to the lines after it.
        self._known = ChainMap({}, known)
        self.start(f"{label}rare")
        other = self.select(where, otherwise(), usual)
        after = self.block
        self.lines.append(f"br label %{label}on")
        self._known = known
        self.start(f"{label}on")
        t = self.type(NUMBER)
        result = self.fresh()
        self.lines.append(f"{result} = phi {t} [ {usual.text}, %{before} ], [ {other.text}, %{after} ]")
        return Value(result, NUMBER, self)
