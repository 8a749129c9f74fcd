"""Brackets, bars, fractions and cases of natural notation, and what ends with them.

Layer: must not know functions or powers.
"""

from __future__ import annotations

from gradcli.caret import Span
from gradcli.language.natural.lexemes import Lexeme
from gradcli.language.natural.pieces import Frame, Piece, Quotient, powered
from gradcli.language.natural.products import Products
from gradcli.language.natural.scan import CASES

_POWERS = frozenset({"raised", "post"})
_REACHES = frozenset({"raised", "post", "number", "name", "function", "root", "open"})
_REACHING = frozenset({"**", "*", "/", "%"})


class Brackets(Products):
    """Reads brackets and what separates their parts."""

    pending: tuple[int, list[Piece]] | None = None
    """The first piece, and what follows the argument, of the function whose bracket comes next."""
    base_of: Lexeme | None = None
    """The logarithm whose base comes next."""

    def function(self, lexeme: Lexeme, tail: list[Piece]) -> None:
        """Begin a function whose argument comes next."""
        raise NotImplementedError

    def opening(self, lexeme: Lexeme) -> None:
        """Open a bracket, a fraction, cases or the base of a logarithm."""
        outer = self.frame
        at = len(self.pieces)
        kind = {"fraction": "fraction", "cases": "cases", "base": "base"}.get(lexeme.more, "(")
        inner = Frame(kind, lexeme.start, at, outer.roots[0] if outer.roots else at, self.state)
        inner.function, self.base_of = self.base_of, None
        before = next((p.text for p in reversed(self.pieces[-2:]) if p.text), "") if self.pieces else ""
        inner.opened_fresh = self.state == "argument" or before.endswith("(") or (outer.fresh and self.state == "start")
        if self.pending is not None:
            inner.called = True
            inner.atom, inner.tail = self.pending
            self.pending = None
        outer.fresh = False
        if kind != "base":
            self.put(lexeme.text, lexeme.start, lexeme.end)
            if kind == "fraction":
                self.put("(", lexeme.end, lexeme.end)
            inner.term = len(self.pieces)
        self.frames.append(outer)
        self.frame = inner
        self.state = "start"

    def closing(self, lexeme: Lexeme) -> None:
        """Close a bracket."""
        self.close_uses()
        inner = self.frame
        if not self.frames or inner.kind == "bar":
            shown = self.written(lexeme.start, lexeme.end)
            advice = ("abs(...)",) if inner.kind == "bar" else ()
            self.refuse(lexeme.start, lexeme.end, f"'{shown}' closes nothing that is open", *advice)
        if inner.kind == "base":
            self._close_base(inner, lexeme)
            return
        if inner.kind == "cases":
            self._close_cases(inner, lexeme)
        elif inner.kind == "fraction":
            self._close_fraction(inner, lexeme)
        else:
            self._close_group(inner, lexeme)
        self._leave(inner)
        if self.pieces[inner.first].text == "diff(":
            self._behind_derivative(inner, lexeme)
        if inner.kind == "fraction":
            self.frame.factors = True

    def _close_group(self, inner: Frame, lexeme: Lexeme) -> None:
        """Close a bracket or a call; braces of LaTeX around one number or name leave no trace."""
        if lexeme.more == "group" and len(self.pieces) == inner.first + 2 and self.pieces[-1].text.isalnum():
            self.pieces[inner.first].text = ""
        else:
            self.put(lexeme.more if lexeme.more not in ("group", "") else ")", lexeme.start, lexeme.end)

    def _behind_derivative(self, inner: Frame, lexeme: Lexeme) -> None:
        """Refuse d/dx(x+1)^2 and d/dx(x)(x+1), where the derivative may be that of all of it."""
        after = self.next()
        bar = after is not None and after.kind == "bar" and self.frame.kind != "bar"
        signed = after is not None and after.kind == "operator"
        if after is None or not (after.kind in _REACHES or (signed and after.text in _REACHING) or bar):
            return
        power = after.kind == "raised" or after.text == "**"
        index = self.at + 2 if signed else self.at + 1
        right = self.whole(index) if index < len(self.lexemes) else "..."
        right = after.text if after.kind == "raised" else right
        rest = (
            after.text if after.kind == "post" else f"^{right}" if power else f"{after.text if signed else '*'}{right}"
        )
        first, tail = self.pieces[inner.first], lexeme.more
        of = self.said(inner.first + 1, len(self.pieces) - 1)
        shown = self.typed[inner.start : first.end].rstrip("([ ").removesuffix("\\left").rstrip()
        self.refuse(
            inner.start, after.end, f"how far '{shown}' reaches is not clear", f"diff({of}{tail}{rest}",
            f"diff({of if of.isalnum() else f'({of})'}{rest}{tail}",
        )  # fmt: skip

    def _leave(self, inner: Frame) -> None:
        self.frame = self.frames.pop()
        self.atom, self.state = inner.atom, "exponent" if inner.state == "exponent" else "start"
        if inner.tail:
            self.pieces += inner.tail
        self.done("group")
        self.frame.sealed = powered(inner.tail)

    def bar(self, lexeme: Lexeme) -> None:
        """Open or close an absolute value."""
        outer = self.frame
        if self.state != "operand" or outer.kind != "bar":
            at = len(self.pieces)
            inner = Frame("bar", lexeme.start, at, outer.roots[0] if outer.roots else at, self.state)
            outer.fresh = False
            self.put("abs(", lexeme.start, lexeme.end)
            inner.term = len(self.pieces)
            self.frames.append(outer)
            self.frame = inner
            self.state = "start"
            return
        self.close_uses()
        self.put(")", lexeme.start, lexeme.end)
        self._leave(outer)

    # Fractions.

    def middle(self, lexeme: Lexeme) -> None:
        """End the upper part of a fraction."""
        self.close_uses()
        frame = self.frame
        if not frame.loose:
            self.pieces[frame.first + 1].text = ""
        self.put(")" if frame.loose else "", lexeme.start, lexeme.start)
        self.put("/", lexeme.start, lexeme.end)
        frame.middle = len(self.pieces)
        self.put("(", lexeme.end, lexeme.end)
        self.end_factor()
        self.end_term()
        frame.loose = frame.factors = False
        frame.division = None
        frame.term = len(self.pieces)
        self.state = "start"

    def _close_fraction(self, frame: Frame, lexeme: Lexeme) -> None:
        after = self.next()
        power = after is not None and (after.kind in _POWERS or after.text == "**")
        brackets = frame.loose or frame.factors
        if frame.middle is not None and not brackets:
            self.pieces[frame.middle].text = ""
        outer = power or not frame.opened_fresh
        if not outer:
            self.pieces[frame.first].text = ""
        self.put(")" if brackets else "", lexeme.start, lexeme.end)
        self.quotients.append(Quotient(self.pieces[frame.first], self.pieces[-1], Span(frame.start, lexeme.end)))
        self.put(")" if outer else "", lexeme.start, lexeme.end)

    # Bases of logarithms.

    def _close_base(self, inner: Frame, lexeme: Lexeme) -> None:
        """Move the base behind the argument, which follows: log(x)/log(b)."""
        base = self.pieces[inner.first :]
        del self.pieces[inner.first :]
        self.frame = self.frames.pop()
        self.state = inner.state
        function = inner.function
        if function is None or not base:
            self.refuse(inner.start, lexeme.end, "the base of the logarithm is missing", "log_2(...)")
        tail = [
            Piece("/log(", inner.start, inner.start + 1), Piece("", inner.start, lexeme.end, base),
            Piece(")", lexeme.start, lexeme.end),
        ]  # fmt: skip
        behind = Lexeme("function", "log", function.start, lexeme.end, function.gap)
        self.function(behind, tail)

    # Cases, commas and separators.

    def _close_cases(self, frame: Frame, lexeme: Lexeme) -> None:
        opened = self.typed[frame.start : frame.start + 1]
        if frame.row == "value":
            if not frame.rows and self.typed.startswith(("\\{", "\\left"), frame.start) and self.state == "operand":
                # Braces that LaTeX prints around a sum are brackets.
                self.put(")", lexeme.start, lexeme.end)
                return
            if self.state == "operand" or frame.term == len(self.pieces):
                self.refuse(frame.start, frame.start + 1, f"'{opened}': a condition is missing; {CASES}")
            self.refuse(frame.start, frame.start + 1, f"'{opened}': {CASES}")
        self.put(")" if frame.row == "rest" else " else nan)", lexeme.start, lexeme.end)

    def case_word(self, lexeme: Lexeme) -> bool:
        """Whether a word belongs to the cases around it, such as the ``if`` before a condition."""
        frame = self.frame
        if frame.kind != "cases" or lexeme.text not in ("if", "else"):
            return False
        if lexeme.text == "if" and frame.row == "condition" and self.state == "start":
            return True
        if lexeme.text == "if" and frame.row == "value" and self.state == "operand":
            self._condition(lexeme)
            return True
        self.refuse(frame.start, frame.start + 1, f"'{{': {CASES}")

    def _condition(self, lexeme: Lexeme) -> None:
        """Begin the condition of a row."""
        frame = self.frame
        self.end_factor()
        self.end_term()
        frame.row = "condition"
        after = self.next()
        if after is not None and after.kind == "word" and after.text == "otherwise":
            frame.row = "rest"
            self.at += 1
            index = self.at + 1
            while index < len(self.lexemes) and self.lexemes[index].kind == "separator":
                index += 1
            if index < len(self.lexemes) and self.lexemes[index].kind != "close":
                last = self.lexemes[index]
                self.refuse(last.start, last.end, "nothing follows what holds otherwise")
        else:
            self.put(" if ", lexeme.start, lexeme.end)
            self.state = "start"

    def comma(self, lexeme: Lexeme) -> None:
        """Read a comma: between arguments, or before the condition of cases."""
        frame = self.frame
        if frame.kind == "cases":
            if frame.row != "value" or self.state != "operand":
                self.refuse(frame.start, frame.start + 1, f"'{{': {CASES}")
            self._condition(lexeme)
            return
        self.end_factor()
        self.end_term()
        self.put(", ", lexeme.start, lexeme.end)
        self.state = "start"

    def separator(self, lexeme: Lexeme) -> None:
        """Read a line's end or ``;``: between statements, between rows of cases, or white space."""
        frame, text = self.frame, lexeme.text
        if frame.kind == "cases":
            if self.state != "operand":
                if text != "\n":
                    self.refuse(lexeme.start, lexeme.end, f"a row is missing before '{text}': {CASES}")
                return
            if frame.row == "value" and text == "\n":
                return
            after = self.next()
            if after is not None and after.kind == "close":
                return
            if frame.row != "condition":
                self.refuse(frame.start, frame.start + 1, f"'{{': {CASES}")
            self.end_factor()
            self.end_term()
            self.put(" else ", lexeme.start, lexeme.end)
            frame.rows += 1
            frame.row, self.state, frame.term = "value", "start", len(self.pieces)
            return
        if text == "\n" and (self.frames or self.state != "operand"):
            return
        if text == "\\":
            self.refuse(lexeme.start, lexeme.end, "'\\\\' ends a row of cases, and has no reading elsewhere")
        self.end_factor()
        self.end_term()
        self.put("; " if text == ";" else text, lexeme.start, lexeme.end)
        self.state = "start"

    def end_factor(self) -> None:
        """End a factor: functions without brackets, exponents and roots reach no further."""
        self.close_uses()
        frame = self.frame
        frame.exponent, frame.rooted, frame.sealed = None, False, False

    def end_term(self) -> None:
        """End a term of a sum."""
        frame = self.frame
        frame.fresh, frame.barred, frame.loose, frame.division = True, False, True, None
