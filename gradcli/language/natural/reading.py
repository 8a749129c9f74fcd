"""A text in natural notation as strict text, whose places are those of the text that was typed.

Layer: must not know rules of notation.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, TypeVar

from gradcli.caret import Source, Span
from gradcli.errors import GradError
from gradcli.expr.node import collector_paused
from gradcli.language.natural.join import Join
from gradcli.language.natural.names import Names
from gradcli.language.natural.pieces import Piece, Quotient
from gradcli.language.natural.scan import Scan

if TYPE_CHECKING:
    from gradcli.language import Parsed

_Key = TypeVar("_Key")


class Reading(Source):
    """The strict text of a typed one. It tells places, in messages too, in the typed text."""

    typed: Source
    quotients: dict[Span, Span]
    starts: array[int]
    ends: array[int]
    changed: bool

    @classmethod
    def of(cls, typed: Source, pieces: list[Piece], quotients: list[Quotient]) -> Reading:
        """The strict text that pieces make."""
        text = "".join([piece.text for piece in pieces])
        reading = cls(text, typed.name)
        reading.typed = typed
        reading.starts, reading.ends = array("q"), array("q", [0])
        last = stop = 0
        reading.changed = False
        bounds = {piece for quotient in quotients for piece in quotient[:2]}
        offsets = dict[Piece, int]()
        for piece in pieces:
            length = len(piece.text)
            last = max(last, piece.end)
            if piece in bounds:
                offsets[piece] = len(reading.starts) + length
            reading.starts.extend([piece.start] * length)
            reading.ends.extend([last] * length)
            if not reading.changed:
                written = typed.text[piece.start : piece.end].strip()
                between = typed.text[stop : piece.start].lstrip()
                same = piece.text.strip() == written or (piece.text == "**" and written == "^")
                reading.changed = not same or (between != "" and not between.startswith("#"))
                stop = max(stop, piece.end)
        reading.quotients = {Span(offsets[q.before], offsets[q.last]): q.span for q in quotients}
        rest = typed.text[stop:].lstrip()
        reading.changed = reading.changed or (rest != "" and not rest.startswith("#"))
        reading.starts.append(last)
        return reading

    def place(self, offset: int) -> tuple[int, int, str]:
        """Line and column of an offset of the strict text, and the line, all in the typed text."""
        return self.typed.place(self._start(offset))

    def position(self, offset: int) -> str:
        """The words for an offset of the strict text, in the typed text."""
        return self.typed.position(self._start(offset))

    def _start(self, offset: int) -> int:
        """The typed place of an offset; behind an operator it is that operator's end."""
        offset = min(offset, len(self.text))
        return (self.ends if self.text.startswith(" ", offset) else self.starts)[offset]

    def span(self, span: Span) -> Span:
        """The span in the typed text of a span in the strict one."""
        if span.end <= span.start:
            end = self.ends[min(span.start, len(self.text))]
            return Span(end, end)
        if span in self.quotients:
            return self.quotients[span]
        start, end = self.starts[min(span.start, len(self.text))], self.ends[min(span.end, len(self.text))]
        # What the reading adds at the end of the text stands at its last character.
        start = max(0, min(start, len(self.typed.text) - 1))
        return Span(start, max(start + 1, end))

    def spans(self, spans: Mapping[_Key, Span]) -> dict[_Key, Span]:
        """Spans of the strict text as spans of the typed one."""
        return {key: self.span(span) for key, span in spans.items()}

    def told(self, error: GradError) -> GradError:
        """The error with its place in the typed text."""
        if error.source is self and error.span is not None:
            error.span, error.source = self.span(error.span), self.typed
        return error


def read(typed: Source, bound: tuple[Collection[str] | bool, ...], parse: Callable[[Source], Parsed]) -> Parsed:
    """What natural notation means: its strict text, parsed by ``parse``, with all places in the typed text.

    ``bound`` are groups of names that are known beside x, y, z, or no names. Raises GradError where the text has two
    readings, or none.
    """
    known = [name for group in bound if not isinstance(group, bool) for name in group]
    names = Names(typed.text, known)
    with collector_paused():
        scan = Scan(typed, names)
        join = Join(typed, names, scan.read())
        reading = Reading.of(typed, join.read(), join.quotients)
    try:
        parsed = parse(reading)
    except GradError as error:
        raise reading.told(error) from None
    return parsed._replace(
        source=typed, spans=reading.spans(parsed.spans), reductions=reading.spans(parsed.reductions),
        constants=reading.spans(parsed.constants), uncalled=reading.spans(parsed.uncalled),
        read_as=reading.text if reading.changed or scan.told else None,
    )  # fmt: skip
