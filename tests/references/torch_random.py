"""Random small programs, one maker for each kind, as plain data.

A maker draws leaves and takes steps; where a step is not smooth, Rejected ends the attempt and record_torch.py tries
the next.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch_draft import ARITHMETIC, Draft, Shape, upstream
from torch_steps import BINARY, REDUCTIONS, UNARY, Rejected

Pair = tuple[Shape, Shape]
BROADCASTS: list[Pair] = [
    ((3, 1), (1, 4)), ((4,), (3, 4)), ((2, 1, 3), (3,)), ((), (2, 3)), ((1,), (3,)), ((2, 3), (2, 1)),
    ((2, 2, 2), (2, 1)), ((3, 1), (4,)), ((1, 1), (2, 2)), ((2, 1, 2), (1, 3, 1)),
]  # fmt: skip
SAME: list[Pair] = [((3,), (3,)), ((), ())]
EMPTY: list[Pair] = [((0,), (1,)), ((0, 3), (3,)), ((2, 0), (2, 1)), ((0,), ()), ((1, 0, 2), (2,))]
SHAPES: list[Shape] = [(), (1,), (3,), (4,), (2, 3), (3, 2), (1, 3), (2, 2), (2, 1, 2)]


def unary(d: Draft, op: str) -> str:
    _, low, high = UNARY[op]
    x = d.leaf(d.random.choice(SHAPES[1:]), low, high)
    t = d.step(op, x)
    flat = op in ("sign", "floor", "ceil", "round", "trunc")
    return d.step("mul", t, d.step("mul", x, x)) if flat else d.either(lambda: d.bend(t), lambda: d.step("mul", t, x))


def binary(d: Draft, op: str) -> str:
    shape, other = d.random.choice([*BROADCASTS, ((3,), (3,)), ((2, 3), (2, 3))])
    low = 0.2 if op in ("power", "xlogy", "mod", "fmod") else -2
    x = d.leaf(shape, low)
    number = d.random.choice([0.5, 1.7, 2, 3, -1.5])
    form = d.random.choice(["tensors", "tensors", "right", "left"])
    y = number if form == "right" else d.leaf(other, low)
    t = d.step(op, abs(number) if form == "left" else x, y)
    return d.bend(t)


def powers(d: Draft, exponent: float) -> str:
    x = d.leaf(d.random.choice(SHAPES), 0.2 if exponent % 1 else -2)
    return d.step("mul", d.step("power", x, exponent), d.smooth(x))


def ternary(d: Draft, op: str) -> str:
    shape, other = d.random.choice(BROADCASTS)
    if op == "clip":
        bounds = (-0.5, 0.75) if d.random.random() < 0.5 else (d.leaf(other, -1.5, -0.2), d.leaf(other, 0.2, 1.5))
        return d.bend(d.step("clip", d.leaf(shape), *bounds))
    if op == "fma":
        return d.bend(d.step("fma", d.leaf(shape), d.leaf(other), d.leaf(shape)))
    if op == "polygamma":
        return d.bend(d.step("polygamma", d.random.choice([0, 1, 2]), d.leaf(shape, 0.5, 2.5)))
    x, y = d.leaf(shape), d.leaf(other)
    if op == "where":
        condition = d.either(lambda: d.step("less", x, y), lambda: d.step("greater", x, y))
    else:
        condition = d.leaf(other, dtype="bool", role="array")
    return d.step("where", condition, d.bend(x), d.either(lambda: d.smooth(y), lambda: y))


def broadcasting(d: Draft) -> str:
    shape, other = d.random.choice(BROADCASTS)
    x, y = d.random.sample([d.leaf(shape), d.leaf(other)], 2)
    if d.random.random() < 0.3:
        y = d.leaf(other, role=d.random.choice(["constant", "array"]))
    t = d.mix(d.smooth(x), y, [*ARITHMETIC, "maximum", "minimum", "hypot", "atan2", "logaddexp"])
    return d.mix(d.smooth(t), x)


def reduction(d: Draft, op: str) -> str:
    x = d.leaf(d.random.choice([(3,), (2, 3), (3, 2), (2, 2, 3), (2, 3, 2)]))
    where: dict[str, Any] = d.axes(x)
    if op == "norm" and isinstance(where.get("axis"), list) and len(where["axis"]) != 2:
        where = {"axis": where["axis"][0]}
    if op in ("var", "std") and d.random.random() < 0.5:
        where["ddof"] = 1
    if d.random.random() < 0.5:
        t = d.step(op, d.smooth(x), keepdims=True, **where)
        return d.mix(t, d.smooth(x)) if d.random.random() < 0.6 else d.bend(t)
    return d.bend(d.step(op, d.either(lambda: d.bend(x), lambda: x), **where))


def cumulated(d: Draft) -> str:
    x = d.leaf(d.random.choice([(4,), (2, 3), (2, 2, 2)]))
    return d.bend(d.step("cumsum", d.bend(x), **d.axes(x, many=False)))


def indexing(d: Draft) -> str:
    x = d.leaf(d.random.choice([(5,), (3, 4), (2, 3, 4)]))
    y = d.bend(x) if d.random.random() < 0.5 else x
    return d.bend(d.step("getitem", y, index=index(d, d.shape(y))))


def index(d: Draft, shape: Shape) -> list[Any]:
    """A random index: integers, slices, new axes, an ellipsis; or integer arrays; or a mask."""
    style = d.random.choice(["basic", "basic", "arrays", "mask"])
    if style == "mask":
        some = shape[: d.random.randint(1, len(shape))]
        flat = [d.random.random() < 0.6 for _ in range(math.prod(some))]
        return [{"array": torch.tensor(flat).reshape(some).tolist()}]
    if style == "arrays":
        first = d.random.randint(0, len(shape) - 1)
        count = d.random.randint(1, len(shape) - first)
        form = d.random.choice([(2,), (4,), (2, 2)])
        arrays = [{"array": _positions(d, n, form)} for n in shape[first : first + count]]
        return [_slice(d, n) for n in shape[:first]] + arrays
    items: list[Any] = []
    count, tail = d.random.randint(1, len(shape)), d.random.random() < 0.3
    for n in shape[len(shape) - count :] if tail else shape[:count]:
        if d.random.random() < 0.25:
            items.append(None)
        items.append(d.random.randint(-n, n - 1) if d.random.random() < 0.35 else _slice(d, n))
    if tail or d.random.random() < 0.2:
        items.insert(0 if tail else len(items), "...")
    return items


def _positions(d: Draft, n: int, form: Shape) -> Any:
    return torch.tensor([d.random.randint(-n, n - 1) for _ in range(math.prod(form))]).reshape(tuple(form)).tolist()


def _slice(d: Draft, n: int) -> dict[str, Any]:
    return {"slice": d.random.choice([
        [None, None, None], [1, None, None], [None, -1, None], [None, None, 2], [None, None, -1], [n, 0, -1],
        [-2, None, None], [0, n, 1], [None, 0, -2],
    ])}  # fmt: skip


def reshaped(d: Draft, op: str) -> str:
    x = d.leaf(d.random.choice([(4,), (2, 3), (2, 2, 3), (3, 1, 2)]))
    shape = d.shape(x)
    count = math.prod(shape)
    if op in ("concatenate", "stack"):
        other = list(shape)
        axis = d.random.randint(-len(shape), len(shape) - 1)
        if op == "concatenate":
            other[axis] = d.random.choice([1, 2])
        parts = [x, d.leaf(other), d.smooth(x)]
        return d.bend(d.step(op, [*d.random.sample(parts, d.random.choice([2, 3])), x], axis=axis))
    options: dict[str, Any] = {}
    if op == "reshape":
        options = {"shape": d.random.choice([[count], [-1], [count, 1], [2, -1], [1, -1, 2]])} if count % 2 == 0 else {
            "shape": [-1, 1]
        }  # fmt: skip
    elif op == "broadcast_to":
        options = {"shape": [2, *shape]}
    elif op == "transpose" and d.random.random() < 0.7:
        axes = d.random.sample(range(len(shape)), len(shape))
        options = {"axes": [a - len(shape) * d.random.randint(0, 1) for a in axes]}
    t = d.step(op, d.smooth(x), **options)
    return d.mix(t, d.leaf(d.shape(t), 0.4)) if d.random.random() < 0.5 else d.bend(t)


PRODUCTS: dict[str, list[Pair]] = {
    "matmul": [
        ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 2)), ((2, 2, 3), (3, 2)), ((2, 3), (2, 3, 2)),
        ((2, 1, 2, 3), (2, 3, 1)), ((3,), (2, 3, 2)), ((2, 2, 3), (3,)), ((1, 2, 2), (2, 2, 2)), ((2, 1, 3), (1, 3, 2)),
    ],
    "dot": [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 2)), ((2, 2, 3), (3, 2)), ((2, 3), (2, 3, 2))],
    "outer": [((3,), (2,)), ((2, 2), (3,)), ((1,), (4,))],
}  # fmt: skip


def product(d: Draft, op: str) -> str:
    shape, other = d.random.choice(PRODUCTS[op])
    x = d.leaf(shape)
    y = d.leaf(other, role=d.random.choice(["leaf", "leaf", "leaf", "array"]))
    return d.bend(d.step(op, d.either(lambda: d.smooth(x), lambda: x), y))


def reuse(d: Draft) -> str:
    """A graph in which tensors are used several times, and intermediate ones may be inputs."""
    shapes = d.random.choice([*BROADCASTS, *SAME])
    known = [d.leaf(shape) for shape in shapes]
    for _ in range(d.random.randint(4, 7)):
        recent, style = d.random.choice(known[-3:]), d.random.random()
        if style < 0.35:
            known.append(d.smooth(recent))
        elif style < 0.5:
            op = d.random.choice(["sum", "mean", "max", "norm", "logsumexp"])
            known.append(d.step(op, recent, keepdims=True, **d.axes(recent, many=False)))
        else:
            known.append(d.mix(recent, d.random.choice(known), list(BINARY)))
    used = upstream(d.steps, [known[-1]])
    middle = [t for t in known[:-1] if t.startswith("t") and t in used]
    if middle:
        d.extra = d.random.sample(middle, d.random.randint(0, min(2, len(middle))))
    return known[-1]


def mixture(d: Draft) -> str:
    """All families of steps after one another, each on what is there."""
    known = [d.leaf(d.random.choice([(3,), (2, 3), (3, 2), (2, 2, 3)])) for _ in range(2)]
    for _ in range(d.random.randint(5, 9)):
        x = d.random.choice(known[-3:])
        beside = [y for y in known if fits(d.shape(x), d.shape(y))]
        rank = len(d.shape(x))
        makers: list[Callable[[], str]] = [
            partial(d.smooth, x),
            partial(d.mix, x, d.random.choice(beside), list(BINARY)),
        ]
        if rank:
            op = d.random.choice([*REDUCTIONS, "cumsum"])
            options: dict[str, Any] = d.axes(x, many=False)
            makers += [
                partial(d.step, op, x, **options, **({} if op == "cumsum" else {"keepdims": d.random.random() < 0.5})),
                partial(d.step, "matmul", x, d.leaf((d.shape(x)[-1], 2))),
                partial(d.step, "getitem", x, index=index(d, d.shape(x))),
                partial(d.step, "concatenate", [x, x], axis=-1),
                partial(d.step, "transpose", x),
                partial(d.step, "reshape", x, shape=[-1]),
            ]
        same = [y for y in known if d.shape(y) == d.shape(x)]
        makers.append(partial(d.step, "stack", [x, d.random.choice(same)], axis=-1))
        makers.append(partial(choice, d, x, d.random.choice(beside)))
        known.append(d.random.choice(makers)())
        if not 0 < math.prod(d.shape(known[-1])) <= 24:
            raise Rejected("too many elements, or none")
    return d.step("add", d.step("sum", known[-2]), known[-1])


def fits(shape: Shape, other: Shape) -> bool:
    """Whether the two broadcast."""
    return all(a == b or 1 in (a, b) for a, b in zip(reversed(shape), reversed(other), strict=False))


def choice(d: Draft, x: str, y: str) -> str:
    return d.step("where", d.step("less", x, y), d.smooth(x), y)


def outputs(d: Draft) -> str:
    """Several outputs, the same one twice, inputs twice, unused inputs, an output that is an input."""
    last = reuse(d)
    made = [step[1] for step in d.steps]
    d.outputs = [*d.random.choices(made[-4:], k=d.random.choice([1, 2])), last]
    if d.random.random() < 0.3:
        d.outputs.append(last)
    if d.random.random() < 0.4:
        d.extra.append(d.leaf(d.random.choice(SHAPES)))
    if d.random.random() < 0.3:
        d.extra.append(d.random.choice([last, "x0"]))
    return last


def empty(d: Draft) -> str:
    shape, other = d.random.choice(EMPTY)
    x, y = d.leaf(shape), d.leaf(other)
    t = d.mix(d.step("sin", x), d.step("exp", y))
    style = d.random.choice(["plain", "sum", "concatenate", "prod", "slice", "matmul", "cumsum"])
    if style in ("sum", "prod"):
        return d.step(style, t, **d.axes(t))
    if style == "concatenate":
        rest = [2 if n == 0 else n for n in d.shape(t)]
        return d.bend(d.step("concatenate", [t, d.leaf(rest)], axis=d.shape(t).index(0)))
    if style == "slice":
        return d.step("mul", d.step("getitem", d.leaf((4,)), index=[{"slice": [2, 2, None]}]), d.step("sum", t))
    if style == "matmul":
        return d.bend(d.step("matmul", d.leaf((2, 0)), d.leaf((0, 3))))
    return d.step("cumsum", t, axis=d.shape(t).index(0)) if style == "cumsum" else t


def complexes(d: Draft) -> str:
    shape, other = d.random.choice([*BROADCASTS, *SAME])
    x = d.leaf(shape, dtype="complex128")
    y = d.leaf(other, dtype=d.random.choice(["complex128", "complex128", "float64"]))
    style = d.random.choice(["plain", "sum", "abs", "real", "imag", "matmul", "abs", "real", "moved", "moved"])
    if style == "matmul":
        a, b = d.leaf((2, 3), dtype="complex128"), d.leaf((3, 2), dtype="complex128")
        return d.bend(d.step("matmul", d.smooth(a), b))
    t = d.mix(d.smooth(x), y)
    t = d.mix(d.smooth(t), x)
    if style == "sum":
        return d.bend(d.step("sum", t, **d.axes(t)))
    if style == "moved":
        if d.shape(t):
            t = d.step(
                "getitem", d.step("concatenate", [t, d.smooth(t)], axis=-1), index=["...", {"array": [0, -1, 0]}]
            )
        t = d.step("transpose", t)
        return d.step("mean", d.step("mul", t, d.smooth(t)))
    return t if style == "plain" else d.bend(d.step(style, t))


def single(d: Draft) -> str:
    return d.random.choice([reuse, broadcasting, indexing, cumulated])(d)


def plan() -> list[tuple[str, str, Callable[[Draft], str]]]:
    """(kind, name, maker) of every program."""
    rows: list[tuple[str, str, Callable[[Draft], str]]] = []

    def add(kind: str, label: str, count: int, maker: Callable[[Draft], str]) -> None:
        rows.extend((kind, f"{kind}-{label}-{n}" if label else f"{kind}-{n}", maker) for n in range(count))

    for op in UNARY:
        add("unary", op, 2, partial(unary, op=op))
    for op in BINARY:
        add("binary", op, 4, partial(binary, op=op))
    for exponent in (0, 1, 2, 3, 4, -1, -2, 0.5, -0.5, 2.5, 1 / 3):
        add("power", f"{exponent:.3g}", 1, partial(powers, exponent=exponent))
    for op, count in (("where", 6), ("where-array", 4), ("clip", 6), ("fma", 2), ("polygamma", 3)):
        add("ternary", op, count, partial(ternary, op=op))
    add("broadcasting", "", 40, broadcasting)
    for op in REDUCTIONS:
        add("reduction", op, 8, partial(reduction, op=op))
    add("cumsum", "", 8, cumulated)
    add("indexing", "", 50, indexing)
    for op, count in (("reshape", 8), ("ravel", 3), ("transpose", 8), ("concatenate", 8), ("stack", 7)):
        add("shape", op, count, partial(reshaped, op=op))
    for op, count in (("matmul", 24), ("dot", 10), ("outer", 5)):
        add("product", op, count, partial(product, op=op))
    add("reuse", "", 50, reuse)
    add("mixture", "", 50, mixture)
    add("outputs", "", 40, outputs)
    add("empty", "", 12, empty)
    add("complex128", "", 32, complexes)
    add("float32", "", 16, single)
    return rows
