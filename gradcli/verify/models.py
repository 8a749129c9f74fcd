"""Models: texts that hold expressions and the claims about them -> both apart.

Layer: must not know how claims are compared.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from gradcli.calculus.leibniz import readings
from gradcli.caret import Source
from gradcli.errors import GradError
from gradcli.job.request import Expressions
from gradcli.language import parse
from gradcli.verify.statements import blank, readable, statements

_DERIVATIVE = re.compile(r"d[0-9]{0,3}.+_d.+", re.DOTALL).fullmatch


class Model(NamedTuple):
    """The expressions and the claims of a text, each with blanks in place of the other; ``claims`` is None without any.

    ``errors`` are those of the statements that cannot be read.
    """

    expressions: Source
    claims: Source | None
    errors: list[GradError]


def model(source: Source) -> Model:
    """A text divided: its definitions that have the names of derivatives of others are the claims.

    So is a name that only looks like one, unless it is used: a slip of the pen must not hide a claim. Raises GradError
    if nothing can be read.
    """
    parsed, errors = readable(source, parse)
    if parsed is None:
        raise errors[0]
    text = parsed.source.text
    outputs = {name for name, _ in Expressions([parsed.source], ()).outputs}
    known = {*outputs, *parsed.names}
    claims = {
        name
        for name in filter(_DERIVATIVE, parsed.names)
        if name in outputs or any(any(readings(name, other, parsed.variables)) for other in _bases(name, known))
    }

    def part(claimed: bool) -> Source:
        every = statements(text)
        kept = [text[s.start : s.end] if (s.name in claims) == claimed else blank(text, s) for s in every]
        return source._replace(
            text="".join(piece + text[s.end : s.end + 1] for piece, s in zip(kept, every, strict=True))
        )

    return Model(part(False), part(True) if claims else None, errors)


def _bases(name: str, known: Collection[str]) -> Iterator[str]:
    """The known names that a derivative's name may be a derivative of."""
    for below in re.finditer("_d", name):
        for digits in range(4):
            base = name[1 + digits : below.start()]
            if base in known and (not digits or name[1 : 1 + digits].isdigit()):
                yield base
