"""Random texts for natural notation: strict expressions, and the same as people write them."""

import random
import re

NAMES = [
    "x",
    "y",
    "z",
    "a",
    "b",
    "t",
    "n",
    "x1",
    "x_1",
    "t2",
    "k_max",
    "`temp C`",
    "rate",
    "`\u03b8`",
    "lambda",
    "X",
    "f",
]
"""``rate`` has to be known."""
KNOWN = ("rate",)
_FUNCTIONS = "sin cos tan exp log ln sqrt cbrt abs atan asin sinh erf gamma floor sign arcsin lg tanh relu expm1 log2"
FUNCTIONS = _FUNCTIONS.split()
CONSTANTS = ["pi", "e", "tau"]
PAIRS = ["atan2", "hypot", "max", "min", "mod", "fmod"]
NUMBERS = ["1", "2", "3", "0.5", "2.", "1e3", "1e-3", ".5", "10", "7"]


class Texts:
    """Strict texts, drawn by lot."""

    def __init__(self, seed: int) -> None:
        self.lot = random.Random(seed)

    def strict(self) -> str:
        """A strict text; it need not be valid, since a function may be constant where its domain has none."""
        text = self._expression(self.lot.choice([2, 3, 3, 4]))
        return f"w = {text}; w*w + {self._expression(1)}" if self.lot.random() < 0.1 else text

    def _expression(self, depth: int) -> str:
        lot, kind, blank = self.lot, self.lot.random(), self.lot.choice(["", " ", "", " "])
        part = self._expression
        if depth <= 0:
            return lot.choice(
                [lot.choice(NUMBERS), lot.choice(NAMES), lot.choice(NAMES), lot.choice(["pi", "e", "tau"])]
            )
        if kind < 0.4:
            return f"{part(depth - 1)}{blank}{lot.choice('+-*/*-')}{blank}{part(depth - 1)}"
        if kind < 0.5:
            return f"{part(depth - 1)}{blank}{lot.choice(['**', '^'])}{blank}{part(depth - 2)}"
        if kind < 0.55:
            return f"{part(depth - 1)} % {part(depth - 1)}"
        if kind < 0.6:
            return f"-{blank}{part(depth - 1)}"
        if kind < 0.75:
            return f"({blank}{part(depth - 1)}{blank})"
        if kind < 0.87:
            return f"{lot.choice(FUNCTIONS)}{lot.choice(['', ' ', ''])}({part(depth - 1)})"
        if kind < 0.92:
            return f"{lot.choice(PAIRS)}({part(depth - 1)},{blank}{part(depth - 1)})"
        if kind < 0.95:
            condition = f"{part(depth - 2)} {lot.choice(['<', '<=', '!=', '=='])} {part(depth - 2)}"
            return f"where({condition}, {part(depth - 1)}, {part(depth - 1)})"
        if kind < 0.98:
            condition = f"{part(depth - 2)} > {part(depth - 2)} and not {part(depth - 2)}<{part(depth - 2)}"
            return f"({part(depth - 1)} if {condition} else {part(depth - 1)})"
        return f"diff({part(depth - 1)}, {lot.choice('xyz')})"

    def loose(self, text: str) -> str:
        """The text with ``*`` dropped, small raised digits, and functions without brackets."""
        text = re.sub(r"(?<!\*)\*(?!\*)(?=\s*[^-+\s])", self._product, text)
        if self.lot.random() < 0.3:
            text = re.sub(r"(?:\*\*|\^)2(?![\d.e]|\s*(?:\*\*|\^))", "\u00b2", text)
        if self.lot.random() < 0.3:
            bare = r"\b(sin|cos|tan|exp|ln|sqrt)\((\w+|`\u03b8`)\)(?=\s+[-+)%]|[-+),]|$)"
            text = re.sub(bare, r"\1 \2", text)
        return text

    def _product(self, star: re.Match[str]) -> str:
        chance, text = self.lot.random(), star.string
        brackets = text[star.end() : star.end() + 1] == "(" or text[star.start() - 1 : star.start()] == ")"
        if chance < 0.75:
            return " " if chance < 0.6 or not brackets else ""
        return "\u00b7" if chance < 0.8 else "*"
