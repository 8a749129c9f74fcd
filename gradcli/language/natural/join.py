"""The lexemes of natural notation to the strict text: functions without brackets, powers, roots, bars, cases.

Layer: must not know signs or words of the typed text.
"""

from __future__ import annotations

from gradcli.language.natural.lexemes import Lexeme
from gradcli.language.natural.pieces import Piece, Use, flat
from gradcli.language.natural.powers import Powers
from gradcli.language.natural.symbols import BARE, FUNCTIONS, GREEK, RESERVED_FUNCTIONS

_OPERANDS = frozenset({"number", "name", "function", "root", "open", "bar"})
_FACTORS = frozenset({"*", "/", "%"})
_SIGNS = frozenset({"+", "-"})


class Join(Powers):
    """Reads all lexemes."""

    def read(self) -> list[Piece]:
        """The pieces of the strict text."""
        readers = {
            "number": self._operand, "name": self._operand, "function": self._function, "root": self._root,
            "open": self.opening, "close": self.closing, "bar": self.bar, "middle": self.middle,
            "raised": self.raised, "post": self.post, "prime": self.prime, "comma": self.comma,
            "separator": self.separator, "operator": self._operator, "word": self._word,
            "definition": self._definition, "other": self._other,
        }  # fmt: skip
        while self.at < len(self.lexemes):
            lexeme = self.lexemes[self.at]
            self.stop = self.previous().end if self.at else 0
            opens_bar = lexeme.kind == "bar" and (self.state != "operand" or self.frame.kind != "bar")
            begins = lexeme.kind in _OPERANDS and (lexeme.kind != "bar" or opens_bar)
            if self.state == "operand":
                self._check_derivative(lexeme, begins)
            if begins:
                self._begin(lexeme)
            readers[lexeme.kind](lexeme)
            self.at += 1
        self.stop = len(self.typed)
        self.close_uses()
        if self.frame.kind == "bar":
            self.refuse(self.frame.start, self.frame.start + 1, "this bar is not closed", "abs(...)")
        return flat(self.pieces)

    def _begin(self, lexeme: Lexeme) -> None:
        """Begin an operand: behind another one it is a product."""
        called = lexeme.kind == "open" and self.pending is not None
        if self.state == "operand" and not called:
            if lexeme.more == "fraction" and lexeme.kind == "open":
                self.mixed(lexeme)
            self.times(lexeme)
        if self.state == "start" and self.frame.fresh and self.frame.division is None:
            self.frame.term = len(self.pieces)

    def _check_derivative(self, lexeme: Lexeme, begins: bool) -> None:
        """Refuse d/dx(x+1)^2 and d/dx(x+1)(x-1), where the derivative may be that of the whole."""
        before, text = self.previous(), lexeme.text
        if before.kind != "close" or not before.more.startswith(", "):
            return
        if begins:
            mark = f"*{self.whole(self.at)}"
        elif lexeme.kind in ("raised", "post"):
            mark = f"^{text}" if lexeme.kind == "raised" else text
        elif lexeme.kind == "operator" and text in _FACTORS | {"**"}:
            mark = f"{'^' if text == '**' else text}{self.whole(self.at + 1) if self.next() else '...'}"
        else:
            return
        derivative = self.said(self.atom)
        body = derivative.removeprefix("diff(").removesuffix(before.more)
        self.refuse(
            self.pieces[self.atom].start, lexeme.end, "how far the derivative reaches is not clear",
            f"{derivative}{mark}", f"diff(({body}){mark}{before.more}",
        )  # fmt: skip

    # Operands.

    def _operand(self, lexeme: Lexeme) -> None:
        if not self.frame.roots:
            self.atom = len(self.pieces)
        self.frame.fresh = False
        self.put(lexeme.text, lexeme.start, lexeme.end)
        self.done("call" if lexeme.more == "formula" else lexeme.kind, lexeme.text)

    def _function(self, lexeme: Lexeme) -> None:
        if lexeme.more == "base":
            self.frame.fresh = False
            self.base_of = lexeme
            return
        self.function(lexeme, [Piece(lexeme.more, lexeme.start, lexeme.end)] if lexeme.more else [])

    def function(self, lexeme: Lexeme, tail: list[Piece]) -> None:
        """Begin a function: a call, or one without brackets; ``tail`` follows its argument."""
        frame = self.frame
        at = frame.roots[0] if frame.roots else len(self.pieces)
        lexeme_at = self.at
        power = self.power_of(lexeme)
        after = self.next()
        if after is None or not self._begins_argument(lexeme, after):
            # It is not called: a variable, or the strict grammar tells what is missing.
            if tail:
                self.refuse(lexeme.start, lexeme.end, "the argument of the logarithm is missing", "log_2 x")
            self.at = lexeme_at
            self.atom = at
            frame.fresh = False
            self.put(lexeme.text, lexeme.start, lexeme.end)
            self.done("name", lexeme.text)
            return
        if lexeme.text in GREEK and (power or after.text != "("):
            argument, powered = self.whole(self.at + 1), self.written(lexeme.start, self.lexemes[self.at].end)
            self.refuse(
                lexeme.start, after.end, f"'{lexeme.text}' is a variable or a function", f"{powered}*{argument}",
                f"{lexeme.text}({'...' if power else argument})",
            )  # fmt: skip
        tail = [*tail, *power]
        if tail and tail[0].text.startswith("/"):
            # log(x)/log(b) is one operand.
            self.put("(", lexeme.start, lexeme.start)
            quotient = next((k for k, piece in enumerate(tail) if piece.text.startswith("**")), len(tail))
            tail.insert(quotient, Piece(")", lexeme.end, lexeme.end))
        self.put(lexeme.text, lexeme.start, lexeme.end)
        frame.fresh = False
        self.atom = at
        if after.kind == "open" and after.text == "(" and after.more not in ("fraction", "group"):
            self.pending = (at, tail)
        else:
            if frame.roots:
                self.refuse(
                    self.pieces[frame.roots[0]].start, after.end, "a root takes a function with brackets",
                    f"{self.said(frame.roots[0])}({self.whole(self.at + 1)}))",
                )  # fmt: skip
            if lexeme.text not in BARE:
                self.refuse(
                    lexeme.start, lexeme.end, f"{lexeme.text} takes its arguments in brackets", f"{lexeme.text}(...)"
                )
            self.pieces[-1].text += "("
            frame.uses.append(Use(at, tail, lexeme.start, lexeme.end, self.state == "exponent"))
            self.state = "argument"

    def _begins_argument(self, function: Lexeme, after: Lexeme) -> bool:
        """Whether the argument of a function begins. A sign begins none behind what may be a variable's name."""
        if after.kind == "bar":
            return self.frame.kind != "bar" or function.text in RESERVED_FUNCTIONS
        if after.kind in _OPERANDS or function.text not in RESERVED_FUNCTIONS:
            return after.kind in _OPERANDS
        further = self.lexemes[self.at + 2] if self.at + 2 < len(self.lexemes) else None
        behind = self.lexemes[self.at + 3] if self.at + 3 < len(self.lexemes) else None
        inverse = f"a{function.text}"
        one = after.text == "-" and further is not None and further.text == "1" and not further.gap
        if one and further and behind and behind.kind in _OPERANDS and inverse in FUNCTIONS:
            # A raised -1 that a copy of the text has put on the line.
            self.refuse(
                function.start, further.end,
                f"'{self.written(function.start, further.end)}' is the inverse function, or the value at -1",
                f"{inverse}(...)", f"{function.text}(-1)*...", f"{function.text}(-1*...)",
            )  # fmt: skip
        signed = after.kind == "operator" and after.text in _SIGNS
        return signed and further is not None and not further.gap and further.kind in _OPERANDS

    def _root(self, lexeme: Lexeme) -> None:
        frame, after = self.frame, self.next()
        at = frame.roots[0] if frame.roots else len(self.pieces)
        frame.fresh = False
        self.atom = at
        if after is not None and after.kind == "open" and after.text == "(" and after.more == ")":
            self.put(lexeme.text, lexeme.start, lexeme.end)
            self.pending = (at, [])
            return
        frame.roots.append(len(self.pieces))
        self.put(f"{lexeme.text}(", lexeme.start, lexeme.end)

    # Operators and words.

    def _operator(self, lexeme: Lexeme) -> None:
        frame, text = self.frame, lexeme.text
        if text in _FACTORS and frame.uses:
            self._factor_behind_use(lexeme)
        if text == "**":
            self.power(lexeme)
        elif text in _SIGNS and self.state != "operand":
            self.put(text, lexeme.start, lexeme.end)
            if frame.fresh:
                frame.term = len(self.pieces)
            frame.fresh = False
            frame.factors = True
        else:
            self.check_quotient(lexeme)
            self.end_factor()
            if text in _FACTORS:
                frame.factors = True
                frame.division = len(self.pieces) if text != "*" else None
                self.put(" % " if text == "%" else text, lexeme.start, lexeme.end)
            else:
                self.end_term()
                self.put(f" {text} " if self.state == "operand" else text, lexeme.start, lexeme.end)
            self.state = "start"

    def _factor_behind_use(self, lexeme: Lexeme) -> None:
        """Refuse sin x/2 and sin 2*x; sin x * cos x and sin x / cos x have one reading."""
        use, after = self.frame.uses[-1], self.next()
        if after is not None and after.kind == "function" and len(self.frame.uses) == 1 and lexeme.text != "%":
            return
        call = self.said(use.at)
        right = "..."
        if after is not None:
            self.at += 1
            right = self.whole(self.at)
        self.refuse(
            use.start, after.end if after is not None else lexeme.end,
            f"how far {self.written(use.start, use.end)} reaches is not clear",
            f"{call}){lexeme.text}{right}", f"{call}{lexeme.text}{right})",
        )  # fmt: skip

    def _word(self, lexeme: Lexeme) -> None:
        if self.case_word(lexeme):
            return
        self.end_factor()
        self.end_term()
        text = lexeme.text
        self.put(f" {text} " if self.state == "operand" else f"{text} ", lexeme.start, lexeme.end)
        self.state = "start"

    def _definition(self, lexeme: Lexeme) -> None:
        self.put(f"{lexeme.text} = ", lexeme.start, lexeme.end)

    def _other(self, lexeme: Lexeme) -> None:
        self.end_factor()
        self.put(lexeme.text, lexeme.start, lexeme.end)
        self.state = "start"
