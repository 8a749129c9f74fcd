"""Start-up: whole processes of gradcli against imports of what it stands on, in interleaved pairs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

PAIRS = [
    (["diff", "x**2", "--order", "2", "--grid", "3x4"], "import click, lark, numpy"),
    (["diff", "x**2", "--at", "x=3"], "import click, lark"),
]


class Start(NamedTuple):
    """Milliseconds (medians), and the median of the pairs' ratios."""

    command: str
    base: str
    milliseconds: float
    base_milliseconds: float
    ratio: float


def shell_door() -> list[str]:
    script = Path(sys.executable).with_name("gradcli")
    return [str(script)] if script.exists() else [sys.executable, "-m", "gradcli"]


def measure(environment: dict[str, str], pairs: int) -> list[Start]:
    """Each command of PAIRS against its imports, so many times."""
    # Byte-compiled, as installed: the first, unmeasured runs may write what the others read.
    environment = {k: v for k, v in environment.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def seconds(command: list[str]) -> float:
        start = time.perf_counter()
        subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
        return time.perf_counter() - start

    found = []
    for arguments, imports in PAIRS:
        ours, theirs = [*shell_door(), *arguments], [sys.executable, "-c", imports]
        seconds(ours), seconds(theirs)
        times = []
        for k in range(pairs):
            # Whoever goes first changes from pair to pair.
            first, second = (ours, theirs) if k % 2 else (theirs, ours)
            a, b = seconds(first), seconds(second)
            times.append((a, b) if k % 2 else (b, a))
        ours_ms, theirs_ms = (1000 * median(column) for column in zip(*times, strict=True))
        words = " ".join(f'"{a}"' if "*" in a else a for a in arguments)
        found.append(Start(f"gradcli {words}", imports, ours_ms, theirs_ms, median(a / b for a, b in times)))
    return found


def environment() -> dict[str, str]:
    """This process's, in which gradcli can be imported: the installed one, else the checkout's."""
    found = dict(os.environ)
    check = [sys.executable, "-P", "-c", "import gradcli"]
    if subprocess.run(check, env=found, capture_output=True, check=False).returncode:
        root = str(Path(__file__).resolve().parents[2])
        found["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [found.get("PYTHONPATH")])])
    return found
