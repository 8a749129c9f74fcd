"""The columns about hard points, and the notes that tell of them.

Layer: must not know how a point is decided.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.calculus.leibniz import derivative_name
from gradcli.compute import trust
from gradcli.expr import spell_name
from gradcli.formats import spell
from gradcli.formats.passthrough import Kept

if TYPE_CHECKING:
    from gradcli.job.hard_points import HardPoints, Tally

_PLACES = 3
"""Kinds of places, and variables, that a note names."""


class Extra(NamedTuple):
    """A column about hard points.

    ``kind``: verdict, breaks, side or trust. ``axis``: the variable. ``order`` and ``sign``: of a side. ``column``: the
    result that it is about. ``result``: the one that a side equals at a smooth point.
    """

    name: str
    kind: str
    column: int
    axis: str = ""
    order: int = 0
    sign: int = 0
    result: int = 0


def extras(hard: HardPoints, names: Sequence[str]) -> Iterator[Extra]:
    """The columns asked for; ``names`` are those of the outputs."""
    job = hard.job
    several = len(hard.axes) > 1
    places = {(t.output, *t.powers.items()): k for k, t in enumerate(hard.targets)}
    for output, name in enumerate(names):
        column = output * hard.per_output
        for axis in hard.axes if job.sides or job.verdict else ():
            end = f"_{axis}" if several else ""
            yield Extra(f"{name}_verdict{end}", "verdict", column, axis)
            yield Extra(f"{name}_breaks{end}", "breaks", column, axis)
            for k in range(hard.order + 1 if job.sides else 0):
                result = places[(output, (axis, k)) if k else (output,)]
                for word, sign in (("left", -1), ("right", 1)):
                    inner = f"{name}_{word}{end}" if not k else f"{derivative_name(name, [axis], (0,) * k)}_{word}"
                    yield Extra(inner, "side", column, axis, k, sign, result)
    if job.trust:
        for k, target in enumerate(hard.targets):
            yield Extra(f"{target.name}_trust", "trust", k)


def fill(hard: HardPoints, outs: Sequence[Any], errors: Sequence[Any] | None, arrays: bool) -> None:
    """Fill the extra columns as for a smooth point."""
    first, base = len(hard.coordinates), len(hard.coordinates) + len(hard.targets)
    for extra, out in zip(hard.extras, outs[base:], strict=True):
        if extra.kind == "side":
            out[:] = outs[first + extra.result]
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
        lines.append(_kinds(hard))
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
        where = "" if hard.points == 1 else f" at {'row' if hard.of_rows else 'point'} {row + 1}"
        lines.append(
            f"{count:,} {have} fewer than {hard.few_digits} right digits (worst: {name}{where}: {digits}); "
            f"--careful repairs {'it' if count == 1 else 'them'}"
        )
    if hard.unproved.count:
        numbers = "number" if hard.unproved.count == 1 else "numbers"
        wanted = hard.job.proved_digits
        to = f" to {wanted} digits, so that doubles stand there" if wanted else ""
        lines.append(
            f"{hard.unproved.count:,} {numbers} could not be proved{to} (worst: {_worst(hard, hard.unproved)})"
        )
    if hard.split.count:
        one = hard.split.count == 1
        has, such = ("derivative has", ":") if one else ("derivatives have", ", such as")
        lines.append(
            f"{hard.split.count:,} mixed {has} no value that all directions are known to agree on{such} "
            f"{_worst(hard, hard.split)}"
        )
    if hard.apart.count and hard.job.proved_digits is None:
        differ = "number differs" if hard.apart.count == 1 else "numbers differ"
        lines.append(
            f"{hard.apart.count:,} {differ} between what was typed and the doubles nearest to it (worst: "
            f"{_worst(hard, hard.apart)}, {hard.apart.worst[0]} digits agree); --digits 18 takes it as typed"
        )
    return lines


def _worst(hard: HardPoints, tally: Tally) -> str:
    _, point, name = tally.worst
    at = ", ".join(f"{n}={spell(v)}" for n, v in zip(hard.coordinates, point, strict=True))
    return f"{name} at {at}" if at else name


def _kinds(hard: HardPoints) -> str:
    """How many points are hard and what they are; of a single one what the function does there."""
    from gradcli.truth.words import place, sentence

    hint = "" if hard.job.sides or hard.job.verdict else "; --sides shows both sides"
    kinds = sorted(hard.kinds.items(), key=lambda kind: (-kind[1], kind[0]))
    if hard.points == 1 and hard.hardest:
        output, axis, truth = hard.hardest[0]
        name = hard.targets[output * hard.per_output].name
        what, f = place(truth.verdict), spell_name(name)
        along = f" along {spell_name(axis)}" if len(hard.axes) > 1 else ""
        here = "in this row" if hard.of_rows else "here"
        told = f"{f} has {what} {here}{along}: {sentence(truth, 'it')}" if what else sentence(truth, name)
        axes = [spell_name(a) for k, a, _ in hard.hardest[1:] if k == output]
        if axes:
            told += (
                f"; along {', '.join(axes[:_PLACES])}{', ...' if len(axes) > _PLACES else ''} it is not smooth either"
            )
        others = len({k for k, *_ in hard.hardest}) - 1
        more = {0: "", 1: "; another result breaks here too"}.get(others, f"; {others} other results break here too")
        return f"{told}{more}{hint if what else ''}"
    count, points = sum(hard.kinds.values()), "rows" if hard.of_rows else "points"
    known = [*dict.fromkeys([what for verdict, _ in kinds if (what := place(verdict))])]
    told = ", ".join([f"{n:,} {verdict}" for verdict, n in kinds])
    some = f"{count:,} of {hard.points:,} {points}"
    if not known:
        return f"this arithmetic cannot say what lies at {some}"
    where = ", ".join(known[:_PLACES]) + ", ..." if len(known) > _PLACES else _either(known)
    told = "" if len(kinds) == 1 and known[0].split()[-1] == kinds[0][0] else f" ({told})"
    return f"{some} {'lies' if count == 1 else 'lie'} on {where}{told}{hint}"


def _either(words: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _words(words: Sequence[str], codes: Any) -> Kept:
    spelled = [word.encode() for word in words]
    cells = spelled[:1] * len(codes)
    for n in _places(codes, codes):
        cells[n] = spelled[int(codes[n])]
    return Kept(cells, True)


def _orders(numbers: Any) -> Kept:
    cells: list[bytes | None] = [None] * len(numbers)
    for n in _places(numbers, [v == v for v in numbers] if isinstance(numbers, list) else numbers == numbers):
        cells[n] = b"%d" % int(numbers[n])
    return Kept(cells)


def _places(column: Any, marks: Any) -> Iterable[int]:
    """The few places of a column that are marked."""
    if isinstance(column, list):
        return [n for n, mark in enumerate(marks) if mark]
    places: list[int] = marks.nonzero()[0].tolist()
    return places
