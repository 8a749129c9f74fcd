"""Two operands side by side: a product where that has one reading, else an error that shows both.

Layer: must not know operators, brackets or functions of their own.
"""

from __future__ import annotations

import re

from gradcli.language.natural.lexemes import Lexeme
from gradcli.language.natural.names import names_in
from gradcli.language.natural.pieces import Exponent, Term
from gradcli.language.natural.symbols import GREEK, NUMBERS

_SIMPLE = re.compile(r"\s*+(?:[A-Za-z]\w*+|[0-9.]++|[\u03b1-\u03c9]|\\[a-z]++)\s*+(?:\\right\s*+)?\)", re.ASCII)
_LETTER = re.compile(
    r"\s*+(?:[A-Za-z](?:_?[0-9])*+|[0-9.]++|[\u03b1-\u03c9]|\\[a-z]++)\s*+(?:\\right\s*+)?\)", re.ASCII
)
_LETTERS = re.compile(r"\s*+([A-Za-z]\w*+(?:\s*+,\s*+[A-Za-z]\w*+)*+)\s*+\)", re.ASCII)
_FAR = 200
"""Pieces of a bracket in which formulas are looked for."""
_MIXED = re.compile(r"\\[tdc]?frac\s*+(?:\{\s*+\d++\s*+\}|\d)\s*+(?:\{\s*+\d++\s*+\}|\d)", re.ASCII)
_FUNCTION_LETTERS = frozenset("fghDFGH")


class Products(Term):
    """Reads products without a sign."""

    def times(self, factor: Lexeme) -> None:
        """Put the ``*`` before a lexeme that begins an operand behind another one."""
        frame, left = self.frame, self.previous()
        if factor.kind == "number":
            self._number(left, factor)
        if factor.text.startswith("_") and (self.latex or not factor.gap):
            self.refuse(
                left.start, factor.end, f"'{factor.text}' is a subscript, which belongs to a name",
                f"x{factor.text}", f"*{factor.text} for a product",
            )  # fmt: skip
        if frame.rooted and factor.kind != "function":
            root, right = self.said(self.atom), self.whole(self.at)
            self.refuse(
                left.start, factor.end, "how far the root reaches is not clear", f"{root}*{right}",
                f"{root[:-1]}*{right})",
            )  # fmt: skip
        if frame.exponent is not None:
            self._behind_exponent(left, factor)
        if frame.uses:
            use = frame.uses[-1]
            ends_there = factor.kind == "function" and len(frame.uses) == 1 and not use.powered
            glued = factor.kind in ("name", "root") and not factor.gap
            glued = glued and not self.in_root()
            if not ends_there and glued and (left.kind in ("number", "name", "raised") or frame.exponent is not None):
                self._star(factor)
                return
            if not ends_there:
                call, right = self.said(use.at), self.whole(self.at)
                behind = "".join(piece.text for piece in use.tail).replace("**", "^")
                self.refuse(
                    use.start, factor.end, f"how far {self.written(use.start, use.end)} reaches is not clear",
                    f"{call}){behind}*{right}", f"{call}*{right}){behind}",
                )  # fmt: skip
            self.close_uses()
        if frame.division is not None:
            self._behind_division(factor)
        if factor.kind == "open" and frame.exponent is not None and frame.exponent.base.kind == "name":
            self._behind_power(frame.exponent, factor)
        if factor.kind == "open" and left.kind == "close" and self.names.formulas:
            self._behind_formulas(left, factor)
        if factor.kind == "open" and left.kind == "name" and left.more != "formula":
            self._behind_name(left, factor)
        if factor.kind == "bar" and frame.barred and left.kind != "bar":
            self.refuse(left.start, factor.end, "these bars pair in two ways", "abs(...) for each pair")
        if "bar" in (factor.kind, left.kind):
            frame.barred = True
        self._star(factor)

    def _star(self, factor: Lexeme) -> None:
        self.put("*", factor.start, factor.start)
        self.frame.factors = True
        self.state = "start"

    def _number(self, left: Lexeme, factor: Lexeme) -> None:
        number, both = factor.text, self.written(left.start, factor.end)
        if factor.more == "fraction" and left.kind == "number":
            self.refuse(
                left.start, factor.end, f"'{both}' is a mixed number or a product", f"{left.text} + {number}",
                f"{left.text}*{number}",
            )  # fmt: skip
        if left.kind == "number":
            groups = [f"{left.text}{number}"] if left.text.isdigit() and len(number) == 3 and number.isdigit() else []
            self.refuse(
                left.start, factor.end, f"'{both}': a sign is missing between two numbers", *groups,
                f"{left.text}*{number}", f"{left.text} + {number}",
            )  # fmt: skip
        before = "(...)" if left.kind in ("close", "post", "raised", "bar") else self.written(left.start, left.end)
        self.refuse(
            left.start, factor.end, f"'{both}': a number behind what it multiplies may be a power",
            f"{before}*{number}", f"{before}^{number}",
        )  # fmt: skip

    def _behind_exponent(self, left: Lexeme, factor: Lexeme) -> None:
        """Refuse e^2x, x^2n, e^xy and 2^3x, where the exponent may reach further."""
        power = self.frame.exponent
        if power is None or left.kind in ("raised", "close") or factor.gap:
            return
        known = factor.text in self.names.known or factor.text in NUMBERS
        further = factor.kind == "name" and (not known or factor.text == power.base.text)
        number = power.kind == "number" and (power.base.kind == "number" or power.base.text == "e" or further)
        name = power.kind == "name" and factor.kind not in ("open", "bar")
        if number or name:
            # The power behind a name or a number is of what the exponent would reach, too.
            single = factor.kind in ("name", "number")
            right = self.written(factor.start, factor.end) if single else self.whole(self.at)
            self.refuse(
                left.start, factor.end, "how far the exponent reaches is not clear",
                f"{self.said(power.base_at)}*{right}",
                f"{self.said(power.base_at, power.at)}({self.said(power.at)}*{right})",
            )  # fmt: skip

    def _behind_division(self, factor: Lexeme) -> None:
        frame = self.frame
        division = frame.division
        assert division is not None
        sign = self.pieces[division]
        above, below = self.said(frame.term, division), self.said(division + 1)
        right = self.whole(self.at)
        self.refuse(
            sign.start, factor.end, "a product without a sign behind a division",
            f"({above}{sign.text}{below})*{right}", f"{above}{sign.text}({below}*{right})",
        )  # fmt: skip

    def _behind_name(self, left: Lexeme, factor: Lexeme) -> None:
        """Refuse x(t), f(x) and e(x), which may be calls."""
        name, names = left.text, self.names
        if factor.more != ")" or self.typed[factor.end - 1] != "(" or self.pieces[-1].text != name:
            return
        simple = _SIMPLE.match(self.typed, factor.end) is not None
        whole = self.whole(self.at)
        start, end = left.start, factor.end
        if name == "e":
            self.refuse(start, end, "'e(...)' is a product or a power", f"e*{whole}", f"e^{whole}")
        if name in names.formulas:
            of = ", ".join(names.formulas[name])
            self.refuse(
                start, end, f"'{name}(...)': there are no functions of one's own: {name} is its formula in {of}",
                f"{name}, with a value by --at {names.formulas[name][0]}=...",
            )  # fmt: skip
        if name in names.given and simple:
            self.refuse(
                start, end, f"'{name}{whole}' is a product, or {name} at {whole[1:-1]}", f"{name}*{whole}", name
            )
        long = len(name) > 1 and name.lower() not in GREEK
        if not (name in names.given or name in NUMBERS) and (name in _FUNCTION_LETTERS or simple or long):
            self.refuse(
                start, end, f"'{name}{whole}' is a product or a function {name}",
                f"{name}*{whole}, or {name} = ... for a formula of its own",
            )  # fmt: skip

    def _behind_power(self, power: Exponent, factor: Lexeme) -> None:
        """Refuse f^2(x) and f^-1(x), which may be a power of a function, or its inverse."""
        name, names = power.base.text, self.names
        if factor.more != ")" or self.typed[factor.end - 1] != "(" or name in NUMBERS:
            return
        simple = _LETTER.match(self.typed, factor.end) is not None
        if simple or name in names.formulas or (name in _FUNCTION_LETTERS and name not in names.given):
            whole, powered = self.whole(self.at), self.said(power.base_at)
            inverse = ", or its inverse" if powered.endswith(("^-1", "^(-1)", "**-1", "**(-1)")) else ""
            readings = [f"{powered}*{whole}"]
            if name in names.formulas:
                readings.append(f"({name})^..." if inverse else powered)
            self.refuse(
                self.pieces[power.base_at].start, factor.end,
                f"'{powered}{whole}' is a product, or a power of a function {name}{inverse}", *readings,
            )  # fmt: skip

    def _behind_formulas(self, left: Lexeme, factor: Lexeme) -> None:
        """Refuse (f + g)(x) where f and g are formulas in x."""
        argument = _LETTERS.match(self.typed, factor.end)
        if argument is None:
            return
        of = names_in(argument[1])
        for piece in self.pieces[max(self.atom, len(self.pieces) - _FAR) :]:
            name = piece.text.removeprefix("diff(").partition(",")[0]
            if self.names.formulas.get(name) == of and self.typed[piece.end - 1] != ")":
                whole = self.whole(self.at)
                self.refuse(
                    left.start, factor.end, f"'{name}' is a formula: '...){whole}' is a product or its value",
                    f"(...)*{whole}", "(...)",
                )  # fmt: skip

    def mixed(self, opened: Lexeme) -> None:
        r"""Refuse 2\frac{1}{2}, which may be a mixed number."""
        left = self.previous()
        if left.kind == "number" and (match := _MIXED.match(self.typed, opened.start)):
            self.refuse(
                left.start, match.end(), f"'{self.written(left.start, match.end())}' is a mixed number or a product",
                f"{left.text} + {match[0]}", f"{left.text}*{match[0]}",
            )  # fmt: skip
