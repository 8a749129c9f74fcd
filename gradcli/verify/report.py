"""Reports: the verdicts of a check, of one model or of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gradcli.errors import GradError
from gradcli.verify.verdict import Verdict


class Report(NamedTuple):
    """The verdicts of a check. ``seed`` is that of the chosen points, None if the points were given.

    ``errors`` are those of the claims that cannot be read. ``models`` are the reports of several models by their names,
    whose verdicts and errors are all those of this report. ``missing``: hard points at which the convention was taken
    for the truth, since python-flint is not installed. ``read_as``: the strict texts of natural notation, where they
    differ from those that were typed.
    """

    verdicts: list[Verdict]
    expressions: dict[str, str]
    seed: int | None
    errors: Sequence[GradError] = ()
    models: Sequence[tuple[str, Report]] = ()
    missing: int = 0
    read_as: str | None = None

    @property
    def exit_code(self) -> int:
        statuses = {v.status for v in self.verdicts}
        return 1 if "disagrees" in statuses else 2 if "unchecked" in statuses or self.errors else 0


def joined(models: Sequence[tuple[str, Report]]) -> Report:
    """The report of several models; that of a single one is its own."""
    if len(models) == 1:
        return models[0][1]
    reports = [report for _, report in models]
    verdicts = [v for report in reports for v in report.verdicts]
    seed = next((report.seed for report in reports if report.seed is not None), None)
    missing = sum(report.missing for report in reports)
    return Report(verdicts, {}, seed, [e for report in reports for e in report.errors], models, missing)
