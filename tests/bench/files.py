"""Files in and out: whole processes side by side, csv and parquet against polars, npy and npz against NumPy.

Two columns in, the same, the value, the gradient and the Hessian out. polars (streaming engine) has the formulas
written by hand and writes the same columns, which are compared once. NumPy computes them by the formulas of `by_hand`,
in blocks that stay in the cache, keeps none, and copies the file that gradcli has written. Outputs are deleted before
every run, since writing over a file is faster than writing a new one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from startup import shell_door

FUNCTION = "sin(x)*exp(-y**2) + log(1 + x**2*y**2)"
WORDS = ["diff", FUNCTION, "--order", "2"]

MAKE = """
import sys
import numpy as np
from gradcli.formats import FORMATS, Style
n, folder = int(sys.argv[1]), sys.argv[2]
class Made:
    names, shape, shapes, empty, nonfinite = ("x", "y"), (n,), None, (), {}
    @property
    def blocks(self):
        rng = np.random.default_rng(1)
        for lo in range(0, n, 100_000):
            yield list(rng.uniform(-1, 1, (2, min(n - lo, 100_000))) * [[3.0], [2.0]])
    def whole(self):
        return [np.concatenate(parts) for parts in zip(*self.blocks)]
for form in sys.argv[3:]:
    with open(f"{folder}/in.{form}", "wb") as file:
        FORMATS[form].write(Made(), file.write, Style())
"""
POLARS = """
import sys
import polars
read, write = (getattr(polars, "scan_" + sys.argv[1]), "sink_" + sys.argv[1])
x, y = polars.col("x"), polars.col("y")
s, c, e = x.sin(), x.cos(), (-y * y).exp()
xx, yy = x * x, y * y
q = xx * yy
w = 1 + q
bend = 2 * (1 - q) / (w * w)
found = read(sys.argv[2]).with_columns(
    (s * e + w.log()).alias("f"),
    (c * e + 2 * x * yy / w).alias("df_dx"),
    (-2 * y * s * e + 2 * xx * y / w).alias("df_dy"),
    (bend * yy - s * e).alias("d2f_dx2"),
    (4 * x * y / (w * w) - 2 * y * c * e).alias("d2f_dxdy"),
    ((4 * yy - 2) * s * e + bend * xx).alias("d2f_dy2"),
)
getattr(found, write)(sys.argv[3])
"""
NUMPY = """
import os, shutil, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from by_hand import BY_HAND
table = np.load(sys.argv[2])
x, y = table["x"], table["y"]
for lo in range(0, len(x), 16384):
    BY_HAND["hessian"](x[lo : lo + 16384], y[lo : lo + 16384])
shutil.copyfile(sys.argv[3], sys.argv[4])
with open(sys.argv[4], "rb+") as file:
    os.fsync(file.fileno())
"""
WRITE = """
import sys, time
import numpy as np
from gradcli.formats import FORMATS, Style
rows = 1 << 17
block = list(np.random.default_rng(1).random((8, rows)))
class Made:
    names, shape, shapes, empty, nonfinite, blocks = tuple("abcdefgh"), (8 * rows,), None, (), {}, [block] * 8
def nanoseconds(form):
    made = Made()
    made.blocks = iter(made.blocks)
    start = time.process_time()
    FORMATS[form].write(made, lambda piece: None, Style())
    return (time.process_time() - start) / (64 * rows) * 1e9
for form in sys.argv[1:]:
    print(min(nanoseconds(form) for _ in range(9)))
"""
DIFFERENCE = """
import sys
import numpy as np
import polars
ours, theirs = (getattr(polars, "scan_" + sys.argv[1])(name).head(100_000).collect() for name in sys.argv[2:])
assert ours.columns == theirs.columns, (ours.columns, theirs.columns)
np.testing.assert_allclose(ours.to_numpy(), theirs.to_numpy(), rtol=1e-10, atol=1e-14)
"""


def timed(command: list[str], environment: dict[str, str], output: Path) -> tuple[float, float, float]:
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
    forms = ("csv", "parquet", "npy", "npz")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, "-c", MAKE, str(rows), name, *forms], env=environment, check=True)
        for form in forms:
            given, ours, theirs = (folder / f"{k}.{form}" for k in ("in", "ours", "theirs"))
            command = [*shell_door(), *WORDS, "--input", str(given), "-o", str(ours)]
            if form.startswith("np"):
                timed(command, environment, ours)
                copied = ours.rename(folder / f"copied.{form}")
                here = str(Path(__file__).parent)
                peer = [sys.executable, "-c", NUMPY, here, str(given), str(copied), str(theirs)]
                against = "NumPy's formula and a copy"
            else:
                peer = [sys.executable, "-c", POLARS, form, str(given), str(theirs)]
                against = "polars"
            alone = against == "polars" and find_spec("polars") is None
            runs = [(command, ours)] if alone else [(command, ours), (peer, theirs)]
            turns = []
            for k in range(rounds):
                # Whoever goes first changes from turn to turn.
                done = [timed(c, environment, out) for c, out in (runs if k % 2 else runs[::-1])]
                turns.append(done if k % 2 else done[::-1])
            sides = [[median(column) for column in zip(*side, strict=True)] for side in zip(*turns, strict=True)]
            cells = [f"{v:.2f}" if k < 2 else f"{v:.0f}" for side in sides for k, v in enumerate(side)]
            row = [f"{form} to {form}", f"{rows:.0e}", *cells[:3]]
            if alone:
                found.append([*row, "polars is not installed", *[""] * 4])
            else:
                if against == "polars":
                    check = [sys.executable, "-c", DIFFERENCE, form, str(ours), str(theirs)]
                    subprocess.run(check, env=environment, check=True)
                ratio = median(us[0] / them[0] for us, them in turns)
                found.append([*row, against, *cells[3:], f"{ratio:.2f}"])
            for _, path in runs:
                path.unlink()
    return found


def writing(environment: dict[str, str]) -> list[list[str]]:
    """Nanoseconds of processor time that a number takes until it is bytes, the best of nine; the kernel's not counted.

    Text is printed by orjson, which holds the interpreter's lock, so that one thread prints at a time.
    """
    forms = ("csv", "parquet", "npy")
    told = subprocess.run(
        [sys.executable, "-c", WRITE, *forms], env=environment, check=True, capture_output=True, text=True
    )
    numbers = zip(forms, map(float, told.stdout.split()), strict=True)
    return [["a number becomes bytes", "ns of a processor"], *[[form, f"{number:.1f}"] for form, number in numbers]]


def latency(environment: dict[str, str]) -> list[list[str]]:
    """Milliseconds from a row written to a pipe to its row read from the other end, and from the start to the first.

    Beyond some steps the engine depends on how much a pipe brings: then the first answer waits until the pipe rests.
    """
    environment = {k: v for k, v in environment.items() if k != "PYTHONDONTWRITEBYTECODE"}
    found = [["a row of a pipe", "first after the start, ms", "each later, ms", "worst, ms"]]
    for what, order in (("gradient", "1"), ("gradient and Hessian", "2")):
        command = [*shell_door(), "diff", FUNCTION, "--order", order, "--input", "-", "--jsonl"]
        firsts, later = [], []
        for _ in range(5):
            start = time.perf_counter()
            with subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            ) as one:
                assert one.stdin is not None
                assert one.stdout is not None
                one.stdin.write(b"x,y\n1,2\n")
                one.stdout.readline()
                firsts.append(time.perf_counter() - start)
                for k in range(20):
                    time.sleep(0.01)
                    start = time.perf_counter()
                    one.stdin.write(b"1,%d\n" % k)
                    one.stdout.readline()
                    later.append(time.perf_counter() - start)
                one.stdin.close()
        milliseconds = [f"{1000 * v:.1f}" for v in (median(firsts), median(later), max(later))]
        found.append([f"csv to jsonl, {what}", *milliseconds])
    return found
