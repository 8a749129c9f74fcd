"""607 random small programs: values, first and second gradients are torch's, to 1e-12 (float32: 1e-5).

Also which graphs a second grad may walk after the first has freed them. record_torch.py made the data and says what a
line holds; torch itself is not needed here.
"""

import json
import operator
from collections import Counter

import numpy as np
import pytest
from checkout import DATA

import gradcli
from gradcli import grad, tensor
from gradcli.autograd import values

CLOSE = {"float64": 1e-12, "complex128": 1e-12, "float32": 1e-5}
"""Of the larger of the number itself and 1."""


def lines(name):
    return [json.loads(line) for line in (DATA / name).read_text().splitlines()]


PROGRAMS = lines("torch_programs.jsonl")
SECOND_PASS = lines("torch_second_pass.jsonl")

OPERATORS = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "power": operator.pow,
    "mod": operator.mod, "neg": operator.neg, "matmul": operator.matmul, "less": operator.lt, "greater": operator.gt,
}  # fmt: skip
OWN = ["erf", "erfc", "erfinv", "sigmoid", "softplus", "relu", "lgamma", "digamma", "polygamma", "xlogy", "fma"]
"""Functions of the table that NumPy does not have."""
NUMPY = {
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2,
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "norm": np.linalg.norm,
}  # fmt: skip
"""Where NumPy's name is another."""


def function(op):
    if op in OPERATORS:
        return OPERATORS[op]
    return getattr(gradcli, op) if op in [*OWN, "logsumexp"] else NUMPY.get(op) or getattr(np, op)


def index(item):
    if isinstance(item, dict):
        return slice(*item["slice"]) if "slice" in item else np.array(item["array"])
    return ... if item == "..." else item


def take(step, tensors):
    """One step of a program, done with NumPy's functions and Python's operators on tensors."""
    op, _, *operands = step
    options = operands.pop() if isinstance(operands[-1], dict) else {}
    args = [
        tensors[a] if isinstance(a, str) else [tensors[n] for n in a] if isinstance(a, list) else a for a in operands
    ]
    if op == "getitem":
        return args[0][tuple(index(item) for item in options["index"])]
    return function(op)(*args, **{k: tuple(v) if isinstance(v, list) else v for k, v in options.items()})


def array(data):
    """The NumPy array that data says."""
    dtype = np.dtype(data["dtype"])
    if dtype.kind == "c":
        return np.array(data["data"], float).view(dtype).reshape(data["shape"])
    return np.array(data["data"], dtype).reshape(data["shape"])


def load(name, leaf):
    if leaf["role"] == "array":
        return array(leaf)
    return tensor(array(leaf), requires_grad=leaf["role"] == "leaf", name=name)


def constants(rows):
    return [None if row is None else tensor(array(row), requires_grad=False) for row in rows]


def run(program):
    tensors = {name: load(name, leaf) for name, leaf in program["leaves"].items()}
    for step in program["steps"]:
        tensors[step[1]] = take(step, tensors)
    return tensors


def compare(found, expected, what):
    assert len(found) == len(expected)
    for k, (t, row) in enumerate(zip(found, expected, strict=True)):
        if row is None:
            assert t is None, f"{what} {k} is {t!r}, not None"
            continue
        assert t is not None, f"{what} {k} is None"
        a, b = t.detach().numpy(), array(row)
        assert (a.dtype, a.shape) == (b.dtype, b.shape), f"{what} {k}"
        off = np.abs(a - b) / np.maximum(1, np.abs(b))
        assert np.all(off <= CLOSE[row["dtype"]]), f"{what} {k} is off by {off.max()}:\n{a}\nis not\n{b}"


@pytest.mark.parametrize("small", [values.SMALL, 0], ids=["at once", "as programs"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p["name"])
def test_program(program, small, monkeypatch):
    """Both ways of computing: operation by operation, and joined into programs as for large arrays."""
    monkeypatch.setattr(values, "SMALL", small)
    tensors = run(program)
    outputs, inputs, again = ([tensors[n] for n in program[key]] for key in ("outputs", "inputs", "second_inputs"))
    compare(outputs, program["values"], "value")
    given, weights = constants(program["grad_outputs"]), constants(program["weights"])
    first = grad(outputs, inputs, given, create_graph=True, allow_unused=program["allow_unused"])
    compare(first, program["first"], "gradient")
    assert [g is not None and g.requires_grad for g in first] == [w is not None for w in weights]
    weighted = [(g, w) for g, w in zip(first, weights, strict=True) if w is not None]
    if weighted:
        second = grad([g for g, _ in weighted], again, [w for _, w in weighted], allow_unused=True)
        compare(second, program["second"], "second gradient")


NEEDS_NOTHING = {"number copysign tensor"}
"""Flat in the sign it takes: torch keeps values all the same, and refuses."""


@pytest.mark.parametrize("row", SECOND_PASS, ids=lambda r: r["name"])
def test_second_pass(row):
    """A graph whose slopes were freed is refused the second time; one that needed none goes again."""
    tensors = run(row)
    (y,), inputs = ([tensors[n] for n in row[key]] for key in ("outputs", "inputs"))
    ones = tensor(np.ones(y.shape, y.dtype), requires_grad=False)
    first = grad(y, inputs, ones)
    if row["raises"] and row["name"] not in NEEDS_NOTHING:
        with pytest.raises(RuntimeError, match="a second time"):
            grad(y, inputs, ones)
    else:
        for a, b in zip(first, grad(y, inputs, ones), strict=True):
            assert np.array_equal(a.detach().numpy(), b.detach().numpy())


def test_all_are_there():
    assert Counter(p["kind"] for p in PROGRAMS) == {
        "unary": 76, "binary": 56, "power": 11, "ternary": 21, "broadcasting": 40, "reduction": 72, "cumsum": 8,
        "indexing": 50, "shape": 34, "product": 39, "reuse": 50, "mixture": 50, "outputs": 40, "empty": 12,
        "complex128": 32, "float32": 16,
    }  # fmt: skip
    assert Counter(row["raises"] for row in SECOND_PASS) == {True: 114, False: 39}


def test_nothing_is_trivial():
    """Gradients of gradients nearly everywhere; unused inputs at both orders."""
    assert any(None in p["first"] for p in PROGRAMS)
    assert any(None in p["second"] for p in PROGRAMS)
    assert sum(any(w is not None for w in p["weights"]) for p in PROGRAMS) > 500
