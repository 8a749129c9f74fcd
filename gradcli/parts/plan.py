"""The plan of a run: from the sources to parts, the same on every machine that reads the same sources."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

from gradcli import __version__
from gradcli.compute import engine
from gradcli.errors import GradError
from gradcli.formats import FORMATS, Span, open_table, spans
from gradcli.formats.input import opened, unopened
from gradcli.job.input_paths import matching
from gradcli.job.inputs import held
from gradcli.parts.work import Work, work_of
from gradcli.storage import is_url

PART_BYTES = 64_000_000
"""Bytes of a source for a part, unless --part-bytes gives others."""
PART = re.compile(r"part-[0-9a-f]{8,32}-[0-9]{5,}\.[a-z]+")
"""The names of parts."""


class Source(NamedTuple):
    """A file or object with rows, by its name as given, and what tells whether it has changed."""

    path: str
    size: int
    stamp: int | str


class Part(NamedTuple):
    """A part: the name of its file, the source of its rows, which of them (None: all), and its key.

    The key is equal for equal bytes: it is a digest of the source's identity, the rows, the work and the versions.
    """

    name: str
    source: Source
    span: Span | None
    key: str

    @property
    def range(self) -> list[int] | None:
        """Which rows, as JSON."""
        return None if self.span is None else list(self.span)

    def told(self) -> dict[str, Any]:
        """Return the part as JSON, which `part_of` reads."""
        return {"part": self.name, "source": list(self.source), "range": self.range, "key": self.key}

    @property
    def where(self) -> str:
        """The source, and which of its rows, for messages."""
        return self.source.path if self.span is None else f"{self.source.path} [{self.span.start}:{self.span.stop}]"


class Plan(NamedTuple):
    """The parts of a run in the order of its rows; ``asked`` is what the run was asked for, ``work`` what it does."""

    asked: dict[str, Any]
    work: Work
    parts: list[Part]

    def told(self) -> dict[str, Any]:
        """Return the plan as JSON, which `plan_of` reads."""
        return {"asked": self.asked, "work": self.work.lasting, "parts": [part.told() for part in self.parts]}


def plan_of(told: dict[str, Any] | None) -> Plan | None:
    """Return the plan that `Plan.told` tells; None if it is of another form."""
    try:
        if told is None or not isinstance(told["asked"]["work"]["input"], dict):
            return None
        return Plan(told["asked"], work_of(told["work"]), [*map(part_of, told["parts"])])
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def part_of(told: Any) -> Part:
    """Return the part that `Part.told` tells. A name with a slash in it would be that of a file elsewhere.

    Raises LookupError, TypeError or ValueError for another form.
    """
    name, (path, size, stamp), span, key = told["part"], told["source"], told["range"], told["key"]
    texts, numbers = [key, path], [size, *(span or ())]
    if not all(isinstance(x, str) for x in texts) or not all(isinstance(x, int) for x in numbers):
        raise TypeError
    if not isinstance(stamp, (int, str)) or not PART.fullmatch(name):
        raise ValueError
    return Part(name, Source(path, size, stamp), None if span is None else Span(*span), key)


def planned(work: Work, paths: Sequence[str], size: int, old: Plan | None) -> Plan:
    """Return the plan for the sources that ``paths`` name, cut into parts of about ``size`` bytes.

    An ``old`` plan is taken as it is if nothing has changed, and where a source is unchanged so are the places at which
    it is cut: a rerun opens no source. Raise GradError if a source cannot be read or the request is wrong.
    """
    sources = _sources([path for pattern in paths for path in matching(pattern)])
    asked: dict[str, Any] = {
        "work": work.identity(), "bytes": size, "versions": versions(),
        "sources": _digest([list(source) for source in sources]),
    }  # fmt: skip
    if old is not None and old.asked == asked and old.work.job.engine in engine.ENGINES:
        # The limits are those of this run.
        known_work = work.with_engine(old.work.job.engine, old.work.rows.header or (), sources[0].path, old.work.types)
        if known_work.lasting == old.work.lasting:
            return Plan(asked, known_work, old.parts)
    first = work.looked_at(sources[0].path)
    chosen, _ = engine.chosen_for_rows(
        work.job.engine, first.load, first.steps, len(first.header), lambda: _exceed(work, sources)
    )
    # A table without rows fixes no type: often it has others than those with rows.
    result, types = first.result, None
    if result is not None and result.tables.tables[0].rows != 0:
        types = work.types_of(result.output)
    fixed = work.with_engine(chosen, first.header, sources[0].path, types)
    alike = old is not None and old.asked.get("bytes") == size and old.asked["work"]["input"] == asked["work"]["input"]
    known: dict[Source, list[Span | None]] = {}
    for part in old.parts if old is not None and alike else ():
        known.setdefault(part.source, []).append(part.span)
    common = [fixed.identity(), versions(chosen)]
    labels, suffix = _labels(sources), FORMATS[work.format].suffixes[0]
    parts = []
    for source, label in zip(sources, labels, strict=True):
        cuts = known.get(source) or _cuts(work, source, size) or [None]
        for k, span in enumerate(dict.fromkeys(cuts)):
            key = _digest([*common, list(source), None if span is None else list(span)])
            parts.append(Part(f"part-{label}-{k:05}{suffix}", source, span, key))
    return Plan(asked, fixed, parts)


def _sources(paths: Sequence[str]) -> list[Source]:
    """Return the sources as they are now: of objects in one folder by a listing, not by a request for each."""
    urls = [path for path in paths if is_url(path)]
    known: dict[str, list[int | str]] = {}
    if urls:
        from gradcli.storage.remote import listed_identities

        known = listed_identities(urls)
    return [Source(path, int(known[path][0]), known[path][1]) if path in known else identified(path) for path in paths]


def identified(path: str) -> Source:
    """Return a source as it is now. Raise GradError if there is none that could be cut into parts."""
    try:
        if is_url(path):
            from gradcli.storage.remote import identity

            size, stamp = identity(path)
            return Source(path, int(size), stamp)
        status = os.stat(path)
    except OSError as error:
        raise unopened(path, error) from None
    if not os.path.isfile(path):
        raise GradError(f"{path}: parts are made of files, and this is none")
    return Source(path, status.st_size, status.st_mtime_ns)


def _cuts(work: Work, source: Source, size: int) -> list[Span | None]:
    if source.size <= size:
        return []
    with opened(source.path) as stream:
        return [*spans(source.path, stream, size, format=work.rows.format, dialect=work.rows.dialect)]


def _exceed(work: Work, sources: Sequence[Source]) -> bool:
    """Return whether the sources hold more than the bytes from which compiled code pays, as one run would tell."""
    total = 0
    for source in sources:
        with opened(source.path) as stream:
            table = open_table(
                source.path, stream, format=work.rows.format, max_bytes=work.rows.max_bytes, dialect=work.rows.dialect
            )
            size = held(table)
            total += table.source.at_least(engine.LARGE - total) if size is None else size
        if total > engine.LARGE:
            return True
    return False


def versions(chosen: str = "native") -> dict[str, str | None]:
    """Return the versions that the numbers of an engine depend on, by default those of any."""
    packages = ["numpy", "python-flint", *(["llvmlite"] if chosen == "native" else [])]
    return {"gradcli": __version__, **{package: _version(package) for package in packages}}


def _version(package: str) -> str | None:
    # The metadata tell it without an import.
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _labels(sources: Sequence[Source]) -> list[str]:
    """Return a short digest for each source, longer ones if two would be equal; a source given again has another."""
    seen: Counter[str] = Counter()
    digests = []
    for source in sources:
        digests.append(_digest([source.path, seen[source.path]]))
        seen[source.path] += 1
    length = next(n for n in (8, 16, 32) if len({digest[:n] for digest in digests}) == len(digests))
    return [digest[:length] for digest in digests]


def _digest(told: Any) -> str:
    return hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=16).hexdigest()
