"""Spans: the parts of a file, one after the other, give the rows, cells and errors of the whole."""

from __future__ import annotations

import io
import random
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gradcli.errors import GradError
from gradcli.formats import Dialect, Span, open_table, spans

pytestmark = pytest.mark.quick


class Uneven(io.FileIO):
    """A file of which each read gives a few bytes alone, as many as a random number, and which counts them."""

    def __init__(self, path: str, sizes: random.Random | None = None) -> None:
        super().__init__(path)
        self.sizes, self.places = sizes, list[tuple[int, int]]()

    def read(self, size: int | None = -1, /) -> bytes | None:
        start = self.tell()
        found = super().read(size if self.sizes is None else min(size or 0, self.sizes.choice([1, 2, 3, 7, 50])))
        self.places.append((start, self.tell()))
        return found


class Read(NamedTuple):
    """What a table gives: its names, numbers, cells that are carried, and the error at its end."""

    names: tuple[str, ...] = ()
    numbers: tuple[list[str], ...] = ()
    cells: tuple[list[Any], ...] = ()
    error: str = ""
    hint: str | None = None
    notes: tuple[str, ...] = ()

    def __add__(self, other: Any) -> Read:
        return Read(
            other.names,
            tuple(a + b for a, b in zip(self.numbers or [[]] * len(other.numbers), other.numbers, strict=True)),
            tuple(a + b for a, b in zip(self.cells or [[]] * len(other.cells), other.cells, strict=True)),
            other.error, other.hint,
        )  # fmt: skip


def read(path: str, wanted: list[str], keep: list[str], stream: Any = None, **how: Any) -> Read:
    numbers: list[list[str]] = [[] for _ in wanted]
    cells: list[list[Any]] = [[] for _ in keep]
    names: tuple[str, ...] = ()
    try:
        table = open_table(path, stream, **how)
        names = table.names
        for chunk in table.chunks(wanted, keep):
            assert chunk.start == len((numbers or cells)[0])
            for column, values in zip(numbers, chunk.columns, strict=True):
                column += map(repr, values.tolist())
            for texts, kept in zip(cells, chunk.kept, strict=True):
                marks = kept.quoted if isinstance(kept.quoted, list) else [kept.quoted] * len(kept)
                texts += zip(kept.cells, marks, strict=True)
    except GradError as error:
        return Read(names, tuple(numbers), tuple(cells), error.message, error.hint)
    return Read(names, tuple(numbers), tuple(cells))


def parts(path: str, size: int, sizes: random.Random | None = None, **how: Any) -> list[Span]:
    """The spans of a file, which lie side by side."""
    with Uneven(path, sizes) as stream:
        found = spans(path, stream, size, **how)
    assert found == spans(path, None, size, **how)
    assert len(found) != 1 and all(a.stop == b.start for a, b in pairwise(found))
    assert all(span.start < span.stop for span in found)
    return found


def joined(path: str, found: list[Span], wanted: list[str], keep: list[str], **how: Any) -> Read:
    """What the spans give, up to the first error."""
    total = Read()
    for span in found:
        total += read(path, wanted, keep, span=span, **how)
        if total.error:
            break
    return total


def differs(path: str, wanted: list[str], keep: list[str], seeds: random.Random, **how: Any) -> int:
    """The number of spans of a file, read in each of several sizes and compared with the file as a whole."""
    count, size = 0, len(Path(path).read_bytes())
    whole = read(path, wanted, keep, **how)
    for part in (1, 1 + seeds.randrange(40), 1 + seeds.randrange(size + 1), size + 1):
        try:
            found = parts(path, part, seeds, **{k: v for k, v in how.items() if k in ("format", "dialect")})
        except GradError as error:
            assert (error.message, error.hint) == (whole.error, whole.hint)
            continue
        assert not found or part <= size
        if found:
            assert joined(path, found, wanted, keep, **how) == whole
        count += len(found)
    return count


CELLS = ["1", "-2.5", "3e4", "7", "0.125", "12", "-1", "4", "5", "6"]
TEXTS = ["a", "Ä", "", " b ", '"q"', '"a\nb"', '"1,2;3\t4"', '"x""y"', '"\n"', '"#"', '"\n# no\n"', '"\r\n"', '""']
WRONG = ["", "nan", "x", '5"', '"open', "NA", '"1"2', "\xff", "1,5", "\r"]


def text_of(seeds: random.Random) -> tuple[bytes, Dialect]:
    """A table of separated text, right or wrong, and how it is to be read."""
    chance = lambda p: seeds.random() < p
    delimiter = seeds.choice([None, None, ";", "tab", "blank", "|"])
    mark = {None: ",", "tab": "\t", "blank": " "}.get(delimiter, delimiter)
    comment = seeds.choice([None, None, "#", "//"])
    decimal = "," if mark != "," and chance(0.2) else "."
    end = seeds.choice(["\n", "\n", "\r\n", "\r"])
    skip, below = seeds.choice([0, 0, 1, 2]), seeds.choice([0, 0, 0, 1])
    odd, bad = chance(0.05), chance(0.4)
    lines = [seeds.choice(['made by "us"', "title", "", 'of 5" pipes' if odd else "x"]) for _ in range(skip)]
    remark = lambda: (comment or "") + seeds.choice([" no", ' "no"', ' 5" pipe', ",,", ""])
    if comment and chance(0.5):
        lines.append(remark())
    columns = chance(0.1)
    if not columns:
        lines.append(mark.join(["x", "t", seeds.choice(["y", '"y"', '"y"'])]))
    lines += [seeds.choice(["m,s,K", '"m', ""]) for _ in range(below)]
    for _ in range(seeds.choice([0, 1, 3, 20, 60])):
        if comment and chance(0.2):
            lines.append(seeds.choice(["", " ", "\t"]) + remark())
            continue
        x, y = seeds.choice(CELLS), seeds.choice(CELLS)
        t = seeds.choice(TEXTS if chance(0.4) else ["t", "u"])
        if delimiter == "blank" and not t.strip(" "):
            t = "w"
        if bad and chance(0.03):
            x, t, y = seeds.choice([(seeds.choice(WRONG), t, y), (x, seeds.choice(WRONG), y), (x, t, y + mark + y)])
        lines.append(
            mark.join([x.replace(".", decimal), t.replace("\n", seeds.choice(["\n", end])), y.replace(".", decimal)])
        )
    text = end.join(lines) + seeds.choice([end, end, ""])
    encoded = text.encode("latin-1" if bad and chance(0.1) else "utf-8", "replace")
    if chance(0.15):
        encoded = b"\xef\xbb\xbf" + encoded
    encoding = seeds.choice([None, None, None, "utf-8", "UTF8"])
    names = ("x", "t", "y") if columns else None
    na = seeds.choice(["error", "nan", "error", "skip"])
    return encoded, Dialect(names, encoding, delimiter, decimal, comment, skip, below, na)


@pytest.mark.parametrize("seed", range(120))
def test_texts_in_parts(seed: int, empty_folder: Path) -> None:
    seeds = random.Random(seed)
    text, dialect = text_of(seeds)
    Path("t.csv").write_bytes(text)
    wanted, keep = seeds.choice([(["x", "y"], ["t"]), (["y"], []), (["x"], ["x", "t", "y"])])
    differs("t.csv", wanted, keep, seeds, dialect=dialect)
