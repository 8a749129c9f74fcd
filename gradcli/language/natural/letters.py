"""Greek letters of natural notation, and the subscripts of letters and words.

Layer: must not know words of more than one piece.
"""

from __future__ import annotations

import re
import unicodedata

from gradcli.language.natural.lexemes import Lexemes
from gradcli.language.natural.symbols import BARE, FUNCTIONS, GREEK, NOTHING, NUMBERS, SUBSCRIPTS

_LOWERED = re.compile("[₀-₉]++")
_IN_BRACES = re.compile(r"\{\s*+([A-Za-z0-9]++)\s*+\}", re.ASCII)
_COMMAND = r"\\(?:(?:mathrm|text|textrm|operatorname|mathit)\s*+\{\s*+([A-Za-z0-9]++)\s*+\}|([A-Za-z]++))"
_BELOW = re.compile(rf"{_COMMAND}|\{{\s*+{_COMMAND}\s*+\}}")
_DIFFERENCE = re.compile(r"\s*+\{?+(\\(?:" + "|".join(sorted(GREEK)) + r")(?![A-Za-z])|[^\W\d_])")
_JOINED = re.compile(r"_([A-Za-z0-9]++)", re.ASCII)
_JOINED_LATEX = re.compile(r"_([A-Za-z0-9])", re.ASCII)
_TAKEN = BARE | NUMBERS
"""Names of letters that are also those of functions or constants: the variable stands in backquotes."""
_GREEK_NAME = re.compile(r"GREEK (?:SMALL|CAPITAL) LETTER ([A-Z]+)")
_SYMBOLS = frozenset("\u03d5\u03f5\u03d1\u03f0\u03f1\u03d6")
"""The other forms of some Greek letters."""


class Letters(Lexemes):
    """Reads Greek letters and subscripts."""

    def subscript(self, word: str, end: int) -> tuple[str, int]:
        """The word with a subscript in braces or of small digits."""
        at = end if word.endswith("_") else end + 1 if self.text.startswith("_{", end) else None
        if at is not None and (braces := _IN_BRACES.match(self.text, at)):
            return f"{word.rstrip('_')}_{braces[1]}", braces.end()
        below = end if word.endswith("_") else None
        if below is not None and word[:-1] not in FUNCTIONS and word[:-1] not in NOTHING:
            command, end = self._subscript_command(below)
            return f"{word}{command}", end
        if small := _LOWERED.match(self.text, end):
            digits = "".join(SUBSCRIPTS[c] for c in small[0])
            joined = word == "log" or f"{word}_{digits}" in self.names.given
            return f"{word}_{digits}" if joined else word + digits, small.end()
        return word, end

    def _subscript_command(self, at: int) -> tuple[str, int]:
        """The subscript that is a command of LaTeX, with the offset behind it; empty where there is none."""
        match = _BELOW.match(self.text, at)
        if match is not None:
            word, letter = match[1] or match[3], match[2] or match[4]
            if word or letter in GREEK:
                return word or letter, match.end()
        after = self.text[at : at + 1]
        if after and (after in "{\\" or (after.isalpha() and not after.isascii())):
            self.refuse(at, at + 1, "a subscript is one word, number or Greek letter", "x_1", "x_max")
        return "", at

    # Greek letters.

    def letter_at(self, at: int) -> int | None:
        """Read the Greek letter at an offset; the offset behind it, or None if there is none."""
        letter = self.text[at]
        plain = "Δ" if letter == "\u2206" else unicodedata.normalize("NFKC", letter)
        match = _GREEK_NAME.fullmatch(unicodedata.name(plain, "")) if len(plain) == 1 else None
        if match is None:
            return None
        one = unicodedata.decomposition(letter).rpartition(" ")[2]
        symbol = letter in _SYMBOLS or (len(one) > 0 and chr(int(one, 16)) in _SYMBOLS)
        self.form(f"{plain}", letter, symbol, at, at + 1)
        return self.letter(match[1].lower().replace("lamda", "lambda"), plain, at, at + 1)

    def form(self, name: str, shown: str, symbol: bool, start: int, end: int) -> None:
        """Refuse a letter in both of its forms, which may be two variables, and the pi that looks like omega."""
        if name in ("π", "pi") and symbol:
            self.refuse(start, end, f"'{shown}' is pi, or a variable", "pi", "a name of your own")
        if self.forms.setdefault(name, symbol) != symbol:
            self.refuse(
                start, end, f"'{shown}' is the other form of a letter of this text, or another variable",
                "the same form for one variable", "`another` name for two",
            )  # fmt: skip

    def letter(self, name: str, letter: str, start: int, end: int) -> int:
        """Read a Greek letter by its name, with a subscript; the offset behind it."""
        names = self.names
        if name == "pi" and letter == "π":
            self.add("name", "pi", start, end)
            return end
        spelled = name if letter.islower() else name.capitalize()
        if name == "tau" and letter not in names.given and spelled not in names.given:
            self.refuse(start, end, f"'{letter}' is the constant 2*pi, or a variable", "tau", f"`{letter}`")
        of = _DIFFERENCE.match(self.text, end) if name == "delta" else None
        if of and (self.text[start] == "\\" or not of[0][0].isspace()):
            other = of[1].removeprefix("\\")
            self.refuse(
                start, of.end(), f"'{self.text[start : of.end()]}' is a difference, which is one name, or a product",
                f"`{letter}{other}`", f"{spelled}*{other}",
            )  # fmt: skip
        if letter in names.given:
            spelled = letter
        joined = (_JOINED_LATEX if self.latex else _JOINED).match(self.text, end)
        braces = _IN_BRACES.match(self.text, end + 1) if self.text.startswith("_{", end) else None
        small = _LOWERED.match(self.text, end)
        subscript = ""
        if braces or joined:
            part = braces or joined
            assert part is not None
            subscript, end = f"_{part[1]}", part.end()
        elif self.text.startswith(("_\\", "_{"), end):
            below, end = self._subscript_command(end + 1)
            subscript = f"_{below}"
        elif small:
            subscript, end = "".join(SUBSCRIPTS[c] for c in small[0]), small.end()
        spelled += subscript
        if not spelled.isascii():
            spelled = f"`{spelled}`"
        elif spelled in _TAKEN and spelled not in names.given:
            spelled = f"`{letter}`"
        self.add("name", spelled, start, end)
        return end
