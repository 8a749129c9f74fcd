"""--input: rows of files as points, chunk by chunk, from the shell and through jobs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcli.cli import run as call
from gradcli.job import Job, Rows, run
from gradcli.job.gradient import GradJob, run_grad

Shell = Callable[..., tuple[int, str, str]]
ROWS = 'x,t,name\n1,2,"a, b"\n3,4,c\n-5,0.5,d\n'


@pytest.fixture(autouse=True)
def an_empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.startswith("GRADCLI_")]:
        monkeypatch.delenv(name)
    Path("runs.csv").write_text(ROWS)


@pytest.fixture
def shell(capfd: pytest.CaptureFixture[str]) -> Shell:
    def words(*args: str) -> tuple[int, str, str]:
        code = call(list(args))
        out, err = capfd.readouterr()
        return code, out, err

    return words


def process(*args: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-P", "-m", "gradcli", *args]
    return subprocess.run(command, input=given, capture_output=True, check=False, timeout=60)


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
    assert out.splitlines()[:2] == ["t,name,x,f,df_dx", '2,"a, b",1.0,1.0,2.0']
    _, out, _ = shell("diff", "x**2", "--input", "runs.csv", "--keep", "--jsonl")
    assert json.loads(out.splitlines()[0]) == {"t": 2, "name": "a, b", "x": 1.0, "f": 1.0, "df_dx": 2.0}
    _, out, _ = shell("diff", "x**2", "--input", "runs.csv", "--keep", "--grid", "b=1,2", "--allow-unused", "--csv")
    assert [line.split(",")[0] for line in out.splitlines()[1:]] == ["2", "2", "4", "4", "0.5", "0.5"]
    Path("f.csv").write_text("x,f\n1,2\n")
    code, _, err = shell("diff", "x**2", "--input", "f.csv", "--keep")
    assert code == 2 and "'f' would be both a column that is kept and a result" in err


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


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["diff", "x*q", "--input", "runs.csv"], "runs.csv: there is no column 'q'"),
        (["diff", "nme", "--input", "runs.csv"], "did you mean 'name'?"),
        (["diff", "name", "--input", "runs.csv"], "runs.csv:2:"),
        (["diff", "x", "--input", "absent.csv"], "absent.csv: No such file"),
        (["diff", "x", "--input", "runs.csv", "--max-points", "2"], "more than 2 points"),
        (["diff", "x", "--keep", "--at", "x=1"], "--keep goes with --input"),
        (["diff", "x", "--na", "nan", "--at", "x=1"], "--na goes with --input"),
        (["diff", "x", "--input", "-", "--input", "-"], "stdin cannot be read twice"),
        (["diff", "-f", "-", "--input", "-"], "stdin cannot be read twice"),
        (["eval", "sum(x)", "--input", "runs.csv", "--keep"], "--keep goes row by row"),
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
    whole = process(*words, "--input", "big.csv").stdout
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "gradcli", *words, "--input", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as piped:
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
        [sys.executable, "-P", "-m", "gradcli", "diff", "x**2", "--input", "-", "--jsonl"],
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
        [sys.executable, "-P", "-m", "gradcli", "diff", "1/x", "--input", "-", "--strict", "--csv"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as asked:  # fmt: skip
        assert asked.stdin and asked.stderr
        asked.stdin.write(b"x\n0\n")
        asked.stdin.flush()
        began = time.monotonic()
        assert asked.wait(30) == 1 and time.monotonic() - began < 30
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
    assert shell("diff", "x", "--wrt", "t", "--allow-unused", "--input", "runs.csv", "-o", "runs.csv")[0] in (0, 2)
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
