"""Names in messages: functions that do not exist, words of other languages.

Layer: must not know tokens or the grammar.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gradcli.errors import GradError
from gradcli.expr import Expr
from gradcli.functions import SPELLED
from gradcli.language.tokens import short

_NOTED = 1000
"""The most variables that a note is made for."""
_SLIPS = 3
"""Letters of a name from which on the product with a bracket is no reading of it: zzz(x), but not hypot3(x)."""


def all_points(e: Expr, why: str) -> str:
    """The message for a reduction over all points in a position that needs a value at each point."""
    return f"{e.op} with one argument takes all points at once, {why}"


def column_too(name: str, path: str) -> GradError:
    """The error for a constant whose name is that of a column."""
    return GradError(
        f"'{name}' is a constant, and a column of {path} too",
        hint=f"for the column write `{name}` in backquotes, for the constant add --constant {name}",
    )


def not_called(name: str) -> GradError:
    """The error for a function that is not called."""
    return GradError(
        f"{name} is a function: write {name}(...)",
        hint=f"a variable of that name has a value (--at {name}=1), a column, or backquotes: `{name}`",
    )


def unknown_function(name: str, call: str, count: int, known: bool) -> str:
    """The message for a call of an unknown function, with a function that a slip of the keys makes this, or a product.

    ``call`` is the text after the name, brackets included, ``count`` the number of arguments; ``known`` says that the
    name is a variable or definition.
    """
    from gradcli.language.foreign.meaning import known as foreign

    message = f"unknown function '{name}'"
    if not known:
        if foreign(name):
            return message
        near = _slips(name, count)
        if near:
            return f"{message} (did you mean {near[0]!r}?)"
    if count == 1 and (known or len(name) <= _SLIPS):
        return f"{message} (did you mean {name}*{short(call)}?)"
    return f"{message} (see: gradcli functions)"


def _slips(name: str, count: int) -> list[str]:
    """The function of so many arguments whose name differs by one slip: a letter left out, doubled, wrong or swapped.

    A letter more or another one at the end is no slip, since it makes another function: sind, sinc, erfi; nor is
    another first letter. Of bessel there is more than one.
    """
    from difflib import SequenceMatcher

    low = name.lower()
    words = [word for word, row in SPELLED.items() if not row.internal and len(word) > 1 and row.takes(count)]
    same = [word for word in words if word.lower() == low]
    near = same or [word for word in words if len(low) > 1 and _one_slip(low, word.lower())]
    likeness = {word: SequenceMatcher(None, low, word.lower()).ratio() for word in near}
    if len(near) > 1 and all(word.startswith(low) for word in near):
        return []
    return sorted(near, key=lambda word: -likeness[word])[:1]


def _one_slip(typed: str, word: str) -> bool:
    if len(typed) == len(word):
        wrong = [k for k, (a, b) in enumerate(zip(typed, word, strict=True)) if a != b]
        swapped = len(wrong) == 2 and wrong[1] == wrong[0] + 1 and sorted(typed) == sorted(word)
        return swapped or (len(wrong) == 1 and 0 < wrong[0] < len(word) - 1 and len(word) > 3)
    longer, shorter = (typed, word) if len(typed) > len(word) else (word, typed)
    if len(longer) != len(shorter) + 1:
        return False
    left_out = [k for k in range(len(longer)) if longer[:k] + longer[k + 1 :] == shorter]
    if longer is word:
        return bool(left_out) and left_out[-1] > 0 and (left_out[0] < len(typed) or len(typed) > 3)
    return any(k > 0 and longer[k] == longer[k - 1] for k in left_out)


def glued(variables: Collection[str]) -> str:
    """The note on variables whose names look like a call, as sinx, or like a constant, as PI; empty without one."""
    from gradcli.language.foreign.words import CONSTANT_WORDS
    from gradcli.language.lookalikes import call_in

    if len(variables) > _NOTED:
        return ""
    letters = {name for name in variables if len(name) == 1}
    meant = {name: CONSTANT_WORDS.get(name) or call_in(name, letters) for name in variables}
    notes = [f"{name} is read as one variable (did you mean {text}?)" for name, text in meant.items() if text]
    return "; ".join(notes[:3])


def product(variables: Sequence[str], unused: Sequence[str]) -> str:
    """The hint for a variable that is two names that are given and not used, written side by side; else empty."""
    pairs = {a + b: f"{a}*{b}" for a in unused for b in unused if a != b} if len(unused) <= 9 else {}
    glued = next((name for name in variables if name in pairs), None)
    return f"{glued} is one variable: for a product write {pairs[glued]}" if glued else ""
