"""Spans: the parts of a file, one after the other, give the rows, cells and errors of the whole."""

from __future__ import annotations

import gzip
import io
import random
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
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
            uneven = None if path.endswith("parquet") else seeds
            found = parts(path, part, uneven, **{k: v for k, v in how.items() if k in ("format", "dialect")})
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


def test_texts_are_of_every_kind(empty_folder: Path) -> None:
    """The generator makes what it is for: texts that are cut, right and wrong, by every option."""
    kinds, cut, wrong = [], 0, 0
    for seed in range(120):
        text, dialect = text_of(random.Random(seed))
        kinds.append(dialect)
        Path("t.csv").write_bytes(text)
        wrong += bool(read("t.csv", ["x"], ["t"], dialect=dialect).error)
        with suppress(GradError):
            cut += bool(spans("t.csv", None, 1, dialect=dialect))
    assert all(len({kind[field] for kind in kinds}) > 1 for field in range(len(Dialect._fields)))
    assert cut > 40 and wrong > 10


@pytest.mark.parametrize("comment", [None, "#"])
@pytest.mark.parametrize("row", [b"0" * (17 << 20), b'1,"' + (b"b" * 99 + b"\n") * 170_000])
def test_a_line_that_is_too_long(row: bytes, comment: str | None, empty_folder: Path) -> None:
    Path("t.csv").write_bytes(b"x,y\n" + b'1,"2"\n' * 1000 + row + b"\n3,4\n")
    dialect = Dialect(comment=comment)
    found = parts("t.csv", 1000, dialect=dialect)
    whole = read("t.csv", ["x"], [], dialect=dialect)
    assert len(found) > 5 and ":1002:1: " in whole.error and "too long" in whole.error
    assert joined("t.csv", found, ["x"], [], dialect=dialect) == whole


def test_a_part_is_cut_at_the_first_row_end_from_its_size_on(empty_folder: Path) -> None:
    Path("t.csv").write_bytes(b'x,y\n1,2\n3,"4\n5"\n6,7\n8,9')
    assert parts("t.csv", 1) == [Span(4, 8, 1), Span(8, 16, 2), Span(16, 20, 4), Span(20, 23, 5)]
    assert parts("t.csv", 4) == parts("t.csv", 1)
    assert parts("t.csv", 5) == [Span(4, 16, 1), Span(16, 23, 4)]
    assert parts("t.csv", 16) == [Span(4, 20, 1), Span(20, 23, 5)]
    assert parts("t.csv", 17) == []
    Path("t.jsonl").write_bytes(b'{"x":1}\n{"x":2}\n')
    assert parts("t.jsonl", 1) == [Span(0, 8, 0), Span(8, 16, 1)]


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        (b"x,y\n1,2\n", Dialect()), (b"x,y\n", Dialect()), (b"x,y", Dialect()), (b"x,y\r\n", Dialect()),
        (b"x,y\r", Dialect()), ("x,y\n1,2\n3,4\n".encode("utf-16"), Dialect()),
        # Which line ends these are is known below the quote that is open above the header alone.
        (b'5" pipe\nx,y\n1,"2"\n3,4\n', Dialect(skip=1)),
        # A quote is open where the rows begin.
        (b'x,y\r5" m\n1,"2"\r3,4\r5,6\r', Dialect(skip_after_header=1)),
        # Bytes that are not UTF-8 have the line that newlines count.
        (b"x,y\r1,2\r3,4\r", Dialect(encoding="utf-8")),
    ],
)  # fmt: skip
def test_what_is_one_part(text: bytes, dialect: Dialect, empty_folder: Path) -> None:
    Path("t.csv").write_bytes(text)
    assert parts("t.csv", 1, dialect=dialect) == []


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        (b"x,t\n1,a\n2,b\n3,\xff\n4,c\n", Dialect(encoding="utf-8")),
        ("t,x\n\ufeffa,1\n\ufeffb,2\n".encode(), Dialect()),
        ("t,x\n\ufeffa,1\n\ufeffb,2\n".encode(), Dialect(encoding="utf-8")),
        # Quotes of comments count for carriage returns, not for rows.
        (b'x,t\r1,2\r# 5" a\n3,4\r5,6\r7,8\r', Dialect(comment="#")),
        (b'x,t\r1,2\r# 5" a\n3,4\n5,6\n7,8\n', Dialect(comment="#")),
    ],
)
def test_parts_of_rare_texts(text: bytes, dialect: Dialect, empty_folder: Path) -> None:
    Path("t.csv").write_bytes(text)
    for seed in range(5):
        assert differs("t.csv", ["x"], ["t"], random.Random(seed), dialect=dialect)


def test_inputs_that_are_read_as_a_whole(empty_folder: Path, tmp_path: Path) -> None:
    lines = b"x,y\n" + b"1,2\n" * 9
    Path("t.csv.gz").write_bytes(gzip.compress(lines))
    Path("t.csv").write_bytes(lines)
    np.save("t.npy", np.zeros(9, [("x", "f8")]))
    Path("t.json").write_bytes(b'[{"x": 1}, {"x": 2}]')
    for name in ("t.csv.gz", "t.npy", "t.json"):
        assert spans(name, None, 1) == []
        with pytest.raises(GradError, match="is not read in parts"):
            open_table(name, None, span=Span(4, 8, 1))
    assert spans("-", io.BytesIO(lines), 1) == spans("t.csv", io.BytesIO(lines), 1) == []
    assert spans("t.csv", None, 1, dialect=Dialect(encoding="latin-1")) == []
    with open("t.csv", "rb") as stream:
        assert spans("-", stream, 1) == []
        assert len(spans("t.csv", stream, 1)) == 9 and not stream.closed
    for text, dialect in ((b"", Dialect()), (b"1,2\n3,4\n", Dialect()), (lines, Dialect(encoding="no"))):
        Path("t.csv").write_bytes(text)
        with pytest.raises(GradError) as caught:
            spans("t.csv", None, 1, dialect=dialect)
        assert caught.value.message == read("t.csv", ["x"], [], dialect=dialect).error


def test_a_part_reads_its_header_and_its_bytes(empty_folder: Path) -> None:
    row = b"12345.5,6.25\n"
    Path("t.csv").write_bytes(b"x,y\n" + row * 200_000)
    found = parts("t.csv", 1 << 19)
    assert len(found) == 5 and sum(span.stop - span.start for span in found) == len(row) * 200_000
    span = found[3]
    with Uneven("t.csv") as stream:
        table = open_table("t.csv", stream, span=span)
        assert sum(len(chunk.columns[0]) for chunk in table.chunks(["x"], [])) == (span.stop - span.start) / len(row)
        header, *rows = [place for place in stream.places if place[0] < place[1]]
    assert header == (0, 1 << 16) and rows[0][0] == span.start and rows[-1][1] == span.stop
    assert span.before == 1 + (span.start - 4) // len(row)


def test_errors_have_their_place_in_the_file(empty_folder: Path) -> None:
    Path("t.csv").write_bytes(b'# by us\nx,y\n"1\n",2\n# no\n3,4\n5,six\n7\n')
    dialect = Dialect(comment="#")
    spread = parts("t.csv", 1, dialect=dialect)
    told = [read("t.csv", ["y"], [], span=span, dialect=dialect).error for span in spread]
    assert [text for text in told if text] == [
        "t.csv:7:3: 'six' in column 'y' is not a number", "t.csv:8:1: 1 cell where the header has 2",
    ]  # fmt: skip
    Path("t.jsonl").write_bytes(b'{"x":1}\n{"x":2}\n{"x":"no"}\n{"y":1}\n[]\n')
    told = [read("t.jsonl", ["x"], [], span=span).error for span in parts("t.jsonl", 1)]
    assert told[:2] == ["", ""] and [text[:10] for text in told[2:]] == ["t.jsonl:3:", "t.jsonl:4:", "t.jsonl:5:"]


def test_a_file_that_has_become_shorter(empty_folder: Path) -> None:
    Path("t.csv").write_bytes(b"x\n1\n2\n3\n")
    span = parts("t.csv", 1)[-1]
    Path("t.csv").write_bytes(b"x\n1\n2\n")
    assert read("t.csv", ["x"], [], span=span).error == "t.csv: the file has become shorter than its parts"


@pytest.mark.parametrize("seed", range(30))
def test_json_lines_in_parts(seed: int, empty_folder: Path) -> None:
    seeds = random.Random(seed)
    wrong = ["", "[1]", '{"x":1}', '{"x":"a","t":1}', '{"x":1,"t":2,"u":3}', "{", '{"x":1,"t":"\xff"}']
    lines = []
    for _ in range(seeds.choice([1, 2, 9, 40])):
        keys = [
            f'"x":{seeds.choice(CELLS[:9])}',
            f'"t":{seeds.choice(["null", "1.50", chr(34) + "ä" + chr(34), "[1]"])}',
        ]
        line = "{" + ", ".join(seeds.sample(keys, 2)) + "}"
        lines.append(seeds.choice(wrong) if seeds.random() < 0.02 else line)
    text = seeds.choice(["\n", "\r\n"]).join([*lines, ""][: len(lines) + seeds.randrange(2)])
    mark = seeds.choice([b"", b"", b"\xef\xbb\xbf"])
    Path("t.jsonl").write_bytes(mark + text.encode(seeds.choice(["utf-8", "utf-8", "latin-1"]), "replace"))
    dialect = Dialect(encoding=seeds.choice([None, None, "utf-8"]), na=seeds.choice(["error", "skip"]))
    for keep in ([], ["t", "x"]):
        differs("t.jsonl", ["x"], keep, seeds, dialect=dialect)


@pytest.mark.parametrize("seed", range(8))
def test_parquet_in_parts(seed: int, empty_folder: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    seeds = random.Random(seed)
    size = seeds.choice([0, 1, 50, 400])
    x = [seeds.choice([1.5, -2.0, None if seed > 3 and seeds.random() < 0.01 else 0.0]) for _ in range(size)]
    columns = {
        "x": pa.array(x, pa.float64()),
        "t": pa.array([seeds.choice(["a", "ä" * 9, None]) for _ in range(size)], pa.string()),
        "p": pa.array([{"q": k} for k in range(size)], pa.struct({"q": pa.int64()})),
    }
    parquet.write_table(pa.table(columns), "t.parquet", row_group_size=seeds.choice([7, 13, 1000]))
    dialect = Dialect(na=seeds.choice(["error", "nan", "skip"]))
    differs("t.parquet", ["x", "p.q"], ["t", "p"], seeds, dialect=dialect)


def test_row_groups_of_about_a_size(empty_folder: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    values = np.random.default_rng(1).random(10_000)
    parquet.write_table(pa.table({"x": values}), "t.parquet", row_group_size=1000)
    group = Path("t.parquet").stat().st_size // 10
    assert parts("t.parquet", 1) == [Span(k, k + 1, 1000 * k) for k in range(10)]
    assert parts("t.parquet", int(3.5 * group)) == [
        Span(0, 3, 0),
        Span(3, 6, 3000),
        Span(6, 9, 6000),
        Span(9, 10, 9000),
    ]
    assert parts("t.parquet", 11 * group) == []
    table = open_table("t.parquet", None, span=Span(3, 6, 3000))
    assert table.rows == 3000
    assert np.concatenate([c.columns[0] for c in table.chunks(["x"], [])]).tolist() == values[3000:6000].tolist()
    parquet.write_table(pa.table({"x": [1.0, 2.0, None, 4.0]}), "n.parquet", row_group_size=1)
    assert "n.parquet: row 3: column 'x' is null" in read("n.parquet", ["x"], [], span=Span(2, 4, 2)).error
    with pytest.raises(GradError, match=r"n\.parquet: the file has become shorter than its parts"):
        open_table("n.parquet", None, span=Span(3, 5, 3))
