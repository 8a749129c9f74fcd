"""Operators of other languages, loosest first, as they bind: text to a tree.

What can be read in two ways becomes a ``choice``. Layer: must not know names.
"""

from __future__ import annotations

import re
from typing import Any

from gradcli.expr import WORDS
from gradcli.functions import SPELLED
from gradcli.language.foreign.lexemes import STOPS, Cursor, Lexeme, Notes, Unreadable, letters_apart
from gradcli.language.lookalikes import SUPERSCRIPT

Tree = tuple[Any, ...]
"""A node: its kind, and then its parts."""

_DEPTH = 40
"""Levels of brackets that are read: the reader is recursive."""
_COMPARES = frozenset({"<", "<=", ">", ">=", "==", "!="})
CLOSING = {"(": ")", "[": "]", "{": "}", r"\{": r"\}"}


class Operators(Cursor):
    """Reads expressions. ``sheet``: a spreadsheet's formula, in which a sign binds
    tighter than a power; ``left``: powers associate to the left; ``equal``: = is a comparison.
    """

    def __init__(self, text: str, notes: Notes, apart: bool = False) -> None:
        super().__init__(text.removeprefix("="))
        if apart:
            self.tokens = letters_apart(self.tokens)
        self.notes = notes
        self.sheet = self.equal = text.startswith("=")
        self.left = self.sheet or ".^" in text
        self.depth = 0
        self.open_power: Tree | None = None
        self.open_call: Tree | None = None

    def read(self) -> Tree:
        """The tree of the whole text."""
        tree = self.expression()
        if self.next.kind != "end":
            raise Unreadable
        return tree

    def atom(self) -> Tree:
        """One operand."""
        raise NotImplementedError

    def expression(self) -> Tree:
        self.depth += 1
        if self.depth > _DEPTH:
            raise Unreadable
        a = self.disjunction()
        if self.take("?"):
            b = self.expression()
            self.expect(":")
            a = ("where", a, b, self.expression())
        elif self.take("if"):
            condition = self.disjunction()
            self.expect("else")
            a = ("where", condition, a, self.expression())
        self.depth -= 1
        return a

    def disjunction(self) -> Tree:
        a = self.conjunction()
        while self.take("or") or (not self.bars and self.take("|", "||")):
            a = ("or", a, self.conjunction())
        return a

    def conjunction(self) -> Tree:
        a = self.negation()
        while self.take("and", "&"):
            a = ("and", a, self.negation())
        return a

    def negation(self) -> Tree:
        if self.take("not", "!", "~"):
            return ("not", self.negation())
        a = self.sum()
        chain: Tree | None = None
        while (op := self.take(*_COMPARES)) or (self.equal and (op := self.take("="))):
            b = self.sum()
            link = ("compare", "==" if op == "=" else op, a, b)
            chain = link if chain is None else ("and", chain, link)
            a = b
        return a if chain is None else chain

    def sum(self) -> Tree:
        a = self.product()
        while op := self.take("+", "-"):
            a = (op, a, self.product())
        return a

    def product(self) -> Tree:
        """A chain of factors. ``head`` and ``op`` are what stands before the last factor."""
        head: Tree | None = None
        op, factor = "*", self.unary()

        def whole(last: Tree) -> Tree:
            return last if head is None else (op, head, last)

        while True:
            blank = self.next.blank
            sign = self.take("*", "/", "%", "//", "%/%", "div")
            if not sign and not (self.operand_next() and self.next.kind != "number"):
                return whole(factor)
            if sign == "/" and factor[:2] == ("call", "d") and re.fullmatch(r"d\w+", self.next.text):
                # d(f)/dx
                factor = ("derivative", factor[2][0], ("name", self.next.text[1:]), 1)
                self.at += 1
                continue
            power, call = self.open_power, self.open_call
            self.open_power = self.open_call = None
            starts_function = self.function_next()
            reaches = not sign and power is not None and not blank and self.next.kind in ("name", "command")
            right = self.unary()
            ambiguous = (call is not None and not starts_function) or (not sign and head is not None and op == "/")
            plain = _joined(sign or "*", whole(factor), right)
            first = ("*", ("brackets", whole(factor)), right)
            while ambiguous and not sign and self.operand_next() and self.next.kind != "number":
                further = self.unary()
                plain, first, right = (("*", a, further) for a in (plain, first, right))
            if call is not None and not starts_function:
                run = _joined(sign, call[2][0], right) if sign else _times(call[2][0], right)
                head, factor = (
                    None,
                    self.notes.choice(plain, whole(_replaced(factor, call, ("call", call[1], [run], "(")))),
                )
            elif reaches and power is not None and not starts_function:
                head, factor = (
                    None,
                    self.notes.choice(
                        plain, whole(_replaced(factor, power, (power[0], power[1], ("*", power[2], right))))
                    ),
                )
            elif not sign and head is not None and op == "/":
                head, factor = None, self.notes.choice(first, ("/", head, _times(factor, right)))
            elif sign in ("//", "%/%", "div"):
                head, factor = None, plain
            else:
                head, op, factor = whole(factor), sign or "*", right

    def function_next(self) -> bool:
        """Whether a function follows that starts a factor of its own, as cos does in sin x cos x."""
        name = self.next.text.removeprefix("\\")
        name = name if name in SPELLED else name.lower()
        return self.next.kind in ("name", "command") and name in SPELLED and name in WORDS

    def unary(self) -> Tree:
        self.open_power = self.open_call = None
        if self.take("-"):
            return self.power(("group", ("neg", self.postfix()))) if self.sheet else ("neg", self.unary())
        if self.take("+"):
            return self.unary()
        if self.next.text == r"\derivative":
            return self.derivative()
        return self.power(self.postfix())

    def power(self, base: Tree) -> Tree:
        while op := self.take("^", "**"):
            enclosed = self.next.text in ("(", "{")
            op = "**" if self.next.text == "{" else op
            sign = self.take("-", "+")
            exponent = self.postfix() if self.left else self.power(self.postfix())
            if self.tokens[self.at - 1].text == "!" or (base[1] in ("f", "g", "h") and self.next.text == "("):
                raise Unreadable
            base = (op, base, ("neg", exponent) if sign == "-" else exponent)
            self.open_power = None if enclosed else base
            if not self.left:
                break
        return base

    def postfix(self) -> Tree:
        a = self.atom()
        while True:
            token = self.next
            if token.kind == "raised":
                self.at += 1
                a = ("**", a, lifted(token.text))
            elif token.text == "!" and self.peek().text not in ("!", "="):
                self.at += 1
                a = ("call", "gamma", [("+", a, ("number", "1"))], "(")
            elif token.text == "°":
                self.at += 1
                a = ("/", ("*", a, ("name", "pi")), ("number", "180"))
            elif (
                token.text == "%"
                and self.peek().text in STOPS | {"+", "-", "*", "/"}
                and (a[0] == "number" or self.sheet)
            ):
                self.at += 1
                a = ("/", a, ("number", "100"))
            elif token.text == "." and not token.blank and self.peek().kind == "name" and self.peek(2).text == "(":
                self.at += 1
                name = self.next.text
                self.at += 2
                a = ("call", name, [a, *self.arguments(")")], "(")
            else:
                return a

    # Operands.

    def arguments(self, closing: str, equal: bool = False) -> list[Tree]:
        """Expressions up to a closing bracket; ``equal``: among them are conditions, with = for ==."""
        items: list[Tree] = []
        kept = self.bars, self.equal
        self.bars, self.equal = 0, self.sheet or equal
        self.depth += 1
        while not self.take(closing):
            if items and not self.take(",", ";"):
                raise Unreadable
            item = self.expression()
            if self.next.kind == "operator" and self.take("$"):
                item = ("list", [item, self.atom()])
            if item == ("name", "base") and self.take("="):
                item = ("base", self.expression())
            items.append(item)
        self.bars, self.equal = kept
        self.depth -= 1
        return items

    def argument(self) -> Tree:
        """The argument of a LaTeX command: a group, or one digit or letter."""
        if self.take("{"):
            items = self.arguments("}")
            if len(items) != 1:
                raise Unreadable
            return items[0]
        token = self.next
        if token.kind in ("number", "name") and len(token.text) > 1:
            self.tokens[self.at] = Lexeme(token.kind, token.text[1:], False)
            return ("number" if token.kind == "number" else "name", token.text[0])
        return self.atom()

    def derivative(self) -> Tree:
        self.at += 1
        order, name = int(self.argument()[1]), self.argument()
        enclosed = self.next.text in ("(", "[", "{")
        operand = self.product() if not enclosed else self.power(self.postfix())
        tree: Tree = ("derivative", operand, name, order)
        if not enclosed and self.next.text in ("+", "-"):
            # Does the operator reach over the sum?
            narrow = tree
            while op := self.take("+", "-"):
                right = self.product()
                narrow, operand = (op, narrow, right), (op, operand, right)
            return self.notes.choice(narrow, ("derivative", operand, name, order))
        return tree


def _replaced(tree: Tree, part: Tree, by: Tree) -> Tree:
    """A factor, which may have signs, with its last part replaced."""
    if tree is part:
        return by
    if tree[0] != "neg":
        raise Unreadable
    return ("neg", _replaced(tree[1], part, by))


def _times(a: Tree, b: Tree) -> Tree:
    """The product of a factor and a chain of factors, as one chain."""
    return ("*", _times(a, b[1]), b[2]) if b[0] == "*" else ("*", a, b)


def _joined(sign: str, a: Tree, b: Tree) -> Tree:
    if sign in ("//", "%/%"):
        return ("call", "floor", [("/", a, b)], "(")
    if sign == "div":
        return ("call", "div", [a, b], "(")
    return (sign, a, b)


def lifted(text: str) -> Tree:
    """The exponent that superscripts write."""
    plain = "".join(SUPERSCRIPT[c] for c in text)
    match = re.fullmatch(r"([+-]?)(\d+|[nixytkm])", plain)
    if match is None:
        raise Unreadable
    exponent = ("number" if match[2].isdigit() else "name", match[2])
    return ("neg", exponent) if match[1] == "-" else exponent
