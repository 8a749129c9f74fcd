"""The structure of a JSON text: checks it strictly and remembers places in it, never values.

What is kept of a text is a place for every ``STEP`` values, so that a text of any size costs its own bytes. Patterns
pass over values by the thousand; what no pattern takes (a list in a list, keys in another order) is walked.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable, Iterator
from typing import NamedTuple

from gradcli.errors import GradError
from gradcli.formats.json_tokens import BLANK, COMMA, SCALAR, Tokens
from gradcli.formats.source import LINE_LIMIT, shown

STEP = 1024
"""Values, or records, between places that are remembered."""
SPAN = 1 << 20
"""Bytes of records between places: fewer records where they are long."""
_DEPTH = 1000
_KEYS = 1_000_000
"""Keys of the objects that are open at once: each is held until its object ends, to find one that comes twice."""
_WIDE = 4096
"""Letters of a record's keys up to which a pattern of its own pays."""

_FLAT = rb"\[" + BLANK + rb"(?:" + SCALAR + BLANK + rb"(?:," + BLANK + rb"(?!\])|(?=\]))){0,1024}\]"
_few = re.compile(rb"(?:(?:" + SCALAR + rb"|" + _FLAT + rb")" + COMMA + rb"){0,256}").match
_step = re.compile(rb"(?:%b%b){%d}" % (SCALAR, COMMA, STEP)).match
_deep_step = re.compile(rb"(?:[][, \t\n\r]*+%b){%d}" % (SCALAR, STEP)).match
_deep_blank = re.compile(rb"[][, \t\n\r]*+").match
_Match = Callable[..., re.Match[bytes] | None]


class Values(NamedTuple):
    """``rows`` values of a list: ``places`` where every ``STEP``-th begins, and where the list ends.

    ``odd``: the first that is a list or an object, or ``rows``. ``deep``: lists in lists are taken for one list.
    """

    places: array[int]
    rows: int
    odd: int
    deep: bool = False


class Records(NamedTuple):
    """Objects of a list, all with the ``names`` of the first.

    ``rows``, ``places``: how many come before a place, of some places, the last one the list's end.
    """

    names: list[str]
    rows: array[int]
    places: array[int]


class Scan(Tokens):
    """A text that is walked."""

    def __init__(self, text: bytes, name: str, start: int) -> None:
        super().__init__(text, name, start)
        self._open_keys = 0

    def value(self, at: int) -> int:
        """Where a value ends. Raises GradError where it is no JSON."""
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
        """Behind the next values of a list that a comma follows."""
        while (found := _few(self.text, at)) and found.end() > at:
            at = found.end()
        return at

    def _key(self, at: int, seen: set[str]) -> tuple[str, int]:
        """A key and where its value begins."""
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
        """Where an object ends; ``take`` is called with each key and its value's place, and says where that ends."""
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
        """The values of a list, and where it ends."""
        text, places, count, odd = self.text, array("q"), 0, -1
        at = self.blank(at + 1)
        while text[at : at + 1] != b"]" or count:
            if count % STEP == 0:
                places.append(at)
                if found := _step(text, at):
                    at, count = found.end(), count + STEP
                    continue
            end = self.scalar(at)
            if end is None:
                end, odd = self.value(at), count if odd < 0 else odd
            at, count = self.blank(end), count + 1
            if text[at : at + 1] != b",":
                self.closed(at, b"]")
                break
            at = self.blank(at + 1)
        places.append(at)
        return Values(places, count, count if odd < 0 else odd), at + 1

    def deep_values(self, name: str, at: int, end: int) -> Values:
        """The values of a column, and of the lists in it; it is known to be JSON. Raises GradError for an object."""
        text, places, count = self.text, array("q"), 0
        while True:
            if count % STEP == 0:
                places.append(at)
                if found := _deep_step(text, at, end):
                    at, count = found.end(), count + STEP
                    continue
            if (after := self._deep(at)) >= end:
                places.append(end)
                return Values(places, count, count, deep=True)
            ends = self.scalar(after)
            if ends is None:
                raise GradError(f"{self.name}: '{name}' holds an object where a number is expected")
            at, count = ends, count + 1

    def _deep(self, at: int) -> int:
        """Behind the brackets and commas."""
        found = _deep_blank(self.text, at)
        assert found is not None
        return found.end()

    def deep(self, at: int, end: int) -> Iterator[bytes]:
        """Each of some values, of a column and the lists in it."""
        while (at := self._deep(at)) < end:
            ends = self.scalar(at)
            assert ends is not None
            yield self.text[at:ends]
            at = ends

    def records(self, at: int) -> tuple[Records, int]:
        """The objects of a list, and where it ends. Raises GradError where one is none, or has other keys."""
        text, rows, places = self.text, array("q"), array("q")
        at, count = self.blank(at + 1), 0
        names: list[str] = []
        many: _Match | None = None
        single: _Match | None = None
        while text[at : at + 1] != b"]" or count:
            if not rows or count - rows[-1] >= STEP or at - places[-1] >= SPAN:
                rows.append(count)
                places.append(at)
                if many and (found := many(text, at, at + SPAN)):
                    at, count = found.end(), count + STEP
                    continue
            if text[at : at + 1] != b"{":
                self.value(at)
                raise GradError(f"{self.name}: record {count + 1} is {self.kind(at)}, not an object")
            end = found.end() if single and (found := single(text, at)) else self._record(at, names, count)
            if end - at > LINE_LIMIT:
                raise GradError(
                    f"{self.name}: record {count + 1} is too long: the limit is {LINE_LIMIT:,} bytes",
                    hint='columns have no such limit: {"x": [1, 2]}',
                )
            if not count and names and sum(map(len, names)) <= _WIDE:
                one = self._pattern(at)
                single, many = re.compile(one).match, re.compile(rb"(?:%b%b){%d}" % (one, COMMA, STEP)).match
            at, count = self.blank(end), count + 1
            if text[at : at + 1] != b",":
                self.closed(at, b"]")
                break
            at = self.blank(at + 1)
        rows.append(count)
        places.append(at)
        return Records(names, rows, places), at + 1

    def _record(self, at: int, names: list[str], count: int) -> int:
        """Where an object ends, which gives the ``names`` or has them."""
        found: dict[str, None] = {}

        def take(key: str, at: int) -> int:
            found[key] = None
            return self.value(at)

        end = self.members(at, take)
        if not count:
            names += found
        elif found.keys() != dict.fromkeys(names).keys():
            odd = next((n for n in names if n not in found), None)
            what = f"has no key {shown(odd)}" if odd is not None else "has keys that the first has not"
            raise GradError(f"{self.name}: record {count + 1} {what}")
        return end

    def _pattern(self, at: int) -> bytes:
        """A pattern for objects with the keys of the one here, spelled and ordered alike: each is there, and once.

        Their values are no lists and no objects.
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
