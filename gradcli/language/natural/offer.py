"""What the hint of an error of the strict language says of natural notation, where that reads the text.

Layer: must not know the rules of either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from gradcli.errors import GradError

if TYPE_CHECKING:
    from gradcli.language import Parsed

_LONGEST = 10_000
"""Characters of a text that is read again."""
_SHOWN = 200
"""Characters of a reading that is shown."""


def offered(
    error: GradError, text: str, bound: Collection[str], columns: bool | Collection[str], parse: Callable[..., Parsed]
) -> GradError:
    """The error of a text, with the option in its hint if ``parse`` reads the text as natural notation."""
    if len(text) > _LONGEST:
        return error
    try:
        parsed = parse(text, bound, columns=columns, natural=True)
    except GradError as refused:
        hint = error.hint or ""
        if refused.message.startswith("how far") and hint.startswith("write ") and " or " not in hint:
            # The one reading of the hint would be a guess.
            error.hint = refused.hint
        return error
    reading = parsed.read_as
    if reading is None:
        return error
    hint = error.hint or ""
    _, write, advice = hint.rpartition("write ")
    if write and " or " not in advice and _bare(advice) in _bare(reading):
        error.hint = f"{hint}, or give --natural"
    elif len(reading) > _SHOWN or "\n" in reading:
        error.hint = f"{hint}; --natural reads it" if hint else "give --natural, which reads it"
    elif hint:
        error.hint = f"{hint}; --natural reads {reading}"
    else:
        error.hint = f"write {reading}, or give --natural"
    return error


def _bare(text: str) -> str:
    """A text by which two spellings of the same are equal."""
    return re.sub(r"\s+", "", text).replace("**", "^").replace("ln(", "log(")
