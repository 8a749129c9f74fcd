"""Enclosures: expressions over many intervals at once, in NumPy, without rounding outward.

A function has a rule that gives the range of its values over intervals of its arguments, or an expansion in functions
that have one; for pictures, to which an error of a few units in the last place is invisible. A box is *rough* where
some step is not smooth over it: a pole, a kink, a jump, or the end of a domain; there nothing is promised about
derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from gradcli.compute.backends.intervals.arithmetic import square
from gradcli.compute.backends.intervals.decisions import selected
from gradcli.compute.backends.intervals.ranges import Array, Mask, Ranges, Rule, numbers
from gradcli.compute.backends.intervals.rules import LENIENT, RULES
from gradcli.expr import CONSTANTS, Expr, post_order, reachable, readable, rebuild, rewrite
from gradcli.functions.row import expansion

_NUMBERS = 2**21
"""Ends of ranges that are held at a time, for all steps."""


class Enclosing:
    """Expressions of the variables ``names`` over boxes. Raises KeyError for a function without a rule."""

    def __init__(self, roots: Sequence[Expr], names: Sequence[str]) -> None:
        forms = _expanded(roots)
        slot: dict[Expr, int] = {}
        self.constants: list[tuple[int, float]] = []
        self.inputs: list[tuple[int, int]] = []
        self.steps: list[tuple[Rule, int, tuple[int, ...]]] = []
        for e in post_order(forms):
            slot[e] = len(slot)
            if e.op in ("const", "constant"):
                self.constants.append((slot[e], float(e.value) if e.op == "const" else CONSTANTS[str(e.value)]))  # type: ignore[arg-type]
            elif e.op == "var":
                self.inputs.append((slot[e], names.index(str(e.value))))
            else:
                rule, args = _rule(e)
                self.steps.append((rule, slot[e], tuple([slot[a] for a in args])))
        self.count, self.outputs = len(slot), [slot[e] for e in forms]

    def __call__(
        self, boxes: Sequence[tuple[Array, Array]], first: int | None = None
    ) -> tuple[list[tuple[Array, Array]], Mask]:
        """The ranges of the expressions over boxes, an interval of each variable; and the boxes that are rough.

        ``first``: how many of the expressions are asked for.
        """
        count, size = len(boxes[0][0]), max(_NUMBERS // self.count, 16)
        if count <= size:
            return self._block(boxes, first)
        parts = [
            self._block([(a[k : k + size], b[k : k + size]) for a, b in boxes], first) for k in range(0, count, size)
        ]
        joined = [
            (
                np.concatenate([ranges[k][0] for ranges, _ in parts]),
                np.concatenate([ranges[k][1] for ranges, _ in parts]),
            )
            for k in range(len(parts[0][0]))
        ]
        return joined, np.concatenate([rough for _, rough in parts])

    def _block(
        self, boxes: Sequence[tuple[Array, Array]], first: int | None
    ) -> tuple[list[tuple[Array, Array]], Mask]:  # fmt: skip
        count = len(boxes[0][0])
        rough = np.zeros(count, np.bool_)
        outputs = self.outputs[:first]
        # Slots are in post-order: what an expression needs stands before it.
        last = max(outputs)
        ends = False
        slots: dict[int, Ranges] = {}
        for place, c in self.constants:
            slots[place] = Ranges(np.full(count, c), np.full(count, c))
        for place, k in self.inputs:
            slots[place] = Ranges(*boxes[k])
        with np.errstate(all="ignore"):
            for rule, out, ins in self.steps:
                if out > last:
                    break
                args = [slots[i] for i in ins]
                made = numbers(rule(*args))
                if made.rough is not None:
                    # Where there is no value at all, nothing of it reaches the result, or the result has none.
                    rough |= made.rough & ~np.isnan(made.low)
                    ends = ends or bool(made.rough.any())
                if ends and rule not in LENIENT:
                    # Beyond the end of a domain there are no values, whatever is done to them.
                    lost = np.logical_or.reduce([np.isnan(a.low) for a in args])
                    made = Ranges(np.where(lost, np.nan, made.low), np.where(lost, np.nan, made.high))
                slots[out] = made
        return [(slots[k].low, slots[k].high) for k in outputs], rough


def without_rule(roots: Sequence[Expr]) -> str | None:
    """The first function in expressions that has no rule; None if every one has."""
    return next((e.op for e in reachable(_expanded(roots)) if e.args and e.op not in RULES), None)


def _expanded(roots: Sequence[Expr]) -> list[Expr]:
    """Expressions in textbook form, in functions that have rules.

    The forms that lose no digits, with which numbers are computed, subtract and compare what has wide ranges.
    """
    forms = readable(roots)
    while True:
        new = rewrite(forms, _simpler)
        if new == forms:
            return forms
        forms = new


def _simpler(e: Expr, args: tuple[Expr, ...]) -> Expr:
    form = None if e.op in RULES else expansion(e, args)
    return rebuild(e, args) if form is None else form


def _rule(e: Expr) -> tuple[Rule, tuple[Expr, ...]]:
    """The rule of a node, and the nodes whose ranges it takes."""
    if e.op == "mul" and e.args[0] is e.args[1]:
        return square, e.args[:1]
    if e.op in ("eq", "ne"):
        for a, b in (e.args, e.args[::-1]):
            if b.op in ("min", "max") and a in b.args and len(b.args) > 1:
                others = tuple([c for c in b.args if c is not a])
                return selected(b.op == "max", e.op == "eq"), (a, *others)
    rule = RULES[e.op]
    if e.op in ("min", "max"):
        return rule, tuple(dict.fromkeys(e.args))
    if isinstance(e.value, int):
        return partial(rule, e.value), e.args
    return rule, e.args
