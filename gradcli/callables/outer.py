"""Arguments as a grid: an outer product of axes where they are one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gradcli.callables.arguments import Broadcast
from gradcli.compute.grid import Axis, Grid, Held


def grid_of(names: Sequence[str], given: Broadcast) -> Grid:
    """The points of the arguments as a grid: an axis for the numbers, and one for each group of dimensions.

    Dimensions along which an argument varies belong together. If these groups follow each other, the grid is their
    outer product, and what depends on one of them is computed once; else every array is expanded.
    """
    shape = given.shape
    offset = [len(shape) - a.ndim for a in given.arrays]
    varies = [
        [k for k in range(len(shape)) if shape[k] > 1 and k >= o and a.shape[k - o] > 1]
        for a, o in zip(given.arrays, offset, strict=True)
    ]
    groups: list[tuple[int, int]] = []
    for lo, hi in sorted([(v[0], v[-1]) for v in varies if v]):
        if groups and lo <= groups[-1][1]:
            groups[-1] = groups[-1][0], max(hi, groups[-1][1])
        else:
            groups.append((lo, hi))
    outer = all(not v or (v[-1] - v[0] + 1 == len(v) and (v[0], v[-1]) in groups) for v in varies)
    if not outer:
        groups = [(0, len(shape) - 1)]
    axes = []
    numbers = [k for k, v in enumerate(varies) if not v]
    if numbers:
        held = [Held(given.arrays[k].reshape(1)) for k in numbers]
        axes.append(Axis([names[k] for k in numbers], held, fixed=True))
    for lo, hi in groups:
        members = [k for k, v in enumerate(varies) if v and (not outer or v[0] == lo)]
        part = shape[lo : hi + 1]
        columns = []
        for k in members:
            a = given.arrays[k]
            a = a.reshape(shape[lo : hi + 1]) if outer else np.broadcast_to(a, shape)
            columns.append(Held(np.ascontiguousarray(a).reshape(math.prod(part))))
        axes.append(Axis([names[k] for k in members], columns))
    return Grid(axes)
