"""The C library fails at a call: the file it was made on is named, exit code 3, and nothing hangs."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command import COMMAND, PATIENCE, environment
from tools import need


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not sys.platform.startswith("linux"):
        pytest.skip("needs LD_PRELOAD")
    need("cc")
    path = tmp_path_factory.mktemp("shim") / "fault.so"
    source = Path(__file__).with_name("fault.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", path, source, "-ldl"], check=True)
    return path


def faulty(shim: Path, fault: str, words: list[str], folder: Path, file: str | None = None) -> tuple[int, str]:
    more = {"LD_PRELOAD": str(shim), "FAULT": fault} | ({"FAULT_FILE": file} if file else {})
    done = subprocess.run(
        [*COMMAND, *words], cwd=folder, env=environment(**more), capture_output=True, text=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


FILES = ["csv", "csv.gz", "tsv", "json", "jsonl", "npy", "npz", "parquet"]


@pytest.fixture(scope="module")
def drawer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small table of every format, a file of an expression, one of claims and a cotangent."""
    from gradcli.cli import run

    folder = tmp_path_factory.mktemp("drawer")
    for suffix in FILES:
        assert run(["eval", "y = 2*x", "--grid", "x=0:1:9", "-o", str(folder / f"i.{suffix}")]) == 0
    (folder / "e.txt").write_text("x**2\n")
    (folder / "c.txt").write_text("df_dx = 2*x\n")
    np.save(folder / "g.npy", np.ones(9))
    return folder


READERS = {
    **{f"i.{suffix}": ["eval", "z = x", "-i", f"i.{suffix}", "--csv"] for suffix in FILES},
    "e.txt": ["diff", "-f", "e.txt"],
    "c.txt": ["check", "x**2", "--claims", "c.txt"],
    "g.npy": ["grad", "y = x**2", "--wrt", "x", "--grid", "x=0:1:9", "--grad-outputs", "y=g.npy"],
}


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM])
@pytest.mark.parametrize("file", READERS)
def test_a_file_that_cannot_be_opened(file: str, number: int, shim: Path, drawer: Path) -> None:
    code, err = faulty(shim, f"open:1:{number}", READERS[file], drawer, file)
    assert (code, err.count("\n")) == (3, 1)
    assert err.endswith(f"{file}: reading failed: {os.strerror(number)}\n")


@pytest.mark.parametrize("file", READERS)
def test_a_file_that_cannot_be_read_or_closed(file: str, shim: Path, drawer: Path) -> None:
    for call in ["read"] if file == "g.npy" else ["read", "close"]:
        code, err = faulty(shim, f"{call}:1:{errno.EIO}", READERS[file], drawer, file)
        assert (code, err.count("\n")) == (3, 1), (call, err)
        assert err.endswith(f"{file}: reading failed: Input/output error\n")


@pytest.mark.parametrize("file", READERS)
def test_a_name_that_is_wrong_stays_exit_2(file: str, tmp_path: Path) -> None:
    def run(words: list[str]) -> tuple[int, str]:
        done = subprocess.run(
            [*COMMAND, *words], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
        )
        return done.returncode, done.stderr

    code, err = run(READERS[file])
    assert code == 2 and f"{file}: No such file or directory" in err
    (tmp_path / file).mkdir()
    code, err = run(READERS[file])
    # A folder of rows is read: the one that is empty has none.
    said = (f"there are no files in {file}", f"{file}: Is a directory", f"{file}: not a regular file")
    assert code == 2 and any(words in err for words in said)


@pytest.mark.parametrize(
    ("first", "words"), [(3, ["-i", "i.csv", "--keep"]), (4, ["-i", "i.csv.gz"]), (3, ["-i", "i.parquet"])]
)
def test_a_mapping_that_fails_hangs_nothing(
    first: int, words: list[str], shim: Path, drawer: Path, tmp_path: Path
) -> None:
    """Wherever memory is refused once, a thread's first allocation included.

    Both tables of text make the same calls first, so that one has the odd ones refused and the other the even ones.
    """
    command = ["diff", "q = sin(x)*2", "--wrt", "x", *words, "-o", str(tmp_path / "o.csv")]
    codes = set()
    for at in [*range(first, 30, 2), 40, 60, 100, 200]:
        code, err = faulty(shim, f"mmap:{at}:{errno.ENOMEM}", command, drawer)
        codes.add(code)
        left = [path.name for path in tmp_path.iterdir()]
        if code == 0:
            assert left == ["o.csv"] and (tmp_path / "o.csv").read_bytes().count(b"\n") == 10
            (tmp_path / "o.csv").unlink()
        else:
            # Arrow's allocator may end the process while it is loaded: before a file is begun.
            assert left == [] and (code == 3 or (code < 0 and "<jemalloc>" in err)), (at, code, err)
            assert code < 0 or err.endswith("gradcli: error: out of memory\n")
    assert 0 in codes
