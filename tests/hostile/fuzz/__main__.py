"""Fuzzing for as long as is wanted.

    python tests/hostile/fuzz [--minutes 60] [--seed N] [--target NAME] [--findings FILE]

Inputs come from seeds, in batches, each in a process of its own that is watched: one that dies or hangs is a finding
too. A finding is printed and written as a line of JSON: target, seed, input, what is wrong. Exit 1 where there is one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from itertools import count, cycle
from pathlib import Path

BATCH = 500
PATIENCE = 300
"""Seconds that a batch may take."""


def batch(name: str, seed: int) -> None:
    """Print a line for each input begun that is at fault."""
    from targets import TARGETS, cases, fault

    for given in cases(TARGETS[name], seed, BATCH):
        wrong = fault(TARGETS[name], given)
        if wrong is not None:
            print(json.dumps({"target": name, "seed": seed, "input": given, "wrong": wrong}), flush=True)


def watched(name: str, seed: int) -> list[str]:
    """The findings of a batch, as lines of JSON."""
    script = str(Path(__file__).parent)
    try:
        done = subprocess.run(
            [sys.executable, script, "--batch", name, str(seed)], capture_output=True, text=True, timeout=PATIENCE,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return [json.dumps({"target": name, "seed": seed, "wrong": f"not done after {PATIENCE} s"})]
    found = done.stdout.splitlines()
    if done.returncode:
        last = (done.stderr.splitlines() or [""])[-1]
        found.append(json.dumps({"target": name, "seed": seed, "wrong": f"died with {done.returncode}: {last}"}))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python tests/hostile/fuzz", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--target", choices=["expressions", "tables", "words"])
    parser.add_argument("--findings", metavar="FILE", help="where findings are added, a line each")
    parser.add_argument("--batch", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.batch:
        batch(options.batch[0], int(options.batch[1]))
        return 0
    end = time.monotonic() + 60 * options.minutes
    targets = [options.target] if options.target else ["expressions", "tables", "words"]
    inputs = findings = 0
    for name, seed in zip(cycle(targets), count(options.seed)):
        if time.monotonic() > end:
            break
        found = watched(name, seed)
        inputs, findings = inputs + BATCH, findings + len(found)
        for line in found:
            print(line, flush=True)
            if options.findings:
                with open(options.findings, "a", encoding="utf-8") as file:
                    file.write(line + "\n")
    print(f"{inputs:,} inputs, {findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
