"""What cannot be computed in parts is refused before anything is written, and every option is read strictly."""

from pathlib import Path

import pytest
from command import Shell

pytestmark = pytest.mark.quick

ROWS = ("--input", "rows.csv", "--csv", "-o", "out/")


@pytest.fixture(autouse=True)
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("x,y\n1,2\n3,4\n")


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["eval", "mean(x)", *ROWS], "a reduction such as sum or mean"),
        (["grad", "loss = sum(x)", "--wrt", "x", *ROWS], "a reduction such as sum or mean"),
        (["grad", "loss = k*x", "--wrt", "k", "--at", "k=2", *ROWS], "'k' is one number for all rows"),
        (["grad", "loss = x**2", "--wrt", "x", "--grad-outputs", "i", *ROWS], "the cotangent of 'loss'"),
        (["eval", "x", "--input", "-", "--csv", "-o", "out/"], "a stream cannot be cut"),
        (["eval", "x", "--grid", "x=0:1:3", "-o", "out/"], "the rows of files"),
        (["diff", "x", "-o", "out/"], "the rows of files"),
        (["eval", "x", *ROWS, "--part", "0/2"], "'0/2' is no share"),
        (["eval", "x", *ROWS, "--part", "3/2"], "'3/2' is no share"),
        (["eval", "x", *ROWS, "--cluster", "local:0"], "no place to work"),
        (["eval", "x", *ROWS, "--cluster", "here"], "no place to work"),
        (["eval", "x", *ROWS, "--part-bytes", "-1"], "no number of bytes"),
        (["eval", "x", *ROWS, "--part-bytes", "5 PB"], "no number of bytes"),
        (["eval", "x", "--input", "rows.csv", "--format", "markdown", "-o", "out/"], "markdown cannot"),
        (["eval", "x", "--input", "rows.csv", "--cluster", "local:2"], "goes with a folder of parts"),
        (["eval", "x", "--at", "x=1", "--retries", "2"], "goes with a folder of parts"),
        (["eval", "x", *ROWS, "--why"], "--why"),
        (["eval", "x", "--input", "rows.csv", "--csv", "-o", "./"], "lies in the folder of the output"),
    ],
)
def test_nothing_is_written(words: list[str], what: str, shell: Shell) -> None:
    code, out, err = shell(*words)
    assert (code, out) == (2, "")
    assert what in err
    assert [path.name for path in Path().iterdir()] == ["rows.csv"]
