"""Powers of natural notation, and the marks that follow an operand: factorials, degrees, primes, per cent.

Layer: must not know products or brackets.
"""

from __future__ import annotations

import re
from typing import NoReturn

from gradcli.language.natural.brackets import Brackets
from gradcli.language.natural.lexemes import Lexeme, refuse_defined
from gradcli.language.natural.pieces import Exponent, Operand, Piece
from gradcli.language.natural.symbols import DEGREE, FUNCTIONS, RESERVED_FUNCTIONS

_POWER = re.compile(
    r"\s*+(?:\^|\*\*)\s*+(?:\{\s*+([^{}()|,\n]{1,40})\}|\(\s*+([^{}()|,\n]{1,40})\)|([-\u2212]?\s*+[0-9]++|[A-Za-z](?![A-Za-z])))"
)
_EXPONENT = re.compile(r"-?[0-9]+|[A-Za-z]|[0-9]+/[0-9]+")
_OPERANDS = frozenset({"number", "name", "function", "root", "open", "bar"})
_PRIMED = re.compile(r"\s*+(?:\(\s*+([A-Za-z]\w*+|[-0-9.]++)\s*+\))?+\s*+(=(?!=))?+", re.ASCII)
_FURTHER_POWER = re.compile(r"\s*+(?:\^|\*\*)")


class Powers(Brackets):
    """Reads what follows an operand."""

    def power_of(self, lexeme: Lexeme) -> list[Piece]:
        """The power between a function and its argument, as in sin^2 x, as what follows the argument."""
        after = self.next()
        raised = after is not None and after.kind == "raised"
        match = None if raised else _POWER.match(self.typed, lexeme.end)
        if raised and after is not None:
            exponent, start, end = after.text.strip("()"), after.start, after.end
        elif match:
            exponent = (match[1] or match[2] or match[3]).replace(" ", "").replace("\u2212", "-")
            start, end = match.start(), match.end()
        else:
            return []
        name = lexeme.text
        behind = next((k for k in range(self.at + 1, len(self.lexemes)) if self.lexemes[k].start >= end), None)
        operand = behind is not None and self.lexemes[behind].kind in _OPERANDS
        if not operand and name not in RESERVED_FUNCTIONS:
            return []
        if exponent == "-1":
            inverse = f"a{name}(...)" if f"a{name}" in FUNCTIONS else "the inverse by its name"
            self.refuse(
                lexeme.start, end, f"'{self.written(lexeme.start, end)}' is the inverse function or the reciprocal",
                inverse, f"1/{name}(...)",
            )  # fmt: skip
        if not _EXPONENT.fullmatch(exponent) or _FURTHER_POWER.match(self.typed, end):
            self.refuse(lexeme.start, end, f"a power of {name} stands behind its argument", f"{name}(...)^({exponent})")
        while self.at + 1 < len(self.lexemes) and self.lexemes[self.at + 1].start < end:
            self.at += 1
        return [Piece(f"**{exponent}" if exponent.isalnum() else f"**({exponent})", start, end)]

    def raised(self, lexeme: Lexeme) -> None:
        """Read a power in small raised signs."""
        frame, before = self.frame, self.previous() if self.at else lexeme
        if self.state != "operand":
            self.refuse(lexeme.start, lexeme.end, "a power follows a number, a letter or a bracket")
        if frame.rooted or frame.exponent is not None:
            self.refuse(
                before.start, lexeme.end, "how far the root or the first power reaches is not clear without brackets",
                *self._marked(f"^{lexeme.text}"),
            )  # fmt: skip
        if frame.sealed and before.kind == "close":
            self._two_powers(lexeme, lexeme.text)
        if frame.uses and (self.in_root() or (before.kind == "close" and before.more == "group")):
            self._power_in_use(lexeme, lexeme.text)
        base_at = self.atom
        text = lexeme.text if lexeme.text.isalnum() or lexeme.text[0] == "(" else f"({lexeme.text})"
        self.put("**", lexeme.start, lexeme.end)
        self.put(text, lexeme.start, lexeme.end)
        self.atom = base_at
        self._powered(frame.last, base_at)

    def _powered(self, base: Operand, base_at: int) -> None:
        self.frame.exponent = Exponent("group", base, base_at, len(self.pieces) - 1)

    def post(self, lexeme: Lexeme) -> None:
        """Read a factorial, or a degree."""
        frame, after = self.frame, self.next()
        before = self.previous() if self.at else lexeme
        if self.state != "operand":
            self.refuse(lexeme.start, lexeme.end, f"'{lexeme.text}' follows a number, a letter or a bracket")
        more = after is not None and after.kind == "post"
        if frame.rooted or frame.exponent or more or (frame.uses and lexeme.text == "!") or frame.sealed:
            self.refuse(
                before.start, lexeme.end,
                f"what '{lexeme.text}' belongs to is not clear without brackets", *self._marked(lexeme.text),
            )  # fmt: skip
        if lexeme.text == DEGREE and after is not None and not after.gap and after.text in ("C", "F", "K"):
            self.refuse(lexeme.start, after.end, "there are no units of temperature")
        first = self.pieces[self.atom]
        factorial = lexeme.text == "!"
        alone = self.atom > 0 and self.pieces[self.atom - 1].text.endswith("(")
        alone = alone and (after is None or after.kind == "close")
        head, tail = ("gamma(", " + 1)") if factorial else ("", "*pi/180") if alone else ("(", "*pi/180)")
        self.pieces[self.atom] = Piece(
            "", first.start, first.start, [Piece(head, first.start, first.start), self.pieces[self.atom]]
        )
        self.put(tail, lexeme.start, lexeme.end)
        frame.last = Operand("group", "")

    def _power_in_use(self, lexeme: Lexeme, exponent: str) -> NoReturn:
        """Refuse sqrt x^2, as the same with the sign of a root, and \\sin{(x)}^2, whose braces are not printed."""
        use = self.frame.uses[-1]
        root = self.said(use.at)
        self.refuse(
            use.start, lexeme.end, f"how far {self.written(use.start, use.end)} reaches is not clear",
            f"{root})^{exponent}",
            f"{root}^{exponent})",
        )  # fmt: skip

    def _two_powers(self, lexeme: Lexeme, exponent: str) -> NoReturn:
        """Refuse sin^2(x)^3: the second power may be that of the argument."""
        first = self.said(self.atom)
        call, _, power = first.rpartition("^")
        name, _, argument = call.partition("(")
        inner = argument[:-1] if argument[:-1].isalnum() else "(...)"
        self.refuse(
            self.previous().start, lexeme.end, "two powers of one function want brackets", f"({first})^{exponent}",
            f"{name}({inner}^{exponent})^{power}",
        )  # fmt: skip

    def _marked(self, mark: str) -> list[str]:
        """The readings of a mark behind more than one operand."""
        frame, after = self.frame, self.next()
        if after is not None and after.kind == "post":
            return [f"({self.said(self.atom)}{mark}){after.text}"]
        if frame.uses:
            call = self.said(frame.uses[-1].at)
            return [f"{call}){mark}", f"{call}{mark})"]
        if frame.exponent is not None and self.previous().kind != "raised":
            power, at = frame.exponent, frame.exponent.at
            return [f"({self.said(power.base_at)}){mark}", f"{self.said(power.base_at, at)}({self.said(at)}{mark})"]
        operand = self.said(self.atom)
        return [f"({operand}){mark}", *([f"{operand[:-1]}{mark})"] if frame.rooted else [])]

    def prime(self, lexeme: Lexeme) -> None:
        """Refuse a prime: it does not tell the variable."""
        name = self.previous().text if self.at and self.previous().kind == "name" else "f"
        name = "f" if name == "x" else name
        order = len(lexeme.text)
        index = self.at
        while index + 1 < len(self.lexemes) and self.lexemes[index + 1].kind == "prime":
            index += 1
            order += len(self.lexemes[index].text)
        end = self.lexemes[index].end
        match, of = _PRIMED.match(self.typed, end), self.names.formulas.get(name, ())
        called = match is not None and match[1] is not None
        if called and len(of) == 1:
            self.refuse(
                lexeme.start, end, f"{name} is its formula in {of[0]}, and so is its derivative",
                f"{name}{self.written(lexeme.start, end)}({of[0]}), with a value by --at {of[0]}=...",
            )  # fmt: skip
        if match is not None and match[2]:
            variable = match[1] if called and match[1].isidentifier() else "x"
            refuse_defined(self.source, lexeme.start, end, name, variable, order)
        self.refuse(
            lexeme.start, end, "a prime does not tell the variable of the derivative",
            f"diff({name}, x)" if order == 1 else f"diff({name}, x, {order})",
        )  # fmt: skip

    def power(self, lexeme: Lexeme) -> None:
        """Read the ``**`` behind an operand, or pass it on."""
        frame = self.frame
        if self.state != "operand":
            self.put("**", lexeme.start, lexeme.end)
            return
        before = self.previous()
        if frame.sealed and before.kind == "close":
            self._two_powers(lexeme, self.whole(self.at + 1) if self.next() else "...")
        if frame.uses and (self.in_root() or (before.kind == "close" and before.more == "group")):
            self._power_in_use(lexeme, self.whole(self.at + 1) if self.next() else "...")
        if frame.rooted:
            power = f"^{self.whole(self.at + 1)}" if self.next() else "^..."
            self.refuse(before.start, lexeme.end, "how far the root reaches is not clear", *self._marked(power))
        if before.kind == "close" and before.more == "group" and frame.exponent is not None:
            exponent = self.whole(self.at + 1) if self.next() else "..."
            power, last = self.said(frame.exponent.base_at), self.said(frame.exponent.at)
            self.refuse(
                before.start, lexeme.end, "a power of a power wants brackets", f"({power})^{exponent}",
                f"{self.said(frame.exponent.base_at, frame.exponent.at)}({last}^{exponent})",
            )  # fmt: skip
        if before.kind == "raised":
            self.refuse(before.start, lexeme.end, "a power of a power wants brackets", "(...)^(...)")
        after = self.next()
        if self.latex and after is not None and after.kind == "number" and len(after.text) > 1 and not after.more:
            self.refuse(
                lexeme.start, after.end, f"in LaTeX '^{after.text}' raises its first digit alone", f"^{{{after.text}}}"
            )
        if self.latex and after is not None and after.kind == "name" and after.text[0] not in "_`":
            name, sign, index = after.text.partition("_")
            if sign:
                self.refuse(
                    lexeme.start, after.end, f"in LaTeX the subscript of '^{name}_{index}' is that of the base",
                    f"^{{{name}_{index}}}", f"_{index}^{name}",
                )  # fmt: skip
        frame.base_at, frame.base = self.atom, frame.last
        self.put("**", lexeme.start, lexeme.end)
        frame.power_at = len(self.pieces)
        self.state = "exponent"

    def check_quotient(self, lexeme: Lexeme) -> None:
        """Refuse x^1/2 and 5%, which are copied from where they mean something else."""
        frame, after = self.frame, self.next()
        before = self.previous() if self.at else lexeme
        power, glued = frame.exponent, before.end == lexeme.start
        if lexeme.text == "/" and before.kind == "raised" and before.text == "1" and after and after.kind == "number":
            base = self.said(self.atom).rpartition("^")[0]
            self.refuse(
                before.start, after.end, "how far the exponent reaches is not clear", f"{base}^(1/{after.text})",
                f"({base}^1)/{after.text}",
            )  # fmt: skip
        if lexeme.text == "/" and power and before.text == "1" and after is not None and after.kind == "number":
            caret = self.typed[self.pieces[power.at - 1].start] == "^"
            if caret and glued and lexeme.end == after.start and self.pieces[power.at - 1].text == "**":
                base = self.said(power.base_at)
                self.refuse(
                    before.start, after.end, "how far the exponent reaches is not clear",
                    f"{self.said(power.base_at, power.at)}({self.said(power.at)}/{after.text})",
                    f"({base})/{after.text}",
                )  # fmt: skip
        if lexeme.text == "%" and self.typed[lexeme.start] == "%" and self.state == "operand":
            ends = after is None or after.kind in ("close", "comma", "separator", "post", "word")
            if ends or (after is not None and glued and lexeme.end < after.start):
                self.refuse(
                    before.start, lexeme.end, "'%' is the remainder of a division",
                    f"{self.written(before.start, before.end)}/100 for per cent", "mod(a, b) for the remainder",
                )  # fmt: skip
