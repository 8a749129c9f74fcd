"""Records what torch answers: random small programs with first and second gradients, and which graphs go twice.

    python tests/references/record_torch.py

writes tests/data/torch_programs.jsonl and tests/data/torch_second_pass.jsonl. It needs torch (the CPU build; these
are of 2.13.0) and nothing else, and makes the same programs each time; only the last digits may depend on the machine.
torch_random.py makes the programs, torch_steps.py says what a step is in torch (and mends its inaccurate trigamma).

A program is one JSON line:

* ``leaves``: name to shape, flat data (complex numbers as pairs), dtype and role (leaf, constant, array);
* ``steps``: [function, result, operands ..., options]; an operand is a name, a list of names or a number;
* ``outputs``, ``inputs``, ``grad_outputs`` (null: not given) and whether unused inputs are allowed: the first call;
* ``values`` of the outputs, and ``first``, the gradients (null: unused);
* ``weights``: grad_outputs of the second call, one for each gradient that is a function of something, else null;
* ``second_inputs`` and ``second``: the gradients of the gradients so weighted. An input made from another input is
  not among them: what of it the formula of a gradient mentions is a matter of taste.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch_draft import Draft, load, run, upstream
from torch_random import plan
from torch_steps import BINARY, REDUCTIONS, UNARY, Rejected

DATA = Path(__file__).parents[1] / "data"
LARGEST = 1e6
STABLE = 1e-13
"""How far a number may move, relative to the larger of it and 1, when all leaves move by SHIFT, relative."""
SHIFT = 1e-15
SINGLE = 2e-6
"""How far float32 may be from the same program in float64."""
ATTEMPTS = 400

Tensors = list[Tensor | None]
Answer = tuple[Tensors, Tensors, Tensors]
"""Values, first and second gradients."""


def evaluate(program: dict[str, Any], leaves: dict[str, Tensor]) -> Answer:
    """What torch says. Adds the weights where the program has none yet."""
    tensors = dict(leaves)
    for step in program["steps"]:
        tensors[step[1]] = run(step, tensors)
    values = [tensors[name] for name in program["outputs"]]
    inputs = [tensors[name] for name in program["inputs"]]
    given = [None if g is None else load(g).to(v.dtype) for g, v in zip(program["grad_outputs"], values, strict=True)]
    first = torch.autograd.grad(values, inputs, given, create_graph=True, allow_unused=True)
    if "weights" not in program:
        program["weights"] = [
            weight(program["name"], k, g) if g is not None and g.requires_grad else None for k, g in enumerate(first)
        ]
    pairs = [(g, load(w).to(g.dtype)) for g, w in zip(first, program["weights"], strict=True) if w and g is not None]
    second: Tensors = []
    if pairs:
        gradients, weights = zip(*pairs, strict=True)
        again = [tensors[name] for name in program["second_inputs"]]
        second = list(torch.autograd.grad(gradients, again, weights, allow_unused=True))
    return list(values), list(first), second


def weight(name: str, k: int | str, like: Tensor) -> dict[str, Any]:
    """A fixed array of the shape and dtype of a tensor, as data."""
    chance = random.Random(f"{name} {k}")
    count = like.numel() * (2 if like.is_complex() else 1)
    data = [round(chance.uniform(-1.5, 1.5), 2) for _ in range(count)]
    return {"shape": list(like.shape), "data": data, "dtype": str(like.dtype).removeprefix("torch."), "role": "array"}


def make(kind: str, name: str, maker: Callable[[Draft], str], attempt: int) -> dict[str, Any]:
    """A program with all that torch says about it, or Rejected."""
    draft = Draft(f"{name} {attempt}")
    last = maker(draft)
    outputs = draft.outputs or [last]
    if kind not in ("outputs", "complex128") and draft.random.random() < 0.25:
        outputs = [draft.step("sum", last)]
    needed = upstream(draft.steps, [*outputs, *draft.extra])
    steps = [step for step in draft.steps if step[1] in needed]
    leaves = {k: dict(v) for k, v in draft.leaves.items() if k in needed}
    if kind == "float32":
        for leaf in leaves.values():
            leaf["dtype"] = "float32" if leaf["dtype"] == "float64" else leaf["dtype"]
    used = upstream(steps, outputs)
    inputs = [k for k, leaf in leaves.items() if leaf["role"] == "leaf" and k in used] + draft.extra
    program: dict[str, Any] = {
        "name": name, "kind": kind, "leaves": leaves, "steps": steps, "outputs": outputs, "inputs": inputs,
        "second_inputs": [i for i in inputs if not (upstream(steps, [i]) - {i}) & set(inputs)],
        "grad_outputs": [grad_output(draft, o, kind) for o in outputs],
    }  # fmt: skip
    answer = evaluate(program, {k: load(leaf) for k, leaf in leaves.items()})
    program["allow_unused"] = None in answer[1]
    for key, tensors in zip(("values", "first", "second"), answer, strict=True):
        program[key] = [None if t is None else plain(t) for t in tensors]
    check(program, answer)
    return program


def grad_output(draft: Draft, name: str, kind: str) -> dict[str, Any] | None:
    tensor = draft.tensors[name]
    if tensor.numel() == 1 and not tensor.is_complex() and draft.random.random() < 0.5:
        return None
    found = weight(str(draft.random.random()), name, tensor)
    return found | {"dtype": "float32"} if kind == "float32" else found


def plain(tensor: Tensor) -> dict[str, Any]:
    flat = torch.zeros(tensor.shape, dtype=tensor.dtype) + tensor.detach()  # some zeros of torch hold no memory
    pairs = torch.view_as_real(flat) if flat.is_complex() else flat
    dtype = str(tensor.dtype).removeprefix("torch.")
    return {"shape": list(tensor.shape), "data": pairs.reshape(-1).tolist(), "dtype": dtype}


def check(program: dict[str, Any], answer: Answer) -> None:
    """Rejects what is not finite, large, without any slope, or moved by the rounding of its leaves."""
    numbers = [t.detach() for part in answer for t in part if t is not None]
    if not all(bool((t.abs() <= LARGEST).all()) for t in numbers):
        raise Rejected("not finite, or large")
    if program["kind"] != "empty" and not any(bool((t != 0).any()) for t in answer[1] if t is not None):
        raise Rejected("no slope at all")
    single = program["kind"] == "float32"
    for trial in range(1 if single else 4):
        chance = random.Random(f"{program['name']} {trial}")
        moved = {}
        for name, leaf in program["leaves"].items():
            data = leaf["data"]
            if not single and leaf["dtype"] != "bool":
                data = [x * (1 + chance.choice([-SHIFT, SHIFT])) for x in data]
            moved[name] = load(leaf | {"data": data}, torch.float64 if single else None)
        for part, again in zip(answer, evaluate(program, moved), strict=True):
            for a, b in zip(part, again, strict=True):
                if a is not None and b is not None and not close(a, b, SINGLE if single else STABLE):
                    raise Rejected("ill-conditioned")


def close(a: Tensor, b: Tensor, bound: float) -> bool:
    return bool(((a - b).abs() <= bound * b.abs().clamp(min=1)).all())


X = {"shape": [2, 3], "data": [0.34, 0.56, 0.7, 0.22, 0.43, 0.9], "dtype": "float64", "role": "leaf"}
ABOVE = {"shape": [2, 3], "data": [1.3, 1.5, 1.7, 1.2, 1.4, 1.9], "dtype": "float64", "role": "leaf"}
NUMBERS = {"data": [0.6, 1.1, 0.8, 1.3, 0.1, 0.48]}
"""Beside X: neither equal to it nor a whole multiple."""


def second_pass() -> list[dict[str, Any]]:
    """Single operations: does a second grad without retain_graph succeed?"""
    rows: list[dict[str, Any]] = []

    def add(name: str, *step: Any, x: dict[str, Any] = X, y: dict[str, Any] | None = None, **options: Any) -> None:
        leaves = {"x": x} | ({} if y is None else {"y": y})
        tail = [options] if options else []
        rows.append({"name": name, "leaves": leaves, "steps": [[step[0], "t", *step[1:], *tail]], "outputs": ["t"]})

    other = X | NUMBERS
    for op in UNARY:
        add(op, op, "x", x=ABOVE if op in ("acosh", "lgamma", "digamma") else X)
    for op in BINARY:
        add(f"{op} of tensors", op, "x", "y", y=other)
        add(f"{op} with a number", op, "x", 2.5)
        add(f"number {op} tensor", op, 2.5, "x")
        add(f"{op} with a constant tensor", op, "x", "y", y=other | {"role": "constant"})
    for exponent in (0, 1, 2, 3, -1, 0.5):
        add(f"power {exponent}", "power", "x", exponent)
    add("add of itself", "add", "x", "x")
    add("mul of itself", "mul", "x", "x")
    for op in REDUCTIONS:
        add(op, op, "x")
        add(f"{op} along an axis", op, "x", axis=1)
        add(f"{op} along an axis kept", op, "x", axis=0, keepdims=True)
    add("cumsum", "cumsum", "x", axis=1)
    add("where with an array", "where", "c", "x", "y", y=other)
    rows[-1]["leaves"]["c"] = {"shape": [3], "data": [True, False, True], "dtype": "bool", "role": "array"}
    pairs = X | {"shape": [3], "dtype": "complex128"}
    for op in ("real", "imag", "conj", "abs"):
        add(f"{op} of complex numbers", op, "x", x=pairs)
    add("clip", "clip", "x", 0.28, 0.63)
    add("integer index", "getitem", "x", index=[1])
    add("slice", "getitem", "x", index=["...", {"slice": [None, None, 2]}])
    add("new axis", "getitem", "x", index=[None])
    add("integer array", "getitem", "x", index=[{"array": [0, 0, 1]}])
    add("mask", "getitem", "x", index=[{"array": [[True, False, True], [False, True, True]]}])
    add("reshape", "reshape", "x", shape=[3, 2])
    add("ravel", "ravel", "x")
    add("transpose", "transpose", "x")
    add("transpose with axes", "transpose", "x", axes=[1, 0])
    add("broadcast_to", "broadcast_to", "x", shape=[4, 2, 3])
    add("concatenate", "concatenate", ["x", "y"], y=other)
    add("stack", "stack", ["x", "y"], y=other)
    add("matmul", "matmul", "x", "y", y=other | {"shape": [3, 2]})
    add("matmul with a vector", "matmul", "x", "y", y=other | {"shape": [3], "data": [0.5, 1.5, -1.0]})
    add("dot", "dot", "x", "y", y=other | {"shape": [3, 2]})
    add("dot of vectors", "dot", "x", "y", x=X | {"shape": [6]}, y=other | {"shape": [6]})
    add("outer", "outer", "x", "y", y=other)
    for row in rows:
        leaves = {name: load(leaf) for name, leaf in row["leaves"].items()}
        row["inputs"] = [name for name, leaf in row["leaves"].items() if leaf["role"] == "leaf"]
        y = run(row["steps"][0], leaves)
        inputs = [leaves[name] for name in row["inputs"]]
        torch.autograd.grad(y, inputs, torch.ones_like(y))
        try:
            torch.autograd.grad(y, inputs, torch.ones_like(y))
            row["raises"] = False
        except RuntimeError as error:
            assert "a second time" in str(error), error
            row["raises"] = True
    return rows


def record(kind: str, name: str, maker: Callable[[Draft], str]) -> dict[str, Any]:
    """The first attempt that holds."""
    for attempt in range(ATTEMPTS):
        try:
            return make(kind, name, maker, attempt)
        except Rejected:
            continue
    raise RuntimeError(f"no program {name} in {ATTEMPTS} attempts: ask for less")


def write(name: str, rows: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    (DATA / name).write_text(text)
    print(f"{name}: {len(rows)} rows, {len(text):,} bytes")


if __name__ == "__main__":
    torch.set_num_threads(1)
    programs = [record(*row) for row in plan()]
    write("torch_programs.jsonl", programs)
    print(dict(Counter(p["kind"] for p in programs)))
    print(dict(Counter(step[0] for p in programs for step in p["steps"]).most_common()))
    write("torch_second_pass.jsonl", second_pass())
