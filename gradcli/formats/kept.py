"""A column that goes from input to output as it was, text included."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_BARE = re.compile(_NUMBER + "|true|false").fullmatch
_STARTS = frozenset("-0123456789tfni")
"""What a cell begins with that JSON may write without quotes."""
_NOTHING = frozenset(("nan", "inf", "-inf"))
_ESCAPED = re.compile(r'[\x00-\x1f"\\]').search


class Kept:
    """The cells of a column, as text.

    ``texts``: None where the input has nothing (a null). ``quoted``: which cells the input marks as text; the others
    are numbers for JSON where they are spelled like one. ``arrow``: the Arrow array they came from, so that Parquet
    keeps their type.
    """

    __slots__ = ("arrow", "quoted", "texts")

    def __init__(self, texts: Sequence[str | None], quoted: Sequence[bool] | bool = False, arrow: Any = None) -> None:
        self.texts, self.quoted, self.arrow = texts, quoted, arrow

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, part: slice) -> Kept:
        quoted = self.quoted if isinstance(self.quoted, bool) else self.quoted[part]
        return Kept(self.texts[part], quoted, None if self.arrow is None else self.arrow[part])

    @staticmethod
    def joined(parts: Sequence[Kept]) -> Kept:
        """One column of all rows of ``parts``. Types of Arrow are not kept."""
        texts = [text for part in parts for text in part.texts]
        marks = [mark for part in parts for mark in part._marks()]
        return Kept(texts, marks)

    def _marks(self) -> Sequence[bool]:
        return [self.quoted] * len(self.texts) if isinstance(self.quoted, bool) else self.quoted

    def separated(self, separator: str) -> list[bytes]:
        """Cells by RFC 4180: quoted where they must be. A null is an empty cell."""
        texts = [text or "" for text in self.texts]
        joined = "\n".join(texts)
        if separator in joined or '"' in joined or "\r" in joined or joined.count("\n") != len(texts) - 1:
            return [quoted(text, separator).encode() for text in texts]
        return joined.encode().split(b"\n")

    def json(self) -> list[bytes]:
        """Cells as JSON: numbers keep their digits, nan and the infinities are null, all else is a string."""
        if all(text is not None and text[:1] not in _STARTS for text in self.texts):
            joined = "\n".join([text or "" for text in self.texts])
            if not _ESCAPED(joined.replace("\n", "")) and joined.count("\n") == len(self.texts) - 1:
                return [b'"%s"' % cell for cell in joined.encode().split(b"\n")]
        return [_json(text, mark) for text, mark in zip(self.texts, self._marks(), strict=True)]

    def plain(self) -> list[str]:
        """Cells for people: a null is ``null``."""
        return ["null" if text is None else text for text in self.texts]


def _json(text: str | None, mark: bool) -> bytes:
    if text is None:
        return b"null"
    if not mark:
        if _BARE(text):
            return text.encode()
        if text in _NOTHING:
            return b"null"
    if _ESCAPED(text):
        import json

        return json.dumps(text, ensure_ascii=False).encode()
    return f'"{text}"'.encode()


def quoted(text: str, separator: str) -> str:
    """A cell by RFC 4180: quoted where it must be, quotes doubled."""
    if separator in text or '"' in text or "\n" in text or "\r" in text:
        return '"' + text.replace('"', '""') + '"'
    return text
