"""Signs, words and commands of LaTeX that natural notation has beside the language's own.

Layer: data, must not know how a text is read.
"""

from __future__ import annotations

from gradcli.expr import CONSTANTS
from gradcli.expr import WORDS as RESERVED
from gradcli.functions import SPELLED
from gradcli.language.foreign.words import OPERATORS
from gradcli.language.lookalikes import REPLACED

FUNCTIONS = frozenset({*(word for word, row in SPELLED.items() if not row.internal), "diff"})
"""The words that call a function."""
_OVER_POINTS = frozenset({"min", "max", "sum", "mean", "prod", "norm"})
BARE = frozenset(
    word
    for word in FUNCTIONS - {"diff"}
    if SPELLED[word].takes(1) and SPELLED[word].arity[0] == 1 and not SPELLED[word].parameter
    and SPELLED[word].name not in _OVER_POINTS
)  # fmt: skip
"""The functions of one argument, which may stand without brackets."""
NUMBERS = frozenset({*CONSTANTS, "inf", "nan"})
"""The words that are constants."""
RESERVED_FUNCTIONS = FUNCTIONS & RESERVED
"""The functions whose names are never those of variables; the others are functions only where they are called."""
WORDS = frozenset({"if", "else", "and", "or", "not"})
"""The words that join conditions."""
_GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi omicron rho sigma "
    "upsilon phi varphi chi psi omega"
)
GREEK = frozenset(_GREEK.split())
"""Letters by their names: one variable each."""

_PLAIN = frozenset({"-", "+", "/", "*", "<=", ">=", "!=", "==", "and", "or", "not"})
SIGNS = {sign: plain for sign, plain in REPLACED.items() if plain in _PLAIN}
"""Signs of operators that are not in ASCII."""
ENCLOSING = {"\u230a": ("floor(", "\u230b"), "\u2308": ("ceil(", "\u2309")}
"""Signs that open a bracket which is a function: the call, and the sign that closes it."""
ROOTS = {"\u221a": "sqrt", "\u221b": "cbrt"}
PRIMES = {"'": 1, "\u2032": 1, "\u2019": 1, "\u2033": 2, "\u2034": 3}
"""Signs of derivatives, with their order."""
DEGREE = "\u00b0"
BARS = frozenset({"|", "\u2223"})
SUBSCRIPTS = {chr(0x2080 + digit): str(digit) for digit in range(10)}
BLANKS = frozenset(" \t$\u2061\u2062")
"""Characters that mean nothing: blanks, the signs around LaTeX, and the invisible signs of a call and a product."""

_NO_INTEGRALS = "there are no integrals"
_NO_LIMITS = "there are no limits"
_NO_SERIES = "there are no sums or products over an index: write the terms"
_NO_SETS = "there are no sets"
_TWO_SIGNS = "it makes two expressions: write each"
NOTHING = {
    **dict.fromkeys("\u222b\u222c", _NO_INTEGRALS), **dict.fromkeys(("int", "iint", "oint"), _NO_INTEGRALS),
    "lim": _NO_LIMITS, **dict.fromkeys("\u03a3\u2211\u220f", _NO_SERIES), "sum": _NO_SERIES, "prod": _NO_SERIES,
    "\u2208": _NO_SETS, "in": _NO_SETS, **dict.fromkeys("\u00b1\u2213", _TWO_SIGNS), "pm": _TWO_SIGNS, "mp": _TWO_SIGNS,
}  # fmt: skip
"""Signs, and commands of LaTeX, that nothing here can mean, with the reason."""

COMMANDS = {name[1:]: plain for name, plain in OPERATORS.items() if name.startswith("\\")} | {
    "infty": "inf", "vert": "|", "mid": "|", "lbrace": "(", "rbrace": ")",
}  # fmt: skip
"""Commands of LaTeX that are operators or constants."""
BRACKETS = {"lvert": ("abs(", "\\rvert"), "lfloor": ("floor(", "\u230b"), "lceil": ("ceil(", "\u2309")}
"""Commands that open a bracket which is a function, and what closes it."""
CLOSING = {"rvert": "\\rvert", "rfloor": "\u230b", "rceil": "\u2309"}
_SILENT = "left right big Big bigg Bigg bigl bigr Bigl Bigr displaystyle textstyle limits quad qquad , ; ! : >"
SILENT = frozenset({*_SILENT.split(), *"()[] \n"})
"""Commands that only move or resize what they print."""
UPRIGHT = frozenset({"mathrm", "operatorname", "text", "mathit", "mathbf", "textrm", "rm"})
"""Commands that print letters as a word."""
FRACTIONS = frozenset({"frac", "dfrac", "tfrac", "cfrac"})
