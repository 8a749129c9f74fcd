"""Names that anyone typed, made safe: identifiers, quoted texts and comments that end where they should.

Must not know expressions.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Sequence

from gradcli.errors import GradError, inert, printable

_LONGEST = 40
_WIDTH = 100
_PLAIN = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*")


def identifiers(names: Sequence[str], reserved: Iterable[str], folds: bool) -> dict[str, str]:
    """An identifier for each name, the name itself where it can be one; ``folds``: letters' case means nothing."""

    def key(name: str) -> str:
        return name.lower() if folds else name

    taken = {key(word) for word in reserved}
    found: dict[str, str] = {}
    for name in names:
        if _PLAIN.fullmatch(name) and len(name) <= _LONGEST and key(name) not in taken:
            found[name] = name
            taken.add(key(name))
    for name in names:
        if name not in found:
            words = re.findall("[A-Za-z0-9]+", name)
            base = "_".join(words)[: _LONGEST - 10].rstrip("_")
            if not base or base[0].isdigit():
                base = f"x{base}"
            count, made = 1, base
            while key(made) in taken:
                count += 1
                made = f"{base}_{count}"
            found[name] = made
            taken.add(key(made))
    return {name: found[name] for name in names}


def comment(mark: str, sentences: Iterable[str]) -> str:
    """Lines of comment in visible ASCII, each within its line whatever the text."""
    made = []
    for sentence in sentences:
        visible = inert(printable(sentence)).encode("ascii", "backslashreplace").decode()
        for line in textwrap.wrap(visible, _WIDTH, subsequent_indent="  ") or [""]:
            # A backslash at the end (or its trigraph) would take the next line into the comment.
            made.append(f"{mark} {line}{' .' if line.endswith((chr(92), '/')) else ''}\n")
    return "".join(made)


def _visible(name: str, kind: str) -> str:
    """The name itself. Raises GradError for control, bidi and other characters that cannot be seen."""
    if not name.isprintable():
        raise GradError(
            f"'{name}' holds characters that cannot be seen: no {kind} is written by that name",
            hint="rename it, here and in the data",
        )
    return name


def quoted(name: str) -> str:
    """An identifier of SQL."""
    return '"' + _visible(name, "column of SQL").replace('"', '""') + '"'


def key(name: str) -> str:
    """A key of a JSON object, within jq: never an interpolation, since each backslash is doubled."""
    return json.dumps(name)


def field(name: str) -> str:
    """A field of Miller."""
    escaped = _visible(name, "field of mlr").replace("\\", "\\\\").replace('"', '\\"')
    return f'$*["{escaped}"]'
