"""The text of a part's loops: a function of two tables, the addresses of arrays and the lengths of the loops.

A short part is one loop. The loop of a long one calls functions for stretches of its steps, since what compiling takes
grows faster than a function's length; between them values stand in scratch, a register each, which stays in the
nearest cache. Must not know how a program is cut into parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from gradcli.backends.native.emit import NUMBER, Emitter, Value
from gradcli.backends.native.machine import Machine
from gradcli.backends.native.mathematics import CALLED, ROWS
from gradcli.program import Step

LONGEST = 400
"""Steps of one function."""


class Shape(NamedTuple):
    """The arrays of a part, in the order of the table, and the axes of its loops.

    ``reads``: value to the axes it lies along; ``stored``: values. ``flat``: one loop over all points, everything read
    laid out along them; else a loop for every axis, of which the last is cut into registers.
    """

    reads: dict[int, tuple[int, ...]]
    stored: list[int]
    axes: tuple[int, ...]
    flat: bool

    @property
    def outer(self) -> tuple[int, ...]:
        return () if self.flat else self.axes[:-1]

    def spread(self, value: int) -> bool:
        """Whether a value read is one number for all points of the inner loop."""
        along = self.reads[value]
        return not along or (not self.flat and self.axes[-1] not in along)


class Text(NamedTuple):
    """``slots``: registers of scratch that the function needs."""

    text: str
    slots: int


class _Steps:
    """Steps emitted one after another, what they read being loaded at its first use."""

    def __init__(
        self, b: Emitter, shape: Shape, constants: Sequence[float], called: bool, pointer: Callable[[int], str],
        slots: dict[int, int],
    ) -> None:  # fmt: skip
        self.b, self.shape, self.called, self.pointer, self.slots = b, shape, called, pointer, slots
        self.place = {v: k for k, v in enumerate(shape.reads)}
        self.constants = constants
        self.values: dict[int, Value] = {}
        self.to: dict[int, list[int]] = {}
        for k, v in enumerate(shape.stored, len(shape.reads)):
            self.to.setdefault(v, []).append(k)

    def value(self, v: int) -> Value:
        if v not in self.values:
            b = self.b
            if v < len(self.constants):
                self.values[v] = b.number(self.constants[v])
            elif v in self.slots:
                self.values[v] = b.load(self._slot(v))
            elif self.shape.spread(v):
                self.values[v] = b.spread(self.pointer(self.place[v]))
            else:
                self.values[v] = b.load(self._along(self.place[v]))
        return self.values[v]

    def _along(self, k: int) -> str:
        return self.b.line(f"getelementptr double, ptr {self.pointer(k)}, i64 %j")

    def _slot(self, v: int) -> str:
        return self.b.line(f"getelementptr {self.b.type(NUMBER)}, ptr %s, i64 {self.slots[v]}")

    def run(self, steps: Sequence[Step]) -> None:
        b = self.b
        for step in steps:
            x = [self.value(v) for v in step.ins]
            if self.called and step.function in CALLED:
                name, make, results, place = CALLED[step.function]
                found = b.apart(name, make, results, x)[place]
            else:
                found = ROWS[step.function](b, *x)
            self.values[step.out] = found
            if step.out in self.slots:
                b.store(b.stored(found), self._slot(step.out))
            self.store(step.out)

    def store(self, v: int) -> None:
        for k in self.to.get(v, ()):
            self.b.store(self.b.stored(self.value(v)), self._along(k))


def text(
    name: str,
    shape: Shape,
    steps: Sequence[Step],
    constants: Sequence[float],
    machine: Machine,
    outside: dict[str, str],
    called: bool,
) -> Text:
    """The function ``name``. Where ``called``, rows of many instructions are called, not written out at each use."""
    stretches = [steps[k : k + LONGEST] for k in range(0, len(steps), LONGEST)]
    made = {step.out for step in steps}
    if len(stretches) < 2:
        b = Emitter(machine, outside)

        def written(rows: Iterable[str]) -> None:
            one.pointer = list(rows).__getitem__
            for v in shape.reads:
                if shape.spread(v):
                    one.value(v)

        def body() -> None:
            one.run(steps)
            for v in dict.fromkeys(shape.stored):
                if v not in made:
                    one.store(v)

        one = _Steps(b, shape, constants, called, str, {})
        return Text(_loops(b, name, shape, written, body), 0)

    slots, count = _slots(stretches)
    texts: list[str] = []
    for k, stretch in enumerate(stretches):
        b = Emitter(machine, outside)
        b.start("entry")
        inner = _Steps(b, shape, constants, called, _from_table(b), slots)
        inner.run(stretch)
        if k == len(stretches) - 1:
            for v in dict.fromkeys(shape.stored):
                if v not in made:
                    inner.store(v)
        texts.append(f"define internal void @{name}_{k}(ptr %b, ptr %s, i64 %j) noinline {machine.attributes} {{")
        texts += [*b.lines, "ret void", "}"]
    b = Emitter(machine, outside)

    # Rows without an outer loop begin where the arrays do.
    table = "%b" if shape.outer else "%t"

    def tabled(rows: Iterable[str]) -> None:
        for k, row in enumerate(rows if shape.outer else ()):
            b.lines.append(f"store ptr {row}, ptr {b.line(f'getelementptr ptr, ptr %b, i64 {k}')}, align 8")

    def calls() -> None:
        b.lines.extend(f"call void @{name}_{k}(ptr {table}, ptr %s, i64 %j)" for k in range(len(stretches)))

    texts.append(_loops(b, name, shape, tabled, calls, long=True))
    return Text("\n".join(texts), count)


def _from_table(b: Emitter) -> Callable[[int], str]:
    def pointer(k: int) -> str:
        return b.line(f"load ptr, ptr {b.line(f'getelementptr ptr, ptr %b, i64 {k}')}, align 8")

    return pointer


def _slots(stretches: Sequence[Sequence[Step]]) -> tuple[dict[int, int], int]:
    """A place in scratch for each value that a later stretch reads, and how many there are. Last in, first out."""
    last: dict[int, int] = {}
    for k, stretch in enumerate(stretches):
        for step in stretch:
            last.update(dict.fromkeys(step.ins, k))
    slots: dict[int, int] = {}
    free: list[int] = []
    ending: dict[int, list[int]] = {}
    count = 0
    for k, stretch in enumerate(stretches):
        for step in stretch:
            if last.get(step.out, k) > k:
                if not free:
                    free.append(count)
                    count += 1
                slots[step.out] = free.pop()
                ending.setdefault(last[step.out], []).append(slots[step.out])
        # Not before its last reader has run.
        free += ending.get(k, [])
    return slots, count


def _loops(
    b: Emitter, name: str, shape: Shape, before_row: Callable[[Iterable[str]], None], body: Callable[[], None],
    *, long: bool = False,
) -> str:  # fmt: skip
    """The loops: ``before_row`` gets pointers to the row's first point in each array, ``body`` has %j from there.

    A ``long`` part may have thousands of arrays: each pointer is looked up where it is wanted, since compiling takes
    ever longer where all are alive at once.
    """
    lines, outer, axes = b.lines, shape.outer, shape.axes
    arrays = [*shape.reads.values(), *[axes] * len(shape.stored)]

    def pointer(k: int, name: str) -> str:
        lines.append(f"%t{k} = getelementptr ptr, ptr %t, i64 {k}")
        lines.append(f"{name} = load ptr, ptr %t{k}, align 8")
        return name

    b.start("entry")
    lines.append(f"%b = alloca ptr, i64 {len(arrays) + 1}, align 8")
    pointer(len(arrays), "%s")
    pointers = [] if long else [pointer(k, f"%p{k}") for k in range(len(arrays))]
    for d in range(len(outer) + 1):
        lines.append(f"%e{d} = getelementptr i64, ptr %e, i64 {d}")
        lines.append(f"%n{d} = load i64, ptr %e{d}, align 8")
    lines.append(f"%last = sub i64 %n{len(outer)}, {b.lanes}")
    for d in range(len(outer)):
        lines.append(f"br label %outer{d}")
        origin = b.block
        b.start(f"outer{d}")
        lines.append(f"%i{d} = phi i64 [ 0, %{origin} ], [ %u{d}, %next{d} ]")

    def row(k: int) -> str:
        """The first point of this row in an array."""
        first = pointer(k, f"%p{k}") if long else pointers[k]
        found = "0"
        for a in arrays[k] if outer else ():
            d = axes.index(a)
            found = b.line(f"mul i64 {found}, %n{d}") if found != "0" else found
            if d < len(outer):
                found = b.line(f"add i64 {found}, %i{d}")
        return first if found == "0" else b.line(f"getelementptr double, ptr {first}, i64 {found}")

    before_row(map(row, range(len(arrays))))
    lines.append("br label %loop")
    origin = b.block
    b.start("loop")
    counter = len(lines)
    lines.append("")
    body()
    lines[counter] = f"%j = phi i64 [ 0, %{origin} ], [ %step, %{b.block} ]"
    # The last register's worth may overlap the one before: computed twice, the same.
    lines.append(f"%ahead = add i64 %j, {b.lanes}")
    lines.append("%over = icmp sgt i64 %ahead, %last")
    lines.append("%step = select i1 %over, i64 %last, i64 %ahead")
    lines.append("%more = icmp slt i64 %j, %last")
    lines.append(f"br i1 %more, label %loop, label %{f'next{len(outer) - 1}' if outer else 'end'}")
    for d in reversed(range(len(outer))):
        b.start(f"next{d}")
        lines.append(f"%u{d} = add i64 %i{d}, 1")
        lines.append(f"%c{d} = icmp slt i64 %u{d}, %n{d}")
        lines.append(f"br i1 %c{d}, label %outer{d}, label %{f'next{d - 1}' if d else 'end'}")
    b.start("end")
    lines.append("ret void")
    return "\n".join([f"define void @{name}(ptr %t, ptr %e) {b.machine.attributes} {{", *lines, "}"])
