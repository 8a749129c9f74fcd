"""Characters outside the language, many of which look like those inside (homoglyphs), and what to write instead.

Layer: must not know tokens or expressions, only a text and an offset.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from gradcli.expr import WORDS
from gradcli.functions import SPELLED

REPLACED = {
    spelled: plain
    for plain, row in {
        "-": "\u2212\u2010\u2011\u2012\u2013\u2014\u2015", "+": "\u2795", "/": "\u00f7\u2215\u2044",
        "*": "\u00d7\u00b7\u22c5\u2219\u2217\u2022\u2715\u2716\u2a2f",
        "<=": "\u2264\u2a7d", ">=": "\u2265\u2a7e", "!=": "\u2260", "==": "\u2261",
        "and": "\u2227", "or": "\u2228", "not": "\u00ac", "pi": "\u03c0\U0001d70b", "tau": "\u03c4", "inf": "\u221e",
        "e": "\u212f", "sqrt(...)": "\u221a", "cbrt(...)": "\u221b", "floor(...)": "\u230a\u230b",
        "ceil(...)": "\u2308\u2309", "diff(f, x)": "\u2202\u2032", "*pi/180": "\u00b0", "abs(...)": "\u2223",
        "(": "\u27e8\u3008", ")": "\u27e9\u3009",
    }.items()
    for spelled in row
}  # fmt: skip
SUPERSCRIPT = dict(
    zip(
        "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207a\u207b\u207d\u207e\u207f\u2071\u02e3\u02b8\u1d57\u1d4f\u1d50",
        "0123456789+-()nixytkm",
        strict=True,
    )
)
_SUBSCRIPT = {chr(0x2080 + digit): str(digit) for digit in range(10)}
# Homoglyphs of Latin letters: Cyrillic letters, then Greek ones.
_ALIKE = dict(
    zip(
        "\u0430\u0441\u0501\u0435\u04bb\u0456\u0458\u043e\u0440\u051b\u0455\u0443\u051d\u0445"
        "\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u041e\u0420\u0405\u0422\u0423\u0425"
        "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03bd\u0251\u0131",
        "acdehijopqsywxABCEHIJKMOPSTYXABEZHIKMNOPTYXovai",
        strict=True,
    )
)


def described(c: str) -> str:
    """A character with its code point and Unicode name, so that homoglyphs can be told apart."""
    if c.isascii() and c.isprintable():
        return f"'{c}'"
    name = unicodedata.name(c, "")
    code = f"U+{ord(c):04X}"
    if not c.isprintable():
        return f"{code} ({name})" if name else code
    return f"'{c}' ({code}, {name})" if name else f"'{c}' ({code})"


def foreign(text: str, at: int, word: int) -> tuple[int, str, str]:
    """The number of characters to mark at offset ``at``, the problem and the advice.

    ``word`` is the offset at which the name around them starts.
    """
    c = text[at]
    problem = f"unexpected character {described(c)}"
    raised = re.match(f"[{re.escape(''.join(SUPERSCRIPT))}]{{1,40}}", text[at : at + 40])
    if raised:
        return raised.end(), problem, f"for a power write **{''.join(SUPERSCRIPT[d] for d in raised[0])}"
    advice = _replacement(c)
    if advice is not None:
        return 1, problem, advice
    if not f"_{c}".isidentifier():
        return 1, problem, ""
    end = at
    while end < min(len(text), at + 60) and f"_{text[end]}".isidentifier():
        end += 1
    name = text[word:end]
    if len(name) == 1 and (spelled := _greek(c)) is not None:
        return 1, problem, f"write '{spelled}', or `{name}` in backquotes"
    return end - at, problem, f"names of other letters stand in backquotes, `{name}`"


def latin(name: str) -> str:
    """A name in Latin letters: homoglyphs and Greek letters are spelled out, others stand in backquotes."""
    plain = unicodedata.normalize("NFKC", "".join(_ALIKE.get(c, c) for c in name))
    if plain.isascii():
        return plain
    spelled = _greek(plain) if len(plain) == 1 else None
    return f"`{name}`" if spelled is None or (spelled in SPELLED and plain.islower()) else spelled


def _greek(c: str) -> str | None:
    """The English name of a Greek letter; None for other characters."""
    match = re.fullmatch(r"GREEK (?:SMALL|CAPITAL) LETTER ([A-Z]+)", unicodedata.name(c, ""))
    return match[1].lower().replace("lamda", "lambda") if match else None


def _replacement(c: str) -> str | None:
    """The advice for one character: what to write instead; None if there is none."""
    category = unicodedata.category(c)
    plain = unicodedata.normalize("NFKC", c)
    if c == "\u00b1":
        return "measured values stand in --at of gradcli propagate: --at x=1.02\u00b10.03"
    if c in REPLACED:
        return f"write '{REPLACED[c]}'"
    if c in _ALIKE:
        return f"it only looks like a Latin letter, write '{_ALIKE[c]}'"
    if c in _SUBSCRIPT:
        return f"write '{_SUBSCRIPT[c]}', as in x{_SUBSCRIPT[c]}"
    if category == "Zs":
        return "write an ordinary space"
    if category in ("Cf", "Cc", "Zl", "Zp"):
        return "it is invisible, delete it"
    if category in ("Pi", "Pf"):
        return "there are no strings in this language"
    if category == "Nd":
        return f"write '{unicodedata.digit(c)}'"
    if plain.isascii() and plain.isprintable():
        return f"write '{plain}'"
    if "\u2044" in plain:
        return f"write '({plain.replace(chr(0x2044), '/')})'"
    return None


_TAILS = frozenset({"x", "y", "z", "theta", "phi", "omega", "alpha", "2x", "3x", "2y", "2t"})
"""What stands behind the name of a function when brackets and blanks were left out: sinx, cos2x."""
_ENGLISH = frozenset({"cost", "sect", "tank", "logs", "tans", "sins"})
"""Words that only look like a function and a letter."""


def call_in(name: str, letters: Collection[str]) -> str | None:
    """The call that a name may stand for, sin(x) of sinx; None for other names.

    Behind the function's name stands x, y, z or another usual name, or one of ``letters``, the variables around it.
    """
    for k in range(len(name) - 1, 1, -1):
        row = SPELLED.get(name[:k])
        if row is None or row.arity != (1, 1) or row.parameter or row.internal or row.reduces or name[:k] not in WORDS:
            continue
        tail = name[k:]
        if tail in _TAILS or (tail in letters and name not in _ENGLISH):
            digits = tail.rstrip("abcdefghijklmnopqrstuvwxyz")
            return f"{name[:k]}({digits}{'*' if digits else ''}{tail[len(digits) :]})"
    return None
