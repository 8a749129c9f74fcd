"""The text of a part's loops: a function of two tables, the addresses of arrays and the lengths of the loops.

A short part is one loop. The loop of a long one calls functions for stretches of its steps, since what compiling takes
grows faster than a function's length; between them values stand in scratch, a register each, which stays in the
nearest cache. Must not know how a program is cut into parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from gradcli.compute.backends.native.emit import NUMBER, Emitter, Value
from gradcli.compute.backends.native.machine import Machine
from gradcli.compute.backends.native.mathematics import CALLED, ROWS
from gradcli.compute.program import Step

LONGEST = 400
"""Steps, or arrays, of a part that is one loop."""
STRETCH = 100
"""Steps of one function of a longer part."""


class Shape:
    """The arrays of a part, in the order of the table, and the axes of its loops.

    ``reads``: value to the axes it lies along; ``stored``: values. ``flat``: one loop over all points, everything read
    laid out along them; else a loop for every axis, of which the last is cut into registers. ``arrays``: the axes of
    each; ``place`` has those read, ``to`` those stored.
    """

    def __init__(self, reads: dict[int, tuple[int, ...]], stored: list[int], axes: tuple[int, ...], flat: bool) -> None:
        self.reads, self.stored, self.axes, self.flat = reads, stored, axes, flat
        self.outer = () if flat else axes[:-1]
        self.arrays = [*reads.values(), *[axes] * len(stored)]
        self.along = list(dict.fromkeys(self.arrays))
        self.place = {v: k for k, v in enumerate(reads)}
        self.to: dict[int, list[int]] = {}
        for k, v in enumerate(stored, len(reads)):
            self.to.setdefault(v, []).append(k)

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
        self.constants = constants
        self.values: dict[int, Value] = {}

    def value(self, v: int) -> Value:
        if v not in self.values:
            b = self.b
            if v < len(self.constants):
                self.values[v] = b.number(self.constants[v])
            elif v in self.slots:
                self.values[v] = b.load(self._slot(v))
            elif self.shape.spread(v):
                self.values[v] = b.spread(self.pointer(self.shape.place[v]))
            else:
                self.values[v] = b.load(self._along(self.shape.place[v]))
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

    def copy(self, values: Sequence[int]) -> None:
        """Store what was not made here."""
        for v in values:
            self.store(v)

    def store(self, v: int) -> None:
        for k in self.shape.to.get(v, ()):
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
    stretches = [steps[k : k + STRETCH] for k in range(0, len(steps), STRETCH)]
    made = {step.out for step in steps}
    copied = [v for v in dict.fromkeys(shape.stored) if v not in made]
    copies = [copied[k : k + STRETCH] for k in range(0, len(copied), STRETCH)]
    if len(steps) <= LONGEST and len(shape.arrays) <= LONGEST:
        b = Emitter(machine, outside)

        def written(rows: list[str]) -> None:
            one.pointer = rows.__getitem__
            for v in shape.reads:
                if shape.spread(v):
                    one.value(v)

        def body() -> None:
            one.run(steps)
            one.copy(copied)

        one = _Steps(b, shape, constants, called, str, {})
        return Text(_loops(b, name, shape, written, body), 0)

    # Where a row begins in each array is found where it is wanted: there may be thousands of them.
    depths = range(len(shape.outer))
    given = [
        "ptr %t",
        "ptr %s",
        "i64 %j",
        *[f"i64 %i{d}" for d in depths],
        *[f"i64 %n{d}" for d in (*depths, len(depths))],
    ]
    slots, count = _slots(stretches)
    texts: list[str] = []
    functions = len(stretches) + len(copies)
    for k in range(functions):
        b = Emitter(machine, outside)
        b.start("entry")
        inner = _Steps(b, shape, constants, called, _from_table(b, shape), slots)
        if k < len(stretches):
            inner.run(stretches[k])
        else:
            inner.copy(copies[k - len(stretches)])
        texts.append(f"define internal void @{name}_{k}({', '.join(given)}) noinline {machine.attributes} {{")
        texts += [*b.lines, "ret void", "}"]
    b = Emitter(machine, outside)

    def calls() -> None:
        b.lines.extend(f"call void @{name}_{k}({', '.join(given)})" for k in range(functions))

    texts.append(_loops(b, name, shape, None, calls))
    return Text("\n".join(texts), count)


def _from_table(b: Emitter, shape: Shape) -> Callable[[int], str]:
    """Pointers to the row's first point in each array, looked up at every use."""
    arrays = shape.arrays
    begins = {axes: _begin(b, shape, axes) for axes in shape.along}

    def pointer(k: int) -> str:
        first = b.line(f"load ptr, ptr {b.line(f'getelementptr ptr, ptr %t, i64 {k}')}, align 8, !invariant.load !1")
        begin = begins[arrays[k]]
        return first if begin == "0" else b.line(f"getelementptr double, ptr {first}, i64 {begin}")

    return pointer


def _begin(b: Emitter, shape: Shape, along: tuple[int, ...]) -> str:
    """Where a row begins in an array that lies ``along`` some axes: the place of its first point."""
    outer, found = shape.outer, "0"
    for a in along if outer else ():
        d = shape.axes.index(a)
        found = b.line(f"mul i64 {found}, %n{d}") if found != "0" else found
        if d < len(outer):
            found = b.line(f"add i64 {found}, %i{d}")
    return found


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
    b: Emitter, name: str, shape: Shape, before_row: Callable[[list[str]], None] | None, body: Callable[[], None]
) -> str:
    """The loops: ``before_row`` gets pointers to the row's first point in each array, ``body`` has %j from there."""
    lines, outer, arrays = b.lines, shape.outer, shape.arrays
    b.start("entry")
    for k in range(len(arrays) if before_row else 0):
        lines.append(f"%t{k} = getelementptr ptr, ptr %t, i64 {k}")
        lines.append(f"%p{k} = load ptr, ptr %t{k}, align 8")
    lines.append(f"%ts = getelementptr ptr, ptr %t, i64 {len(arrays)}")
    lines.append("%s = load ptr, ptr %ts, align 8")
    for d in range(len(outer) + 1):
        lines.append(f"%e{d} = getelementptr i64, ptr %e, i64 {d}")
        lines.append(f"%n{d} = load i64, ptr %e{d}, align 8")
    lines.append(f"%last = sub i64 %n{len(outer)}, {b.lanes}")
    for d in range(len(outer)):
        lines.append(f"br label %outer{d}")
        origin = b.block
        b.start(f"outer{d}")
        lines.append(f"%i{d} = phi i64 [ 0, %{origin} ], [ %u{d}, %next{d} ]")

    if before_row:
        begins = [_begin(b, shape, along) for along in arrays]
        before_row([
            f"%p{k}" if begin == "0" else b.line(f"getelementptr double, ptr %p{k}, i64 {begin}")
            for k, begin in enumerate(begins)
        ])  # fmt: skip
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
