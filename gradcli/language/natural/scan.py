"""The typed text of natural notation to its lexemes, in one pass.

Layer: must not know what stands beside a lexeme, but for the signs that one mark is made of.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NoReturn

from gradcli.language.lookalikes import SUPERSCRIPT, described, foreign
from gradcli.language.natural.latex import Latex
from gradcli.language.natural.lexemes import Lexeme
from gradcli.language.natural.symbols import BARS, BLANKS, DEGREE, ENCLOSING, NOTHING, PRIMES, ROOTS, SIGNS

_NUMBER = re.compile(r"(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+")
_AFTER_COMMA = re.compile(r",([0-9]++)")
_OTHER_BASE = re.compile(r"0[xXbBoO][0-9A-Fa-f]++", re.ASCII)
_RAISED = re.compile(f"[{re.escape(''.join(SUPERSCRIPT))}]++")
_EXPONENT = re.compile(r"\(?[-+]?(?:\d+|[a-z])(?:[-+](?:\d+|[a-z]))*\)?")
_OPERATOR = re.compile(r"\*\*|[<>=!:]=|[-+*/%^<>=]")
_INSIDE = re.compile(r"\s*+([A-Za-z]\w*+|[0-9.]++)\s*+(?:\\[a-zA-Z]++)?+\s*+\]", re.ASCII)
_INSIDE_BRACES = re.compile(r"\s*+([A-Za-z]\w*+|[0-9.]++)\s*+(?:\\[a-zA-Z]++\s*+)?+\\\}", re.ASCII)
_FRACTION = re.compile("([0-9]+)\u2044([0-9]+)")
_ORDER = re.compile(r"\{\s*+\(\s*+([0-9]++|[A-Za-z])\s*+\)\s*+\}", re.ASCII)
_CASES_FOLLOW = re.compile(r"\s*+\\begin")
_RAISED_DEGREE = re.compile(r"\^\s*+(?:\{\s*+\\circ\s*+\}|\\circ(?![A-Za-z]))")
_STRICT = {"^": "**", ":=": "="}
_OF_SETS = frozenset({"max", "min"})
_PAIRS = {"(": ")", "[": "]", "{": "}"}
CASES = "for cases write a if condition else b, or { a, condition; b, otherwise }; to group, ( and )"


class Scan(Latex):
    """Reads the whole text."""

    def read(self) -> list[Lexeme]:
        """The lexemes of the text."""
        at, end = 0, len(self.text)
        while at < end:
            at = self._step(at)
        if len(self.open) == 1 and self.open[0].more == "cases" and self.open[0].closing == "}":
            # The brace of cases is mostly left open.
            self.close("}", end, end)
        return self.found

    def _step(self, at: int) -> int:
        """Read one lexeme; the offset behind it."""
        c = self.text[at]
        if at in self.names.functions:
            definition = self.names.functions[at]
            self.add("definition", definition.name, at, definition.end)
            return definition.end
        if c.isalpha() or c in "_\\\u2202\u2206":
            return self._letters(at, c)
        if c.isdigit() or c in "." or c in SUPERSCRIPT or c.isnumeric():
            return self._digits(at, c)
        if c in BLANKS or (c == "~" and self.latex) or unicodedata.category(c) == "Zs":
            return at + 1
        if c == "#":
            line = self.text.find("\n", at)
            return len(self.text) if line < 0 else line
        if c in "\n;":
            self.add("separator", c, at, at + 1)
        elif c == "\r" and self.text.startswith("\n", at + 1):
            return at + 1
        elif c == "`":
            return self._quoted(at)
        elif c in "([":
            return self._opening(c, at)
        elif c == "{":
            previous = self.found[-1] if self.found else None
            raised = previous is not None and previous.text == "**"
            if raised and (order := _ORDER.match(self.text, at)):
                self.refuse(
                    at, order.end(), f"'^{order[0]}' is a power or the order of a derivative", f"^{order[1]}",
                    f"diff(f, x, {order[1]})",
                )  # fmt: skip
            if self.latex or raised:
                self.enter("(", at, at + 1, "}", "group")
            else:
                self.braces(at, at + 1)
        elif c in ")]}\u230b\u2309":
            return self.close(c, at, at + 1)
        else:
            return self._sign(at, c)
        return at + 1

    def _letters(self, at: int, c: str) -> int:
        if c in "d\u2202\\" and (end := self.derivative_at(at)) is not None:
            return end
        if c == "\\":
            return self.command(at)
        if self.names.formulas and (end := self.formula_at(at)) is not None:
            return end
        if (end := self.word_at(at)) is not None:
            return end
        if c in SUPERSCRIPT:
            return self._raised(at)
        if c in NOTHING:
            self.refuse(at, at + 1, f"'{c}': {NOTHING[c]}")
        if (end := self.letter_at(at)) is not None:
            return end
        self._foreign(at)

    def _foreign(self, at: int) -> NoReturn:
        length, problem, advice = foreign(self.text, at, at)
        form, _, plain = unicodedata.decomposition(self.text[at]).partition(" ")
        if form in ("<super>", "<sub>") and self.text[at].isalpha() and self.text[at] not in "\u00aa\u00ba":
            advice = f"write {'^' if form == '<super>' else '_'}{chr(int(plain.split()[0], 16))}"
        if advice.startswith("write "):
            self.refuse(at, at + length, problem, advice.removeprefix("write "))
        self.refuse(at, at + length, f"{problem}: {advice}" if advice else problem)

    # Numbers and powers.

    def _digits(self, at: int, c: str) -> int:
        match = _NUMBER.match(self.text, at) if c.isascii() else None
        if match is None:
            if c in SUPERSCRIPT:
                return self._raised(at)
            fraction = _FRACTION.fullmatch(unicodedata.normalize("NFKC", c))
            if fraction is not None:
                self.add("number", f"({fraction[1]}/{fraction[2]})", at, at + 1, "fraction")
                return at + 1
            if c == ".":
                self.add("other", c, at, at + 1)
                return at + 1
            self._foreign(at)
        number, end = match[0], match.end()
        if number == "0" and (other := _OTHER_BASE.match(self.text, at)):
            self.refuse(at, other.end(), f"'{other[0]}': numbers are decimal, and x0 is a name", f"0*{other[0][1:]}")
        if self.text.startswith("_", end):
            self.refuse(at, end + 1, "digits are not grouped", "the digits without '_'")
        comma = _AFTER_COMMA.match(self.text, end)
        if comma and not (self.open and (self.open[-1].call or self.open[-1].more == "cases")):
            pair = f"{number},{comma[1]}"
            self.refuse(
                at, comma.end(), f"'{pair}' has a decimal comma, or digits in groups, or is two numbers",
                f"{number}.{comma[1]}", *([f"{number}{comma[1]}"] if len(comma[1]) == 3 else []),
            )  # fmt: skip
        self.add("number", number, at, end)
        return end

    def _raised(self, at: int) -> int:
        match = _RAISED.match(self.text, at)
        if match is None:
            self._foreign(at)
        exponent, end = "".join(SUPERSCRIPT[c] for c in match[0]), match.end()
        if self.text.startswith("\u221a", end):
            index = f"({exponent})" if len(exponent) > 1 else exponent
            if self.ends_operand() or (self.found and self.found[-1].kind in ("prime", "function")):
                root = "cbrt(...)" if exponent == "3" else f"(...)^(1/{index})"
                self.refuse(
                    at, end + 1, f"'{self.text[at : end + 1]}' is a power and a square root, or a root of that order",
                    f"^{index}*sqrt(...)", f"*{root}",
                )  # fmt: skip
            if exponent != "3":
                self.refuse(at, end + 1, "a root of that order is a power", f"(...)^(1/{index})")
            self.add("root", "cbrt", at, end + 1)
            return end + 1
        if not _EXPONENT.fullmatch(exponent) or (exponent[0] == "(") != (exponent[-1] == ")"):
            self.refuse(at, end, "a power of small signs is one number or letter, or a sum of these", "^(...)")
        self.add("raised", exponent, at, end)
        return end

    # Names, brackets and signs.

    def _quoted(self, at: int) -> int:
        end = self.text.find("`", at + 1)
        line = self.text.find("\n", at + 1, end) if end > 0 else 0
        if end < 0 or line > 0:
            self.refuse(at, at + 1, "the other '`' of the name is missing")
        self.add("name", self.text[at : end + 1], at, end + 1)
        return end + 1

    def _opening(self, c: str, at: int) -> int:
        self.bracket(c, at, at + 1)
        return at + 1

    def bracket(self, sign: str, at: int, end: int) -> None:
        """Read an opening bracket."""
        call = bool(self.found) and self.found[-1].kind == "function"
        if sign == "[" and not call and (inside := _INSIDE.match(self.text, end)):
            value = inside[1]
            self.refuse(
                at, inside.end(), f"'[{value}]' is a bracket or the whole part", f"({value})", f"floor({value})"
            )
        self.enter("(", at, end, _PAIRS[sign], ")", call)

    def braces(self, at: int, end: int) -> None:
        """Read the opening brace of cases, or that of max{x, y}; LaTeX may print it beside an environment of them."""
        if _CASES_FOLLOW.match(self.text, end):
            return
        closing = "\\}" if self.text[end - 2 : end] == "\\{" else "}"
        call = bool(self.found) and self.found[-1].kind == "function"
        if call and self.found[-1].text in _OF_SETS:
            self.enter("(", at, end, closing, ")", call=True)
            return
        if closing == "\\}" and not call and (inside := _INSIDE_BRACES.match(self.text, end)):
            self.refuse(
                at, inside.end(), f"'{{{inside[1]}}}' is a bracket or the part behind the point", f"({inside[1]})",
                f"{inside[1]} - floor({inside[1]})",
            )  # fmt: skip
        self.enter("(", at, end, closing, "cases")

    def close(self, sign: str, at: int, end: int) -> int:
        """Read a closing bracket; the offset behind it, or behind what must follow it."""
        shown = self.text[at:end]
        if not self.open:
            self.refuse(at, end, f"'{shown}' closes nothing that is open")
        opened = self.open[-1]
        if opened.closing != sign:
            what = self.text[opened.start : opened.start + 1]
            self.refuse(at, end, f"'{shown}' does not close the '{what}' that is open")
        self.open.pop()
        if opened.more == "middle":
            self.add("middle", "/", at, end)
            return self.denominator(end)
        self.add("close", ")", at, end, opened.more)
        return end

    def _sign(self, at: int, c: str) -> int:
        cases = bool(self.open) and self.open[-1].more == "cases"
        if c == "^" and (degree := _RAISED_DEGREE.match(self.text, at)):
            self.add("post", DEGREE, at, degree.end())
            return degree.end()
        operator = _OPERATOR.match(self.text, at)
        if operator:
            self.add("operator", _STRICT.get(operator[0], operator[0]), at, operator.end())
            return operator.end()
        if c == "," or (c == "&" and cases):
            if not (c == "&" and self.found[-1].kind == "comma"):
                self.add("comma", ",", at, at + 1)
        elif c in BARS:
            self.add("bar", "|", at, at + 1)
        elif c in ("!", DEGREE):
            self.add("post", c, at, at + 1)
        elif c in PRIMES:
            self.add("prime", "'" * PRIMES[c], at, at + 1)
        elif c in SIGNS:
            self.operator(SIGNS[c], at, at + 1)
        elif c == "\u221e":
            self.add("name", "inf", at, at + 1)
        elif c in ENCLOSING:
            self.enter(ENCLOSING[c][0], at, at + 1, ENCLOSING[c][1], call=True)
        elif c in ROOTS:
            self.add("root", ROOTS[c], at, at + 1)
        elif c in NOTHING:
            self.refuse(at, at + 1, f"'{c}': {NOTHING[c]}")
        elif c == ":" and cases:
            self.refuse(self.open[-1].start, self.open[-1].start + 1, f"'{{': {CASES}")
        elif not c.isascii():
            self._foreign(at)
        elif c.isprintable():
            # The strict grammar says what is wrong with it.
            self.add("other", c, at, at + 1)
        else:
            self.refuse(at, at + 1, f"unexpected character {described(c)}")
        return at + 1
