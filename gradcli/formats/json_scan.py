"""Scanning of a JSON text: a strict check of its structure, which remembers offsets, never values.

An offset is kept for every ``STEP`` values, so that the memory is about the size of the text. Regular expressions match
thousands of values at once; structures that they do not match (a list in a list, keys in another order) are scanned
token by token.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable, Iterator
from typing import NamedTuple

from gradcli.errors import GradError
from gradcli.formats.input import LINE_LIMIT, shown
from gradcli.formats.json_tokens import BLANK, COMMA, SCALAR, Tokens

STEP = 1024
"""Values, or records, between remembered offsets."""
SPAN = 1 << 20
"""Maximum of bytes of records between remembered offsets, which makes for fewer records if they are long."""
_DEPTH = 1000
_KEYS = 1_000_000
"""Maximum of keys in nested open objects: the keys of an object are held until its end, to detect duplicates."""
_WIDE = 4096
"""Maximum of characters in the keys of a record for which a regular expression is compiled."""

_FLAT = rb"\[" + BLANK + rb"(?:" + SCALAR + BLANK + rb"(?:," + BLANK + rb"(?!\])|(?=\]))){0,1024}\]"
_few = re.compile(rb"(?:(?:" + SCALAR + rb"|" + _FLAT + rb")" + COMMA + rb"){0,256}").match
_step = re.compile(rb"(?:%b%b){%d}" % (SCALAR, COMMA, STEP)).match
_deep_step = re.compile(rb"(?:[][, \t\n\r]*+%b){%d}" % (SCALAR, STEP)).match
_deep_blank = re.compile(rb"[][, \t\n\r]*+").match
_Match = Callable[..., re.Match[bytes] | None]


class Values(NamedTuple):
    """A list of ``rows`` values: ``offsets`` are those of every ``STEP``-th value and of the end of the list.

    ``odd``: the index of the first value that is a list or an object, or ``rows``. ``deep``: nested lists are read as a
    single flat list.
    """

    offsets: array[int]
    rows: int
    odd: int
    deep: bool = False


class Records(NamedTuple):
    """A list of objects that all have the keys ``names``.

    ``offsets`` are some offsets in the list, the last that of its end; ``rows`` counts the objects before each.
    """

    names: list[str]
    rows: array[int]
    offsets: array[int]


class Scan(Tokens):
    """A scanner over a text."""

    def __init__(self, text: bytes, name: str, start: int) -> None:
        super().__init__(text, name, start)
        self._open_keys = 0

    def value(self, at: int) -> int:
        """Return the end of a value. Raise GradError if it is not JSON."""
        text = self.text
        stack: list[set[str] | None] = []
        while True:
            end, mark = self.scalar(at), text[at : at + 1]
            if end is None:
                if mark not in (b"[", b"{"):
                    raise self.no_value(at)
                end = self.blank(at + 1)
                if text[end : end + 1] == (b"]" if mark == b"[" else b"}"):
                    end += 1
                else:
                    if len(stack) == _DEPTH:
                        raise self.fault(at, "lists and objects are nested too deep")
                    keys: set[str] | None = None if mark == b"[" else set()
                    stack.append(keys)
                    at = self._few(end) if keys is None else self._key(end, keys)[1]
                    continue
            at = end
            while stack:
                at = self.blank(at)
                mark, keys = text[at : at + 1], stack[-1]
                if mark == b",":
                    at = self.blank(at + 1)
                    at = self._few(at) if keys is None else self._key(at, keys)[1]
                    break
                self.closed(at, b"]" if keys is None else b"}")
                self._open_keys -= len(keys or ())
                stack.pop()
                at += 1
            else:
                return at

    def _few(self, at: int) -> int:
        """Return the offset after the next values of a list that are followed by a comma."""
        while (match := _few(self.text, at)) and match.end() > at:
            at = match.end()
        return at

    def _key(self, at: int, seen: set[str]) -> tuple[str, int]:
        """Return a key and the offset of its value. Raise GradError if the key is in ``seen``."""
        end = self.scalar(at) if self.text[at : at + 1] == b'"' else None
        if end is None:
            raise self.no_value(at, "expecting property name enclosed in double quotes")
        if end - at > LINE_LIMIT:
            raise self.fault(at, f"the key is too long: the limit is {LINE_LIMIT:,} bytes")
        raw = self.text[at:end]
        key: str = json.loads(raw) if b"\\" in raw else raw[1:-1].decode()
        if key in seen:
            raise GradError(f"{self.name}: duplicate key {shown(key)} in an object")
        seen.add(key)
        self._open_keys += 1
        if self._open_keys > _KEYS:
            raise GradError(f"{self.name}: too large: the limit is {_KEYS:,} keys at once")
        at = self.blank(end)
        if self.text[at : at + 1] != b":":
            raise self.fault(at, "expecting ':' delimiter")
        return key, self.blank(at + 1)

    def members(self, at: int, take: Callable[[str, int], int]) -> int:
        """Return the end of an object; ``take(key, offset)`` returns the end of the value of each member."""
        seen: set[str] = set()
        at = self.blank(at + 1)
        if self.text[at : at + 1] == b"}":
            return at + 1
        while True:
            key, at = self._key(at, seen)
            at = self.blank(take(key, at))
            if self.text[at : at + 1] != b",":
                self.closed(at, b"}")
                self._open_keys -= len(seen)
                return at + 1
            at = self.blank(at + 1)

    def values(self, at: int) -> tuple[Values, int]:
        """Return the values of a list, and its end."""
        text, offsets, count, odd = self.text, array("q"), 0, -1
        at = self.blank(at + 1)
        while text[at : at + 1] != b"]" or count:
            if count % STEP == 0:
                offsets.append(at)
                if match := _step(text, at):
                    at, count = match.end(), count + STEP
                    continue
            end = self.scalar(at)
            if end is None:
                end, odd = self.value(at), count if odd < 0 else odd
            at, count = self.blank(end), count + 1
            if text[at : at + 1] != b",":
                self.closed(at, b"]")
                break
            at = self.blank(at + 1)
        offsets.append(at)
        return Values(offsets, count, count if odd < 0 else odd), at + 1

    def deep_values(self, name: str, at: int, end: int) -> Values:
        """Return the values of a column with nested lists flattened; the text has been checked to be JSON.

        Raise GradError for an object.
        """
        text, offsets, count = self.text, array("q"), 0
        while True:
            if count % STEP == 0:
                offsets.append(at)
                if match := _deep_step(text, at, end):
                    at, count = match.end(), count + STEP
                    continue
            if (after := self._deep(at)) >= end:
                offsets.append(end)
                return Values(offsets, count, count, deep=True)
            ends = self.scalar(after)
            if ends is None:
                raise GradError(f"{self.name}: '{name}' holds an object where a number is expected")
            at, count = ends, count + 1

    def _deep(self, at: int) -> int:
        """Return the offset after brackets, commas and blanks."""
        match = _deep_blank(self.text, at)
        assert match is not None
        return match.end()

    def deep(self, at: int, end: int) -> Iterator[bytes]:
        """Yield the values between two offsets of a column, with nested lists flattened."""
        while (at := self._deep(at)) < end:
            ends = self.scalar(at)
            assert ends is not None
            yield self.text[at:ends]
            at = ends

    def records(self, at: int) -> tuple[Records, int]:
        """Return the objects of a list, and its end. Raise GradError for other values or other keys."""
        text, rows, offsets = self.text, array("q"), array("q")
        at, count = self.blank(at + 1), 0
        names: list[str] = []
        many: _Match | None = None
        single: _Match | None = None
        while text[at : at + 1] != b"]" or count:
            if not rows or count - rows[-1] >= STEP or at - offsets[-1] >= SPAN:
                rows.append(count)
                offsets.append(at)
                if many and (match := many(text, at, at + SPAN)):
                    at, count = match.end(), count + STEP
                    continue
            if text[at : at + 1] != b"{":
                self.value(at)
                raise GradError(f"{self.name}: record {count + 1} is {self.kind(at)}, not an object")
            end = match.end() if single and (match := single(text, at)) else self._record(at, names, count)
            if end - at > LINE_LIMIT:
                raise GradError(
                    f"{self.name}: record {count + 1} is too long: the limit is {LINE_LIMIT:,} bytes",
                    hint='columns have no such limit: {"x": [1, 2]}',
                )
            if not count and names and sum(map(len, names)) <= _WIDE:
                pattern = self._pattern(at)
                single, many = re.compile(pattern).match, re.compile(rb"(?:%b%b){%d}" % (pattern, COMMA, STEP)).match
            at, count = self.blank(end), count + 1
            if text[at : at + 1] != b",":
                self.closed(at, b"]")
                break
            at = self.blank(at + 1)
        rows.append(count)
        offsets.append(at)
        return Records(names, rows, offsets), at + 1

    def _record(self, at: int, names: list[str], count: int) -> int:
        """Return the end of an object. The first one defines ``names``; raise GradError if another has other keys."""
        keys: dict[str, None] = {}

        def take(key: str, at: int) -> int:
            keys[key] = None
            return self.value(at)

        end = self.members(at, take)
        if not count:
            names += keys
        elif keys.keys() != dict.fromkeys(names).keys():
            odd = next((n for n in names if n not in keys), None)
            what = f"has no key {shown(odd)}" if odd is not None else "has keys that the first has not"
            raise GradError(f"{self.name}: record {count + 1} {what}")
        return end

    def _pattern(self, at: int) -> bytes:
        """Return a regular expression for objects with the keys of the one at ``at``, in equal spelling and order.

        It matches neither lists nor objects as values.
        """
        text, pairs = self.text, []
        at = self.blank(at + 1)
        while text[at : at + 1] == b'"':
            end = self.scalar(at)
            assert end is not None
            pairs.append(re.escape(text[at:end]) + BLANK + b":" + BLANK + SCALAR)
            at = self.blank(self.value(self.blank(self.blank(end) + 1)))
            at = self.blank(at + 1) if text[at : at + 1] == b"," else at
        return rb"\{" + BLANK + COMMA.join(pairs) + BLANK + rb"\}"
