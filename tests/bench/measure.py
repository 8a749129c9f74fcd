"""One engine at one work, in a process of its own: `measure.py WORK ENGINE POINTS FOLDER`.

Says in JSON lines that it is ready, with compile time, the time from the formula to its first results (compile and
first run, one sample a process, imports not counted), memory and difference from gradcli's results (kept in FOLDER),
then times one run for every line read. Must not know other engines.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from engines import ENGINES, THREADS, CannotDoError
from works import WORKS, Work


def _kilobytes(field: str) -> int:
    """This process's memory from the kernel: VmRSS now, or VmHWM at its peak."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak // 1024 if sys.platform == "darwin" else peak
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def _difference(work: Work, results: Any, folder: Path, engine: str) -> float:
    """Largest difference from gradcli's results, absolute below 1 and relative above.

    Beyond the tenth derivative relative to the largest value of a result: near its zeros rounding is that of terms
    many orders larger, in every engine.
    """
    worst = 0.0
    for k, places in enumerate(work.partials):
        result, file = np.asarray(results[k]), folder / f"{k}.npy"
        if result.shape != (work.size,):
            raise ValueError(f"result {k} has shape {result.shape}")
        if engine == "gradcli":
            np.save(file, result)
        else:
            expected = np.load(file, mmap_mode="r")
            size = np.abs(expected)
            error = np.abs(result - expected) / np.maximum(size if len(places) <= 10 else np.max(size), 1)
            worst = max(worst, float(np.max(error))) if np.isfinite(error).all() else np.inf
    return worst


def _answer(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def main() -> None:
    name, engine, points, folder = sys.argv[1:]
    work = next(w for w in WORKS if w.name == name)._replace(points=int(points))
    # The same cores for everyone, also for engines that cannot be told how many to use.
    with suppress(AttributeError):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    try:
        modules = [importlib.import_module(m) for m in ENGINES[engine].modules]
    except ImportError as e:
        return _answer(skipped="not installed" if isinstance(e, ModuleNotFoundError) else str(e))
    before = _kilobytes("VmRSS")
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
    inputs = work.inputs()
    start = time.perf_counter()
    try:
        run = ENGINES[engine].prepare(work, inputs, *modules)
    except CannotDoError as e:
        return _answer(skipped=str(e))
    compiled = time.perf_counter()
    results = run()
    first = time.perf_counter() - start
    memory = 1024 * (_kilobytes("VmHWM") - before)
    difference = _difference(work, results, Path(folder), engine) if engine != "copy" else None
    del results
    _answer(compile=compiled - start, first=first, memory=memory / work.bytes, difference=difference)
    for _ in sys.stdin:
        start, busy = time.perf_counter(), time.process_time()
        results = run()
        seconds, busy = time.perf_counter() - start, time.process_time() - busy
        del results
        _answer(seconds=seconds, busy=busy)


if __name__ == "__main__":
    main()
