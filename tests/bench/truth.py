"""What the truth at hard points costs: ratios and times in one run, each beside the figure that it has to meet."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from files import timed
from startup import shell_door

PLAIN = ["--no-careful", "--kink", "convention"]
PROCESSES = [
    (["diff", "x**2", "--at", "x=3"], 0),
    (["diff", "abs(x - 1)*log(x)", "--order", "2", "--at", "x=3"], 0),
    (["diff", "(1 - cos(x))/x**2", "--order", "2", "--at", "x=1e-5"], 3),
    (["diff", "sin(x)/x", "--at", "x=0"], 2),
]
"""Points, and how many of their numbers are not the plain doubles."""
START, NUMBER = 35.0, 0.1
"""Milliseconds more that a repaired point may take, and each of its numbers."""


def tables(environment: dict[str, str], rounds: int) -> list[list[list[str]]]:
    """A table of figures by engine, one of those that no engine matters to, and one of whole processes."""
    environment = {k: v for k, v in environment.items() if k != "PYTHONDONTWRITEBYTECODE"}
    script = Path(__file__).with_name("hard_runs.py")
    run = subprocess.run(
        [sys.executable, str(script), str(rounds)], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    engines: dict[str, list[str]] = {}
    alone = [["balls and germs", "measured", "aim"]]
    for line in run.stdout.splitlines():
        told = json.loads(line)
        unit, number, most = told["unit"], told["number"], told["most"]
        aim = f"at least {told['least']:,} {unit}" if most is None else f"at most {most:g} {unit}"
        shown = f"{number:,.0f} {unit}" if most is None else f"{number:.2f} {unit}"
        if told["by"]:
            engines.setdefault(told["what"], [told["what"], aim]).insert(-1, shown)
        else:
            alone.append([told["what"], shown, aim])
    beside = [["hard points beside plain runs", "compiled", "NumPy", "aim"], *engines.values()]
    return [beside, alone, _processes(environment, 3 * rounds)]


def _processes(environment: dict[str, str], rounds: int) -> list[list[str]]:
    """Processor time of whole processes of a point, with and without the treatment of hard points; the least."""
    found = [["whole process of a point", "plain, ms", "ms", "ratio", "aim"]]
    with tempfile.TemporaryDirectory() as name:
        output = Path(name) / "point.csv"
        for words, numbers in PROCESSES:
            ways = [[*shell_door(), *words, *more, "-q", "-o", str(output)] for more in (PLAIN, [])]
            times = []
            for k in range(rounds + 1):
                # Whoever goes first changes from turn to turn.
                done = [1000 * timed(w, environment, output)[1] for w in (ways if k % 2 else ways[::-1])]
                times.append(done if k % 2 else done[::-1])
            plain, told = (min(column) for column in zip(*times[1:], strict=True))
            aim = f"<= plain + {START + numbers * NUMBER:.1f}" if numbers else "<= 1.08 plain"
            text = " ".join(f'"{w}"' if "*" in w or "/" in w else w for w in words)
            found.append([f"gradcli {text}", f"{plain:.0f}", f"{told:.0f}", f"{told / plain:.2f}", aim])
    return found
