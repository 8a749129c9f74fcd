"""The loops of a part as LLVM text: a function of two tables, the addresses of the arrays and the lengths of the loops.

A short part is a single loop. The loop of a long part calls functions for stretches of its steps, since compile time
grows faster than linearly with the length of a function; values cross from one stretch to another through scratch, a
vector each, which stays in the L1 cache.
Layer: must not know how a program is cut into parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gradcli.compute.backends.native.emit import NUMBER, Emitter, Value
from gradcli.compute.backends.native.functions import CALLED, ROWS
from gradcli.compute.backends.native.llvm import Target
from gradcli.compute.program import Step

LONGEST = 400
"""Maximum of steps, and of arrays, of a part that is a single loop."""
STRETCH = 100
"""Steps of a function of a longer part."""


class Shape:
    """The arrays of a part, in the order of the address table, and the axes of its loops.

    ``reads`` maps values read to their axes; ``stored`` lists the values stored. ``flat``: a single loop over all
    points, for which every array is expanded to all axes; else a loop for each axis, the innermost of which is
    vectorized. ``arrays``: the axes of each array. ``sources`` maps a value read to its index in the table, ``targets``
    a value stored to its indices.
    """

    def __init__(self, reads: dict[int, tuple[int, ...]], stored: list[int], axes: tuple[int, ...], flat: bool) -> None:
        self.reads, self.stored, self.axes, self.flat = reads, stored, axes, flat
        self.outer = () if flat else axes[:-1]
        self.arrays = [*reads.values(), *[axes] * len(stored)]
        self.along = list(dict.fromkeys(self.arrays))
        self.sources = {v: k for k, v in enumerate(reads)}
        self.targets: dict[int, list[int]] = {}
        for k, v in enumerate(stored, len(reads)):
            self.targets.setdefault(v, []).append(k)

    def uniform(self, value: int) -> bool:
        """Return whether a value read is the same number for all points of the inner loop."""
        along = self.reads[value]
        return not along or (not self.flat and self.axes[-1] not in along)


class _Steps:
    """Emits steps in order; a value that they read is loaded at its first use."""

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
            elif self.shape.uniform(v):
                self.values[v] = b.broadcast(self.pointer(self.shape.sources[v]))
            else:
                self.values[v] = b.load(self._along(self.shape.sources[v]))
        return self.values[v]

    def _along(self, k: int) -> str:
        return self.b.line(f"getelementptr double, ptr {self.pointer(k)}, i64 %j")

    def _slot(self, v: int) -> str:
        return self.b.line(f"getelementptr {self.b.type(NUMBER)}, ptr %s, i64 {self.slots[v]}")

    def run(self, steps: Sequence[Step], copied: Sequence[int]) -> None:
        """Emit the steps with the stores of their values, and the stores of ``copied``, which no step computed."""
        b = self.b
        for step in steps:
            x = [self.value(v) for v in step.ins]
            if self.called and step.function in CALLED:
                name, make, results, position = CALLED[step.function]
                result = b.shared(name, make, results, x)[position]
            else:
                result = ROWS[step.function](b, *x)
            self.values[step.out] = result
            if step.out in self.slots:
                b.store(b.stored(result), self._slot(step.out))
            self._store(step.out)
        for v in copied:
            self._store(v)

    def _store(self, v: int) -> None:
        for k in self.shape.targets.get(v, ()):
            self.b.store(self.b.stored(self.value(v)), self._along(k))


def text(
    name: str,
    shape: Shape,
    steps: Sequence[Step],
    constants: Sequence[float],
    target: Target,
    module: dict[str, str],
    called: bool,
) -> tuple[str, int]:
    """Return the text of the function ``name``, and the number of vectors of scratch that it needs.

    ``called``: call functions for steps of many instructions instead of inlining them at each use.
    """
    stretches = [steps[k : k + STRETCH] for k in range(0, len(steps), STRETCH)]
    computed = {step.out for step in steps}
    copied = [v for v in dict.fromkeys(shape.stored) if v not in computed]
    if len(steps) <= LONGEST and len(shape.arrays) <= LONGEST:
        b = Emitter(target, module)

        def load_uniform(rows: list[str]) -> None:
            emitted.pointer = rows.__getitem__
            for v in shape.reads:
                if shape.uniform(v):
                    emitted.value(v)

        emitted = _Steps(b, shape, constants, called, str, {})
        return _loops(b, name, shape, load_uniform, lambda: emitted.run(steps, copied)), 0

    # Compute the start of a row in an array at each use: thousands of pointers would not fit into registers.
    depths = range(len(shape.outer))
    offsets = [*[f"i64 %i{d}" for d in depths], *[f"i64 %n{d}" for d in (*depths, len(depths))]]
    parameters = ", ".join(["ptr %t", "ptr %s", "i64 %j", *offsets])
    slots, count = _slots(stretches)
    texts: list[str] = []
    bodies: list[tuple[Sequence[Step], Sequence[int]]] = [(stretch, ()) for stretch in stretches]
    bodies += [((), copied[k : k + STRETCH]) for k in range(0, len(copied), STRETCH)]
    for k, body in enumerate(bodies):
        b = Emitter(target, module)
        b.start("entry")
        _Steps(b, shape, constants, called, _from_table(b, shape), slots).run(*body)
        texts.append(f"define internal void @{name}_{k}({parameters}) noinline {target.attributes} {{")
        texts += [*b.lines, "ret void", "}"]
    b = Emitter(target, module)
    calls = [f"call void @{name}_{k}({parameters})" for k in range(len(bodies))]
    texts.append(_loops(b, name, shape, None, lambda: b.lines.extend(calls)))
    return "\n".join(texts), count


def _from_table(b: Emitter, shape: Shape) -> Callable[[int], str]:
    """Return a function that emits the pointer to the first point of the row in an array, loaded at every use."""
    arrays = shape.arrays
    begins = {axes: _begin(b, shape, axes) for axes in shape.along}

    def pointer(k: int) -> str:
        first = b.line(f"load ptr, ptr {b.line(f'getelementptr ptr, ptr %t, i64 {k}')}, align 8, !invariant.load !1")
        begin = begins[arrays[k]]
        return first if begin == "0" else b.line(f"getelementptr double, ptr {first}, i64 {begin}")

    return pointer


def _begin(b: Emitter, shape: Shape, along: tuple[int, ...]) -> str:
    """Emit the offset of the first point of the row in an array over the axes ``along``."""
    outer, offset = shape.outer, "0"
    for a in along if outer else ():
        d = shape.axes.index(a)
        offset = b.line(f"mul i64 {offset}, %n{d}") if offset != "0" else offset
        if d < len(outer):
            offset = b.line(f"add i64 {offset}, %i{d}")
    return offset


def _slots(stretches: Sequence[Sequence[Step]]) -> tuple[dict[int, int], int]:
    """Return a scratch slot for each value that a later stretch reads, and the number of slots.

    Slots are reused last in, first out.
    """
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
        # Free slots after the last stretch that reads them.
        free += ending.get(k, [])
    return slots, count


def _loops(
    b: Emitter, name: str, shape: Shape, before_row: Callable[[list[str]], None] | None, body: Callable[[], None]
) -> str:
    """Return the text of nested loops around ``body``.

    ``before_row`` receives the pointers to the first point of the row in each array; ``body`` uses the offset %j.
    """
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
    # The last vector may overlap the previous one; its first elements are computed twice, with equal results, which
    # saves a scalar loop for the remainder.
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
    return "\n".join([f"define void @{name}(ptr %t, ptr %e) {b.target.attributes} {{", *lines, "}"])
