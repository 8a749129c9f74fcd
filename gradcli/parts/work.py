"""What all parts of a run have in common: the job, how its inputs are read, and the format of the parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from gradcli.caret import Source
from gradcli.formats import Dialect
from gradcli.formats.columns import Columns
from gradcli.job.alone import Alone, AnyJob, alone
from gradcli.job.gradient import GradJob, run_grad
from gradcli.job.request import Job, Rows
from gradcli.job.result import Computed
from gradcli.uncertainty.request import PropagateJob
from gradcli.uncertainty.run import alone_propagate, run_propagate

PartsJob = AnyJob | PropagateJob
_JOBS: dict[str, type[PartsJob]] = {"diff": Job, "grad": GradJob, "propagate": PropagateJob}
_READ = ("format", "max_bytes", "keep", "constants", "header", "first")
_BOUNDS = {"threads", "strict", "max_points", "max_bytes", "first"}
"""What changes no number: limits, and a name for messages. A part made with others stands."""


@dataclass(frozen=True)
class Work:
    """The computation of every part of a run.

    ``rows`` names no paths: those are the parts'. ``format`` is that of the parts, ``digits`` those of its numbers.
    ``types``: those that kept columns have in all parts, where the format fixes them.
    """

    job: PartsJob
    rows: Rows
    format: str
    digits: int | None = None
    types: dict[str, str] | None = None

    def looked_at(self, path: str) -> Alone:
        """Check the request against the first source. Raise GradError if it is wrong, or takes all rows together."""
        rows = replace(self.rows, paths=[path], notes=[])
        if isinstance(self.job, PropagateJob):
            return alone_propagate(self.job, rows)
        return alone(self.job, rows)

    def hard_notes(self, path: str, kinds: Mapping[str, int], rows: int) -> list[str]:
        """Return what is to be told about so many hard points of each kind among ``rows`` rows."""
        result = self.looked_at(path).result
        if result is None or result.hard is None:
            return []
        result.hard.kinds.update(kinds)
        result.hard.points = rows
        return [note for note in result.notes if note and note != result.note]

    def with_engine(self, engine: str, header: Sequence[str], first: str, types: dict[str, str] | None) -> Work:
        """Return the work with the engine and the columns that all parts have; ``first`` is the source of these."""
        rows = replace(self.rows, header=tuple(header), first=first)
        return replace(self, job=replace(self.job, engine=engine), rows=rows, types=types)

    def types_of(self, result: Columns) -> dict[str, str] | None:
        """Return the types that columns carried through have in a file of one table; None if the format fixes none."""
        if self.format != "parquet":
            return None
        from gradcli.formats.parquet_write import kept_types

        return kept_types(result)

    def run(self, rows: Rows) -> Computed:
        """Compute the rows of a part. Raise GradError as the job does."""
        if isinstance(self.job, GradJob):
            return run_grad(self.job, rows)
        if isinstance(self.job, PropagateJob):
            return run_propagate(self.job, rows)
        from gradcli.job import run

        return run(self.job, rows)

    @property
    def lasting(self) -> dict[str, Any]:
        """What of the work decides numbers, as JSON, which `work_of` reads."""
        told = self.described()
        for part in ("job", "input"):
            told[part] = {name: value for name, value in told[part].items() if name not in _BOUNDS}
        return told

    def described(self) -> dict[str, Any]:
        """Return the work as JSON, which `work_of` reads."""
        name = next(name for name, kind in _JOBS.items() if type(self.job) is kind)
        job = {field.name: _plain(getattr(self.job, field.name)) for field in fields(self.job)}
        read = {name: _plain(getattr(self.rows, name)) for name in _READ}
        return {
            "command": name, "job": job, "input": {**read, "dialect": list(self.rows.dialect)}, "format": self.format,
            "digits": self.digits, "types": self.types,
        }  # fmt: skip

    def identity(self) -> dict[str, Any]:
        """Return all that the bytes of a part depend on, beside its source, as JSON."""
        told = self.lasting
        natural = any(isinstance(text, Source) and text.natural for text in self.job.expressions)
        kept = self.rows.keep or self.job.select is not None
        if not kept and not natural and not isinstance(self.job, PropagateJob):
            # Without columns that are carried through, that may be uncertainties, or that natural notation has to
            # know, the header decides no byte.
            told["input"]["header"] = None
        return told


def work_of(told: dict[str, Any]) -> Work:
    """Return the work that `Work.described` tells."""
    job = dict(told["job"])
    job["expressions"] = [Source(*pair) for pair in job["expressions"]]
    read = dict(told["input"])
    dialect = Dialect(*read.pop("dialect"))
    rows = Rows(dialect=dialect, **read)
    return Work(_JOBS[told["command"]](**job), rows, told["format"], told["digits"], told["types"])


def _plain(value: Any) -> Any:
    """Return a field of a job as JSON holds it: sequences as lists, each expression with the name of its file."""
    if isinstance(value, (list, tuple)):
        return [list(item) if isinstance(item, tuple) else item for item in value]
    return value
