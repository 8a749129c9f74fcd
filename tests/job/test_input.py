"""--input: rows of files as points, chunk by chunk, from the shell and through jobs."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import COMMAND, PATIENCE, Shell, process

from gradcli.job import Job, Rows, run
from gradcli.job.gradient import GradJob, run_grad
from gradcli.limits import memory

ROWS = 'x,t,name\n1,2,"a, b"\n3,4,c\n-5,0.5,d\n'


@pytest.fixture(autouse=True)
def runs(empty_folder: Path) -> None:
    Path("runs.csv").write_text(ROWS)


def columns(expression: str, *paths: str, **request: Any) -> dict[str, list[float]]:
    found = run(Job([expression], **request), Rows(paths))
    return {name: list(column) for name, column in zip(found.names, found.whole(), strict=True)}


def test_columns_are_variables(shell: Shell) -> None:
    code, out, err = shell("diff", "x**2*t", "--input", "runs.csv", "--csv")
    assert (code, err) == (0, "")
    assert out == "x,t,f,df_dx,df_dt\n1.0,2.0,2.0,4.0,1.0\n3.0,4.0,36.0,24.0,9.0\n-5.0,0.5,12.5,-5.0,25.0\n"
    assert shell("eval", "2*x", "-i", "runs.csv", "--csv")[1] == "x,f\n1.0,2.0\n3.0,6.0\n-5.0,-10.0\n"


def test_keep_carries_text(shell: Shell) -> None:
    _, out, _ = shell("diff", "x**2", "--input", "runs.csv", "--keep", "--csv")
    assert out.splitlines()[:2] == ["x,t,name,f,df_dx", '1,2,"a, b",1.0,2.0']
    _, out, _ = shell("diff", "x**2", "--input", "runs.csv", "--keep", "--jsonl")
    assert json.loads(out.splitlines()[0]) == {"x": 1, "t": 2, "name": "a, b", "f": 1.0, "df_dx": 2.0}
    _, out, _ = shell("diff", "x**2", "--input", "runs.csv", "--keep", "--grid", "b=1,2", "--allow-unused", "--csv")
    assert [line.split(",")[1] for line in out.splitlines()[1:]] == ["2", "2", "4", "4", "0.5", "0.5"]


def test_with_constants_and_grids(shell: Shell) -> None:
    found = columns("a*x + b", "runs.csv", at=["a=10"], grids=["b=1,2"])
    assert found["x"] == [1, 1, 3, 3, -5, -5] and found["b"] == [1, 2] * 3 and found["a"] == [10] * 6
    assert found["f"] == [11, 12, 31, 32, -49, -48]
    assert shell("diff", "x", "--at", "x=1", "--input", "runs.csv")[0] == 2
    code, _, err = shell("diff", "x*t", "--at", "x=1", "--input", "runs.csv")
    assert code == 2 and "'x' is a column of runs.csv and given on the command line too" in err


def test_several_files_and_patterns_are_one(shell: Shell) -> None:
    Path("more.csv").write_text("name,x\nz,7\n")
    assert columns("x", "runs.csv", "more.csv")["x"] == [1, 3, -5, 7]
    assert columns("x", "*.csv")["x"] == [7, 1, 3, -5]
    code, out, err = shell("diff", "x", "--input", "no*.csv")
    assert (code, out) == (2, "") and "no file matches 'no*.csv'" in err
    code, _, err = shell("diff", "t", "--input", "runs.csv", "--input", "more.csv")
    assert code == 2 and "more.csv: there is no column 't'" in err
    Path("[1].csv").write_text("x\n8\n")
    assert columns("x", "[1].csv")["x"] == [8]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["diff", "x*q", "--input", "runs.csv"], "runs.csv: there is no column 'q'"),
        (["diff", "x*b", "--input", "runs.csv"], "for all rows: --at b=..."),
        (["diff", "nme", "--input", "runs.csv"], "did you mean 'name'?"),
        (["diff", "name", "--input", "runs.csv"], "runs.csv:2:"),
        (["diff", "x", "--input", "absent.csv"], "absent.csv: No such file"),
        (["diff", "x", "--input", "runs.csv", "--max-points", "2"], "more than 2 points"),
        (["diff", "x*a", "--grid", "a=0:1:11", "--input", "runs.csv", "--max-points", "10"], "11 points are beyond"),
        (["diff", "x", "--input", "runs.csv", "--max-points", "1.5"], "'1.5' is not a whole number from 1"),
        (["diff", "x", "--input", "runs.csv", "--max-bytes", "1e1"], "runs.csv: too large: the limit is 10 bytes"),
        (["diff", "x", "--input", ""], "--input: the name of the file is missing"),
        (["diff", "x", "--input", "runs.csv", "--columns", ""], "--columns: '' is not the name of a variable"),
        (["diff", "x", "--input", "runs.csv", "--columns", "x"], "--columns gives 1 name, and the line has 3 cells"),
        (["diff", "2", "--input", "runs.csv"], "the expressions have no variable that a column could give"),
        (["diff", "a*b", "--at", "a=1", "--grid", "b=1,2", "--input", "runs.csv"], "--at and --grid give a, b"),
        (["diff", "x*a", "--grid", "3x4", "--input", "runs.csv"], "the shape --grid 3x4 fills every variable"),
        (["diff", "x*a", "--grid", "3", "--fill", "i", "--input", "runs.csv"], "a grid names its variable"),
        (["diff", "x", "--keep"], "--keep goes with --input"),
        (["grad", "x", "--wrt", "x", "--create-graph", "--input", "runs.csv"], "leave --input out"),
        (["grad", "x", "--wrt", "x", "--create-graph", "--na", "nan"], "--na goes with --input"),
        (["grad", "x", "--wrt", "x", "--keep", "--input", "absent.csv"], "--keep goes with diff and eval"),
        (["diff", "x", "--keep", "--at", "x=1"], "--keep goes with --input"),
        (["diff", "x", "--na", "nan", "--at", "x=1"], "--na goes with --input"),
        (["diff", "x", "--input", "-", "--input", "-"], "stdin cannot be read twice"),
        (["diff", "-f", "-", "--input", "-"], "stdin cannot be read twice"),
        (["eval", "sum(x)", "--input", "absent.csv", "--keep"], "--keep: there is one number for all rows"),
        (["eval", "name = x - mean(x)", "--input", "runs.csv", "--keep"], "'name' would be both a column that is kept"),
    ],
)
def test_refusals(shell: Shell, words: list[str], message: str) -> None:
    code, out, err = shell(*words)
    assert (code, out) == (2, "") and message in err and "Traceback" not in err


def test_what_takes_all_points_takes_all_rows(shell: Shell) -> None:
    assert shell("eval", "sum(x)", "--input", "runs.csv", "--csv")[1] == "f\n-1.0\n"
    found = run_grad(GradJob(["mean((a*x - t)**2)"], ["a"], at=["a=1"]), Rows(["runs.csv"]))
    x, t = np.array([1, 3, -5]), np.array([2, 4, 0.5])
    assert found.whole()[-1][0] == pytest.approx(np.mean(2 * (x - t) * x), rel=1e-15)


def test_the_same_bytes_whatever_the_chunks() -> None:
    rng = np.random.default_rng(5)
    table = rng.normal(size=(3000, 2))
    text = "x,y\n" + "".join(f"{a!r},{b!r}\n" for a, b in table.tolist())
    Path("big.csv").write_text(text)
    words = ["diff", "exp(-x*x)*sin(y)", "--csv"]
    whole = process(*words, "--input", "big.csv", text=False).stdout
    with subprocess.Popen([*COMMAND, *words, "--input", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as piped:
        assert piped.stdin and piped.stdout
        raw = text.encode()
        cuts = sorted(rng.integers(0, len(raw), 40).tolist())
        for lo, hi in zip([0, *cuts], [*cuts, len(raw)], strict=True):
            piped.stdin.write(raw[lo:hi])
            piped.stdin.flush()
        piped.stdin.close()
        assert piped.stdout.read() == whole
    grid = run(Job(["exp(-x*x)*sin(y)"]), Rows(["big.csv"])).whole()
    assert whole.count(b"\n") == 3001 and len(grid[0]) == 3000


def test_a_slow_producer_gets_each_answer_before_the_next_question() -> None:
    with subprocess.Popen(
        [*COMMAND, "diff", "x**2", "--input", "-", "--jsonl"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as asked:  # fmt: skip
        assert asked.stdin and asked.stdout
        asked.stdin.write(b"x\n")
        for x in (3.0, 4.0):
            asked.stdin.write(f"{x}\n".encode())
            asked.stdin.flush()
            assert json.loads(asked.stdout.readline()) == {"x": x, "f": x * x, "df_dx": 2 * x}
        asked.stdin.close()


def test_an_answer_does_not_wait_for_a_silent_pipe() -> None:
    with subprocess.Popen(
        [*COMMAND, "diff", "1/x", "--input", "-", "--strict", "--csv"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as asked:  # fmt: skip
        assert asked.stdin and asked.stderr
        asked.stdin.write(b"x\n0\n")
        asked.stdin.flush()
        assert asked.wait(PATIENCE) == 1
        assert b"f is inf" in asked.stderr.read()


def test_no_rows_are_a_result(shell: Shell) -> None:
    Path("none.csv").write_text("x\n")
    assert shell("diff", "x**2", "--input", "none.csv", "--csv") == (0, "x,f,df_dx\n", "")
    assert json.loads(shell("diff", "x**2", "--input", "none.csv", "--json")[1])["columns"] == {
        "x": [],
        "f": [],
        "df_dx": [],
    }
    code, _, err = shell("eval", "sum(x)", "--input", "none.csv")
    assert code == 2 and "there are no rows" in err


def test_the_same_file_in_and_out(shell: Shell) -> None:
    Path("runs.csv").write_text("x,t\n1,2\n")
    assert shell("diff", "x*t", "--input", "runs.csv", "--input", "runs.csv", "-o", "runs.csv") == (0, "", "")
    assert Path("runs.csv").read_text() == "x,t,f,df_dx,df_dt\n" + 2 * "1.0,2.0,2.0,2.0,1.0\n"
    assert shell("eval", "y = x*10", "--input", "runs.csv", "-o", "runs.csv")[0] == 0
    assert Path("runs.csv").read_text().startswith("x,y\n1.0,10.0\n")


@pytest.mark.parametrize("suffix", ["csv.gz", "jsonl.gz", "csv.zst", "npy.gz"])
def test_packed_files_are_written_and_read(shell: Shell, suffix: str) -> None:
    if suffix.endswith("zst"):
        pytest.importorskip("zstandard")
    assert shell("eval", "y = x*t", "--input", "runs.csv", "-o", f"o.{suffix}") == (0, "", "")
    assert Path(f"o.{suffix}").read_bytes()[:2] in (b"\x1f\x8b", b"\x28\xb5")
    assert (
        shell("eval", "z = y/t", "--input", f"o.{suffix}", "--csv")[1]
        == "y,t,z\n2.0,2.0,1.0\n12.0,4.0,3.0\n-2.5,0.5,-5.0\n"
    )
    first = Path(f"o.{suffix}").read_bytes()
    assert shell("eval", "y = x*t", "--input", "runs.csv", "-o", f"o.{suffix}")[0] == 0
    assert Path(f"o.{suffix}").read_bytes() == first


def test_kept_columns_of_several_files_are_matched_by_name(shell: Shell) -> None:
    Path("more.csv").write_text('name,x,t\n"z ""q""",7,8\n')
    words = ["eval", "x", "--keep", "--csv", "--input"]
    assert shell(*words, "runs.csv", "--input", "more.csv")[1].endswith('-5,0.5,d,-5.0\n7,8,"z ""q""",7.0\n')
    assert shell(*words, "more.csv", "--input", "runs.csv")[1].startswith('name,x,t,f\n"z ""q""",7,8,7.0\n"a, b",1,2,')
    Path("less.csv").write_text("x,name\n1,u\n")
    for first, then, message in (
        ("runs.csv", "less.csv", "less.csv: there is no column 't'"),
        ("less.csv", "runs.csv", "runs.csv: the column 't', which --keep would carry, is not in less.csv"),
    ):
        code, out, err = shell(*words, first, "--input", then)
        assert (code, out) == (2, "") and message in err


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "jsonl", "parquet", "csv.gz"])
def test_kept_text_goes_through_every_format(shell: Shell, suffix: str) -> None:
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    texts = ['say "hi"', "two\nlines", "tab\there", "é \U0001f600 |", "", "back\\slash, comma"]
    rows = "".join(f'{k},"{text.replace(chr(34), chr(34) * 2)}"\n' for k, text in enumerate(texts))
    Path("texts.csv").write_text(f"x,temp C\n{rows}")
    assert shell("eval", "y = x", "--input", "texts.csv", "--keep", "-o", f"o.{suffix}") == (0, "", "")
    code, out, err = shell("eval", "`z 1` = y", "--input", f"o.{suffix}", "--keep", "--jsonl")
    assert (code, err) == (0, "")
    found = [json.loads(line) for line in out.splitlines()]
    assert [row["temp C"] for row in found] == texts
    assert [row["z 1"] for row in found] == list(range(len(texts)))


def test_kept_moments_to_the_nanosecond_and_bytes_that_are_text(shell: Shell) -> None:
    arrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet")
    moments = arrow.array([1_000_000_001, None], arrow.timestamp("ns"))
    table = {"x": [1.0, 2.0], "t": moments, "b": arrow.array([b"abc", "é".encode()], arrow.binary())}
    arrow.parquet.write_table(arrow.table(table), "ns.parquet")
    code, out, err = shell("eval", "g = x", "--input", "ns.parquet", "--keep", "--csv")
    assert (code, err) == (0, "")
    assert out == "x,t,b,g\n1.0,1970-01-01 00:00:01.000000001,abc,1.0\n2.0,,é,2.0\n"
    assert shell("eval", "g = x", "--input", "ns.parquet", "--keep", "-o", "o.parquet") == (0, "", "")
    again = arrow.parquet.read_table("o.parquet")
    assert (again.column("t").combine_chunks(), again.column("b").type) == (moments, arrow.binary())


def test_a_line_of_json_is_one_object(shell: Shell) -> None:
    Path("two.jsonl").write_text('{"x": 1}\n{"x": 2}],[{"x": 3}\n')
    assert shell("eval", "x", "--input", "two.jsonl", "--csv") == (
        2, "x,f\n1.0,1.0\n", "gradcli: error: two.jsonl:2:9: extra data\n",
    )  # fmt: skip


def test_keep_loses_no_key_of_a_later_line(shell: Shell) -> None:
    Path("late.jsonl").write_text('{"x": 1, "a": 1}\n{"x": 2, "a": 1, "b": 3}\n')
    code, out, err = shell("eval", "x", "--input", "late.jsonl", "--keep", "--csv")
    assert (code, out) == (2, "x,a,f\n1,1,1.0\n")
    assert err == "gradcli: error: late.jsonl:2:1: the key 'b', which the first line has not, would be lost\n"
    assert shell("eval", "x", "--input", "late.jsonl", "--csv") == (0, "x,f\n1.0,1.0\n2.0,2.0\n", "")


def test_a_header_of_an_array_that_is_not_utf_8(shell: Shell) -> None:
    header = b"{'descr': [('\xff', '<f8')], 'fortran_order': False, 'shape': (1,), }\n"
    Path("u.npy").write_bytes(b"\x93NUMPY\x03\x00" + len(header).to_bytes(4, "little") + header + bytes(8))
    code, out, err = shell("eval", "x", "--input", "u.npy")
    assert (code, out) == (2, "")
    assert err.startswith("gradcli: error: u.npy: the header of the array is damaged")


def test_kept_text_is_no_markup(shell: Shell) -> None:
    Path("texts.csv").write_text('"a\\|b",<i>,x\n<img src=x onerror=alert(1)>,[c](javascript:alert(1)),2\n')
    assert shell("eval", "x", "--input", "texts.csv", "--keep", "--format", "markdown")[1].splitlines() == [
        r"| a\\\|b | \<i> | x | f |",
        "| ---: | ---: | ---: | ---: |",
        r"| \<img src=x onerror=alert(1)> | \[c](javascript:alert(1)) | 2 | 2.0 |",
    ]


def test_kept_text_is_for_people_in_tables_and_nothing_for_arrays(shell: Shell) -> None:
    Path("texts.csv").write_text('x,t\n1,"two\nlines | \x1b[1m"\n')
    words = ["eval", "x", "--input", "texts.csv", "--keep"]
    assert shell(*words, "--format", "markdown")[1].splitlines()[2] == "| 1 | two\\nlines \\| \\x1b\\[1m | 1.0 |"
    assert shell(*words)[1].splitlines()[1] == "1  two\\nlines | \\x1b[1m  1.0"
    for name in ("npy", "npz"):
        code, _, err = shell(*words, "-o", f"o.{name}")
        assert code == 2 and "column 't' holds text: npy and npz hold numbers alone" in err
        assert not Path(f"o.{name}").exists()


def test_rows_beside_reductions_keep_their_columns(shell: Shell) -> None:
    words = ["eval", "x - max(x) + a", "--grid", "a=1,2", "--input", "runs.csv", "--keep"]
    _, out, err = shell(*words, "--csv")
    assert err == "" and out.splitlines() == [
        "x,t,name,a,f",
        '1,2,"a, b",1.0,-1.0', '1,2,"a, b",2.0,0.0', "3,4,c,1.0,1.0", "3,4,c,2.0,2.0",
        "-5,0.5,d,1.0,-7.0", "-5,0.5,d,2.0,-6.0",
    ]  # fmt: skip
    found = json.loads(shell(*words, "--json")[1])
    assert found["shape"] == [3, 2] and found["columns"]["name"] == [["a, b"] * 2, ["c"] * 2, ["d"] * 2]
    code, _, err = shell("eval", "log(x - mean(x))", "--input", "runs.csv", "--keep", "--csv")
    assert (code, err) == (0, "gradcli: note: 1 non-finite value in f\n")
    code, _, err = shell("eval", "log(x - mean(x))", "--input", "runs.csv", "--keep", "--csv", "--strict")
    assert (code, err) == (1, "gradcli: error: at x=-5.0: f is nan\n")


def test_arrays_without_names(shell: Shell) -> None:
    np.save("one.npy", np.arange(3.0))
    np.save("two.npy", np.arange(6.0).reshape(2, 3))
    np.save("big.npy", np.array([2**53 + 1]))
    assert shell("eval", "x", "--input", "one.npy", "--csv")[1] == "x,f\n0.0,0.0\n1.0,1.0\n2.0,2.0\n"
    _, out, _ = shell("eval", "x*z", "--input", "two.npy", "--columns", "x,`y 1`,z", "--csv", "--keep")
    assert out == "x,y 1,z,f\n0.0,1.0,2.0,0.0\n3.0,4.0,5.0,15.0\n"
    assert shell("eval", "x", "--input", "big.npy")[2] == (
        "gradcli: note: big.npy: the column has integers beyond 2**53: they lose precision as doubles\n"
    )
    for words, message in (
        (
            ["x*y", "--input", "one.npy"],
            "its only column has no name, and 2 variables have no value\n  name it: --columns",
        ),
        (["x*y", "--input", "two.npy"], "an array of 3 columns without names\n  give --columns a,b,c"),
        (["x", "--input", "two.npy", "--columns", "x"], "two.npy: --columns gives 1 name, and the array has 3 columns"),
    ):
        code, out, err = shell("eval", *words)
        assert (code, out) == (2, "") and message in err


# Limits, and how much is done.


def test_the_engine_of_rows_is_the_one_asked_for() -> None:
    chosen = {"auto": "vector", "scalar": "scalar", "vector": "vector", "native": "native"}
    for name, engine in chosen.items():
        found = run(Job(["x*t"], engine=name), Rows(["runs.csv"]))
        assert (found.engine, [list(column) for column in found.whole()][:3]) == (
            engine,
            [[1, 3, -5], [2, 4, 0.5], [2, 12, -2.5]],
        )


def test_as_many_points_as_the_limit_are_allowed(shell: Shell) -> None:
    for words in (["diff", "x*t"], ["eval", "x*t - mean(x)"], ["grad", "x*t", "--wrt", "x"]):
        assert shell(*words, "--input", "runs.csv", "--csv", "--max-points", "3")[0] == 0
        code, _, err = shell(*words, "--input", "runs.csv", "--csv", "--max-points", "2")
        assert code == 2 and "more than 2 points are beyond the limit (--max-points)" in err
    assert shell("diff", "a*x", "--input", "runs.csv", "--csv", "--grid", "a=1,2", "--max-points", "6")[0] == 0
    assert shell("diff", "x", "--grid", "x=0:1:10", "--csv", "--max-points", "10")[0] == 0


def test_what_memory_cannot_hold_is_refused(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "limit", lambda: 100)
    for words in (
        ["diff", "x*t", "--input", "runs.csv", "--json"],
        ["diff", "x*t", "--input", "runs.csv", "-o", "o.npz"],
        ["diff", "x*t", "--input", "runs.csv", "--format", "npy"],
        ["eval", "sum(x*t)", "--input", "runs.csv", "--input", "runs.csv", "--csv"],
        ["eval", "x - mean(x)", "--input", "runs.csv", "--keep", "--csv"],
        ["diff", "x*t", "--grid", "2x3"],
        ["eval", "x", "--grid", "3"],
        ["diff", "x", "--grid", "x=0:1:5", "--engine", "vector", "--json"],
        ["eval", "x - mean(x)", "--grid", "x=0:1:5", "--json"],
        ["grad", "a*x", "--wrt", "a,x", "--at", "a=1", "--grid", "x=1,2,3,4", "--json"],
    ):
        code, out, err = shell(*words)
        assert (code, out) == (2, ""), words
        assert re.search(r"would take [0-9.]+ GB of memory, and the limit is 0\.0 GB here\n  \w", err), words
    assert os.listdir() == ["runs.csv"]
    for words in (["--csv"], ["--jsonl"], ["--format", "table"], ["--format", "markdown"], ["-o", "o.npy"]):
        assert shell("diff", "x*t", "--input", "runs.csv", *words)[0] == 0


@pytest.mark.parametrize("points", [["x=0:1:1000000000000", "--json"], ["1000000x1000000"]])
def test_a_result_beyond_any_memory_is_refused_before_work(points: list[str]) -> None:
    done = process("diff", "x", "--max-points", "1e13", "--grid", *points)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("gradcli: error: this output holds 3,000,000,000,000 numbers at once")
    assert "24,000.0 GB" in done.stderr or "96,000.0 GB" in done.stderr
    assert "write csv, tsv, jsonl, npy or parquet" in done.stderr


def test_the_limit_is_what_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 << 26 < memory.limit() < 1 << 50
    monkeypatch.setattr(memory, "_CONTAINER", ("limit", "absent"))
    Path("limit").write_text("4000000\n")
    assert memory.limit() == 3000000
    Path("limit").write_text("max\n")
    assert memory.limit() > 3000000


def test_how_much_is_done_is_told_by_bytes() -> None:
    Path("long.csv").write_text("x\n" + "0.25\n" * 600_000)
    told: list[tuple[int, float | None]] = []
    found = run(Job(["x"]), Rows(["long.csv", "long.csv"]))
    found.watch = lambda done: told.append((done, found.part(done)))
    assert sum(len(block[0]) for block in found.blocks) == told[-1][0] == 1_200_000
    parts = [part for _, part in told if part is not None]
    assert len(parts) == len(told) > 3 and parts == sorted(parts) and 0 < parts[0] and parts[-1] == 1
    held: list[tuple[int, float | None]] = []
    run(Job(["sum(x)"], order=0), Rows(["long.csv"], watch=lambda done, part: held.append((done, part))))
    assert held[-1] == (600_000, 1.0)
    with open("long.csv", "rb") as file:
        reader, writer = os.pipe()
        os.write(writer, file.read(100))
        os.close(writer)
        piped = run(Job(["x"]), Rows(["-"], stdin=io.FileIO(reader)))
        assert piped.part(0) is None and len(piped.whole()[0]) == 20


def test_the_summary_counts_rows(shell: Shell) -> None:
    assert "note: 3 rows in " in shell("diff", "x**2", "--input", "runs.csv", "-v")[2]
    assert "note: 3 rows in " in shell("eval", "sum(x)", "--input", "runs.csv", "-v")[2]
    assert "note: 6 points in " in shell("eval", "a*x", "--grid", "a=1,2", "--input", "runs.csv", "-v")[2]


def test_a_fault_on_the_way_to_parquet_ends() -> None:
    pytest.importorskip("pyarrow")
    Path("bad.csv").write_text("x\n" + "1\n" * 200_000 + "bad\n")
    for words, code in ((["x", "--input", "bad.csv"], 2), (["log(x)", "--grid", "x=1:-1:300001", "--strict"], 1)):
        done = process("diff", *words, "-o", "o.parquet")
        assert (done.returncode, done.stdout) == (code, "")
    assert sorted(os.listdir()) == ["bad.csv", "runs.csv"]
