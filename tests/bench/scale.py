"""One command over 24 files beside the same rows in parts: by one process, two, and two workers of Dask.

12,276,000 rows of three columns, all carried through, and the value, the gradient and the Hessian beside them. The runs
take turns; what they have written is removed before the next, but for the last, which is given again.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from files import FUNCTION
from startup import shell_door

FILES, ROWS, GROUP = 24, 511_500, 131_072
MAKE = """
import sys
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
folder, files, rows, group = sys.argv[1], *map(int, sys.argv[2:])
rng = np.random.default_rng(1)
for k in range(files):
    x, y = rng.uniform(-2, 2, (2, rows))
    table = pa.table({"id": np.arange(k * rows, (k + 1) * rows), "x": x, "y": y})
    pq.write_table(table, f"{folder}/{k:02}.parquet", row_group_size=group)
"""
LIMITS = {"local": 1.3, "dask": 1.5}
AGAIN = 0.3
_PATIENCE = 60


@contextmanager
def _dask(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """The address of a scheduler with two workers."""
    file = folder / "scheduler.json"

    def started(*words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", "dask", *words, "--no-dashboard", "--scheduler-file", str(file)]
        with (folder / "dask.log").open("ab") as log:
            return subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)

    worker = ["worker", "--nthreads", "1", "--no-nanny", "--death-timeout", "60", "--local-directory", str(folder)]
    processes = [
        started("scheduler", "--host", "127.0.0.1", "--port", "0", "--idle-timeout", "300"),
        started(*worker),
        started(*worker),
    ]
    try:
        end = time.monotonic() + _PATIENCE
        while (folder / "dask.log").read_text().count("Register worker") < 2:
            if time.monotonic() > end:
                raise TimeoutError("Dask's workers do not start")
            time.sleep(0.1)
        yield json.loads(file.read_text())["address"]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _removed(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def table(environment: dict[str, str], rounds: int) -> list[list[str]]:
    """The least seconds of each run, their ratio to one command, and what that may be at most."""
    rows = [["12,276,000 rows in 24 files", "s", "ratio", "aim"]]
    lacking = [name for name in ("pyarrow", "distributed") if find_spec(name) is None]
    if lacking:
        return [*rows, [f"{lacking[0]} is not installed", "", "", ""]]
    environment = {k: v for k, v in environment.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        words = [str(folder / "in"), str(FILES), str(ROWS), str(GROUP)]
        subprocess.run([sys.executable, "-c", MAKE, *words], env=environment, check=True)
        with _dask(folder, environment) as address:
            ways = {
                "one": ("one command, one file", "one.parquet", []),
                "here": ("parts by this process", "here/", []),
                "local": ("parts by two processes, local:2", "local/", ["--cluster", "local:2"]),
                "dask": ("parts by Dask, two workers", "dask/", ["--cluster", address]),
            }

            def seconds(way: str) -> float:
                _, output, more = ways[way]
                command = [*shell_door(), "diff", FUNCTION, "--order", "2", "--keep", "-q", *more]
                start = time.perf_counter()
                subprocess.run(
                    [*command, "--input", "in/*.parquet", "-o", output], env=environment, cwd=folder, check=True
                )
                return time.perf_counter() - start

            times: dict[str, list[float]] = {way: [] for way in ways}
            again: list[float] = []
            for _ in range(rounds):
                for way, (_, output, _) in ways.items():
                    _removed(folder / output)
                    times[way].append(seconds(way))
                    if way == "local":
                        again.append(min(seconds(way) for _ in range(3)))
                    _removed(folder / output)
    base = min(times["one"])
    for way, (title, _, _) in ways.items():
        least = min(times[way])
        limit = f"at most {LIMITS[way]}" if way in LIMITS else ""
        rows.append([title, f"{least:.2f}", f"{least / base:.2f}", limit])
    return [*rows, ["the finished folder again", f"{min(again):.2f}", f"{min(again) / base:.2f}", f"at most {AGAIN} s"]]
