"""Whole processes of gradcli against imports of what it stands on, and against peers at the same job, in pairs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import NamedTuple

SHAPE = ["diff", "x**2", "--order", "2", "--grid", "3x4"]
FRESH = [
    "diff", "sin(x)*exp(-y**2) + log(1 + x**2*y**2)", "--order", "2",
    "--grid", "x=-3:3:1000", "--grid", "y=-2:2:1000", "-o", "points.npy",
]  # fmt: skip

TORCH_SHAPE = """
import torch
x = torch.tensor([[i + j for j in range(4)] for i in range(3)], dtype=torch.float64, requires_grad=True)
y = x**2
ones = torch.ones_like(y)
[first] = torch.autograd.grad(y, x, ones, create_graph=True)
[second] = torch.autograd.grad(first, x, ones)
print(x, y, first, second)
"""
POINTS = """
import numpy as np
x, y = (a.ravel() for a in np.meshgrid(np.linspace(-3, 3, 1000), np.linspace(-2, 2, 1000), indexing="ij"))
def f(m, x, y):
    return m.sin(x)*m.exp(-y**2) + m.log(1 + x**2*y**2)
def save(columns):
    np.save("theirs.npy", np.stack([x, y, *map(np.asarray, columns)]))
"""
JAX = f"""
import jax, jax.numpy as jnp
jax.config.update("jax_enable_x64", True)
{POINTS}
g = lambda x, y: f(jnp, x, y)
def all(x, y):
    (a, b), ((c, d), (_, e)) = jax.grad(g, (0, 1))(x, y), jax.jacfwd(jax.grad(g, (0, 1)), (0, 1))(x, y)
    return g(x, y), a, b, c, d, e
save(jax.jit(jax.vmap(all))(x, y))
"""
TORCH = f"""
import torch
{POINTS}
a, b = (torch.from_numpy(v).requires_grad_() for v in (x, y))
v = f(torch, a, b)
da, db = torch.autograd.grad(v.sum(), [a, b], create_graph=True)
daa, dab = torch.autograd.grad(da.sum(), [a, b], retain_graph=True)
[dbb] = torch.autograd.grad(db.sum(), [b])
save([t.detach().numpy() for t in (v, da, db, daa, dab, dbb)])
"""
SYMPY = f"""
import sympy
{POINTS}
a, b = sympy.symbols("a b")
v = f(sympy, a, b)
save(sympy.lambdify([a, b], [v, *[v.diff(*by) for by in ([a], [b], [a, a], [a, b], [b, b])]], cse=True)(x, y))
"""
HEYOKA = f"""
import heyoka
{POINTS}
a, b = heyoka.make_vars("a", "b")
t = heyoka.diff_tensors([f(heyoka, a, b)], [a, b], diff_order=2)
run = heyoka.cfunc([e for n in range(3) for _, e in t.get_derivatives(n)], [a, b])
save(run(np.stack([x, y])))
"""


class Pair(NamedTuple):
    """Words of gradcli, what they run against, that as Python, the module it needs, and how often at most."""

    words: list[str]
    against: str
    code: str
    needs: str | None = None
    runs: int = 1000


PAIRS = [
    Pair(SHAPE, 'python -c "import click, lark, numpy"', "import click, lark, numpy"),
    Pair(["diff", "x**2", "--at", "x=3"], 'python -c "import click, lark"', "import click, lark"),
    Pair(SHAPE, "the same with torch", TORCH_SHAPE, "torch", 5),
    Pair(FRESH, "the same with JAX, jitted", JAX, "jax", 5),
    Pair(FRESH, "the same with torch", TORCH, "torch", 5),
    Pair(FRESH, "the same with SymPy lambdify, cse", SYMPY, "sympy", 5),
    Pair(FRESH, "the same with heyoka", HEYOKA, "heyoka", 5),
]


class Start(NamedTuple):
    """Milliseconds (medians), and the median of the pairs' ratios."""

    command: str
    against: str
    milliseconds: float
    base_milliseconds: float
    ratio: float


def shell_door() -> list[str]:
    script = Path(sys.executable).with_name("gradcli")
    return [str(script)] if script.exists() else [sys.executable, "-m", "gradcli"]


def measure(environment: dict[str, str], pairs: int) -> list[Start]:
    """Each of PAIRS whose peer is installed, so many times (at most)."""
    # Byte-compiled, as installed: the first, unmeasured runs may write what the others read.
    environment = {k: v for k, v in environment.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def seconds(command: list[str], folder: str) -> float:
        start = time.perf_counter()
        subprocess.run(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True
        )
        return time.perf_counter() - start

    found = []
    with tempfile.TemporaryDirectory() as folder:
        for pair in PAIRS:
            if pair.needs is not None and find_spec(pair.needs) is None:
                continue
            ours, theirs = [*shell_door(), *pair.words], [sys.executable, "-c", pair.code]
            seconds(ours, folder), seconds(theirs, folder)
            times = []
            for k in range(min(pairs, pair.runs)):
                # Whoever goes first changes from pair to pair.
                first, second = (ours, theirs) if k % 2 else (theirs, ours)
                a, b = seconds(first, folder), seconds(second, folder)
                times.append((a, b) if k % 2 else (b, a))
            ours_ms, theirs_ms = (1000 * median(column) for column in zip(*times, strict=True))
            words = " ".join(f'"{a}"' if "*" in a else a for a in pair.words)
            found.append(Start(f"gradcli {words}", pair.against, ours_ms, theirs_ms, median(a / b for a, b in times)))
    return found


def environment() -> dict[str, str]:
    """This process's, in which gradcli can be imported: the installed one, else the checkout's.

    No process finds what an earlier one compiled.
    """
    found = {k: v for k, v in os.environ.items() if k not in ("GRADCLI_CACHE", "JAX_COMPILATION_CACHE_DIR")}
    check = [sys.executable, "-P", "-c", "import gradcli"]
    if subprocess.run(check, env=found, capture_output=True, check=False).returncode:
        root = str(Path(__file__).resolve().parents[2])
        found["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [found.get("PYTHONPATH")])])
    return found
