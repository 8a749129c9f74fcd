"""A run over parts: makes those that do not stand, again those that fail, and closes the folder when all are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gradcli.errors import GradError
from gradcli.parts.ledger import Ledger
from gradcli.parts.plan import Part, Plan
from gradcli.parts.pool import Pool
from gradcli.parts.task import Fault

RETRIES = 3
"""How often a part is made again that failed, unless --retries tells."""


class Share(NamedTuple):
    """The parts that are one run's: every ``of``-th, beginning with number ``number``, from 1."""

    number: int
    of: int

    def parts(self, plan: Plan) -> list[Part]:
        return plan.parts[self.number - 1 :: self.of]


class Progress(NamedTuple):
    """How far a run is: the parts that it has made, of how many, and their rows."""

    parts: int
    of: int
    rows: int


@dataclass
class Summary:
    """What a run has done.

    ``records``: of the parts that stand now, by name; ``made`` those of this run; ``replaced``: how many of them were
    there, made of other rows or otherwise. ``faults``: the parts that could not be made. ``removed``: files of parts
    that the plan does not have. ``whole``: all parts stand, and the manifest is written.
    """

    plan: Plan
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    replaced: int = 0
    faults: dict[Part, Fault] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    whole: bool = False

    def counts(self, name: str) -> Counter[str]:
        """The sum over all parts of counts by name, such as those of ``nonfinite`` numbers."""
        total: Counter[str] = Counter()
        for record in self.records.values():
            total.update(record[name])
        return total

    def total(self, name: str) -> int:
        return sum(record[name] for record in self.records.values())

    @property
    def notes(self) -> list[str]:
        """What was to tell about the tables that this run has read, each once."""
        return list(dict.fromkeys(note for name in self.made for note in self.records[name]["notes"]))


def run(
    plan: Plan,
    ledger: Ledger,
    share: Share,
    pool: Callable[[int], Pool],
    retries: int,
    watch: Callable[[Progress], object],
) -> Summary:
    """Make the parts of a share that do not stand, and write the manifest if then all parts of the plan are there.

    ``pool`` is called with the number of parts to make, and only if there are some. A part that fails for the system's
    sake is made again ``retries`` times, one whose data are wrong is not. Raise GradError if the folder cannot be
    written.
    """
    summary = Summary(plan)
    ledger.begin()
    summary.records = ledger.records(plan.parts)
    missing = [part for part in share.parts(plan) if part.name not in summary.records]
    summary.replaced = sum(part.name in ledger.parts for part in missing)
    if len(summary.records) == len(plan.parts) and ledger.closed(plan):
        ledger.write_plan(plan)
        summary.whole = True
        return summary
    # First what may fail before anything has changed: a scheduler may not answer.
    workers = pool(len(missing)) if missing else None
    try:
        ledger.open_manifest()
        ledger.write_plan(plan)
        if workers is not None:
            _make(missing, summary, workers, retries, watch)
    finally:
        if workers is not None:
            workers.close()
            ledger.folder.clean()
    if not summary.faults:
        _close(summary, ledger.path)
    return summary


def _close(summary: Summary, path: str) -> None:
    """Write the manifest if all parts are there: those of other shares may have been made meanwhile.

    It tells what is in the folder now. Raise GradError if another run has begun there meanwhile, with other rows or
    options, whose parts have the same names.
    """
    plan, ledger = summary.plan, Ledger(path)
    others = "another run with other rows or options writes to this folder"
    if ledger.plan is None or ledger.plan.asked != plan.asked:
        raise GradError(f"{path}: {others}", hint="give each a folder of its own", exit_code=3)
    known, summary.records = summary.records, ledger.records(plan.parts)
    lost = next((name for name in known if name not in summary.records), None)
    if lost is not None:
        raise GradError(f"{path}: {lost} was there, and is not there any more: perhaps {others}", exit_code=3)
    if len(summary.records) == len(plan.parts):
        summary.removed = ledger.close(plan, summary.records)
        summary.whole = True


def _make(missing: list[Part], summary: Summary, pool: Pool, retries: int, watch: Callable[[Progress], object]) -> None:
    """Make parts until all are made or have failed too often."""
    failures: Counter[str] = Counter()
    rows = 0
    for part in missing:
        pool.submit(part)
    left = len(missing)
    while left:
        part, record, fault = pool.outcome()
        if record is not None:
            summary.records[part.name] = record
            summary.made.append(part.name)
            rows += record["rows_in"]
        elif fault is not None and fault.exit_code == 3 and failures[part.name] < retries:
            failures[part.name] += 1
            pool.submit(part)
            continue
        elif fault is not None:
            summary.faults[part] = fault
        left -= 1
        watch(Progress(len(missing) - left, len(missing), rows))
