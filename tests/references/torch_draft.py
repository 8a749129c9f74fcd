"""A program in the making: it is data, and computed at once, so that a step is only taken where it is smooth.

Must not know gradients: which are recorded is record_torch.py's.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch_steps import UNARY, Rejected, take

Shape = Sequence[int]
DTYPES = {"float64": torch.float64, "float32": torch.float32, "complex128": torch.complex128, "bool": torch.bool}
SMOOTH = [name for name in UNARY if name not in ("sign", "floor", "ceil", "round", "trunc", "erfinv", "digamma")]
COMPLEX = ["exp", "sin", "cos", "log", "sqrt", "conj"]
ARITHMETIC = ["add", "sub", "mul", "div"]


class Draft:
    """A program in the making: leaves, steps and the tensors that they make."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)
        self.leaves: dict[str, dict[str, Any]] = {}
        self.steps: list[list[Any]] = []
        self.tensors: dict[str, Tensor] = {}
        self.outputs: list[str] = []
        self.extra: list[str] = []
        """Inputs beside the leaves: intermediate tensors, repetitions."""

    def leaf(self, shape: Shape, low: float = -2, high: float = 2, dtype: str = "float64", role: str = "leaf") -> str:
        """A named tensor; ``role`` is leaf, constant (a tensor without gradient) or array (no tensor at all)."""
        low, high = max(low, -2.5), min(high, 2.5 if low < 2 else high)
        count = math.prod(shape) * (2 if dtype == "complex128" else 1)
        data: list[Any] = [round(self.random.uniform(low, high), 3) + 0.0 for _ in range(count)]
        if dtype == "bool":
            data = [number > 0 for number in data]
        name = f"x{len(self.leaves)}"
        self.leaves[name] = {"shape": list(shape), "data": data, "dtype": dtype, "role": role}
        self.tensors[name] = load(self.leaves[name])
        return name

    def step(self, op: str, *operands: Any, **options: Any) -> str:
        name = f"t{len(self.steps)}"
        step = [op, name, *operands, *([options] if options else [])]
        self.tensors[name] = run(step, self.tensors)
        self.steps.append(step)
        return name

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self.tensors[name].shape)

    def either(self, *makers: Callable[[], str]) -> str:
        """The first of the makers, in random order, that is not rejected."""
        for maker in self.random.sample(makers, len(makers)):
            try:
                return maker()
            except Rejected:
                continue
        raise Rejected("nothing fits")

    def smooth(self, x: str) -> str:
        names = COMPLEX if self.tensors[x].is_complex() else SMOOTH
        return self.either(*(lambda op=op: self.step(op, x) for op in names))

    def mix(self, x: str, y: str, names: Sequence[str] = ARITHMETIC) -> str:
        return self.either(*(lambda op=op: self.step(op, x, y) for op in names))

    def bend(self, x: str) -> str:
        """Something nonlinear in x, so that the second gradient has something to say."""
        dtype = "complex128" if self.tensors[x].is_complex() else "float64"
        return self.either(
            lambda: self.step("mul", x, x),
            lambda: self.step("mul", self.smooth(x), self.leaf(self.shape(x), 0.3, 1.5, dtype)),
            lambda: self.smooth(x),
        )

    def axes(self, x: str, many: bool = True) -> dict[str, Any]:
        """A random axis argument: none, one, a tuple; counted from either end."""
        rank = len(self.shape(x))
        if not rank or self.random.random() < 0.2:
            return {}
        count = self.random.randint(1, rank) if many else 1
        axes = [d - rank * self.random.randint(0, 1) for d in self.random.sample(range(rank), count)]
        return {"axis": axes if many and (count > 1 or self.random.random() < 0.3) else axes[0]}


def load(leaf: dict[str, Any], dtype: torch.dtype | None = None) -> Tensor:
    """The tensor that a leaf's data says; with requires_grad where its role is leaf."""
    kind = DTYPES[leaf["dtype"]]
    if kind == torch.complex128:
        pairs = torch.tensor(leaf["data"], dtype=torch.float64).reshape(*leaf["shape"], 2)
        return torch.view_as_complex(pairs).requires_grad_(leaf["role"] == "leaf")
    found = torch.tensor(leaf["data"], dtype=kind).reshape(leaf["shape"])
    if dtype is not None and kind != torch.bool:
        found = found.to(dtype)
    return found.requires_grad_(leaf["role"] == "leaf")


def run(step: list[Any], tensors: dict[str, Tensor]) -> Tensor:
    """A step as data, computed."""
    op, _, *operands = step
    options = operands.pop() if isinstance(operands[-1], dict) else {}
    args = [
        tensors[a] if isinstance(a, str) else [tensors[n] for n in a] if isinstance(a, list) else a for a in operands
    ]
    return take(op, args, options)


def upstream(steps: list[list[Any]], names: Sequence[str]) -> set[str]:
    """The names that the named tensors are made from, themselves included."""
    found = set(names)
    for _, name, *operands in reversed(steps):
        if name in found:
            for a in operands:
                found |= {a} if isinstance(a, str) else set(a) if isinstance(a, list) else set()
    return found
