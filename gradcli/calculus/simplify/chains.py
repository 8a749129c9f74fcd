"""`Round`, one bottom-up pass of simplification: chains of + and *, functions and powers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from gradcli.calculus.simplify.products import ONCE, E, folded, powered, split
from gradcli.calculus.simplify.quotients import Quotients
from gradcli.errors import GradError
from gradcli.expr import FOLD_BITS, ONE, Expr, apply, const, exact, reachable, rebuild
from gradcli.functions import TABLE, positive
from gradcli.limits.work import ahead

_FAMILY = {"add": "sum", "sub": "sum", "mul": "product", "div": "product"}

_NODE = 16
"""Steps counted in advance for each node; nearly every node takes more."""


class Round(Quotients):
    """One pass over the graph below ``roots``; `run` returns the new roots."""

    def __init__(self, roots: Sequence[Expr], compact: bool, quotients: bool) -> None:
        super().__init__(compact, quotients)
        self.roots = roots
        self.nodes = reachable(roots)
        ahead(_NODE * len(self.nodes))
        self.new: dict[Expr, Expr] = {}
        users: dict[Expr, list[Expr | None]] = {}
        for e in self.nodes:
            for a in e.args:
                users.setdefault(a, []).append(e)
        for e in roots:
            users.setdefault(e, []).append(None)
        # Nodes inside a chain are not simplified themselves: the chain is, once, at its top.
        self.within = {
            e
            for e in self.nodes
            if e.op in _FAMILY
            and len(users[e]) == 1
            and (u := users[e][0]) is not None
            and _FAMILY.get(u.op) == _FAMILY[e.op]
        }

    def run(self) -> list[Expr]:
        for e in self.nodes:
            if e in self.within:
                continue
            if e.op in _FAMILY or e.op == "neg":
                self.new[e] = self.chained(e)
                continue
            args = tuple([self.new[a] for a in e.args])
            try:
                self.new[e] = self.called(e, args)
            except (GradError, ZeroDivisionError):
                self.new[e] = rebuild(e, args)
        return [self.new[r] for r in self.roots]

    # Chains of + and -, of * and /.

    def chained(self, e: Expr) -> Expr:
        """The simplified chain whose top is ``e``, or the chain as it was if that is shorter."""
        chain, leaves = self.chain(e)
        length = len(chain) + sum(self.size(leaf) for leaf, _ in leaves)
        try:
            if any(leaf.op == "const" and exact(leaf) is None for leaf, _ in leaves):
                return self.rebuilt(chain)
            is_sum = _FAMILY.get(e.op) == "sum" or (e.op == "neg" and len(self.terms(leaves[0][0])) > 1)
            # What a sum of settled terms gives without quotients has been tried before.
            settled = self.quotients and is_sum and self.rebuilt(chain) is e
            simpler = self.sum(leaves, e if settled else None) if is_sum else self.multiplied(leaves)
        except (GradError, ZeroDivisionError):
            return self.rebuilt(chain)
        if self.size(simpler) <= length:
            return simpler
        original = self.rebuilt(chain)
        if simpler in self.products:
            self.products.setdefault(original, self.products[simpler])
        return original

    def chain(self, top: Expr) -> tuple[list[Expr], list[tuple[Expr, int]]]:
        """The nodes of a chain, and its simplified leaves with their signs (in a product: of the exponent)."""
        chain, leaves, stack = [], [], [(top, 1)]
        while stack:
            e, sign = stack.pop()
            if e is not top and e not in self.within:
                leaves.append((self.new[e], sign))
                continue
            chain.append(e)
            stack.append((e.args[-1], -sign if e.op in ("sub", "div", "neg") else sign))
            if len(e.args) > 1:
                stack.append((e.args[0], sign))
        if top.op == "neg" and len(self.terms(leaves[0][0])) < 2:
            leaves = [(leaves[0][0], 1), (const(-1), 1)]
        return chain, leaves

    def rebuilt(self, chain: list[Expr]) -> Expr:
        """The same chain on simplified leaves."""
        new: dict[Expr, Expr] = {}
        for e in sorted(chain, key=lambda e: e.serial):
            new[e] = rebuild(e, tuple([new[a] if a in new else self.new[a] for a in e.args]))
        return new[chain[0]]

    # Powers and functions.

    def called(self, e: Expr, args: tuple[Expr, ...]) -> Expr:
        """A function or power on simplified arguments, by its exact values, its parity and the rules of powers."""
        node = rebuild(e, args)
        op = node.op
        if op in ("power", "sqrt", "exp"):
            raised = self.raised(node)
            return raised if self.size(raised) <= self.size(node) else node
        if op == "where" and args[1] is args[2]:
            return args[1]
        if op in ("and", "or") and args[0] is args[1]:
            return args[0]
        if len(args) != 1 or node.value is not None or op in ("const", "var"):
            return node
        (a,) = args
        number = exact(a)
        row = TABLE[op]
        for argument, value in row.at:
            if number == argument:
                return const(Fraction(value))
        if op == "log" and a.op == "exp":
            return a.args[0]
        if op == "log" and a is E:
            return ONE
        if op == "abs" and number is not None:
            return const(abs(number))
        if op == "abs" and positive(a):
            return a
        if row.parity and (c := self.factors(a)[0]) < 0 and a not in self.sums:
            mirrored = apply(op, self.product(-c, dict(self.factors(a)[1])))
            return apply("neg", mirrored) if row.parity == "odd" else mirrored
        return node

    def raised(self, e: Expr) -> Expr:
        """A power, root or exponential with its exponents merged, where that is an identity for all real bases."""
        if e.op == "exp" and e.args[0].op == "log":
            return e.args[0].args[0]
        raised, n = split(e)
        if raised is None:
            return e
        c, factors = self.factors(raised)
        if raised is E:
            return self.product(ONCE, {E: n})
        whole = isinstance(n, Fraction) and n.denominator == 1
        if isinstance(n, Fraction) and whole and c and abs(n) < FOLD_BITS:
            k, factors = self.to_the(raised, n)
            return self.product(k, dict(factors))
        if isinstance(n, Fraction) and not factors and c > 0 and n.denominator == 2:
            roots = math.isqrt(c.numerator), math.isqrt(c.denominator)
            if Fraction(*roots) ** 2 == c:
                return folded(powered(Fraction(*roots), n.numerator))
        if len(factors) == 1 and c == 1:
            ((base, m),) = factors
            if base is E:
                # exp(w) is positive: its exponents multiply for every real exponent.
                if isinstance(n, Fraction):
                    return self.product(ONCE, {E: self.plus((m, n))})
                inner = self.multiplied([(m if isinstance(m, Expr) else const(m), 1), (n, 1)])
                return self.product(ONCE, {E: inner})
            if isinstance(m, Fraction) and isinstance(n, Fraction):
                if m.denominator != 1 or m.numerator % 2:
                    return self.product(ONCE, {base: m * n})
                if m * n == 1:
                    return base if positive(base) else apply("abs", base)
        return self.product(ONCE, {raised: n})
