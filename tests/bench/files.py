"""Files in and out: whole processes against polars (streaming engine), and for npy against copying the same bytes.

Three columns in, the same three and four derivatives out. Both programs write the same columns, which are compared
once; outputs are deleted before every run, since writing over a file is faster than writing a new one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from startup import shell_door

FUNCTION = "a*exp(-b*t)"
DERIVATIVES = {"fa": "a", "fb": "b", "ft": "t", "fbb": "b, 2"}
WORDS = ["eval", "; ".join(f"{name} = diff({FUNCTION}, {by})" for name, by in DERIVATIVES.items())]

MAKE = """
import sys
import numpy as np
from gradcli.formats import FORMATS, Style
n, folder = int(sys.argv[1]), sys.argv[2]
class Made:
    names, shape, shapes, empty, nonfinite = ("a", "b", "t"), (n,), None, (), {}
    @property
    def blocks(self):
        rng = np.random.default_rng(1)
        for lo in range(0, n, 100_000):
            yield list(rng.random((3, min(n - lo, 100_000))) * [[5.0], [3.0], [10.0]] + 0.1)
for form in sys.argv[3:]:
    with open(f"{folder}/in.{form}", "wb") as file:
        FORMATS[form].write(Made(), file.write, Style())
"""
POLARS = """
import sys
import polars
read, write = (getattr(polars, "scan_" + sys.argv[1]), "sink_" + sys.argv[1])
a, b, t = (polars.col(name) for name in "abt")
e = (-b * t).exp()
found = read(sys.argv[2]).with_columns(e.alias("fa"), (-a * t * e).alias("fb"), (-a * b * e).alias("ft"),
                                       (a * t * t * e).alias("fbb"))
getattr(found, write)(sys.argv[3])
"""
COPY = """
import os, shutil, sys
with open(sys.argv[1], "rb") as file:
    while file.read(1 << 20):
        pass
shutil.copyfile(sys.argv[2], sys.argv[3])
with open(sys.argv[3], "rb+") as file:
    os.fsync(file.fileno())
"""
COMPUTE = """
import sys, time
import numpy as np
from gradcli.compute.grid import Axis, Grid
from gradcli.job import engine
from gradcli.job.inputs import Held
from gradcli.language import parse
from gradcli.calculus.derive import derive
from gradcli.job import Job, run
from gradcli.compute.program import build
from gradcli.compute.execute import digests
from gradcli.job.request import Request
table = np.load(sys.argv[1], mmap_mode="r")
request = Request(Job([sys.argv[2]], order=0), [])
grid = Grid([Axis(list("abt"), [Held(np.ascontiguousarray(table[name])) for name in "abt"])])
program = build([e for _, e in request.derived], [["a", "b", "t"]])
start = time.perf_counter()
for _ in digests(engine.work(program, grid, "vector"), lambda block, first: None,
                 target=engine.block_points(program, "vector"), threads=2):
    pass
print(time.perf_counter() - start)
"""
DIFFERENCE = """
import sys
import numpy as np
import polars
ours, theirs = (getattr(polars, "scan_" + sys.argv[1])(name).head(100_000).collect() for name in sys.argv[2:])
assert ours.columns == theirs.columns, (ours.columns, theirs.columns)
np.testing.assert_allclose(ours.to_numpy(), theirs.to_numpy(), rtol=1e-12)
"""


def _process(command: list[str], environment: dict[str, str], output: Path) -> tuple[float, float, float]:
    """Seconds by the clock, seconds of processor time, and megabytes at the peak."""
    output.unlink(missing_ok=True)
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[:4]} ended with {process.returncode}")
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def table(environment: dict[str, str], rounds: int, rows: int) -> list[list[str]]:
    """One row per format; times are medians, ratios medians over the turns."""
    environment = {k: v for k, v in environment.items() if k != "PYTHONDONTWRITEBYTECODE"}
    head = ["rows of a file", "rows", "gradcli, s", "cpu, s", "peak, MB", "against", "s", "cpu, s", "peak, MB", "ratio"]
    found = [head]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(
            [sys.executable, "-c", MAKE, str(rows), name, "csv", "parquet", "npy"], env=environment, check=True
        )
        for form in ("csv", "parquet", "npy"):
            given, ours, theirs = (folder / f"{k}.{form}" for k in ("in", "ours", "theirs"))
            command = [*shell_door(), *WORDS, "--input", str(given), "-o", str(ours)]
            peer = [sys.executable, "-c", POLARS, form, str(given), str(theirs)]
            against, extra = "polars", 0.0
            if form == "npy":
                _process(command, environment, ours)
                copied = ours.rename(folder / "copied.npy")
                peer = [sys.executable, "-c", COPY, str(given), str(copied), str(theirs)]
                told = subprocess.run(
                    [sys.executable, "-c", COMPUTE, str(given), WORDS[1]],
                    env=environment, check=True, capture_output=True, text=True,
                )  # fmt: skip
                against, extra = "a copy and the computation", float(told.stdout)
            pairs = []
            for k in range(rounds):
                runs = [(command, ours), (peer, theirs)]
                # Whoever goes first changes from turn to turn.
                done = [_process(c, environment, out) for c, out in (runs if k % 2 else runs[::-1])]
                pairs.append(done if k % 2 else done[::-1])
            if form != "npy":
                check = [sys.executable, "-c", DIFFERENCE, form, str(ours), str(theirs)]
                subprocess.run(check, env=environment, check=True)
            for path in (ours, theirs):
                path.unlink()
            (s, cpu, peak), (other, other_cpu, other_peak) = (
                [median(column) for column in zip(*side, strict=True)] for side in zip(*pairs, strict=True)
            )
            ratio = median(a[0] / (b[0] + extra) for a, b in pairs)
            cells = [s, cpu, peak, other + extra, other_cpu + extra, other_peak]
            texts = [f"{v:.2f}" if k % 3 < 2 else f"{v:.0f}" for k, v in enumerate(cells)]
            found.append([f"{form} to {form}", f"{rows:.0e}", *texts[:3], against, *texts[3:], f"{ratio:.2f}"])
    return found


def latency(environment: dict[str, str]) -> list[list[str]]:
    """Milliseconds from a row written to a pipe to its row read from the other end, and from the start to the first."""
    environment = {k: v for k, v in environment.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [*shell_door(), "diff", FUNCTION, "--input", "-", "--jsonl"]
    firsts, later = [], []
    for _ in range(5):
        start = time.perf_counter()
        with subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        ) as one:
            assert one.stdin is not None
            assert one.stdout is not None
            one.stdin.write(b"a,b,t\n1,2,3\n")
            one.stdout.readline()
            firsts.append(time.perf_counter() - start)
            for k in range(20):
                time.sleep(0.01)
                start = time.perf_counter()
                one.stdin.write(b"1,2,%d\n" % k)
                one.stdout.readline()
                later.append(time.perf_counter() - start)
            one.stdin.close()
    row = [f"{1000 * v:.1f}" for v in (median(firsts), median(later), max(later))]
    return [["a row of a pipe", "first after the start, ms", "each later, ms", "worst, ms"], ["csv to jsonl", *row]]
