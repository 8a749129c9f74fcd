"""The partition of a program: parts that are loops of compiled code, and between them single steps on arrays.

Within a part values stay in registers; a value is stored if a later part or stratum reads it, or if it is an output.
Layer: must not know how code is compiled or when parts run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gradcli.compute.backends.native.functions import ROWS
from gradcli.compute.backends.native.llvm import Target
from gradcli.compute.backends.native.loops import LONGEST, Shape, text
from gradcli.compute.program import Program, Step

_SHORT = 4
"""Vectors of points along an axis, below which the axis gets no loop of its own."""
SINGLE, FEW, MANY = 1, 2, 3
"""Kinds of axes by length: of one point, too short for a loop of its own, and long enough."""

HEAD = '!0 = !{!"branch_weights", i32 1, i32 1000000}\n!1 = !{}'


class Read(NamedTuple):
    """A value that a part reads from memory, and the axes longer than 1 along which it varies."""

    value: int
    axes: tuple[int, ...]


class Part(NamedTuple):
    """A compiled function named ``code``, or a ``step`` on arrays if that is None.

    Its arguments are the arrays of ``reads``, ``writes`` and ``outputs`` in this order, and scratch for ``slots``
    vectors. ``outputs``: (value, index of the output).
    """

    code: str | None
    step: Step | None
    reads: tuple[Read, ...]
    writes: tuple[int, ...]
    outputs: tuple[tuple[int, int], ...]
    slots: int


class Stage(NamedTuple):
    """The parts over the same axes.

    ``axes`` are those longer than 1, ``all_axes`` include those of length 1; ``flat`` is explained in `Shape`.
    """

    axes: tuple[int, ...]
    all_axes: frozenset[int]
    flat: bool
    parts: list[Part]


class Layout(NamedTuple):
    """A partitioned program: the text of the LLVM module, the stages, and the axes of each value by its number."""

    text: str
    stages: list[Stage]
    values: dict[int, tuple[int, ...]]


def kind(length: int, target: Target) -> int:
    """Return the kind of an axis: SINGLE, FEW or MANY."""
    return SINGLE if length == 1 else FEW if length < _SHORT * target.lanes else MANY


def layout(program: Program, kinds: Sequence[int], target: Target) -> Layout:
    """Partition a program over axes of these kinds. Values are numbered: constants, then inputs, then steps."""
    long = tuple([a for a, n in enumerate(kinds) if n != SINGLE])
    first = len(program.constants)
    value_of: dict[int, int] = {slot: slot for slot in range(first + len(program.inputs))}
    axes_of: dict[int, tuple[int, ...]] = dict.fromkeys(range(first), ())
    for k, (_, axis) in enumerate(program.inputs):
        axes_of[first + k] = tuple([axis] if axis in long else [])

    groups: dict[tuple[int, ...], list[Step]] = {}
    all_axes: dict[tuple[int, ...], set[int]] = {}
    for stratum in program.strata:
        axes = tuple([a for a in stratum.axes if a in long])
        all_axes.setdefault(axes, set()).update(stratum.axes)
        steps = groups.setdefault(axes, [])
        for step in stratum.steps:
            ins = tuple([value_of[slot] for slot in step.ins])
            value_of[step.out] = len(axes_of)
            axes_of[len(axes_of)] = axes
            steps.append(step._replace(out=value_of[step.out], ins=ins))
    groups.setdefault(long, [])
    all_axes.setdefault(long, set()).update(range(len(kinds)))
    results = [value_of[slot] for slot in program.outputs]

    stages: list[Stage] = []
    texts: list[str] = []
    module: dict[str, str] = {}
    ordered = sorted(groups, key=lambda axes: (len(axes), axes))
    pieces = [(axes, steps) for axes in ordered for steps in _cut(groups[axes], axes == long)]
    called = program.length > LONGEST
    last_use: dict[int, int] = {}
    for index, (_, steps) in enumerate(pieces):
        for step in steps:
            for value in step.ins:
                last_use[value] = index
    done: set[int] = set()
    for index, (axes, steps) in enumerate(pieces):
        flat = len(axes) > 1 and kinds[axes[-1]] == FEW
        if not stages or stages[-1].axes != axes:
            stages.append(Stage(axes, frozenset(all_axes[axes]), flat, []))
        computed = {step.out for step in steps}
        final = index == len(pieces) - 1
        outputs = [
            (v, k) for k, v in enumerate(results) if (v in computed and axes == long) or (final and v not in done)
        ]
        written = {v for v, _ in outputs}
        done |= {v for v in computed if v in written}
        sources = dict.fromkeys(v for step in steps for v in step.ins if v not in computed and v >= first)
        sources |= dict.fromkeys(v for v, _ in outputs if v not in computed and v >= first)
        reads = tuple([Read(v, axes_of[v]) for v in sources])
        exported = set(results) if axes != long else set()
        writes = tuple([v for v in computed if (last_use.get(v, -1) > index or v in exported) and v not in written])
        code, slots = None, 0
        on_arrays = len(steps) == 1 and steps[0].function not in ROWS
        if not on_arrays:
            code = f"part{index}"
            shape = Shape(dict(reads), [*writes, *[v for v, _ in outputs]], axes, flat)
            body, slots = text(code, shape, steps, program.constants, target, module, called)
            texts.append(body)
        stages[-1].parts.append(Part(code, steps[0] if on_arrays else None, reads, writes, tuple(outputs), slots))
    return Layout("\n".join([*module.values(), *texts, HEAD]), stages, axes_of)


def _cut(steps: Sequence[Step], whole: bool) -> list[list[Step]]:
    """Split steps into stretches that are compiled and single steps that are not.

    ``whole`` marks the last stage, which ends with a compiled part.
    """
    stretches: list[list[Step]] = [[]]
    for step in steps:
        if step.function not in ROWS:
            stretches += [[step], []]
        else:
            stretches[-1].append(step)
    stretches = [stretch for stretch in stretches if stretch]
    if whole and (not stretches or stretches[-1][0].function not in ROWS):
        # An empty part, whose loop copies values to the outputs.
        stretches.append([])
    return stretches
