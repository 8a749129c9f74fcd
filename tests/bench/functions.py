"""Functions called from Python beside the peers that are installed: `python tests/bench --only functions`.

Works: a value with its derivatives at a point, by position and by name; at 10, 1,000 and a million points; and a
function made of its formula with its first gradient. Every engine runs in a process of its own (two threads) and takes
turns; results are compared first. The time of a call is by the clock, the ratio of processor time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

ENGINES = {
    "gradcli": "gradcli", "native": "gradcli, native", "hand": "NumPy by hand", "sympy": "SymPy lambdify",
    "casadi": "CasADi", "jax": "JAX jit", "autograd": "HIPS autograd",
}  # fmt: skip
DECAY, WAVE = "a*exp(-b*x)", "x**2*sin(y) + exp(x*y)"
"""Formulas: the first with its gradient in a and b, the second with its gradient and its Hessian."""


class Work(NamedTuple):
    title: str
    points: int
    """Points of a call; 0: a single point of floats."""
    calls: int
    """Calls of a timed run."""
    order: int = 1
    named: bool = False
    builds: bool = False


WORKS = {
    "point": Work(f"value and gradient of {DECAY} at a point", 0, 4000),
    "names": Work("the same, arguments by name", 0, 4000, named=True),
    "hessian": Work(f"value, gradient and Hessian of {WAVE} at a point", 0, 2000, 2),
    "ten": Work(f"value and gradient of {DECAY} at 10 points", 10, 1000),
    "thousand": Work("the same at 1,000 points", 1000, 500),
    "million": Work("the same at 1,000,000 points", 1_000_000, 3),
    "million-hessian": Work(f"value, gradient and Hessian of {WAVE} at 1,000,000 points", 1_000_000, 1, 2),
    "build": Work(f"{DECAY}: from the formula to its first gradient", 0, 20, builds=True),
}

Call = Callable[..., Any]


def _gradcli(work: Work, engine: str = "auto") -> Call:
    from gradcli import function
    from gradcli.callables.recipe import model_of

    def made() -> Call:
        model_of.cache_clear()
        if work.order == 2:
            f = function(WAVE, engine=engine)
            return lambda *args: tuple(f.partials(*args, order=2).values())
        return function(DECAY, wrt="a,b", args="x,a,b", engine=engine).value_and_grad

    return made


def _hand(work: Work) -> Call:
    import math

    import numpy as np

    m: Any = np if work.points else math

    def decay(x: Any, a: Any, b: Any) -> Any:
        e = m.exp(-b * x)
        return a * e, e, -a * x * e

    def wave(x: Any, y: Any) -> Any:
        s, c, e = m.sin(y), m.cos(y), m.exp(x * y)
        return (x * x * s + e, 2 * x * s + y * e, x * x * c + x * e, 2 * s + y * y * e, 2 * x * c + e + x * y * e,
                x * x * (e - s))  # fmt: skip

    return lambda: wave if work.order == 2 else decay


def _columns(work: Work, names: str, formula: Any, diff: Callable[[Any, Any], Any], symbols: Any) -> list[Any]:
    columns = [formula]
    first = [diff(formula, symbols[n]) for n in names]
    columns += first
    if work.order == 2:
        columns += [diff(first[i], symbols[n]) for i in range(len(names)) for n in names[i:]]
    return columns


def _sympy(work: Work) -> Call:
    import sympy

    def made() -> Call:
        text, names, wrt = (WAVE, "xy", "xy") if work.order == 2 else (DECAY, "xab", "ab")
        symbols = {n: sympy.Symbol(n) for n in names}
        columns = _columns(work, wrt, sympy.sympify(text), sympy.diff, symbols)
        return sympy.lambdify([symbols[n] for n in names], columns, "numpy" if work.points else "math", cse=True)

    return made


def _casadi(work: Work) -> Call:
    import casadi
    import numpy as np

    def made() -> Call:
        names, wrt = ("xy", "xy") if work.order == 2 else ("xab", "ab")
        symbols = {n: casadi.SX.sym(n) for n in names}
        if work.order == 2:
            formula = symbols["x"] ** 2 * casadi.sin(symbols["y"]) + casadi.exp(symbols["x"] * symbols["y"])
        else:
            formula = symbols["a"] * casadi.exp(-symbols["b"] * symbols["x"])
        columns = _columns(work, wrt, formula, casadi.gradient, symbols)
        f = casadi.Function("f", [symbols[n] for n in names], columns)
        if not work.points:
            return f
        mapped = f.map(work.points)
        return lambda *args: [np.asarray(c).ravel() for c in mapped(*args)]

    return made


def _jax(work: Work) -> Call:
    import jax

    jax.config.update("jax_enable_x64", True)
    np = jax.numpy

    def made() -> Call:
        if work.order == 2:
            f = lambda x, y: x**2 * np.sin(y) + np.exp(x * y)
            wrt = (0, 1)
        else:
            f = lambda x, a, b: a * np.exp(-b * x)
            wrt = (1, 2)

        def columns(*args: Any) -> Any:
            value, first = jax.value_and_grad(f, wrt)(*args)
            if work.order == 1:
                return value, *first
            h = jax.hessian(f, wrt)(*args)
            return value, *first, h[0][0], h[0][1], h[1][1]

        spread = columns
        if work.points:
            spread = jax.vmap(columns, (0, 0) if work.order == 2 else (0, None, None))
        fast = jax.jit(spread)
        return lambda *args: jax.block_until_ready(fast(*args))

    return made


def _autograd(work: Work) -> Call:
    import autograd.numpy as np
    from autograd import elementwise_grad, grad

    def made() -> Call:
        d = elementwise_grad if work.points else grad
        if work.order == 2:
            f = lambda x, y: x**2 * np.sin(y) + np.exp(x * y)
            first = [d(f, i) for i in range(2)]
            second = [d(first[i], j) for i, j in ((0, 0), (0, 1), (1, 1))]
            return lambda *args: [g(*args) for g in (f, *first, *second)]
        f = lambda x, a, b: a * np.exp(-b * x)
        if work.points:
            # Its gradient in a number is a sum over the points: the numbers are spread first.
            spread = lambda x, a, b: f(x, a * np.ones_like(x), b * np.ones_like(x))
            ones = lambda x, v: v * np.ones_like(x)
            da, db = d(f, 1), d(f, 2)
            return lambda x, a, b: (spread(x, a, b), da(x, ones(x, a), ones(x, b)), db(x, ones(x, a), ones(x, b)))
        da, db = d(f, 1), d(f, 2)
        return lambda *args: (f(*args), da(*args), db(*args))

    return made


def _flat(results: Any) -> list[float]:
    """The last number of each column."""
    import numpy as np

    columns: list[Any] = []
    for r in results if isinstance(results, (tuple, list)) else [results]:
        array = np.asarray(r, float)
        columns += [array] if array.ndim < 2 or array.shape[-1] > 2 else [array[..., k] for k in range(array.shape[-1])]
    if len(columns) == 2 and columns[1].shape == (2,):
        columns = [columns[0], *columns[1]]
    return [float(np.asarray(c).reshape(-1)[-1]) for c in columns]


def serve(engine: str, name: str) -> None:
    """Answer every line of stdin with a timed run."""
    with suppress(AttributeError):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    work = WORKS[name]
    try:
        if engine == "native":
            from functools import partial

            import llvmlite  # noqa: F401

            prepare: Call = partial(_gradcli, engine="native")
        else:
            prepare = {"gradcli": _gradcli, "hand": _hand, "sympy": _sympy, "casadi": _casadi, "jax": _jax,
                       "autograd": _autograd}[engine]  # fmt: skip
        made = prepare(work)
    except ImportError:
        return print(json.dumps({"skipped": "not installed"}), flush=True)
    args: tuple[Any, ...] = (0.75, 1.25) if work.order == 2 else (0.75, 2.0, 0.5)
    if work.points:
        import numpy as np

        xs, ys = np.linspace(0, 0.75, work.points), np.linspace(1, 1.25, work.points)
        args = (xs, ys) if work.order == 2 else (xs, 2.0, 0.5)
    names = dict(zip("xab", args, strict=False))
    call = made()
    print(json.dumps({"numbers": _flat(call(*args))}), flush=True)
    for _ in sys.stdin:
        start, busy = time.perf_counter(), time.process_time()
        if work.builds:
            for _ in range(work.calls):
                made()(*args)
        elif work.named:
            for _ in range(work.calls):
                call(**names)
        else:
            for _ in range(work.calls):
                call(*args)
        seconds = [time.perf_counter() - start, time.process_time() - busy]
        print(json.dumps({"seconds": [s / work.calls for s in seconds]}), flush=True)


def measure(name: str, environment: dict[str, str], rounds: int) -> dict[str, list[list[float]]]:
    """The times of a call, by the clock and of the processor, of every engine that can do a work, in turns."""
    racing: dict[str, subprocess.Popen[str]] = {}
    expected: list[float] = []
    work = WORKS[name]
    for engine in ENGINES:
        if (engine == "native" and work.points < 1000) or (engine == "hand" and work.builds):
            continue
        if work.named and engine not in ("gradcli", "hand", "sympy"):
            continue
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), engine, name], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdout
        report = json.loads(process.stdout.readline() or "{}")
        if "numbers" not in report:
            if engine == "gradcli":
                sys.exit("gradcli: failed")
            continue
        expected = expected or report["numbers"]
        if any(abs(a - b) > 1e-10 * max(1, abs(b)) for a, b in zip(report["numbers"], expected, strict=True)):
            sys.exit(f"{engine}: {report['numbers']} differs from {expected}")
        racing[engine] = process
    times: dict[str, list[list[float]]] = {engine: [] for engine in racing}
    for _ in range(rounds):
        for engine, process in racing.items():
            assert process.stdin and process.stdout
            process.stdin.write("\n")
            process.stdin.flush()
            times[engine].append(json.loads(process.stdout.readline())["seconds"])
    for process in racing.values():
        assert process.stdin
        process.stdin.close()
        process.wait()
    return times


def table(environment: dict[str, str], rounds: int) -> list[list[str]]:
    """Rows of text, a head first."""
    rows = [["a function called from Python", "engine", "a call, us", "ratio", "ns a point"]]
    for name, work in WORKS.items():
        times = measure(name, environment, rounds)
        for engine, taken in times.items():
            wall = median(t[0] for t in taken)
            ratio = median(a[1] / b[1] for a, b in zip(taken, times["gradcli"], strict=True))
            rows.append([
                work.title, ENGINES[engine], f"{wall * 1e6:.3g}", "" if engine == "gradcli" else f"{ratio:.2f}",
                f"{wall / work.points * 1e9:.1f}" if work.points else "",
            ])  # fmt: skip
    return rows


if __name__ == "__main__":
    serve(*sys.argv[1:])
