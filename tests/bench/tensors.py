"""Reverse mode in Python beside torch and HIPS autograd: `python tests/bench --only tensors`.

Works: gradient, then gradient of the gradient, of 20 elementwise operations on 1e6 elements; and graphs of 10,000
operations on single numbers and on arrays of 100, built and differentiated, once and twice. Every engine runs in a
process of its own (two threads; torch one where the arrays are short, which is faster) and takes turns; results are
compared first. Peak memory is that above the process with its input made.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

ELEMENTS, NODES, SHORT = 1_000_000, 10_000, 100
ENGINES = {"gradcli": "gradcli", "torch": "torch", "autograd": "HIPS autograd"}
WORKS = {
    "exp log sqrt": "20 operations with exp, log, sqrt and two quotients",
    "rational": "20 operations of a rational function",
    "tanh": "20 operations with tanh, exp, sqrt and a power",
    "numbers": "10,000 operations on single numbers: y = sin(y*a + b)",
    "numbers twice": "10,000 operations on single numbers, gradient of the gradient",
    "arrays": "10,000 operations on arrays of 100: y = sin(y*a + b)",
    "arrays twice": "10,000 operations on arrays of 100, gradient of the gradient",
}


def _exp_log_sqrt(x: Any, m: Any) -> Any:
    g = m.exp(-(x * x) * 0.5)
    h = m.sqrt(g + x * x)
    k = g * m.log(h + 1.0) + h * x
    z = k / (1.0 + k * k)
    return z * h - g / (h + 2.0) + z


def _rational(x: Any, m: Any) -> Any:
    p = ((((x * 0.3 + 1.0) * x - 2.0) * x + 0.5) * x + 1.0) * x
    q = ((x * 0.2 + 0.7) * x + 0.1) * x + 3.0
    r = p / q
    return r * r / (r * r + 1.0)


def _tanh(x: Any, m: Any) -> Any:
    t = m.tanh(x * 0.5 + 0.1)
    u = (1.0 - t * t) * x**3
    v = u / (t + 2.0) - x
    w = m.sqrt(v * v + 1.0)
    s = m.exp(-w) * t + u
    return s * w - v / w


FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "exp log sqrt": _exp_log_sqrt, "rational": _rational, "tanh": _tanh,
}  # fmt: skip


Run = Callable[[], tuple[float, ...]]
"""Does the work once and gives a few of its numbers."""


def _long(a: Any, b: Any, y: Any, sin: Callable[[Any], Any]) -> Any:
    for _ in range(NODES // 3):
        y = sin(y * a + b)
    return y


def _of_long(work: str, leaf: Callable[[float], Any], sin: Any, grad: Any) -> Run:
    """The gradient of the sum of a long graph by a and b, or that of the sum of its gradient by a."""

    def run() -> tuple[float, ...]:
        a, b, y = leaf(0.9), leaf(0.1), leaf(0.5)
        found = grad(_long(a, b, y, sin).sum(), (a, b), create_graph=work.endswith("twice"))
        if work.endswith("twice"):
            found = grad(found[0].sum(), (a, b))
        return tuple([g.sum().item() for g in found])

    return run


def _start(work: str, value: float) -> Any:
    """Where a long graph starts: a number, or an array for the works on arrays."""
    import numpy as np

    return np.full(SHORT, value) if work.startswith("arrays") else value


def _gradcli(work: str) -> Run:
    import numpy as np

    from gradcli import grad, tensor

    if work not in FUNCTIONS:
        return _of_long(work, lambda v: tensor(_start(work, v)), np.sin, grad)
    x, ones = tensor(np.linspace(0.1, 2, ELEMENTS)), tensor(np.ones(ELEMENTS), requires_grad=False)

    def twice() -> tuple[float, ...]:
        (first,) = grad(FUNCTIONS[work](x, np), x, ones, create_graph=True)
        values = first.detach().numpy()
        (second,) = grad(first, x, ones)
        return float(values[7]), second[7].item()

    return twice


def _torch(work: str) -> Run:
    import torch

    torch.set_num_threads(2 if work in FUNCTIONS else 1)
    grad, double = torch.autograd.grad, torch.float64
    if work not in FUNCTIONS:
        return _of_long(
            work, lambda v: torch.tensor(_start(work, v), dtype=double, requires_grad=True), torch.sin, grad
        )
    x = torch.linspace(0.1, 2, ELEMENTS, dtype=double, requires_grad=True)
    ones = torch.ones_like(x)

    def twice() -> tuple[float, ...]:
        (first,) = grad(FUNCTIONS[work](x, torch), x, ones, create_graph=True)
        (second,) = grad(first, x, ones)
        return first[7].item(), second[7].item()

    return twice


def _autograd(work: str) -> Run:
    import autograd.numpy as np
    from autograd import elementwise_grad, grad

    if work not in FUNCTIONS:
        start = tuple([_start(work, v) for v in (0.9, 0.1)])
        both = grad(lambda ab: np.sum(_long(ab[0], ab[1], _start(work, 0.5), np.sin)))
        again = grad(lambda ab: np.sum(both(ab)[0]))
        return lambda: tuple([float(np.sum(g)) for g in (again if work.endswith("twice") else both)(start)])
    x = np.linspace(0.1, 2, ELEMENTS)
    first = elementwise_grad(lambda x: FUNCTIONS[work](x, np))
    second = elementwise_grad(first)
    return lambda: (float(first(x)[7]), float(second(x)[7]))


def _peak() -> float:
    """Megabytes of this process at its peak."""
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / (2**20 if sys.platform == "darwin" else 1024)


def serve(engine: str, work: str) -> None:
    """Answer every line of stdin with a timed run."""
    with suppress(AttributeError):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    try:
        run = {"gradcli": _gradcli, "torch": _torch, "autograd": _autograd}[engine](work)
    except ImportError:
        return print(json.dumps({"skipped": "not installed"}), flush=True)
    before = _peak()
    numbers = run()
    print(json.dumps({"numbers": numbers, "memory": _peak() - before}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        run()
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)


class Score(NamedTuple):
    """Median milliseconds, median ratio to gradcli in the same turn, megabytes above the input at the peak."""

    engine: str
    milliseconds: float
    ratio: float
    megabytes: float


def measure(work: str, environment: dict[str, str], rounds: int) -> list[Score]:
    """Every engine that is installed at one work, in turns."""
    racing = {}
    for engine in ENGINES:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), engine, work], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout
        report = json.loads(process.stdout.readline() or "{}")
        if "numbers" in report:
            racing[engine] = process, report
        elif engine == "gradcli":
            sys.exit("gradcli: failed")
    expected = racing["gradcli"][1]["numbers"]
    times: dict[str, list[float]] = {engine: [] for engine in racing}
    for engine, (_, report) in racing.items():
        if any(abs(a - b) > 1e-10 * max(1, abs(b)) for a, b in zip(report["numbers"], expected, strict=True)):
            sys.exit(f"{engine}: {report['numbers']} differs from {expected}")
    for _ in range(rounds):
        for engine, (process, _) in racing.items():
            assert process.stdin and process.stdout
            process.stdin.write("\n")
            process.stdin.flush()
            times[engine].append(json.loads(process.stdout.readline())["seconds"])
    for process, _ in racing.values():
        assert process.stdin
        process.stdin.close()
        process.wait()
    return [
        Score(
            engine,
            1000 * median(t),
            median(a / b for a, b in zip(t, times["gradcli"], strict=True)),
            racing[engine][1]["memory"],
        )
        for engine, t in times.items()
    ]


def table(environment: dict[str, str], rounds: int) -> list[list[str]]:
    """Rows of text, a head first."""
    rows = [["gradients in Python", "engine", "ms", "ratio", "peak memory, MB"]]
    for work, title in WORKS.items():
        for score in measure(work, environment, rounds):
            ratio = "" if score.engine == "gradcli" else f"{score.ratio:.2f}"
            rows.append([title, ENGINES[score.engine], f"{score.milliseconds:.0f}", ratio, f"{score.megabytes:.0f}"])
    return rows


if __name__ == "__main__":
    serve(*sys.argv[1:])
