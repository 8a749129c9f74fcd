"""Words of natural notation: names, functions, constants, and words made of known pieces.

Layer: must not know LaTeX's commands or what stands beside a word.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NoReturn

from gradcli.language.lookalikes import SUPERSCRIPT
from gradcli.language.natural.letters import Letters
from gradcli.language.natural.symbols import (
    FUNCTIONS,
    GREEK,
    NOTHING,
    NUMBERS,
    RESERVED_FUNCTIONS,
    ROOTS,
    SUBSCRIPTS,
    WORDS,
)

WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*+", re.ASCII)
_OPENS = re.compile(r"[ \t]*+(?:\\left\s*+)?[(\[]")
_ARGUMENT = re.compile(r"\s*+[\w({|√\\]")
_INSIDE = re.compile(r"(.*?)(arc\w{3}h?|a?(?:sin|cos|tan)h?|ln|log\d*|sqrt|exp\d?|sec|csc|cot)(\w+)", re.ASCII)
_BASES = {"2": "log2", "10": "log10"}
_CASE_WORDS = {"otherwise": "otherwise", "else": "otherwise", "for": "if", "when": "if"}
"""Words in cases: the condition that is all the rest, and those before a condition."""
_SHORT = 4
"""Letters of a word from which the product of its letters is no help."""


def plain_letter(c: str) -> str:
    """The ASCII letter or digit that a character of another form is, such as an italic one; else empty."""
    if c.isascii() or c in SUPERSCRIPT or c in SUBSCRIPTS or c in "ªº":
        return ""
    if unicodedata.decomposition(c).startswith(("<super>", "<sub>")):
        return ""
    plain = unicodedata.normalize("NFKC", c)
    return plain if len(plain) == 1 and plain.isascii() and plain.isalnum() else ""


class Words(Letters):
    """Reads words and letters."""

    def word_at(self, at: int) -> int | None:
        """Read the word that begins at an offset; the offset behind it, or None if none begins there."""
        match = WORD.match(self.text, at)
        end = match.end() if match else at
        letters = match[0] if match else ""
        while end < len(self.text) and (letter := plain_letter(self.text[end])):
            letters += letter
            end += 1
            if more := WORD.match(self.text, end):
                letters += more[0]
                end = more.end()
        if not letters or letters[0].isdigit():
            return None
        return self.word(letters, at, end)

    def word(self, word: str, start: int, end: int) -> int:
        """Read a word, with a subscript that follows it; the offset behind it."""
        if self.latex and word not in self.names.given and (below := word.find("_")) > 0 and len(word) > below + 2:
            # LaTeX lowers one character.
            word, end = word[: below + 2], start + below + 2
        word, end = self.subscript(word, end)
        names = self.names
        if word == "x10" and word not in names.given and self._times_ten(start, end):
            self.refuse(start, end, f"'{word}' is a name, or a sign of multiplication and 10", "*10", "*x10")
        if word in names.given and not (word in FUNCTIONS and _OPENS.match(self.text, end)):
            # A function that is called stays one, as in the strict language.
            self.add("name", word, start, end)
            return end
        base, _, lower = word.partition("_")
        if lower and base in names.formulas and set(lower) <= set(names.formulas[base]):
            self.refuse(
                start, end, f"'{word}' is a derivative of {base}, or a name", f"diff({base}, {', '.join(lower)})",
                f"`{word}`",
            )  # fmt: skip
        if word.startswith(("log_", "ln_")):
            return self.logarithm_word(word, start, end)
        if word in _CASE_WORDS and self.open and self.open[-1].more == "cases":
            self.add("word", _CASE_WORDS[word], start, end)
        elif word in WORDS:
            self.add("word", word, start, end)
        elif word == "mod" and self.ends_operand() and _ARGUMENT.match(self.text, end):
            self.add("operator", "%", start, end)
        elif word in ("lim", "int") or (word.endswith("_") and word[:-1] in NOTHING):
            self.refuse(start, end, f"{word.rstrip('_')}: {NOTHING[word.rstrip('_')]}")
        elif (low := self._lowered(word)) in FUNCTIONS:
            self._function(word, low, start, end)
        elif low in NUMBERS or self._one_name(word):
            self.add("name", low, start, end)
        else:
            return self._apart(word, start, end)
        return end

    def _times_ten(self, start: int, end: int) -> bool:
        """Whether a number stands before an x10, and a power behind it, as in 3x10^5."""
        last = self.found[-1] if self.found else None
        power = self.text.startswith(("^", "**"), end) or self.text[end : end + 1] in SUPERSCRIPT
        return power and last is not None and last.kind == "number" and last.end == start

    def logarithm_word(self, word: str, start: int, end: int) -> int:
        """Read log_b with its base; the argument follows. The offset behind it."""
        base = word.partition("_")[2]
        if not base and self.text.startswith("{", end):
            self.add("function", "log", start, end, "base")
            self.enter("(", end, end + 1, "}", "base")
            return end + 1
        plain = base.isdigit() or (len(base) == 1 and base.isalpha()) or base in self.names.given or base in GREEK
        if not plain or not _ARGUMENT.match(self.text, end):
            digits = re.match(r"[0-9]+", base)
            apart = f"log_{digits[0]} {base[digits.end() :] or 'x'}" if digits else "log_b x with one letter b"
            self.refuse(
                start, end, f"'{word}' is a logarithm whose base or argument is not clear, or a name", apart,
                f"`{word}` for the name",
            )  # fmt: skip
        self.add("function", _BASES.get(base, "log"), start, end, "" if base in _BASES else f"/log({base})")
        return end

    @staticmethod
    def _lowered(word: str) -> str:
        """The function or constant that a word in capitals, such as Sin or PI, is; else the word."""
        low = word.lower()
        capitals = len(word) > 1 and (word.istitle() or word.isupper())
        return low if capitals and word not in FUNCTIONS and (low in RESERVED_FUNCTIONS or low == "pi") else word

    @staticmethod
    def _one_name(word: str) -> bool:
        """Whether a word that nobody named is one name: a letter with digits, a Greek one, or with a subscript."""
        letter = re.fullmatch(r"[A-Za-z][0-9]*", word) is not None
        if re.search(r"_[0-9]+[A-Za-z]", word):
            return False
        return letter or word in GREEK or (word.istitle() and word.lower() in GREEK) or "_" in word

    def _function(self, word: str, low: str, start: int, end: int) -> None:
        if low != word and word.istitle() and low[1:] in FUNCTIONS:
            if word[0] not in self.names.given:
                self.refuse(
                    start, end, f"'{word}' may be {low} or a product", f"{low}(...)", f"{word[0]}*{low[1:]}(...)"
                )
            self.add("name", word[0], start, start + 1)
            self.add("function", low[1:], start + 1, end)
            return
        after = self.text[end : end + 1]
        if word[-1].isdigit() and after.isalpha() and not plain_letter(after):
            stem = word.rstrip("0123456789")
            self.refuse(
                start, end + 1, f"'{word}{after}': the digits belong to the function or to its argument",
                f"{word}({after})", f"{stem}({word[len(stem) :]}{after})",
            )  # fmt: skip
        if word[0] in self.names.given and word[1:] in FUNCTIONS:
            self.told = True
        self.add("function", low, start, end)

    def _apart(self, word: str, start: int, end: int) -> int:
        """Read a word that nobody named as its pieces; the offset behind it. Raises GradError unless there is one way.

        A last piece that is a formula such as f(x) is left to be read with its brackets.
        """
        opens = _OPENS.match(self.text, end) is not None
        after = self.text[end : end + 1]
        glued = after in ROOTS or (after.isalpha() and not after.isascii())
        if "_" in word:
            base = re.match(r".*?_[0-9]+", word)
            apart = f"{base[0]} {word[base.end() :]}" if base else "blanks between the factors"
            self.refuse(start, end, f"'{word}' may be one name or a product", apart, f"`{word}` for one name")
        pieces = self.names.apart(word, opens, glued)
        if pieces is not None:
            at = start
            for kind, piece in pieces:
                if at > start and opens and at + len(piece) == end and piece in self.names.formulas:
                    return at
                self.add(kind, piece, at, at + len(piece))
                at += len(piece)
            return end
        if opens and len(word) > 1:
            # The strict grammar says that there is no such function, and which one may be meant.
            self.add("function", word, start, end)
            return end
        self._unknown(word, start, end)

    def _unknown(self, word: str, start: int, end: int) -> NoReturn:
        short = word if len(word) <= 40 else f"{word[:37]}..."
        if re.fullmatch(r"d[A-Za-z]", word):
            self.refuse(start, end, f"'{word}' is no variable: a derivative is written diff", f"diff(f, {word[1]})")
        product = "*".join(word) if len(word) < _SHORT and word.isalpha() else ""
        power = re.search(r"e([A-Za-z])", word) if product else None
        if power:
            self.refuse(
                start, end, f"'{word}' may be a product, a power of e or one name", product,
                f"{word[: power.start()]}{'*' if power.start() else ''}e^{word[power.start() + 1 :]}", f"`{word}`",
            )  # fmt: skip
        inside = _INSIDE.fullmatch(word) if len(word) <= 40 else None
        if not product and inside:
            product = " ".join(filter(None, inside.groups()))
        reading = product or "blanks between the factors of a product"
        self.refuse(
            start, end, f"'{short}' may be one name or a product", reading,
            f"`{short}` for one name, or name it by an option: --wrt {short}, --at {short}=1",
        )  # fmt: skip
