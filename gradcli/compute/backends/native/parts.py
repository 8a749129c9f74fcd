"""A program cut into parts: what runs as one loop of compiled code, and the steps between that arrays do.

Within a part values stay in the processor's registers; what a later part, stratum or the outside reads is stored.
Must not know how code is compiled or when parts run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gradcli.compute.backends.native.loops import LONGEST, Shape, text
from gradcli.compute.backends.native.machine import Machine
from gradcli.compute.backends.native.mathematics import ROWS
from gradcli.compute.program import Program, Step

_SHORT = 4
"""Registers' worth of points along an axis, below which it is no loop of its own."""
SINGLE, FEW, MANY = 1, 2, 3
"""What the length of an axis means for the loops: none, no loop of its own, a loop."""

HEAD = '!0 = !{!"branch_weights", i32 1, i32 1000000}\n!1 = !{}'


class Read(NamedTuple):
    """A value from elsewhere: which, and the axes it lies along (those longer than 1)."""

    value: int
    axes: tuple[int, ...]


class Part(NamedTuple):
    """``code``: the function's name, or None where ``step`` is done by arrays.

    ``reads``, then ``writes``, then ``outputs`` are the arrays it is given, at last scratch of ``slots`` registers.
    ``outputs``: (value, place among the results).
    """

    code: str | None
    step: Step | None
    reads: tuple[Read, ...]
    writes: tuple[int, ...]
    outputs: tuple[tuple[int, int], ...]
    slots: int


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
    cut = [(axes, steps) for axes in ordered for steps in _cut(groups[axes], axes == long)]
    called = program.length > LONGEST
    last_use: dict[int, int] = {}
    for place, (_, steps) in enumerate(cut):
        for step in steps:
            for value in step.ins:
                last_use[value] = place
    done: set[int] = set()
    for place, (axes, steps) in enumerate(cut):
        flat = len(axes) > 1 and kinds[axes[-1]] == FEW
        if not stages or stages[-1].axes != axes:
            stages.append(Stage(axes, frozenset(all_axes[axes]), flat, []))
        made = {step.out for step in steps}
        final = place == len(cut) - 1
        outputs = [(v, k) for k, v in enumerate(results) if (v in made and axes == long) or (final and v not in done)]
        written = {v for v, _ in outputs}
        done |= {v for v in made if v in written}
        wanted = dict.fromkeys(v for step in steps for v in step.ins if v not in made and v >= first)
        wanted |= dict.fromkeys(v for v, _ in outputs if v not in made and v >= first)
        reads = tuple([Read(v, along[v]) for v in wanted])
        asked = set(results) if axes != long else set()
        writes = tuple([v for v in made if (last_use.get(v, -1) > place or v in asked) and v not in written])
        code, slots = None, 0
        foreign = len(steps) == 1 and steps[0].function not in ROWS
        if not foreign:
            code = f"part{place}"
            shape = Shape(dict(reads), [*writes, *[v for v, _ in outputs]], axes, flat)
            body, slots = text(code, shape, steps, program.constants, machine, outside, called)
            texts.append(body)
        stages[-1].parts.append(Part(code, steps[0] if foreign else None, reads, writes, tuple(outputs), slots))
    return Layout("\n".join([*outside.values(), *texts, HEAD]), stages, along)


def _cut(steps: Sequence[Step], whole: bool) -> list[list[Step]]:
    """Stretches of what is compiled, and between them the single steps that are not."""
    found: list[list[Step]] = [[]]
    for step in steps:
        if step.function not in ROWS:
            found += [[step], []]
        else:
            found[-1].append(step)
    found = [stretch for stretch in found if stretch]
    if whole and (not found or found[-1][0].function not in ROWS):
        # A loop that ends in results.
        found.append([])
    return found
