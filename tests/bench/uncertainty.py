"""What uncertainties cost beside the package uncertainties: `python tests/bench --only propagate`.

A row costs what its results take more than sums of the same columns, as a job computes them block by block: processor
time on one thread, compiled. A simulation costs what it takes more by the clock than the same process without it. All
times are the least of so many turns that alternate.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from startup import shell_door

LAW = "g = 4*pi**2*L/T**2"
POINT = [LAW, "--at", "L=1.000\u00b10.002,T=2.00\u00b10.01"]
TRIALS = 1_000_000
ROWS = 4_000_000
START, ROW, SIMULATION = 90.0, 3.0, 0.2
"""Aims: milliseconds of a process, nanoseconds of a row, seconds of a simulation."""

DRAINED = """
import sys, time
import numpy as np
from gradcli.job import Job, run
from gradcli.job.request import Rows
from gradcli.uncertainty.request import PropagateJob
from gradcli.uncertainty.run import run_propagate
rounds, path, law, n = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
rng = np.random.default_rng(1)
columns = {"L": 1 + rng.random(n), "T": 2 + rng.random(n), "u_L": 0.01*rng.random(n), "u_T": 0.01*rng.random(n)}
table = np.empty(n, [(name, float) for name in columns])
for name, column in columns.items():
    table[name] = column
np.save(path, table)
how = {"engine": "native", "threads": 1}
works = [
    lambda: run_propagate(PropagateJob([law], select=["g", "u_g"], **how), Rows([path])),
    lambda: run(Job(["g = L + u_L; h = T + u_T"], (), 0, select=["g", "h"], **how), Rows([path])),
]
best = [float("inf")]*len(works)
for _ in range(rounds):
    for k, work in enumerate(works):
        blocks = iter(work().blocks)
        next(blocks)  # compiles
        start = time.process_time()
        for block in blocks:
            pass
        best[k] = min(best[k], time.process_time() - start)
print((best[0] - best[1])/n*1e9)
"""
CALLS = """
import sys, time
import numpy as np
from gradcli import function
LAW = function("4*pi**2*L/T**2")
def gradcli(*point):
    return LAW.propagate(L=point[:2], T=point[2:]).u
def gradcli_rows(*columns):
    return LAW.propagate(L=columns[:2], T=columns[2:]).u
def least(call, arguments, calls, rounds):
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(calls):
            found = call(*arguments)
        best = min(best, (time.perf_counter() - start)/calls)
    return best, found
rounds = int(sys.argv[1])
rng, n = np.random.default_rng(1), 10_000
columns = [1 + rng.random(n), 0.01*rng.random(n), 2 + rng.random(n), 0.01*rng.random(n)]
works = [(gradcli, (1.0, 0.002, 2.0, 0.01), 20, 1), (gradcli_rows, columns, 5, n)]
if sys.argv[2:]:
    from uncertainties import ufloat, unumpy
    def law(L, T):
        return 4*np.pi**2*L/T**2
    works += [
        (lambda a, b, c, d: law(ufloat(a, b), ufloat(c, d)).std_dev, works[0][1], 20, 1),
        (lambda a, b, c, d: unumpy.std_devs(law(unumpy.uarray(a, b), unumpy.uarray(c, d))), columns, 1, n),
    ]
found = []
for call, arguments, calls, points in works:
    seconds, u = least(call, arguments, calls, rounds)
    found.append(u)
    print(1e9*seconds/points)
for ours, theirs in zip(found[:2], found[2:]):
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
"""
PEER = """
from uncertainties import ufloat
from math import pi
L, T = ufloat(1.0, 0.002), ufloat(2.0, 0.01)
print(4*pi**2*L/T**2)
"""


def tables(environment: dict[str, str], rounds: int) -> list[list[list[str]]]:
    """A table of the figures that have an aim, and one of calls from Python."""
    environment = {k: v for k, v in environment.items() if k != "PYTHONDONTWRITEBYTECODE"}
    peer = find_spec("uncertainties") is not None
    with tempfile.TemporaryDirectory() as name:
        aims = [
            ["propagate", "measured", "aim", "uncertainties"],
            _start(environment, rounds, Path(name), peer=peer),
            _simulation(environment, rounds, Path(name)),
            _row(environment, rounds, Path(name)),
        ]
    words = [sys.executable, "-c", CALLS, str(rounds), *(["peer"] if peer else [])]
    run = subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    ours, theirs = [*map(float, run.stdout.split())][:2], [*map(float, run.stdout.split())][2:]
    calls = [["called from Python", "gradcli", "uncertainties", "ratio"]]
    for k, (what, unit, size) in enumerate([("a result with its budget", "us", 1e3), ("a row of 10,000", "ns", 1.0)]):
        beside = [f"{theirs[k] / size:,.0f} {unit}", f"{theirs[k] / ours[k]:.2g}"] if theirs else ["-", "-"]
        calls.append([what, f"{ours[k] / size:,.1f} {unit}", *beside])
    return [aims, calls]


def _least(
    ways: list[list[str]], environment: dict[str, str], rounds: int, output: Path, *, processor: bool = False
) -> list[float]:
    """The least seconds of each way; whoever goes first changes.

    ``processor``: of processor time, else by the clock.
    """
    best = [float("inf")] * len(ways)
    for k in range(rounds + 1):
        for at in range(len(ways))[:: 1 if k % 2 else -1]:
            output.unlink(missing_ok=True)
            start = time.perf_counter()
            process = subprocess.Popen(ways[at], env=environment)
            _, status, used = os.wait4(process.pid, 0)
            seconds = used.ru_utime + used.ru_stime if processor else time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise RuntimeError(f"{ways[at][:4]} ended with {process.returncode}")
            # The first turn writes what Python compiles.
            best[at] = min(best[at], seconds if k else float("inf"))
    return best


def _start(environment: dict[str, str], rounds: int, folder: Path, *, peer: bool) -> list[str]:
    output = folder / "point.txt"
    ways = [[*shell_door(), "propagate", *POINT, "-q", "-o", str(output)]]
    if peer:
        ways.append([sys.executable, "-c", f"import sys; sys.stdout = open({str(output)!r}, 'w')\n{PEER}"])
    ours, *theirs = _least(ways, environment, rounds, output, processor=True)
    beside = f"{1000 * theirs[0]:.0f} ms" if theirs else "-"
    return ["whole process of a point, processor time", f"{1000 * ours:.0f} ms", f"at most {START:.0f} ms", beside]


def _simulation(environment: dict[str, str], rounds: int, folder: Path) -> list[str]:
    output = folder / "simulation.txt"
    plain = [*shell_door(), "propagate", *POINT, "-q", "-o", str(output)]
    base, ours = _least([plain, [*plain, "--mc", str(TRIALS)]], environment, rounds, output)
    return [f"{TRIALS:,} trials, two inputs", f"{ours - base:.2f} s", f"at most {SIMULATION:g} s", "has none"]


def _row(environment: dict[str, str], rounds: int, folder: Path) -> list[str]:
    """Beside sums of the same columns, which are read, and of as many results, none of which are written."""
    words = [sys.executable, "-c", DRAINED, str(rounds), str(folder / "rows.npy"), LAW, str(ROWS)]
    run = subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return ["a row of a file, beyond reading", f"{float(run.stdout):.1f} ns", f"at most {ROW:g} ns", "below"]
