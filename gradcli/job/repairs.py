"""Numbers of a job in ball arithmetic: correctly rounded doubles, and texts of proved digits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gradcli.compute import trust
from gradcli.errors import GradError
from gradcli.job.decimals import exactly
from gradcli.job.once import once
from gradcli.job.readings import Readings

if TYPE_CHECKING:
    from gradcli.job.hard_points import HardPoints, Target
    from gradcli.truth.repair import Repair


class Repairs:
    """The repairs of the outputs of a job, each made when it is first needed."""

    def __init__(self, hard: HardPoints) -> None:
        self.hard = hard
        self._repairs: dict[int, Repair] = {}
        self.readings = Readings(hard)

    @once
    def exact(self) -> bool:
        """Whether balls and germs can be computed."""
        from gradcli.truth.repair import available

        return available()

    def _repair(self, output: int) -> Repair:
        if output not in self._repairs:
            from gradcli.truth.repair import Repair

            self._repairs.setdefault(output, Repair(self.hard.roots[output], self.hard.order))
        return self._repairs[output]

    def ball(self, point: Mapping[str, float], target: Target) -> float | None:
        return self._repair(target.output).number(point, target.powers, self.hard.budget).value

    def repaired(
        self, outs: Sequence[Any], output: int, of_rows: Mapping[int, Sequence[int]], errors: Any
    ) -> Iterator[tuple[int, int, float]]:
        """The correctly rounded doubles of results of an output, by row, columns of each: (row, column, double)."""
        hard = self.hard
        alike: dict[tuple[int, ...], list[int]] = {}
        for n, columns in of_rows.items():
            alike.setdefault(tuple(columns), []).append(n)
        for columns, rows in alike.items():
            points = [
                {name: float(column[n]) for name, column in zip(hard.coordinates, outs, strict=False)} for n in rows
            ]
            powers = [hard.targets[k].powers for k in columns]
            found = self._repair(output).numbers(points, powers, hard.budget)
            for n, point, numbers in zip(rows, points, found, strict=True):
                for k, number in zip(columns, numbers, strict=True):
                    if number.value is not None:
                        if not hard.job.exact and not hard.of_rows:
                            self.readings.look(point, hard.targets[k], number.value)
                        yield n, k, number.value
                        continue
                    name = hard.targets[k].name
                    hard.doubtful.add(name)
                    if number.why in ("undecided", "work"):
                        before = float(outs[len(hard.coordinates) + k][n])
                        hard.unproved.add(trust.digits(before, float(errors[k][n])), point, name)

    def digits(self, coordinates: Sequence[Any], results: Sequence[Any]) -> list[Any]:
        """The results as texts with the digits asked for; a number without them as its double is spelled."""
        from gradcli.formats import spell
        from gradcli.formats.passthrough import Kept

        hard, wanted = self.hard, self.hard.job.proved_digits
        assert wanted is not None
        if not self.exact:
            raise GradError(f"--digits {wanted} needs python-flint: pip install python-flint")
        from gradcli.truth.digits import Digits

        points = [dict(zip(hard.coordinates, map(float, row), strict=True)) for row in zip(*coordinates, strict=True)]
        if not hard.coordinates:
            points = [{}]
        finite = [point for point in points if all(map(math.isfinite, point.values()))]
        exact = [exactly(hard.typed, point) for point in finite]
        columns: list[Any] = []
        for output, root in enumerate(hard.roots):
            targets = hard.targets[output * hard.per_output : (output + 1) * hard.per_output]
            rows = iter(Digits(root, hard.order).texts(exact, [target.powers for target in targets], wanted))
            texts = [
                next(rows) if all(map(math.isfinite, point.values())) else [None] * len(targets) for point in points
            ]
            for k, target in enumerate(targets):
                cells = []
                for point, row, value in zip(points, texts, results[len(columns)], strict=True):
                    text = row[k]
                    if text is None:
                        text = spell(float(value))
                        hard.doubtful.add(target.name)
                        if math.isfinite(value):
                            hard.unproved.add(0, point, target.name)
                    cells.append(text.encode())
                columns.append(Kept(cells, True))
        return columns
