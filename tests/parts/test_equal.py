"""Parts hold what one process writes to one file: column for column, and in the order of the rows."""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import Shell
from folders import faults, joined, made, parts, sources, whole

from gradcli.caret import Source
from gradcli.job.request import Job, Rows
from gradcli.parts.work import Work, work_of

SIZES = [250, 0, 3, 401]
SMALL = ("--part-bytes", "2000")

COMMANDS = {
    "diff": ("diff", "sin(x)*y/(x - 0.5)", "--order", "2", "--keep"),
    "one column": ("diff", "sin(x)", "--drop", "f"),
    "several": ("diff", "u = x*y; v = exp(u)", "--wrt", "y", "--keep"),
    "eval": ("eval", "s = erf(x) + y", "--keep", "--drop", "y"),
    "select": ("diff", "x**y", "--select", "df_dy,id", "--input-format", "parquet"),
    "natural": ("diff", "2x y² - id x", "--natural", "--keep"),
    "natural grad": ("grad", "q = 2x y", "--natural", "--wrt", "x,y"),
    "sides": ("diff", "abs(y) + max(x, y)", "--sides", "--keep"),
    "trust": ("diff", "exp(x) - 1", "--wrt", "x", "--trust"),
    "verdict": ("diff", "sqrt(abs(y))*x", "--verdict", "--select", "id,f,df_dy"),
    "kink": ("diff", "abs(y)", "--kink", "nan", "--keep"),
    "given": ("diff", "a*x + y", "--at", "a=0.1", "--keep"),
    "grid": ("diff", "a*x + y", "--grid", "a=0:1:3", "--keep"),
    "grad": ("grad", "q = x**2*y", "--wrt", "x,y"),
    "grad weighted": (
        "grad",
        "q = x**2*y; r = x",
        "--wrt",
        "x",
        "--grad-outputs",
        "q = 2",
        "--grad-outputs",
        "r = 0.5",
    ),
    "native": ("diff", "sin(x)*y", "--engine", "native"),
    "scalar": ("diff", "sin(x)*y", "--engine", "scalar"),
}


@pytest.mark.quick
@pytest.mark.parametrize("command", COMMANDS, ids=lambda name: name.replace(" ", "-"))
def test_every_command_of_rows(shell: Shell, command: str):
    paths = sources(Path("in"), SIZES)
    words = [*COMMANDS[command], *[word for path in paths for word in ("--input", path)]]
    code, _, err = shell(*words, "-o", "out/", *SMALL)
    assert code == 0, err
    assert made(err)[0] == len(parts(Path("out"))) > 4
    assert shell(*words, "-o", "one.parquet")[0] == 0
    assert joined(parts(Path("out"))) == joined([Path("one.parquet")])
    assert faults(Path("out")) == []


@pytest.mark.quick
def test_natural_notation_is_read_alike_by_every_process(shell: Shell):
    """The columns of the first source are known names, in a part of another one and in another process, too."""
    Path("a.csv").write_text("rate,t\n1,2\n")
    Path("b.csv").write_text("t,rate,ra\n4,3,1\n")
    words = ["eval", "2rate t", "--natural", "--input", "a.csv", "--input", "b.csv", "--csv"]
    code, _, err = shell(*words, "-o", "out/")
    assert code == 0, err
    assert "note: read as 2*rate*t\n" in err
    texts = ["rate,t,f\n1.0,2.0,4.0\n", "rate,t,f\n3.0,4.0,24.0\n"]
    assert [path.read_text() for path in parts(Path("out"))] == texts
    again = shell(*words, "-o", "out/")
    assert (again[0], made(again[2])[0]) == (0, 0)
    assert "note: read as 2*rate*t\n" in again[2]
    job = Job([Source("2rate t", None, True)], order=0)
    work = Work(job, Rows(header=("rate", "t"), first="a.csv"), "csv")
    other = work_of(json.loads(json.dumps(work.described())))
    assert other.looked_at("b.csv").read_as == "2*rate*t"
    assert work.identity()["input"]["header"] == ["rate", "t"]


@pytest.mark.quick
@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "npy", "parquet"])
def test_every_format(shell: Shell, form: str):
    """Files of text are cut at the ends of lines. Each of the input's formats gives each of the parts'."""
    sources(Path("in"), SIZES, "csv")
    words = ["diff", "sin(x)*y", "--input", "in/*.csv", "--keep"]
    code, _, err = shell(*words, "-o", "out/", *SMALL, "--format", form)
    assert code == 0, err
    assert len(parts(Path("out"))) > 8
    assert shell(*words, "-o", f"one.{form}")[0] == 0
    assert joined(parts(Path("out"))) == joined([Path(f"one.{form}")])


@pytest.mark.quick
def test_text_with_quotes_and_missing_cells(shell: Shell):
    """Kept cells, line ends in quotes, rows left out and digits are those of one file."""
    rows = [f'{k},"a,\n{k}",{"" if k % 7 == 0 else k / 3},{k}' for k in range(500)]
    Path("rows.csv").write_text("id,note,x,y\r\n" + "\r\n".join(rows))
    words = ["diff", "x*y", "--input", "rows.csv", "--keep", "--na", "skip", "--csv", "--digits", "5"]
    code, _, err = shell(*words, "-o", "out/", "--part-bytes", "512")
    assert code == 0, err
    assert len(parts(Path("out"))) > 15
    alone = shell(*words, "-o", "one.csv")
    assert alone[0] == 0
    text = b"".join(path.read_bytes().split(b"\n", 1)[1] for path in parts(Path("out")))
    assert Path("one.csv").read_bytes().split(b"\n", 1)[1] == text
    assert "72" in alone[2]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_proved_digits(shell: Shell, form: str):
    """More digits than a double has are texts in each part."""
    sources(Path("in"), [3, 0, 2], "csv")
    words = ["diff", "sin(x)", "--input", "in/*.csv", "--digits", "30", "--format", form, "-o"]
    assert shell(*words, "out/")[0] == 0
    assert shell(*words, f"one.{form}")[0] == 0
    assert joined(parts(Path("out"))) == joined([Path(f"one.{form}")])


def test_columns_in_other_orders(shell: Shell):
    """Columns have the order of the first file, whatever that of the others."""
    Path("a.csv").write_text("x,id,y\n1,0,2\n")
    Path("b.csv").write_text("y,x,id\n4,3,1\n")
    words = ["diff", "x*y", "--input", "a.csv", "--input", "b.csv", "--keep", "--csv"]
    assert shell(*words, "-o", "out/")[0] == 0
    assert [path.read_text() for path in parts(Path("out"))] == [
        "x,id,y,f,df_dx,df_dy\n1,0,2,2.0,2.0,1.0\n", "x,id,y,f,df_dx,df_dy\n3,1,4,12.0,4.0,3.0\n"
    ]  # fmt: skip
    Path("c.csv").write_text("y,x,id,z\n4,3,1,1\n")
    alone = shell(*words, "--input", "c.csv")
    code, _, err = shell(*words, "--input", "c.csv", "-o", "out/")
    assert (code, alone[0]) == (2, 2)
    assert "c.csv: the column 'z', which --keep would carry, is not in a.csv" in alone[2]
    assert "c.csv: the column 'z', which --keep would carry, is not in a.csv" in err


def test_a_column_without_a_name(shell: Shell):
    np.save("x.npy", np.arange(7.0))
    assert shell("diff", "x**2", "--input", "x.npy", "-o", "out/")[0] == 0
    assert pq.read_table(parts(Path("out"))[0])["df_dx"].to_pylist() == [2.0 * k for k in range(7)]


@pytest.mark.quick
def test_rows_of_a_folder_of_parts(shell: Shell):
    """A folder of parts is an input: of one process, and of another folder of parts."""
    sources(Path("in"), SIZES)
    assert shell("diff", "sin(x)*y", "--input", "in/", "--keep", "-o", "out/", *SMALL)[0] == 0
    words = ["eval", "g = f + df_dx", "--input", "out/", "--keep"]
    assert shell(*words, "-o", "one.parquet")[0] == 0
    assert shell(*words, "-o", "again/")[0] == 0
    assert joined(parts(Path("again"))) == joined([Path("one.parquet")])
    whole(Path("again"), sum(SIZES))
    Path("out/manifest.json").unlink()
    for target in ("x.csv", "again/"):
        code, _, err = shell(*words, "-o", target)
        assert code == 2
        assert "out/: this folder of parts is not whole: manifest.json is missing" in err


@pytest.mark.quick
@pytest.mark.parametrize("name", ["a b.csv", "a\nb.csv", "größe-数.csv", "-x.csv", "[1].csv", "a'\"`$x;#.csv"])
def test_names_of_sources(shell: Shell, name: str):
    path = Path("in") / name
    path.parent.mkdir()
    path.write_text("id,x\n0,1\n1,2\n")
    assert shell("eval", "x**2", "--input", f"in/{name}", "--keep", "-o", "out/")[0] == 0
    whole(Path("out"), 2)
    assert shell("eval", "x**2", "--input", "in/*.csv", "--keep", "-o", "out/")[2].count("0 made, 1 stood") == 1


def test_a_name_that_is_no_text(shell: Shell):
    """Names of files are bytes: plan, record and manifest repeat them all the same."""
    path = b"in\xff.csv"
    try:
        with open(path, "wb") as file:
            file.write(b"id,x\n0,1\n")
    except OSError:
        pytest.skip("this file system holds names of UTF-8 alone")
    assert shell("eval", "x**2", "--input", "in*.csv", "--keep", "-o", "out \u00e9/")[0] == 0
    whole(Path("out \u00e9"), 1)


def test_one_source_twice(shell: Shell):
    """Each time its rows are there: under names of their own."""
    (path,) = sources(Path("in"), [300])
    words = ["eval", "x + y", "--input", path, "--input", path, "--keep"]
    assert shell(*words, "-o", "out/", *SMALL)[0] == 0
    assert shell(*words, "-o", "one.parquet")[0] == 0
    assert joined(parts(Path("out"))) == joined([Path("one.parquet")])
    assert made(shell(*words, "-o", "out/", *SMALL)[2])[0] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_more_inputs_than_may_be_open(shell: Shell):
    """The soft limit, often 1024, is a default: more parts than that are read together."""
    import resource

    Path("in").mkdir()
    for k in range(100):
        Path(f"in/{k:03}.csv").write_text(f"x\n{k}\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (80, hard))
    try:
        assert shell("eval", "sum(x)", "--input", "in/", "--jsonl")[:2] == (0, '{"f": 4950.0}\n')
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_sources_without_rows(shell: Shell):
    sources(Path("in"), [0, 0])
    Path("in/head.csv").write_text("id,x,y\n")
    words = ["eval", "x + y", "--input", "in/0*", "--keep"]
    assert shell(*words, "-o", "out/")[0] == 0
    whole(Path("out"), 0)
    assert shell(*words, "--input", "in/head.csv", "-o", "out/")[0] == 0
    assert len(parts(Path("out"))) == 3
    Path("in/nothing.csv").write_text("")
    one = shell(*words, "--input", "in/nothing.csv", "-o", "one.csv")
    code, _, err = shell(*words, "--input", "in/nothing.csv", "-o", "out/")
    assert (code, one[0]) == (2, 2)
    assert one[2].splitlines()[0].removeprefix("gradcli: error: ") in err


def test_notes_are_told_once(shell: Shell):
    """What concerns all parts is told once, with numbers of all."""
    Path("in").mkdir()
    for k in range(3):
        Path(f"in/{k}.csv").write_text("x,y\n0,1\n-1,0\n2,\n")
    words = ["diff", "abs(x)/y", "--input", "in/*.csv", "--na", "skip"]
    alone = shell(*words, "-o", "one.csv")[2]
    err = shell(*words, "-o", "out/")[2]
    notes = [line for line in err.splitlines() if "left out" not in line][1:]
    assert notes == [line for line in alone.splitlines() if "left out" not in line]
    assert err.count("left out") == 3
    quiet = shell(*words, "-o", "out/", "-q")
    assert quiet == (0, "", "")


def test_types_of_kept_columns(shell: Shell):
    """Kept columns of parquet keep their types in every part."""
    table = pa.table({
        "x": pa.array(range(100), pa.int8()), "when": pa.array(range(100), pa.timestamp("us")),
        "word": pa.array([None if k % 3 else str(k) for k in range(100)]).dictionary_encode(),
    })  # fmt: skip
    pq.write_table(table, "in.parquet", row_group_size=10)
    words = ["diff", "x**2", "--input", "in.parquet", "--keep"]
    assert shell(*words, "-o", "out/", "--part-bytes", "1")[0] == 0
    assert shell(*words, "-o", "one.parquet")[0] == 0
    assert len(parts(Path("out"))) == 10
    together = pa.concat_tables([pq.read_table(path) for path in parts(Path("out"))])
    one = pq.read_table("one.parquet")
    assert together.to_pydict() == one.to_pydict()
    assert [str(field) for field in together.schema] == [str(field) for field in one.schema]


@pytest.mark.quick
def test_sources_of_every_format(shell: Shell):
    """Those that are not cut are one part each: packed files and arrays."""
    folder = Path("in")
    sources(folder, [130, 0, 90], "csv")
    for k, form in enumerate(["csv.gz", "jsonl", "json", "npy", "npz", "parquet", "tsv", "jsonl.gz"], 3):
        assert shell("eval", "z = x - y", "--input", "in/00000.csv", "--keep", "-o", f"{k}.{form}")[0] == 0
        assert shell("eval", "w = z*0", "--input", f"{k}.{form}", "--keep", "-o", "check.csv", "--drop", "w")[0] == 0
        Path(f"{k}.{form}").rename(folder / f"{k:05}.{form}")
    for words in (["in/*[13].*"], ["in/0000[4-8].*"], ["in/"]):
        command = ["diff", "sin(x)*y", "--input", *words, "--select", "x,f,df_dx", "-o"]
        code, _, err = shell(*command, "out/", *SMALL)
        assert code == 0, err
        assert shell(*command, "one.parquet")[0] == 0
        assert joined(parts(Path("out"))) == joined([Path("one.parquet")])


@pytest.mark.parametrize("seed", range(6))
def test_spelled_in_other_ways(shell: Shell, seed: int):
    """Text in other spellings, cut anywhere: comments, lines left out, decimal commas, quotes, missing numbers."""
    lot = np.random.default_rng(seed)
    words = ["diff", "x*y - exp(-x)", "--input", "rows.txt", "--input-format", "csv", "--keep", "--csv"]
    words += ["--delimiter", ";", "--comment", "#", "--skip", "2", "--na", ["nan", "skip"][seed % 2]]
    decimal, end = [(",", "\n"), (".", "\r\n"), (".", "\n")][seed % 3]
    if decimal == ",":
        words += ["--decimal", ","]
    lines = ["a title", "another; one", "id;x;word;y"]
    for k in range(120):
        x, y = (f"{number:.4g}".replace(".", decimal) for number in lot.normal(size=2))
        kind = lot.integers(12)
        x = "" if kind == 0 else f'"{x}"' if kind == 1 else x
        word = ['"a;b"', '"line\nline"', '"with ""quotes"""', "plain", "# no comment", ""][lot.integers(6)]
        lines.append(f"{k};{x};{word};{y}")
        if kind == 2:
            lines.append("# left out; all; of; it")
    Path("rows.txt").write_bytes((end.join(lines) + (end if seed % 2 else "")).encode())
    code, _, err = shell(*words, "-o", "out/", "--part-bytes", str(lot.integers(60, 400)))
    assert code == 0, err
    assert len(parts(Path("out"))) > 5
    assert shell(*words, "-o", "one.csv")[0] == 0
    head, text = Path("one.csv").read_bytes().split(b"\n", 1)
    pieces = [path.read_bytes().split(b"\n", 1) for path in parts(Path("out"))]
    assert {piece[0] for piece in pieces} == {head}
    assert b"".join(piece[1] for piece in pieces) == text
