"""Names typed by anyone, made safe in source code: identifiers, quoted names, and comments that end with their line.

Layer: must not know expressions.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Sequence

from gradcli.caret import inert, printable
from gradcli.errors import GradError

_LONGEST = 40
_WIDTH = 100
_PLAIN = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*")


def identifiers(names: Sequence[str], reserved: Iterable[str], folds: bool) -> dict[str, str]:
    """A distinct identifier for each name: the name itself if it is a valid one and not reserved.

    ``folds``: the language ignores the case of letters.
    """

    def key(name: str) -> str:
        return name.lower() if folds else name

    taken = {key(word) for word in reserved}
    chosen: dict[str, str] = {}
    for name in names:
        if _PLAIN.fullmatch(name) and len(name) <= _LONGEST and key(name) not in taken:
            chosen[name] = name
            taken.add(key(name))
    for name in names:
        if name not in chosen:
            words = re.findall("[A-Za-z0-9]+", name)
            base = "_".join(words)[: _LONGEST - 10].rstrip("_")
            if not base or base[0].isdigit():
                base = f"x{base}"
            count, identifier = 1, base
            while key(identifier) in taken:
                count += 1
                identifier = f"{base}_{count}"
            chosen[name] = identifier
            taken.add(key(identifier))
    return {name: chosen[name] for name in names}


def comment(mark: str, sentences: Iterable[str]) -> str:
    """Comment lines of visible ASCII; no text, whatever it contains, continues past the end of its line."""
    lines = []
    for sentence in sentences:
        visible = inert(printable(sentence)).encode("ascii", "backslashreplace").decode()
        for line in textwrap.wrap(visible, _WIDTH, subsequent_indent="  ") or [""]:
            # In C a backslash at the end (or its trigraph ??/) continues the comment on the next line.
            lines.append(f"{mark} {line}{' .' if line.endswith((chr(92), '/')) else ''}\n")
    return "".join(lines)


def _visible(name: str, kind: str) -> str:
    """The name itself. Raises GradError for control, bidirectional and other invisible characters."""
    if not name.isprintable():
        raise GradError(
            f"'{name}' holds characters that cannot be seen: no {kind} is written by that name",
            hint="rename it, here and in the data",
        )
    return name


def quoted(name: str) -> str:
    """A quoted identifier of SQL."""
    return '"' + _visible(name, "column of SQL").replace('"', '""') + '"'


def key(name: str) -> str:
    """A key of a JSON object as a string of jq: doubled backslashes rule out interpolation."""
    return json.dumps(name)


def field(name: str) -> str:
    """A field of Miller in brackets and quotes."""
    escaped = _visible(name, "field of mlr").replace("\\", "\\\\").replace('"', '\\"')
    return f'$*["{escaped}"]'
