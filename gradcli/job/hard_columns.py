"""The columns about hard points, and the notes that tell of them.

Layer: must not know how a point is decided.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.calculus.leibniz import derivative_name
from gradcli.compute import trust
from gradcli.formats.passthrough import Kept

if TYPE_CHECKING:
    from gradcli.job.hard_points import HardPoints


class Extra(NamedTuple):
    """A column about hard points.

    ``kind``: verdict, breaks, side or trust. ``axis``: the variable. ``order`` and ``sign``: of a side. ``column``: the
    result that it is about.
    """

    name: str
    kind: str
    column: int
    axis: str = ""
    order: int = 0
    sign: int = 0


def extras(hard: HardPoints, names: Sequence[str]) -> Iterator[Extra]:
    """The columns asked for; ``names`` are those of the outputs."""
    job = hard.job
    several = len(hard.axes) > 1
    for output, name in enumerate(names):
        column = output * hard.per_output
        for axis in hard.axes if job.sides or job.verdict else ():
            end = f"_{axis}" if several else ""
            yield Extra(f"{name}_verdict{end}", "verdict", column, axis)
            yield Extra(f"{name}_breaks{end}", "breaks", column, axis)
            for k in range(hard.order + 1 if job.sides else 0):
                for word, sign in (("left", -1), ("right", 1)):
                    inner = f"{name}_{word}{end}" if not k else f"{derivative_name(name, [axis], (0,) * k)}_{word}"
                    yield Extra(inner, "side", column, axis, k, sign)
    if job.trust:
        for k, target in enumerate(hard.targets):
            yield Extra(f"{target.name}_trust", "trust", k)


def fill(hard: HardPoints, outs: Sequence[Any], errors: Sequence[Any] | None, arrays: bool) -> None:
    """Fill the extra columns as for a smooth point."""
    first, base = len(hard.coordinates), len(hard.coordinates) + len(hard.targets)
    for extra, out in zip(hard.extras, outs[base:], strict=True):
        if extra.kind == "side":
            out[:] = outs[first + pure(hard, extra.column, extra.axis, extra.order)]
        elif extra.kind == "trust":
            assert errors is not None
            values, error = outs[first + extra.column], errors[extra.column]
            out[:] = (
                trust.digits(values, error)
                if arrays
                else [float(trust.digits(*pair)) for pair in zip(values, error, strict=True)]
            )
        else:
            fill = math.nan if extra.kind == "breaks" else 0.0
            out[:] = fill if arrays else [fill] * len(out)


def pure(hard: HardPoints, start: int, axis: str, order: int) -> int:
    """The column of the pure derivative along ``axis`` of the output whose value is column ``start``."""
    powers = {axis: order} if order else {}
    columns = hard.targets[start : start + hard.per_output]
    return start + next(k for k, target in enumerate(columns) if target.powers == powers)


def told(hard: HardPoints, block: Sequence[Any]) -> list[Any]:
    """The columns as they are written: words instead of their numbers, and digits where they are asked for."""
    first, base = len(hard.coordinates), len(hard.coordinates) + len(hard.targets)
    results = list(block[first:base])
    if hard.job.proved_digits is not None:
        results = hard.tiers(not isinstance(block[first], list)).balls.digits(block[:first], results)
    extras = [
        _words(hard.words, c) if e.kind == "verdict" else _orders(c) if e.kind == "breaks" else c
        for e, c in zip(hard.extras, block[base:], strict=True)
    ]
    return [*block[:first], *results, *extras]


def members(hard: HardPoints) -> dict[str, Any]:
    """What JSON tells beside the columns."""
    job = hard.job
    names = [extra.name for extra in hard.extras if extra.kind == "verdict"]
    if job.exact or job.proved_digits:
        names += [target.name for target in hard.targets]
    if not names:
        return {}
    decimal = job.sides or job.verdict or job.proved_digits
    return {
        "points": "decimal" if decimal else "double", "proved": {name: name not in hard.doubtful for name in names}
    }  # fmt: skip


def notes(hard: HardPoints) -> list[str]:
    """What a careful reader wants to know about the points done so far, a line each."""
    lines = []
    if hard.kinds:
        count = sum(hard.kinds.values())
        kinds = ", ".join(f"{n} {word}" for word, n in sorted(hard.kinds.items(), key=lambda k: (-k[1], k[0])))
        lie = "lies" if count == 1 else "lie"
        asked = hard.job.sides or hard.job.verdict
        where = f"{count:,} of {hard.points:,} points {lie} on a kink or a hole ({kinds})"
        lines.append(where if asked else f"{where}; --sides shows both sides")
    if hard.missing:
        needs = "point needs" if hard.missing == 1 else "points need"
        lines.append(
            f"{hard.missing:,} {needs} python-flint, which is not installed: numbers stay as the doubles that the "
            "formula gives (pip install python-flint)"
        )
    if hard.lost and not hard.careful:
        digits, row, name = min(hard.lost)
        count = len(hard.lost)
        have = "number has" if count == 1 else "numbers have"
        lines.append(
            f"{count:,} {have} fewer than {hard.few_digits} right digits (worst: {name} at row {row + 1}: {digits}); "
            "--careful repairs them"
        )
    if hard.unproved:
        _, point, name = hard.worst
        at = ", ".join(f"{n}={v!r}" for n, v in zip(hard.coordinates, point, strict=True))
        numbers = "number" if hard.unproved == 1 else "numbers"
        lines.append(f"{hard.unproved:,} {numbers} could not be proved (worst: {name}{f' at {at}' if at else ''})")
    return lines


def _words(words: Sequence[str], codes: Any) -> Kept:
    spelled = [word.encode() for word in words]
    if not isinstance(codes, list) and not codes.any():
        return Kept(spelled[:1] * len(codes), True)
    return Kept([spelled[code] for code in map(int, _listed(codes))], True)


def _orders(numbers: Any) -> Kept:
    return Kept([None if n != n else b"%d" % int(n) for n in _listed(numbers)])


def _listed(column: Any) -> list[float]:
    values: list[float] = column if isinstance(column, list) else column.tolist()
    return values
