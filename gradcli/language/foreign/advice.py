"""Advice for a text that is wrong here and right elsewhere: the text of this language that means the same.

Every text that is suggested has been accepted by the parser. Layer: must not know the grammar.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from gradcli.errors import GradError
from gradcli.language.foreign.forms import forms
from gradcli.language.foreign.lexemes import Notes, Unreadable
from gradcli.language.foreign.words import NOTHING

_LONGEST = 400
"""Characters of the longest statement that is read: longer advice is no help."""
_LOCAL = re.compile("for a product|a decimal point")
"""Advice for one token that the whole text may contradict."""
_READINGS = 4
"""The most texts that are suggested."""
_REASONS = {
    "integral": NOTHING["integral"], "limit": NOTHING["limit"], 
    "index": "-- there is no indexing here: give the element a name, as x0",
    "series": "-- there are no sums over an index here: add the terms up, or sum over points with sum(x)",
}  # fmt: skip


def advised(error: GradError, parse: Callable[[str], object]) -> GradError:
    """The error with the advice for its statement as the hint; ``parse`` raises GradError for a text that is wrong."""
    if error.source is None or error.span is None:
        return error
    statement = _statement(error.source.text, error.span.start)
    texts, remarks = advice(statement) if len(statement) <= _LONGEST else ([], [])
    same = _spaced(statement)
    texts = [text for text in dict.fromkeys(texts) if _spaced(text) != same and _accepted(text, parse)]
    texts = texts[:_READINGS]
    whole = " or ".join(texts if len(texts) < 3 else [", ".join(texts[:-1]), texts[-1]])
    facts = [remark for remark in remarks if texts or remark in _reasons()]
    local = error.hint if "unexpected" in error.message else None
    if local is not None:
        # The advice for one token belongs to the message, unless the whole text says otherwise.
        told = _bare(local.partition("write ")[2])
        if not (texts and _LOCAL.match(local)) or (told and told in _bare(whole) and not texts[1:]):
            error.message = f"{error.message}: {local}"
        error.hint = None
    guess = re.search(r" \((?:did you mean '?(.*?)'?\?|see: .*)\)$", error.message)
    if texts and guess is not None:
        if guess[1] and _bare(guess[1]) == _bare(whole):
            texts = []
        elif not guess[1] or f"{guess[1]}(" not in whole:
            error.message = error.message[: guess.start()]
    # The text stands last: it is what people copy.
    written = texts and _bare(whole) != _bare((local or "").partition("write ")[2])
    pieces = [*(["; ".join(facts[:2])] if facts else []), *([f"write {whole}"] if written else [])]
    if pieces:
        error.hint = ": ".join(pieces)
    error.args = (error.message,)
    return error


def _accepted(text: str, parse: Callable[[str], object]) -> bool:
    try:
        parse(text)
    except GradError:
        return False
    return True


def _spaced(text: str) -> str:
    """A text without the blanks that mean nothing."""
    return re.sub(r"(?<!\w)\s+|\s+(?!\w)", "", text)


def _bare(text: str) -> str:
    """A text without blanks, brackets and quotes, up to a comma: what tells whether one text is in another."""
    return re.sub(r"[\s()']|\.\.\.", "", text.partition(", ")[0])


@cache
def _reasons() -> frozenset[str]:
    """Remarks that say why nothing means the same."""
    return frozenset(reason.removeprefix("-- ") for reason in [*NOTHING.values(), *_REASONS.values()])


def _statement(text: str, at: int) -> str:
    """The statement around an offset: between ``;`` and newlines outside brackets. Empty if it is too long."""
    start, depth = max(0, at - _LONGEST), 0
    cut = start > 0
    for k in range(start, min(len(text), at + _LONGEST)):
        c = text[k]
        depth = max(0, depth + (c in "([{") - (c in ")]}"))
        if depth == 0 and c in ";\n":
            if k >= at:
                return "" if cut else text[start:k]
            start, cut = k + 1, False
    return "" if cut or at + _LONGEST < len(text) else text[start:]


def advice(statement: str) -> tuple[list[str], list[str]]:
    """Readings of a statement, which need not parse, and remarks. Without a reading the remarks tell why, if known."""
    notes = Notes()
    try:
        return list(forms(statement, notes)), list(notes.remarks)
    except RecursionError:
        return [], []
    except Unreadable as reason:
        told = _REASONS.get(str(reason)) or NOTHING.get(str(reason).lower(), "")
        return [], [told.removeprefix("-- ")] if told else []
