"""Commands of LaTeX: fractions, roots, logarithms, brackets, letters.

Layer: must not know what stands beside a command.
"""

from __future__ import annotations

import re
import unicodedata

from gradcli.language.natural.derivatives import Derivatives
from gradcli.language.natural.lexemes import Open
from gradcli.language.natural.symbols import (
    BRACKETS,
    CLOSING,
    COMMANDS,
    DEGREE,
    FRACTIONS,
    FUNCTIONS,
    GREEK,
    NOTHING,
    NUMBERS,
    SILENT,
    UPRIGHT,
)

_COMMAND = re.compile(r"\\([A-Za-z]++|.)", re.DOTALL)
_SPACE = re.compile(r"\s*+")
_ONE = re.compile(r"[0-9A-Za-z]", re.ASCII)
_INDEX = re.compile(r"\s*+\[\s*+([A-Za-z0-9]++)\s*+\]", re.ASCII)
_UPRIGHT = re.compile(r"\s*+\{\s*+([A-Za-z]++)\s*+\}|\s++([A-Za-z])", re.ASCII)
_SIZED = re.compile(r"\s*+(\\[{}|]|\\[lr]?vert(?![A-Za-z])|[()\[\]|.])")
_CASES = re.compile(r"\s*+\{cases\*?\}")
_BASED = re.compile(r"\s*+_\s*+\{")
_BASE = re.compile(r"\s*+_\s*+(?:\{\s*+([A-Za-z]|[0-9]++)\s*+\}|([A-Za-z0-9])([0-9]*+)|\\([a-z]++))", re.ASCII)
_SHOWN = {"gamma": "\u03b3", "psi": "\u03c8"}


class Latex(Derivatives):
    """Reads commands of LaTeX."""

    def command(self, at: int) -> int:
        """Read the command at an offset; the offset behind it."""
        match = _COMMAND.match(self.text, at)
        if match is None:
            self.refuse(at, at + 1, "a command of LaTeX is missing behind '\\'")
        name, end = match[1], match.end()
        if name in FRACTIONS:
            return self._fraction(at, end)
        if name == "sqrt":
            return self._root(at, end)
        if name in ("log", "ln") and (behind := self._logarithm(at, end)) is not None:
            return behind
        if name in UPRIGHT and (word := _UPRIGHT.match(self.text, end)):
            if word[1] == "d" and (of := _ONE.match(self.text, self._skip(word.end()))) and of[0].isalpha():
                self.refuse(
                    at, of.end(), f"'d{of[0]}' is no variable: a derivative is written diff", f"diff(f, {of[0]})"
                )
            return self.word(word[1] or word[2], at, word.end())
        if name in ("left", "right", "middle") and (sized := _SIZED.match(self.text, end)):
            return self._sized(name, sized[1], at, sized.end())
        if name in SILENT:
            return end
        if name in ("begin", "end"):
            return self._environment(name, at, end)
        if name == "\\":
            self.add("separator", "\\", at, end)
        elif name in ("{", "|"):
            self._sized("", f"\\{name}", at, end)
        elif name == "}":
            self.close("\\}", at, end)
        elif name == "circ":
            self.refuse(at, end, "\\circ joins two functions, or is a degree", "^\\circ for a degree")
        elif name == "degree":
            self.add("post", DEGREE, at, end)
        elif name == "prime":
            self.add("prime", "'", at, end)
        elif name in BRACKETS:
            self.enter(BRACKETS[name][0], at, end, BRACKETS[name][1])
        elif name in CLOSING:
            self.close(CLOSING[name], at, end)
        elif name in COMMANDS:
            self.operator(COMMANDS[name], at, end)
        elif name in _SHOWN:
            return self.letter(name, _SHOWN[name], at, end)
        elif name in NOTHING:
            self.refuse(at, end, f"\\{name}: {NOTHING[name]}")
        elif (low := name.lower().removeprefix("var")) in GREEK | {"tau", "pi"}:
            case = "SMALL" if name.islower() else "CAPITAL"
            letter = unicodedata.lookup(f"GREEK {case} LETTER {low.upper().replace('LAMBDA', 'LAMDA')}")
            self.form(low, f"\\{name}", name.lower() != low, at, end)
            return self.letter(low, letter, at, end)
        elif name in FUNCTIONS | NUMBERS:
            if self.text.startswith("_", self._skip(end)):
                self.refuse(at, self._skip(end) + 1, f"\\{name} with a subscript has no reading here")
            return self.word(name, at, end)
        else:
            self.refuse(at, end, f"\\{name} has no reading here")
        return end

    # Fractions and roots.

    def _fraction(self, at: int, end: int) -> int:
        self.add("open", "(", at, end, "fraction")
        end = self._skip(end)
        if self.text.startswith("{", end):
            self._push("}", "middle", end)
            return end + 1
        self._one(end, "\\frac takes {...}{...}")
        self.add("middle", "/", end + 1, end + 1)
        return self.denominator(end + 1)

    def denominator(self, at: int) -> int:
        """Read the beginning of a fraction's second part; the offset behind it."""
        at = self._skip(at)
        if self.text.startswith("{", at):
            self._push("}", "fraction", at)
            return at + 1
        self._one(at, "\\frac takes {...}{...}")
        self.add("close", ")", at + 1, at + 1, "fraction")
        return at + 1

    def _one(self, at: int, why: str) -> None:
        """Read one letter or digit as an operand of its own, as LaTeX does."""
        match = _ONE.match(self.text, at)
        if match is None:
            self.refuse(at, at + 1, why)
        self.add("number" if match[0].isdigit() else "name", match[0], at, at + 1)

    def _root(self, at: int, end: int) -> int:
        index = _INDEX.match(self.text, end)
        order, end = (index[1], index.end()) if index else ("2", end)
        at_operand = self._skip(end)
        if self.text.startswith("[", at_operand) and index is None:
            self.refuse(at, at_operand + 1, "a root of that order is a power", "(...)^(1/(...))")
        call, tail = {"2": ("sqrt(", ")"), "3": ("cbrt(", ")")}.get(order, ("(", f")**(1/{order})"))
        if self.text.startswith("{", at_operand):
            self.enter(call, at, at_operand + 1, "}", tail, call=True)
            return at_operand + 1
        if order not in ("2", "3"):
            self.refuse(at, end, f"\\sqrt[{order}] takes {{...}}", f"(...)^(1/{order})")
        self.add("root", call[:-1], at, end)
        return at_operand

    def _logarithm(self, at: int, end: int) -> int | None:
        """Read a logarithm with a base below; None without one."""
        base = _BASE.match(self.text, end)
        if base is not None and base[3]:
            digits = base[2] + base[3]
            self.refuse(at, base.end(), f"in LaTeX '_{digits}' lowers its first digit alone", f"\\log_{{{digits}}}")
        if base is not None and (base[4] is None or base[4] in GREEK):
            return self.logarithm_word(f"log_{base[1] or base[2] or base[4]}", at, base.end())
        based = _BASED.match(self.text, end)
        if based is None:
            return None
        self.add("function", "log", at, end, "base")
        self.enter("(", end, based.end(), "}", "base")
        return based.end()

    # Brackets.

    def _sized(self, side: str, sign: str, at: int, end: int) -> int:
        r"""Read a bracket behind \left or \right; \left. prints nothing."""
        bare = sign.lstrip("\\")
        if sign == ".":
            if side == "right" and self.open and self.open[-1].more == "cases":
                self.close("}", at, end)
        elif bare in ("|", "vert", "lvert", "rvert"):
            if side == "left":
                self.enter("abs(", at, end, "\\right|")
            elif side == "right":
                self.close("\\right|", at, end)
            else:
                self.add("bar", "|", at, end)
        elif bare in "([":
            self.bracket(bare, at, end)
        elif bare == "{":
            self.braces(at, end)
        else:
            self.close("\\}" if bare == "}" else bare, at, end)
        return end

    def _environment(self, name: str, at: int, end: int) -> int:
        r"""Read \begin{cases} and \end{cases}."""
        cases = _CASES.match(self.text, end)
        if cases is None or (name == "begin" and "\\end" not in self.text):
            self.refuse(at, end, f"\\{name} has no reading here but that of {{cases}} with its \\end{{cases}}")
        if name == "begin":
            self.enter("(", at, cases.end(), "\\end", "cases")
        else:
            self.close("\\end", at, cases.end())
        return cases.end()

    def _skip(self, at: int) -> int:
        space = _SPACE.match(self.text, at)
        return space.end() if space else at

    def _push(self, closing: str, more: str, at: int) -> None:
        self.open.append(Open(closing, more, at))

    # Given by the reader of all signs.

    def bracket(self, sign: str, at: int, end: int) -> None:
        """Read an opening bracket."""
        raise NotImplementedError

    def braces(self, at: int, end: int) -> None:
        """Read an opening brace that LaTeX prints."""
        raise NotImplementedError

    def close(self, sign: str, at: int, end: int) -> int:
        """Read a closing bracket."""
        raise NotImplementedError
