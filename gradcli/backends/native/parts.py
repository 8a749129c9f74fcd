"""A program cut into parts: what runs as one loop of compiled code, and the steps between that arrays do.

Within a part values stay in the processor's registers; what a later part, stratum or the outside reads is stored.
Must not know how code is compiled or when parts run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gradcli.backends.native.emit import NUMBER, Emitter, Value
from gradcli.backends.native.machine import Machine
from gradcli.backends.native.mathematics import ROWS
from gradcli.program import Program, Step

_LONGEST = 400
"""Steps of a part: what compiling takes grows faster than a part's length."""
_SHORT = 4
"""Registers' worth of points along an axis, below which it is no loop of its own."""
SINGLE, FEW, MANY = 1, 2, 3
"""What the length of an axis means for the loops: none, no loop of its own, a loop."""

HEAD = '!0 = !{!"branch_weights", i32 1, i32 1000000}'


class Read(NamedTuple):
    """A value from elsewhere: which, and the axes it lies along (those longer than 1)."""

    value: int
    axes: tuple[int, ...]


class Part(NamedTuple):
    """``code``: the function's name, or None where ``step`` is done by arrays.

    ``reads``, then ``writes``, then ``outputs`` are the arrays it is given. ``outputs``: (value, place among the
    results).
    """

    code: str | None
    step: Step | None
    reads: tuple[Read, ...]
    writes: tuple[int, ...]
    outputs: tuple[tuple[int, int], ...]


class Stage(NamedTuple):
    """What lies along the same axes: ``axes`` those longer than 1, ``all_axes`` the others too.

    ``flat``: one loop over all of its points, everything read laid out along them; else a loop for every axis, of which
    the last is cut into registers.
    """

    axes: tuple[int, ...]
    all_axes: frozenset[int]
    flat: bool
    parts: list[Part]


class Layout(NamedTuple):
    """``text``: the module; ``values``: by number, the axes a stored value lies along."""

    text: str
    stages: list[Stage]
    values: dict[int, tuple[int, ...]]


def kind(length: int, machine: Machine) -> int:
    """SINGLE, FEW or MANY."""
    return SINGLE if length == 1 else FEW if length < _SHORT * machine.lanes else MANY


def layout(program: Program, kinds: Sequence[int], machine: Machine) -> Layout:
    """The parts of a program over axes of such kinds. Values are numbered: constants, inputs, then every step."""
    long = tuple([a for a, n in enumerate(kinds) if n != SINGLE])
    first = len(program.constants)
    at: dict[int, int] = {slot: slot for slot in range(first + len(program.inputs))}
    along: dict[int, tuple[int, ...]] = dict.fromkeys(range(first), ())
    for k, (_, axis) in enumerate(program.inputs):
        along[first + k] = tuple([axis] if axis in long else [])

    groups: dict[tuple[int, ...], list[Step]] = {}
    all_axes: dict[tuple[int, ...], set[int]] = {}
    for stratum in program.strata:
        axes = tuple([a for a in stratum.axes if a in long])
        all_axes.setdefault(axes, set()).update(stratum.axes)
        steps = groups.setdefault(axes, [])
        for step in stratum.steps:
            ins = tuple([at[slot] for slot in step.ins])
            at[step.out] = len(along)
            along[len(along)] = axes
            steps.append(step._replace(out=at[step.out], ins=ins))
    groups.setdefault(long, [])
    all_axes.setdefault(long, set()).update(range(len(kinds)))
    results = [at[slot] for slot in program.outputs]

    stages: list[Stage] = []
    texts: list[str] = []
    outside: dict[str, str] = {}
    ordered = sorted(groups, key=lambda axes: (len(axes), axes))
    cut = [(axes, chunk) for axes in ordered for chunk in _cut(groups[axes], axes == long)]
    last_use: dict[int, int] = {}
    for place, (_, chunk) in enumerate(cut):
        for step in chunk:
            for value in step.ins:
                last_use[value] = place
    done: set[int] = set()
    for place, (axes, chunk) in enumerate(cut):
        flat = len(axes) > 1 and kinds[axes[-1]] == FEW
        if not stages or stages[-1].axes != axes:
            stages.append(Stage(axes, frozenset(all_axes[axes]), flat, []))
        made = {step.out for step in chunk}
        final = place == len(cut) - 1
        outputs = [(v, k) for k, v in enumerate(results) if (v in made and axes == long) or (final and v not in done)]
        written = {v for v, _ in outputs}
        done |= {v for v in made if v in written}
        wanted = dict.fromkeys(v for step in chunk for v in step.ins if v not in made and v >= first)
        wanted |= dict.fromkeys(v for v, _ in outputs if v not in made and v >= first)
        reads = tuple([Read(v, along[v]) for v in wanted])
        asked = set(results) if axes != long else set()
        writes = tuple([v for v in made if (last_use.get(v, -1) > place or v in asked) and v not in written])
        foreign = len(chunk) == 1 and chunk[0].function not in ROWS
        part = Part(None if foreign else f"part{place}", chunk[0] if foreign else None, reads, writes, tuple(outputs))
        if not foreign:
            texts.append(_function(part, chunk, program.constants, stages[-1], machine, outside))
        stages[-1].parts.append(part)
    return Layout("\n".join([*outside.values(), *texts, HEAD]), stages, along)


def _cut(steps: Sequence[Step], whole: bool) -> list[list[Step]]:
    chunks: list[list[Step]] = []
    for step in steps:
        if step.function not in ROWS:
            chunks += [[step], []]
        elif not chunks or len(chunks[-1]) >= _LONGEST:
            chunks.append([step])
        else:
            chunks[-1].append(step)
    chunks = [chunk for chunk in chunks if chunk]
    if whole and (not chunks or chunks[-1][0].function not in ROWS):
        # A loop that ends in results.
        chunks.append([])
    return chunks


def _function(
    part: Part, steps: Sequence[Step], constants: Sequence[float], stage: Stage, machine: Machine,
    outside: dict[str, str],
) -> str:  # fmt: skip
    """The text of a part's loops. It takes two tables: the arrays' addresses, and the lengths of the loops."""
    b = Emitter(machine)
    vector = b.type(NUMBER)
    outer = () if stage.flat else stage.axes[:-1]
    single = [r for r in part.reads if not r.axes]
    rows = [r for r in part.reads if r.axes and not stage.flat and stage.axes[-1] not in r.axes]
    along = [r for r in part.reads if r.axes and r not in rows]
    arrays = len(part.reads) + len(part.writes) + len(part.outputs)

    lines = b.lines
    b.start("entry")
    for k in range(arrays):
        lines.append(f"%t{k} = getelementptr ptr, ptr %t, i64 {k}")
        lines.append(f"%p{k} = load ptr, ptr %t{k}, align 8")
    for k in range(len(outer) + 1):
        lines.append(f"%e{k} = getelementptr i64, ptr %e, i64 {k}")
        lines.append(f"%n{k} = load i64, ptr %e{k}, align 8")
    number = {r.value: k for k, r in enumerate(part.reads)}
    values: dict[int, Value] = {v: b.number(c) for v, c in enumerate(constants)}

    def one(value: int, pointer: str) -> None:
        loaded, first = b.fresh(), b.fresh()
        lines.append(f"{loaded} = load double, ptr {pointer}, align 8")
        lines.append(f"{first} = insertelement {vector} poison, double {loaded}, i32 0")
        spread = b.line(f"shufflevector {vector} {first}, {vector} poison, <{b.lanes} x i32> zeroinitializer")
        values[value] = Value(spread, NUMBER, b)

    for r in single:
        one(r.value, f"%p{number[r.value]}")
    inner = f"%n{len(outer)}"
    lines.append(f"%last = sub i64 {inner}, {b.lanes}")
    for d in range(len(outer)):
        lines.append(f"br label %outer{d}")
        before = b.block
        b.start(f"outer{d}")
        lines.append(f"%i{d} = phi i64 [ 0, %{before} ], [ %u{d}, %next{d} ]")

    base: dict[int, str] = {}
    offsets: dict[tuple[int, ...], str] = {}

    def offset(axes: tuple[int, ...]) -> str:
        """The first point of this row in an array along ``axes``."""
        if axes not in offsets:
            found = "0"
            for a in axes:
                d = stage.axes.index(a)
                found = b.line(f"mul i64 {found}, %n{d}") if found != "0" else found
                if d < len(outer):
                    found = b.line(f"add i64 {found}, %i{d}")
            offsets[axes] = found
        return offsets[axes]

    def row(k: int, axes: tuple[int, ...]) -> str:
        place = offset(axes) if outer else "0"
        return f"%p{k}" if place == "0" else b.line(f"getelementptr double, ptr %p{k}, i64 {place}")

    for r in rows:
        one(r.value, row(number[r.value], r.axes))
    for r in along:
        base[number[r.value]] = row(number[r.value], r.axes)
    for k in range(len(part.reads), arrays):
        base[k] = row(k, stage.axes)
    lines.append("br label %loop")
    before = b.block
    b.start("loop")
    counter = len(lines)
    lines.append("")
    left = {r.value: number[r.value] for r in along}

    def value(v: int) -> Value:
        k = left.pop(v, None)
        if k is not None:
            pointer = b.line(f"getelementptr double, ptr {base[k]}, i64 %j")
            values[v] = Value(b.line(f"load {vector}, ptr {pointer}, align 8"), NUMBER, b)
        return values[v]

    def store(v: int, k: int) -> None:
        pointer = b.line(f"getelementptr double, ptr {base[k]}, i64 %j")
        lines.append(f"store {vector} {b.stored(value(v)).text}, ptr {pointer}, align 8")

    to: dict[int, list[int]] = {}
    for k, v in enumerate([*part.writes, *[v for v, _ in part.outputs]], len(part.reads)):
        to.setdefault(v, []).append(k)
    for step in steps:
        values[step.out] = ROWS[step.function](b, *[value(v) for v in step.ins])
        for k in to.pop(step.out, ()):
            store(step.out, k)
    for v, places in to.items():
        for k in places:
            store(v, k)

    lines[counter] = f"%j = phi i64 [ 0, %{before} ], [ %step, %{b.block} ]"
    # The last register's worth may overlap the one before: computed twice, the same.
    lines.append(f"%ahead = add i64 %j, {b.lanes}")
    lines.append("%over = icmp sgt i64 %ahead, %last")
    lines.append("%step = select i1 %over, i64 %last, i64 %ahead")
    lines.append("%more = icmp slt i64 %j, %last")
    end = f"next{len(outer) - 1}" if outer else "end"
    lines.append(f"br i1 %more, label %loop, label %{end}")
    for d in reversed(range(len(outer))):
        b.start(f"next{d}")
        lines.append(f"%u{d} = add i64 %i{d}, 1")
        lines.append(f"%c{d} = icmp slt i64 %u{d}, %n{d}")
        lines.append(f"br i1 %c{d}, label %outer{d}, label %{f'next{d - 1}' if d else 'end'}")
    b.start("end")
    lines.append("ret void")
    outside |= b.outside
    attributes = f'nounwind "prefer-vector-width"="{64 * b.lanes}" "min-legal-vector-width"="{64 * b.lanes}"'
    return "\n".join([f"define void @{part.code}(ptr %t, ptr %e) {attributes} {{", *lines, "}"])
