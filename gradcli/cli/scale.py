"""Results as a folder of parts: the options, the progress line and the notes of a run over parts."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING

import click

from gradcli.caret import counted
from gradcli.cli import stderr
from gradcli.cli.inputs import rows
from gradcli.cli.options import CommandLine
from gradcli.cli.target import asked_for, digits_of
from gradcli.errors import GradError
from gradcli.formats import FORMATS
from gradcli.storage import is_url

if TYPE_CHECKING:
    from gradcli.formats import Format
    from gradcli.parts.plan import Plan
    from gradcli.parts.pool import Pool
    from gradcli.parts.run import Progress, Share, Summary
    from gradcli.parts.work import PartsJob, Work

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "KI": 2**10, "MI": 2**20, "GI": 2**30}
_PROCESSES = 1024
_SHOWN = 10
"""Notes on single parts that are printed."""


def write_parts(line: CommandLine, job: PartsJob) -> None:
    """Write the rows of a job as a folder of parts, then tell on stderr what was done.

    Raises GradError if parts could not be made; the others stand.
    """
    from gradcli.parts.ledger import Ledger
    from gradcli.parts.plan import PART_BYTES, planned
    from gradcli.parts.run import RETRIES, run
    from gradcli.parts.work import Work

    started = monotonic()
    path = line.path
    assert path is not None
    if line.why:
        raise GradError("--why is for a result of one piece: leave it out, or write to a file")
    ctx = click.get_current_context()
    form, share, where = _format(ctx, line), _share(line.part), _where(line.cluster)
    size = PART_BYTES if line.part_bytes is None else _bytes(line.part_bytes)
    if "-" in line.input:
        raise GradError(
            "--input -: a stream cannot be cut into parts nor read again", hint="write it to a file, or to one: -o FILE"
        )
    tables = rows(line, None)
    if tables is None:
        raise GradError("a folder of parts is for the rows of files", hint="read some: --input FILE")
    own = next((url for url in (path, *line.input) if url.startswith("memory://")), None)
    if where is not None and own is not None:
        raise GradError(f"{own}: memory:// is of this process alone, others see nothing of it")
    if where is not None and job.threads is None:
        job = replace(job, threads=1)
    work = Work(job, replace(tables, paths=()), form.name, digits_of(ctx, line, form))
    form.load(None)
    ledger = Ledger(path)
    progress = _Progress(line)
    with _ending(line):
        plan = planned(work, line.input, size, ledger.plan)
        _refuse_inputs(path, plan)
        if line.natural:
            stderr.read_as(plan.work.looked_at(plan.parts[0].source.path).read_as, line)
        pool = _pool(where, plan.work, path)
        try:
            summary = run(plan, ledger, share, pool, RETRIES if line.retries is None else line.retries, progress)
        finally:
            progress.erase()
    _tell(line, summary, share, monotonic() - started)
    _raise(line, summary)


def _format(ctx: click.Context, line: CommandLine) -> Format:
    form = asked_for(ctx, line) or FORMATS["parquet"]
    if not form.reader:
        known = ", ".join([row.name for row in FORMATS.values() if row.reader])
        raise GradError(f"parts are files that can be read again: {form.name} cannot ({known} can)")
    return form


def _share(text: str | None) -> Share:
    from gradcli.parts.run import Share

    if text is None:
        return Share(1, 1)
    match = re.fullmatch("([0-9]{1,9})/([0-9]{1,9})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise GradError(f"--part: '{text}' is no share", hint="share K of N, counted from 1: --part 7/100")
    return Share(int(match[1]), int(match[2]))


def _bytes(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,9})?(?:[eE]\+?[0-9]{1,2})?)\s*([KMGkmg]?i?)[bB]?", text.strip())
    size = float(match[1]) * _UNITS.get(match[2].upper(), 0) if match else 0
    if not 1 <= size < 2**62:
        raise GradError(f"--part-bytes: '{text}' is no number of bytes", hint="such as 512MB, 64MiB or 1e9")
    return int(size)


def _where(text: str | None) -> int | str | None:
    """The number of processes, or the address of a scheduler; None for this process."""
    if text is None:
        return None
    if match := re.fullmatch("local:([0-9]{1,4})", text):
        if 1 <= int(match[1]) <= _PROCESSES:
            return int(match[1])
    elif re.fullmatch(r"(tcp|tls|ws|wss|ucx)://[^\s/]+:[0-9]{1,5}", text):
        return text
    raise GradError(
        f"--cluster: '{text}' is no place to work",
        hint=f"local:4 (so many processes, at most {_PROCESSES}) or tcp://HOST:8786 (a Dask scheduler)",
    )


def _pool(where: int | str | None, work: Work, path: str) -> Callable[[int], Pool]:
    """What starts the pool for a number of parts."""

    def start(count: int) -> Pool:
        from gradcli.parts.pool import Here, Local
        from gradcli.parts.task import told
        from gradcli.storage.folder import folder

        if where is None:
            return Here(work, folder(path))
        if isinstance(where, int):
            return Local(told(work, path), min(where, count))
        from gradcli.parts.cluster import Cluster

        return Cluster(where, told(work, path, os.getcwd()))

    return start


def _refuse_inputs(path: str, plan: Plan) -> None:
    """Raises GradError if a source lies in the folder of the parts."""
    for source in dict.fromkeys(part.source.path for part in plan.parts):
        inside = source.startswith(path) if is_url(path) else False
        if not is_url(path) and not is_url(source):
            folders = [os.path.realpath(os.path.dirname(source)), os.path.dirname(os.path.realpath(source))]
            inside = os.path.realpath(path) in folders
        if inside:
            raise GradError(f"{source}: this input lies in the folder of the output", hint="give another folder")


class _Ended(BaseException):
    """A signal that ends the run. It is no Exception, so that nothing on the way takes it for a fault."""


@contextmanager
def _ending(line: CommandLine) -> Iterator[None]:
    """End by SIGINT, SIGTERM or SIGHUP after the processes and the unfinished file are gone.

    A pipe or connection whose other end has died is told, where SIGPIPE would end the run: nothing goes to stdout.
    """
    from gradcli.cli.output import die

    previous = {}

    def end(signum: int, frame: FrameType | None) -> None:
        raise _Ended(signum)

    try:
        for name, handler in (("SIGPIPE", signal.SIG_IGN), ("SIGINT", end), ("SIGTERM", end), ("SIGHUP", end)):
            signum = getattr(signal, name, None)
            if signum is not None and signal.getsignal(signum) is not signal.SIG_IGN:
                # Outside the main thread Python sets no handlers.
                with suppress(ValueError):
                    previous[signum] = signal.signal(signum, handler)
        yield
    except _Ended as ended:
        # Who stops it by the keyboard is told that nothing is lost.
        if ended.args[0] == signal.SIGINT and not line.quiet and sys.stderr is not None and sys.stderr.isatty():
            stderr.note(f"{line.path}: the parts that are made stand, and the same command goes on", line.color)
        die(ended.args[0])
    finally:
        for signum, before in previous.items():
            signal.signal(signum, before)


class _Progress:
    """The progress line of a run over parts: parts, rows, rows a second and the time that the rest will take."""

    def __init__(self, line: CommandLine) -> None:
        self._line = None if line.no_progress or line.quiet else stderr.progress("rows")

    def __call__(self, done: Progress) -> None:
        if self._line is not None:
            self._line(done.rows, done.parts / done.of, f"{done.parts:,} of {done.of:,} parts, ")

    def erase(self) -> None:
        if self._line is not None:
            self._line.erase()


def _tell(line: CommandLine, summary: Summary, share: Share, seconds: float) -> None:
    """Print the notes of a run."""
    if line.quiet:
        return
    for text in _notes(line, summary, share):
        stderr.note(text, line.color)
    if line.verbose and summary.made:
        rows = sum(summary.records[name]["rows_in"] for name in summary.made)
        where = line.cluster or "this process"
        stderr.note(
            f"{counted(rows, 'rows')} in {seconds:.3g} s ({rows / seconds:,.0f} a second), engine "
            f"{summary.plan.work.job.engine}, {where}",
            line.color,
        )
    results = summary.counts("nonfinite")
    if results:
        stderr.note(stderr.nonfinite(results), line.color)


def _notes(line: CommandLine, summary: Summary, share: Share) -> Iterator[str]:
    parts, made = len(summary.plan.parts), len(summary.made)
    there = len(summary.records)
    rows = summary.total("rows")
    if share.of > 1:
        yield f"{line.path}: share {share.number}/{share.of}: {made:,} made; {there:,} of {parts:,} parts are there"
    else:
        stood = f"{made:,} made, {there - made:,} stood"
        yield f"{line.path}: {there:,} of {parts:,} parts, {counted(rows, 'rows')}: {stood}"
    if summary.replaced:
        yield f"{counted(summary.replaced, 'parts')} did not stand: made of other rows, options or versions"
    if summary.removed:
        yield f"{counted(len(summary.removed), 'parts')} removed: of another input, or in another format"
    notes = summary.notes
    yield from notes[:_SHOWN]
    if len(notes) > _SHOWN:
        yield f"and {len(notes) - _SHOWN:,} more such notes, each in the record beside its part"
    hard = summary.counts("hard")
    if hard:
        yield from summary.plan.work.hard_notes(summary.plan.parts[0].source.path, hard, rows)
    # The first fault is the error.
    faults = _faults(summary)[1:]
    yield from faults[:_SHOWN]
    if len(faults) > _SHOWN:
        yield f"and {counted(len(faults) - _SHOWN, 'parts')} more; gradcli parts {line.path} tells what is missing"


def _faults(summary: Summary) -> list[str]:
    """The faults in the order of the rows, each with the name of its source."""
    faults = [(part, summary.faults[part].message) for part in summary.plan.parts if part in summary.faults]
    return [text if text.startswith(part.source.path) else f"{part.where}: {text}" for part, text in faults]


def _raise(line: CommandLine, summary: Summary) -> None:
    """Raises GradError if parts failed, or with --strict if a number is not finite."""
    parts = len(summary.plan.parts)
    if summary.faults:
        fault = next(summary.faults[part] for part in summary.plan.parts if part in summary.faults)
        codes = {fault.exit_code for fault in summary.faults.values()}
        what = f"{len(summary.faults):,} of {parts:,} parts could not be made: "
        if codes == {1}:
            goes_on = f"correct the input, or leave out {'--strict' if line.strict else '--kink error'}"
        else:
            goes_on = "correct the input and give the command again" if 2 in codes else "the same command goes on"
        hint = f"the other parts stand: {goes_on}" if summary.records else goes_on
        raise GradError(
            f"{what}{_faults(summary)[0]}", hint=f"{fault.hint}; {hint}" if fault.hint else hint,
            exit_code=2 if 2 in codes else 3 if 3 in codes else 1,
        )  # fmt: skip
    if line.strict:
        for record in summary.records.values():
            if record["nonfinite"]:
                raise GradError(f"{record['source']}: {stderr.nonfinite(record['nonfinite'])}", exit_code=1)
