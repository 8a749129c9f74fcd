"""Speed beside the peers that are installed: `python tests/bench [--only NAME ...] [--markdown]`.

Every engine runs in a process of its own and takes turns with the others; its results are first compared with
gradcli's. Prints nanoseconds per point by the clock (median), the ratio to gradcli (median over the turns, above 1 is
slower), nanoseconds of processor time (both threads), peak memory above that after import over input plus output,
compile time, the time from the formula to its first results (compile and first run, one sample a process, imports not
counted) with its ratio, and the largest difference; then gradients and functions in Python, files, whole processes,
what hard points cost, parts of many files, and uncertainties. A checkout of gradcli makes its parser's tables within
that time, an installed one does not. On a machine that others use, trust processor time.
"""

from __future__ import annotations

import argparse
import json
import queue
import subprocess
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import files
import functions
import scale
import startup
import tensors
import truth
import uncertainty
from engines import ENGINES, THREADS
from works import WORKS, Work

TOLERANCE = 1e-10
LONG = ("order-10", "order-15", "order-20", "order-40", "gradient-100")
"""Works whose programs are long enough for compiling to matter."""
_BUDGET = 20.0
"""Seconds of timed runs per engine and work, from which no further round is asked for."""


class Contestant:
    """A measuring process, its readiness report, and its times: by the clock, and busy (all threads together)."""

    def __init__(self, work: Work, engine: str, folder: str, environment: dict[str, str]) -> None:
        self.engine = engine
        self.report: dict[str, Any] = {}
        self.times: list[float] = []
        self.busy: list[float] = []
        script = Path(__file__).with_name("measure.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script), work.name, engine, str(work.points), folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        self.answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.errors: list[str] = []
        self.readers = [threading.Thread(target=read, daemon=True) for read in (self._listen, self._complain)]
        for reader in self.readers:
            reader.start()

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith("{"):
                self.answers.put(line)
        self.answers.put("")

    def _complain(self) -> None:
        assert self.process.stderr
        self.errors.extend(self.process.stderr)

    def hear(self, limit: float) -> dict[str, Any]:
        """The next answer; {"skipped": why} where there is none."""
        try:
            line = self.answers.get(timeout=limit)
        except queue.Empty:
            self.process.kill()
            return {"skipped": f"not ready after {limit:.0f} s"}
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        self.readers[1].join(1)
        last = next((e.strip() for e in reversed(self.errors) if e.strip()), "no answer")
        return {"skipped": f"failed: {last[:100]}"}

    def prepare(self, limit: float) -> None:
        self.report = self.hear(limit)
        difference = self.report.get("difference") or 0.0
        if not difference <= TOLERANCE:
            self.report["skipped"] = f"differs from gradcli by {difference:.0e}"

    @property
    def racing(self) -> bool:
        return "skipped" not in self.report

    def run(self, limit: float) -> None:
        assert self.process.stdin
        try:
            self.process.stdin.write("run\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        answer = self.hear(limit)
        self.report |= answer
        if self.racing:
            self.times.append(answer["seconds"])
            self.busy.append(answer["busy"])

    def close(self) -> None:
        if self.racing and self.process.stdin:
            self.process.stdin.close()
        else:
            self.process.kill()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def race(work: Work, engines: list[str], rounds: int, limit: float, environment: dict[str, str]) -> list[Contestant]:
    """All engines at one work, in turns."""
    contestants: list[Contestant] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for engine in engines:
                contestants.append(Contestant(work, engine, folder, environment))
                contestants[-1].prepare(limit)
            for _ in range(rounds):
                for c in contestants:
                    if c.racing and sum(c.times) <= _BUDGET:
                        c.run(limit)
        finally:
            for c in contestants:
                c.close()
    return contestants


def _row(c: Contestant, base: Contestant, work: Work) -> list[str]:
    if not c.racing:
        return [ENGINES[c.engine].title, c.report["skipped"], *[""] * (len(_HEAD) - 2)]
    ratio = median(a / b for a, b in zip(c.times, base.times, strict=False)) if base.times else float("nan")
    return [
        ENGINES[c.engine].title,
        f"{median(c.times) / work.size * 1e9:.1f}",
        f"{ratio:.2f}",
        f"{median(c.busy) / work.size * 1e9:.1f}",
        f"{c.report['memory']:.2f}",
        f"{1000 * c.report['compile']:.0f}",
        f"{1000 * c.report['first']:.0f}",
        f"{c.report['first'] / base.report['first']:.1f}",
        f"{c.report['difference']:.0e}" if c is not base and c.report["difference"] is not None else "",
    ]


_HEAD = ["engine", "ns per point", "ratio", "cpu, ns", "memory", "compile, ms", "first, ms", "ratio", "difference"]


def _plain(rows: list[list[str]]) -> str:
    skipped = [len(row) > 3 and not row[2] and row is not rows[0] for row in rows]
    widths = [max(len(r[k]) for r, s in zip(rows, skipped, strict=True) if not s or not k) for k in range(len(rows[0]))]
    lines = []
    for row, s in zip(rows, skipped, strict=True):
        cells = [cell.rjust(w) if k else cell.ljust(w) for k, (cell, w) in enumerate(zip(row, widths, strict=True))]
        lines.append("  ".join([cells[0], row[1]] if s else cells).rstrip())
    return "\n".join(lines)


def _markdown(rows: list[list[str]]) -> str:
    head, *body = [[cell if "`" in cell else cell.replace("*", "\\*") for cell in row] for row in rows]
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *body))


def _overview(results: list[tuple[Work, list[Contestant]]], what: str) -> list[list[str]]:
    """One row per work, one column per engine; ``what`` is "speed", "memory" or "first"."""
    engines = list(dict.fromkeys(c.engine for _, found in results for c in found if c.racing))
    head = "from formula to first results, ms (ratio)" if what == "first" else "work"
    rows = [[head, "points", *[ENGINES[e].title for e in engines]]]
    for work, found in results:
        base, by_engine = found[0], {c.engine: c for c in found}
        row = [work.title, "x".join(map(str, work.shape)) if work.product else f"{work.points:.0e}".replace("+0", "")]
        for engine in engines:
            c = by_engine[engine]
            cells = _row(c, base, work)
            if not c.racing:
                row.append("-")
            elif what == "memory":
                row.append(cells[4])
            elif what == "first":
                row.append(cells[6] if c is base else f"{cells[6]} ({cells[7]})")
            else:
                row.append(f"{cells[1]} ns" if c is base else f"{cells[1]} ({cells[2]})")
        rows.append(row)
    return rows


def main() -> None:
    names = [w.name for w in WORKS]
    sections = ["tensors", "functions", "files", "startup", "truth", "scale", "propagate"]
    parser = argparse.ArgumentParser(prog="python tests/bench", description=__doc__.split("\n", 1)[0])
    parser.add_argument(
        "--only", nargs="+", choices=[*names, *sections], metavar="NAME", help=", ".join([*names, *sections])
    )
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), metavar="NAME", help=", ".join(ENGINES))
    parser.add_argument("--points", type=int, help="points instead of each work's own number")
    parser.add_argument("--rows", type=float, default=2e6, help="rows of the files (2e6)")
    parser.add_argument("--rounds", type=int, default=9, help="timed runs of each engine (9)")
    parser.add_argument("--limit", type=float, default=60, help="seconds to compile and run once (60)")
    parser.add_argument("--markdown", action="store_true", help="tables for docs/performance.md")
    options = parser.parse_args()
    wanted = options.only or [*names, *sections]
    engines = ["gradcli", *[e for e in options.engines or ENGINES if e != "gradcli"]]
    environment = startup.environment()

    results = []
    for work in WORKS:
        if work.name in wanted:
            chosen = work._replace(points=options.points or work.points)
            found = race(chosen, engines, options.rounds, options.limit, environment)
            if not found[0].racing:
                sys.exit(f"gradcli: {found[0].report['skipped']}")
            results.append((chosen, found))
            if not options.markdown:
                shape = " x ".join(map(str, chosen.shape))
                print(f"{chosen.name}: {chosen.title}; {shape} points, {THREADS} threads")
                rows = [_row(c, found[0], chosen) for c in found if c.report.get("skipped") != ""]
                print(_plain([_HEAD, *rows]), end="\n\n", flush=True)
    if options.markdown and results:
        print(_markdown(_overview(results, "speed")), end="\n\n")
        print(_markdown(_overview(results, "memory")), end="\n\n")
        if long := [r for r in results if r[0].name in LONG]:
            print(_markdown(_overview(long, "first")), end="\n\n")
    if "tensors" in wanted:
        rows = tensors.table(environment, options.rounds)
        print(_markdown(rows) if options.markdown else _plain(rows), end="\n\n")
    if "functions" in wanted:
        rows = functions.table(environment, options.rounds)
        print(_markdown(rows) if options.markdown else _plain(rows), end="\n\n")
    if "files" in wanted:
        tables = [partial(files.table, rounds=options.rounds, rows=int(options.rows)), files.writing, files.latency]
        for table in tables:
            rows = table(environment)
            print(_markdown(rows) if options.markdown else _plain(rows), end="\n\n", flush=True)
    if "startup" in wanted:
        rows = [["whole process", "ms", "against", "ms", "ratio"]]
        for s in startup.measure(environment, 3 * options.rounds):
            command = f"`{s.command}`" if options.markdown else s.command
            against = f"`{s.against}`" if options.markdown and '"' in s.against else s.against
            rows.append([command, f"{s.milliseconds:.0f}", against, f"{s.base_milliseconds:.0f}", f"{s.ratio:.2f}"])
        print(_markdown(rows) if options.markdown else _plain(rows), end="\n\n")
    if "truth" in wanted:
        for rows in truth.tables(environment, options.rounds):
            print(_markdown(rows) if options.markdown else _plain(rows), end="\n\n", flush=True)
    if "scale" in wanted:
        rows = scale.table(environment, options.rounds)
        print(_markdown(rows) if options.markdown else _plain(rows), end="\n\n", flush=True)
    if "propagate" in wanted:
        for rows in uncertainty.tables(environment, options.rounds):
            print(_markdown(rows) if options.markdown else _plain(rows), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
