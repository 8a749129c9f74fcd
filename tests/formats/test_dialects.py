"""Texts as instruments, spreadsheets and other programs write them: options that read them, hints that name these."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import math
import os
import shlex
from pathlib import Path
from typing import Any

import pytest
from command import Shell, process
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcli.errors import GradError
from gradcli.formats import Dialect, csv_arrow, open_table

CASES = [json.loads(line) for line in (Path(__file__).parents[1] / "data" / "dialects.jsonl").read_text().splitlines()]


def title(case: dict[str, Any]) -> str:
    return str(case["id"])


@pytest.mark.quick
@pytest.mark.parametrize("case", CASES, ids=title)
def test_files_as_they_are(case: dict[str, Any], shell: Shell, empty_folder: Path) -> None:
    for name, text in case["files"].items():
        Path(name).write_bytes(text.encode(case.get("encoding", "utf-8")))
    if "stdin" in case:
        ended = process(*case["argv"], input=case["stdin"])
        code, out, err = ended.returncode, ended.stdout, ended.stderr
    else:
        code, out, err = shell(*case["argv"])
    assert (code, out) == (case["exit"], case["stdout"]), err
    assert case["stderr"] in err


def rows(text: bytes, names: str = "x y", keep: str = "", form: str = "csv", **dialect: Any) -> list[list[Any]]:
    """The columns of a text: numbers, then texts."""
    found: list[list[Any]] = [[] for _ in [*names.split(), *keep.split()]]
    for chunk in open_table("-", io.BytesIO(text), format=form, dialect=Dialect(**dialect)).chunks(
        names.split(), keep.split()
    ):
        for column, part in zip(found, chunk.columns, strict=False):
            column += part.tolist()
        for column, cells in zip(found[len(chunk.columns) :], chunk.kept, strict=True):
            column += [None if cell is None else cell.decode() for cell in cells.cells]
    return found


class Pieces(io.RawIOBase):
    """A stream that gives so many bytes at a time."""

    def __init__(self, text: bytes, sizes: list[int]) -> None:
        self.text, self.sizes = text, list(sizes)

    def read(self, size: int = -1) -> bytes:
        size = self.sizes.pop(0) if self.sizes else size
        found, self.text = self.text[:size], self.text[size:]
        return found


def refusal(text: bytes, names: str = "x y", **dialect: Any) -> str:
    with pytest.raises(GradError) as caught:
        rows(text, names, **dialect)
    return str(caught.value)


def test_delimiters() -> None:
    wanted = [[1.5, -2.0], [2.0, 3e5]]
    for mark, option in ((";", ";"), ("\t", "tab"), ("\t", "\t"), ("|", "|"), (":", ":"), ("\x01", "\x01")):
        lines = [mark.join(cells) for cells in (["x", "y"], ["1.5", "2"], ["-2", "3e5"])]
        for end in ("\n", "\r\n", "\r"):
            assert rows(end.join(lines).encode(), delimiter=option) == wanted
        assert (
            rows("\n".join([f'"{line}"'.replace(mark, f'"{mark}"') for line in lines]).encode(), delimiter=option)
            == wanted
        )
    assert rows(b"x\ty\n1.5\t2\n-2\t3e5\n", form="csv", delimiter="tab") == wanted
    assert rows(b"x,y\n1.5,2\n-2,3e5\n", form="tsv", delimiter=",") == wanted
    for bad in ("", "ab", "a", "1", '"', ".", "-", "\n", "é", "\0"):
        assert "cannot be between cells" in refusal(b"x\n1\n", delimiter=bad)


def test_blanks_are_any_run_of_blanks_and_tabs() -> None:
    for text in (b"x y\n1.5 2\n-2 3e5\n", b"  x\t y \n\t1.5   2\t\n-2 3e5", b'x "y"\r\n1.5 "2"\r\n-2 3e5\r\n'):
        assert rows(text, delimiter="blank") == rows(text, delimiter=" ") == [[1.5, -2.0], [2.0, 3e5]]
    assert rows(b'x t y\n1 "a ""b""  c" 2\n3 d 4\n', "y x", "t", delimiter="blank") == [
        [2, 4],
        [1, 3],
        ['a "b"  c', "d"],
    ]
    assert rows(b"x y z\n 1  2 3\n4 5 6 \n", "z x", delimiter="blank") == [[3, 6], [1, 4]]
    assert refusal(b"x y\n1 2\n1 2 3\n", delimiter="blank").startswith("stdin:3:1: 3 cells where the header has 2")
    assert refusal(b"x y\n1\n2 3 4\n", delimiter="blank").startswith("stdin:2:1: 1 cell where the header has 2")
    assert refusal(b"x y\n1 2\n\n", delimiter="blank").startswith("stdin:3:1: an empty line")
    assert refusal(b'x y\n1 a"b\n', delimiter="blank").startswith("stdin:2:4: a quote inside a cell")
    assert refusal(b'x y\n1 "a"b\n', delimiter="blank").startswith("stdin:2:6: text behind a closing quote")
    assert refusal(b'x y\n1 "a\n', delimiter="blank").startswith("stdin:2:3: a quote is opened here and never closed")
    assert refusal(b"x y\n1   q\n", delimiter="blank").startswith("stdin:2:5: 'q' in column 'y' is not a number")
    assert refusal(b"x y\n1 2\r3\n", delimiter="blank").startswith("stdin:2:4: a carriage return")


def test_decimal_commas() -> None:
    text = b"x;y\n1,5;2\n-,5;3,e2\n"
    assert rows(text, delimiter=";", decimal=",") == [[1.5, -0.5], [2.0, 300.0]]
    assert rows(text.replace(b";", b"\t"), delimiter="tab", decimal=",") == [[1.5, -0.5], [2.0, 300.0]]
    assert rows(text.replace(b";", b"  "), delimiter="blank", decimal=",") == [[1.5, -0.5], [2.0, 300.0]]
    # A point is a separator of thousands there, or a mistake.
    for cell in (b"1.5", b"1.234,5", b"1,2,3", b"1.234"):
        message = refusal(b"x;y\n1;2\n" + cell + b";2\n", delimiter=";", decimal=",")
        assert message.startswith(f"stdin:3:1: '{cell.decode()}' in column 'x' is not a number")
    assert "needs another delimiter" in refusal(b"x,y\n1,2\n", decimal=",")
    assert "is neither" in refusal(b"x,y\n1,2\n", decimal="'")
    assert rows(text, "x", "y", delimiter=";", decimal=",") == [[1.5, -0.5], ["2", "3,e2"]]


CELLS = st.text(st.sampled_from("0123456789+-.,eEdDnaifNAtyul# "), max_size=6)


@settings(max_examples=300)
@given(
    st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5),
    st.sampled_from([(";", "."), (";", ","), ("tab", ","), ("|", "."), (",", ".")]),
    st.sampled_from(["nan", "error"]),
)  # fmt: skip
def test_many_cells_at_once_are_as_one_by_one_in_every_dialect(
    cells: list[tuple[str, str]], dialect: tuple[str, str], na: str
) -> None:
    """A quoted cell is parsed alone, a plain one with all others, or by pyarrow."""
    delimiter, decimal = dialect
    mark = "\t" if delimiter == "tab" else delimiter
    if any(mark in cell for row in cells for cell in row):
        return
    options = {"delimiter": delimiter, "decimal": decimal, "na": na}

    def outcome(quote: str, least: int) -> Any:
        lines = [mark.join(f"{quote}{cell}{quote}" for cell in row) for row in cells]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(csv_arrow, "LEAST", least)
            try:
                return repr(rows("\n".join([mark.join("xy"), *lines, ""]).encode(), **options))
            except GradError:
                return "refused"

    assert outcome('"', 1 << 60) == outcome("", 1 << 60) == outcome("", 0)


def test_comments() -> None:
    text = b'# first "\n x,y\n#1\n1,2\n  # it\'s 5" wide\n3,4\n# last'
    assert rows(text, comment="#") == [[1, 3], [2, 4]]
    assert rows(text.replace(b"#", b"//"), comment="//") == [[1, 3], [2, 4]]
    quoted = b'x,y,t\n1,2,"a\n# b"\n# "\n3,4,"#c"\n'
    assert rows(quoted, "x y", "t", comment="#") == [[1, 3], [2, 4], ["a\n# b", "#c"]]
    for at in range(1, len(quoted)):
        chunks = open_table("-", Pieces(quoted, [at]), dialect=Dialect(comment="#")).chunks(["x"], ["t"])
        assert [cell for chunk in chunks for cell in chunk.kept[0].cells] == [b"a\n# b", b"#c"]
    # Comments count as lines where an error stands.
    assert refusal(b"x,y\n# a\n1,2\n# b\n# c\n3,q\n", comment="#").startswith("stdin:6:3: 'q'")
    assert refusal(b'x,y\n# a\n1,"2\n3"\n# b\n3\n', "x", comment="#").startswith("stdin:6:1: 1 cell")
    assert refusal(b"# a\nx,y\n1,2\n# b\n5\n", comment="#").startswith("stdin:5:1: 1 cell")
    assert refusal(b"# a\n", comment="#").startswith("stdin: there is no line left")
    # The rows above a quote that stays open are read before the error below it.
    dialect, found = Dialect(comment="#", encoding="utf-8"), []
    with pytest.raises(GradError, match="stdin:6: not utf-8"):
        for chunk in open_table("-", io.BytesIO(b'x\n# a\n1\n2\n"3\n\xff\n'), dialect=dialect).chunks(["x"], []):
            found += chunk.columns[0].tolist()
    assert found == [1, 2]


def test_headers_in_comments() -> None:
    for text in (b"# x,y\n1,2\n", b"#\tx,y\n1,nan\n"):
        assert len(rows(text)[0]) == 1
    assert rows(b"# x y\n1 2\n", delimiter="blank") == [[1], [2]]
    assert rows(b"# made today\n# x,y\n1,2\n# later\n3,4\n", comment="#") == [[1, 3], [2, 4]]
    # Another header goes first; a comment of another width is none; a name may begin with #.
    assert rows(b"# a,b\nx,y\n1,2\n", comment="#") == [[1], [2]]
    assert "no header" in refusal(b"# some words\n1,2\n", comment="#")
    assert rows(b"#x,y\n1,2\n", "#x y") == [[1], [2]]
    assert open_table("-", io.BytesIO(b"# x,y\n1,a\n")).names == ("# x", "y")


def test_a_hint_says_which_option_is_too_much() -> None:
    text = b"x;y\n1;2\n"
    assert refusal(text, "x", skip=5).splitlines()[1:] == ["  --delimiter ';' without --skip reads it"]
    wrong = refusal(text, "x", delimiter=";", columns=["x"])
    assert wrong.splitlines()[1:] == ["  --delimiter ';' without --columns reads it"]
    assert refusal(text, "x", comment="").startswith("--comment: a mark is expected")


def test_packed_text_whose_name_does_not_say_so(shell: Shell, empty_folder: Path) -> None:
    Path("t.csv").write_bytes(gzip.compress(b"x\n1\n"))
    code, out, err = shell("eval", "x", "-i", "t.csv")
    assert (code, out) == (2, "")
    assert "t.csv:1: packed by gzip\n  let its name end in .gz" in err


def test_lines_that_are_left_out() -> None:
    for end in ("\n", "\r\n", "\r"):
        text = end.join(['size 5" by 3', "", "x,y", "m,s", '1,"2"', "3,4", ""]).encode()
        if end != "\r":
            assert rows(text, skip=2, skip_after_header=1) == [[1, 3], [2, 4]]
    assert refusal(b"x\n1\n", "x", skip=5) == "stdin: --skip 5: the file has 2 lines\n  without these options it reads"
    assert refusal(b"a\nx,y\n1,2\n1,q\n", skip=1).startswith("stdin:4:3: 'q'")
    assert refusal(b"x,y\nm,s\n1,q\n", skip_after_header=1).startswith("stdin:3:3: 'q'")
    assert rows(b"x,y\n1,2\n", skip_after_header=5) == [[], []]


def test_names_for_columns_without_a_header() -> None:
    assert rows(b"1,2\n3,4", columns=["x", "y"]) == [[1, 3], [2, 4]]
    assert rows(b"a,b\n3,4", columns=["x", "y"], skip=1) == [[3], [4]]
    assert rows(b'1,"a\nb"\n3,c', "x", "t", columns=["x", "t"]) == [[1, 3], ["a\nb", "c"]]
    assert rows(b"# c\n1,2\n", columns=["x", "y"], comment="#") == [[1], [2]]
    assert refusal(b"x,y\n1,2\n", columns=["x", "y"]).splitlines()[1:] == ["  without these options it reads"]
    assert refusal(b"1,2\n", columns=["x"]) == "stdin:1: --columns gives 1 name, and the line has 2 cells"


def test_encodings() -> None:
    text = "T°C,y\n1,2\n"
    for encoding in ("latin-1", "cp1252", "utf-8", "utf-16", "utf-16-le", "utf-32", "shift_jis"):
        assert rows(text.encode(encoding), "T°C y", encoding=encoding) == [[1], [2]]
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        assert rows(text.encode(encoding), "T°C y") == [[1], [2]]
    assert rows(codecs.BOM_UTF16_BE + text.encode("utf-16-be"), "T°C y") == [[1], [2]]
    for form, body in (("json", '[{"°": 1}]'), ("jsonl", '{"°": 1}\n'), ("json", '{"°": [1]}')):
        for options in ({"encoding": "latin-1"}, {}):
            encoded = body.encode(options.get("encoding", "utf-16"))
            assert rows(encoded, "°", form=form, **options) == [[1]]
    for name in ("nope", "zlib", "rot13", "hex", "a\0b", "os.path", ""):
        assert "is no encoding of texts" in refusal(b"x,y\n1,2\n", encoding=name)


def test_bytes_that_are_not_in_the_encoding() -> None:
    text = "x,y\n1,2\n3,é\n".encode("latin-1")
    for sizes in ([len(text)], [1] * len(text)):
        found: list[float] = []
        with pytest.raises(GradError, match="stdin:3: not utf-8"):
            for chunk in open_table("-", Pieces(text, sizes), dialect=Dialect(encoding="utf-8")).chunks(["x"], []):
                found += chunk.columns[0].tolist()
        # Rows before the bad byte come first, wherever pieces end.
        assert found == [1.0]
    assert "not utf-16" in refusal("x,y\n1,2\n".encode("utf-16")[:-1])


def test_missing_numbers() -> None:
    text = b"x,t,y\n1,a,\n2,,3\nNA,b,4\n5,c,nan\n6,d,#N/A\n7,e,8\n"
    assert rows(text, "x y", "t", na="skip") == [[2, 7], [3, 8], ["", "e"]]
    assert rows(text, "x", "y", na="skip")[0] == [1, 2, 5, 6, 7]
    found = rows(text, na="nan")
    assert [k for k, value in enumerate(found[1]) if math.isnan(value)] == [0, 3, 4]
    assert refusal(text).startswith("stdin:2:5: an empty cell in column 'y'")
    table = open_table("-", io.BytesIO(text), dialect=Dialect(na="skip"))
    chunks = list(table.chunks(["x", "y"], []))
    assert chunks[0].start == 0 and table.rows is None
    assert table.notes == ["stdin: 4 rows without a number are left out (--na skip)"]
    for form, body in (("json", b'{"x": [1, null, 2]}'), ("jsonl", b'{"x": 1}\n{"x": null}\n{"x": 2}\n')):
        assert rows(body, "x", form=form, na="skip") == [[1, 2]]
    assert rows(b"x\nNA\n", "x", na="skip") == [[]]


def test_words_for_numbers() -> None:
    for word in (
        "nan",
        "NaN",
        "NAN",
        "-nan",
        "+NaN",
        "inf",
        "Inf",
        "+inf",
        "-INF",
        "Infinity",
        "-infinity",
        "+INFINITY",
    ):
        for text in (f"x,y\n1,{word}\n", f'x,y\n1,"{word}"\n', f"x,y\n1, {word} \r\n"):
            for na in ("error", "nan"):
                assert repr(rows(text.encode(), na=na)[1]) == repr([float(word)])
    for cell in ("in", "infi", "nann", "+-nan", "--inf", "minf", "pinf", "NULL", "Null", "[1]", "-NA", "infinit"):
        for na in ("error", "nan"):
            assert f"'{cell}' in column 'y' is not a number" in refusal(f"x,y\n1,{cell}\n".encode(), na=na)
    assert rows(b"x,y\n1.0D-3,2.5d+02\n1D2,nan\n")[0] == [0.001, 100.0]
    assert "is too large" in refusal(b"x,y\n1,1d400\n")


def test_columns_without_a_name_and_repeated_ones() -> None:
    assert rows(b",x,y,\n1,2,3,\n") == [[2], [3]]
    table = open_table("-", io.BytesIO(b",x,column_1,\n1,2,3,\n"))
    assert table.names == ("column_1_", "x", "column_1", "column_4")
    assert "column 1 has no name" in refusal(b",x\n1,2\n", "column_1")
    assert rows(b"x,a,a,y\n1,2,3,4\n") == [[1], [4]]
    assert "columns 2 and 3 are both named 'a'" in refusal(b"x,a,a,y\n1,2,3,4\n", "a")


def test_blanks_before_quotes() -> None:
    text = b'x, "y",  "t"\n1, "2", "a, ""b"""\n 3,4,  "c"\n'
    assert rows(text, "x y", "t") == [[1, 3], [2, 4], ['a, "b"', "c"]]
    assert rows(b'x,t\n1, a\n2, "b"\n', "x", "t") == [[1, 2], [" a", "b"]]
    assert refusal(b'x,y\n1,a "2"\n').startswith("stdin:2:5: a quote inside a cell")
    assert refusal(b'x,y\n1, "2" \n').startswith("stdin:2:7: text behind a closing quote")


def test_options_of_texts_are_refused_for_other_formats() -> None:
    for form, options in (("jsonl", {"delimiter": ";"}), ("json", {"skip": 1}), ("npy", {"encoding": "latin-1"}),
                          ("parquet", {"comment": "#"}), ("npz", {"columns": ["x"]})):  # fmt: skip
        (option,) = options
        with pytest.raises(GradError, match=f"--{option} is for .*; this is {form}"):
            open_table("-", io.BytesIO(b""), format=form, dialect=Dialect(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (b"x;y\n1,5;2\n2,25;3\n", "--delimiter ';' --decimal ,"),
        (b"x;y\n1.5;2\n", "--delimiter ';'"),
        (b'"x";"y"\n"1,5";"2"\n', "--delimiter ';' --decimal ,"),
        (b"x\ty\n1.5\t2\n", "--delimiter tab"),
        (b"x\ty\n1,5\t2\n", "--delimiter tab --decimal ,"),
        (b"x|y\n1.5|2\n", "--delimiter '|'"),
        (b"  x   y\n1.5   2\n", "--delimiter blank"),
        (b"Exported\n\nx,y\n1,2\n", "--skip 2"),
        (b"Exported\nby;me\nx;y\n1,5;2\n", "--delimiter ';' --decimal , --skip 2"),
        (b"x,y\nm,s\n1,2\n", "--skip-after-header 1"),
        (b"x,y\nlong,long\nm,s\n1,2\n", "--skip-after-header 2"),
        (b"a\nx,y\nm,s\n1,2\n", "--skip 1 --skip-after-header 1"),
        (b"# made\n# x,y\n1,2\n", "--comment '#'"),
        (b"#x,y\n1,2\n", "--comment '#'"),
        (b"% made\nx,y\n1,2\n", "--comment %"),
        (b"x,y\n1,2\n# last\n", None),
        (b"1;2\n3;4\n", "--columns a,b --delimiter ';'"),
        (b'size 5" by 3\nx,y\n1,2\n', "--skip 1"),
        # What is no dialect has no such hint: thousands, a slip, a row too many.
        (b"x\ty\n1,234\t2\n", None),
        (b"x,z\n1,2\n", None),
        (b"x,y\nabc,2\n3,4\n", None),
        (b"x,y\n1,2,3\n", None),
        (b"x,y\n1,2\nx,y\n3,4\n", None),
        (b"x;y\n1;2\nx;y\n3;4\n", None),
        (b"a;x;y\nx;y\n1;2\n", "--delimiter ';' --skip 1"),
    ],
)  # fmt: skip
def test_the_error_names_the_options_that_read_it(
    text: bytes, options: str | None, shell: Shell, empty_folder: Path
) -> None:
    Path("t.csv").write_bytes(text)
    code, out, err = shell("eval", "x*y", "-i", "t.csv")
    assert (code, out) == (2, "")
    lines = [line.strip() for line in err.splitlines() if line.endswith(" reads it")]
    assert lines == ([] if options is None else [f"{options} reads it"])
    if options is not None and "columns" not in options:
        assert shell("eval", "x*y", "-i", "t.csv", *shlex.split(options))[0] == 0


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (b"t;x;y\n0;1,5;2\n0;;3\n", "--delimiter ';' --decimal ,"),
        (b"x;y\n1,5;2\n1.234,5;3\n", "--delimiter ';' --decimal ,"),
        (b"x;y\nm;s\n1,5;2\n---;3\n", "--delimiter ';' --decimal , --skip-after-header 1"),
        (b"x;y\n;2\n1;3\n", "--delimiter ';'"),
        # The text reads as it is, or no row does.
        (b"x,y\n1,2\n#DIV/0!,3\n", None),
        (b"x\ty\n---\t2\n", None),
    ],
)
def test_a_cell_without_a_number_further_down_hides_no_options(text: bytes, options: str | None, shell: Shell) -> None:
    Path("t.csv").write_bytes(text)
    code, out, err = shell("eval", "x*y", "-i", "t.csv")
    assert (code, out) == (2, "")
    assert ("reads its first rows" in err) == (options is not None)
    if options is not None:
        assert err.endswith(f"\n  {options} reads its first rows\n")
        assert "t.csv:" in shell("eval", "x*y", "-i", "t.csv", *shlex.split(options))[2]


def test_the_hint_spells_columns_that_were_given(shell: Shell) -> None:
    Path("t.csv").write_text("1 2\n3  4\n")
    err = shell("eval", "x*y", "-i", "t.csv", "--columns", "x,y")[2]
    assert err.endswith("\n  --columns x,y --delimiter blank reads it\n")


DIALECTS = st.builds(
    Dialect,
    columns=st.sampled_from([None, None, None, ("x", "y")]),
    encoding=st.sampled_from([None, None, "latin-1", "utf-8"]),
    delimiter=st.sampled_from([None, ";", "tab", "blank"]),
    decimal=st.sampled_from(".,"),
    comment=st.sampled_from([None, "#"]),
    skip=st.integers(0, 1),
    skip_after_header=st.integers(0, 1),
    na=st.sampled_from(["error", "nan", "skip"]),
)


@settings(max_examples=150)
@given(
    st.sampled_from(["x,y\n", "x;y\n", "x y\n", "# x,y\n", "x\n", "old\nx;y\n", ""]),
    st.lists(st.sampled_from(["1,2\n", "1;2\n", "1 2\n", "1,5;2\n", '"a",1\n', "# c\n", ' "b"', '"', "NA", "inf"])),
    DIALECTS,
    st.lists(st.integers(1, 5), max_size=30),
    st.booleans(),
)  # fmt: skip
def test_any_text_in_any_dialect_is_a_table_or_an_error_wherever_pieces_end(
    header: str, body: list[str], dialect: Dialect, sizes: list[int], keep: bool
) -> None:
    text = (header + "".join(body)).encode()

    def outcome(sizes: list[int]) -> list[Any]:
        found: list[Any] = []
        try:
            table = open_table("-", Pieces(text, sizes), dialect=dialect)
            found.append(table.names)
            for chunk in table.chunks(["x"], [name for name in table.names if keep and name != "x"]):
                found += zip(chunk.columns[0].tolist(), *[cells.cells for cells in chunk.kept], strict=True)
        except GradError as error:
            assert error.exit_code == 2
            found.append(str(error))
        return found

    assert repr(outcome(sizes)) == repr(outcome([]))


def test_a_pipe_that_stays_open_is_no_reason_to_wait_for_ever() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"x;y\n1,5;2\n")
    try:
        table = open_table("-", io.FileIO(reader))
        assert table.hint("x") == "--delimiter ';' --decimal , reads it"
    finally:
        os.close(writer)
