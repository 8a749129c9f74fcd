"""The engine of rows that are read: one for all of them, chosen by the request and by how many bytes there are."""

from __future__ import annotations

import gzip
import io
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from command import PATIENCE, Shell

from gradcli.compute import engine
from gradcli.errors import GradError
from gradcli.formats import input
from gradcli.job import Job, Rows, run
from gradcli.job.inputs import Tables
from gradcli.limits import memory


@pytest.fixture(autouse=True)
def runs(empty_folder: Path) -> None:
    Path("runs.csv").write_text("x,t,name\n1,2,a\n3,4,b\n-5,0.5,c\n")


def _piped(pieces: Iterable[bytes], rest: float = 0) -> io.FileIO:
    """A pipe into which a thread writes the pieces, with rests between them."""
    reader, writer = os.pipe()

    def write() -> None:
        with os.fdopen(writer, "wb", buffering=0) as pipe:
            for piece in pieces:
                pipe.write(piece)
                time.sleep(rest)

    threading.Thread(target=write, daemon=True).start()
    return io.FileIO(reader)


def _computed(path: str, stdin: BinaryIO | None = None, **request: Any) -> tuple[str, list[bytes]]:
    """The engine that computed the rows, and the bits of all columns."""
    found = run(Job(["exp(x*x)*sin(t)"], **request), Rows([path], stdin=stdin))
    columns = [column.tobytes() for column in found.whole()]
    return found.engine, columns


@pytest.fixture
def few_bytes_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled code pays for more than 100,000 bytes, and a pipe rests only where a test says so."""
    for name in ("LARGE_START", "NATIVE_STEP"):
        monkeypatch.setattr(engine, name, 0)
    monkeypatch.setattr(engine, "LARGE", 100_000)
    monkeypatch.setattr(input, "_REST", PATIENCE)
    monkeypatch.setattr(input, "_PATIENCE", PATIENCE)


def _text(size: int) -> bytes:
    rows = "x,t\n" + "".join(f"{k % 97 / 100!r},0.25\n" for k in range(size // 9))
    head = rows.encode()[: size - 20].rpartition(b"\n")[0] + b"\n"
    return head + b"1.5".ljust(size - len(head) - 3, b"0") + b",1\n"


@pytest.mark.usefixtures("few_bytes_are_many")
@pytest.mark.parametrize(("size", "chosen"), [(100_000, "vector"), (100_001, "native")])
def test_a_file_and_its_bytes_on_stdin_choose_alike(size: int, chosen: str) -> None:
    text = _text(size)
    assert len(text) == size
    Path("in.csv").write_bytes(text)
    Path("in.csv.gz").write_bytes(gzip.compress(text))
    found = _computed("in.csv")
    assert found == (chosen, _computed("in.csv", engine=chosen)[1])
    assert _computed("in.csv.gz") == found
    with open("in.csv", "rb", buffering=0) as file:
        assert _computed("-", file) == found
    assert _computed("-", io.BytesIO(text)) == found
    assert _computed("-", _piped((text[k : k + 9_973] for k in range(0, size, 9_973)), 0.001)) == found
    assert _computed("-", _piped([gzip.compress(text)])) == found
    assert _computed("in.csv", engine="vector")[1] != _computed("in.csv", engine="native")[1]


@pytest.mark.usefixtures("few_bytes_are_many")
@pytest.mark.parametrize("suffix", ["npy", "npz", "parquet", "json"])
@pytest.mark.parametrize(("rows", "chosen"), [(4_166, "vector"), (4_167, "native")])
def test_where_the_rows_are_counted_their_numbers_are(suffix: str, rows: int, chosen: str, shell: Shell) -> None:
    Path("in.csv").write_text("x,t\n" + "0.5,1\n" * rows)
    path = f"three.{suffix}"
    assert shell("eval", "x*t", "-i", "in.csv", "-o", path)[0] == 0
    assert 3 * 8 * 4_166 <= 100_000 < 3 * 8 * 4_167
    found = _computed(path)
    assert found[0] == chosen
    if suffix != "json":
        with open(path, "rb", buffering=0) as file:
            piped = run(Job(["exp(x*x)*sin(t)"]), Rows(["-"], format=suffix, stdin=file))
            assert [column.tobytes() for column in piped.whole()] == found[1] and piped.engine == chosen


@pytest.mark.usefixtures("few_bytes_are_many")
def test_all_inputs_count_together() -> None:
    for name in "abc":
        Path(f"{name}.csv").write_bytes(_text(40_000))
    chosen = {"a.csv": "vector", "[ab].csv": "vector", "[abc].csv": "native"}
    assert {path: _computed(path)[0] for path in chosen} == chosen
    found = run(Job(["exp(x*x)*sin(t)"]), Rows(["-", "a.csv", "b.csv"], stdin=_piped([_text(40_000)])))
    assert [column.tobytes() for column in found.whole()] == _computed("[abc].csv")[1] and found.engine == "native"


@pytest.mark.usefixtures("few_bytes_are_many")
def test_a_row_that_waits_is_answered_and_a_header_is_not_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that rests behind its first row is NumPy's; one that rests behind its header is read ahead."""
    monkeypatch.setattr(input, "_REST", 0.2)
    text = _text(50_000)
    assert _computed("-", _piped([text[:4], text[4:] * 3], 0.5))[0] == "native"
    reader, writer = os.pipe()
    os.write(writer, text[:13])
    found = run(Job(["exp(x*x)*sin(t)"]), Rows(["-"], stdin=io.FileIO(reader)))
    blocks = found.blocks
    first = next(blocks)
    assert (found.engine, first[0].tolist()) == ("vector", [0.0])
    more = threading.Thread(target=lambda: (os.write(writer, text[13:] + text[4:] * 2), os.close(writer)))
    more.start()
    assert sum(len(block[0]) for block in blocks) == 3 * text.count(b"\n") - 4
    assert found.engine == "vector"


@pytest.mark.usefixtures("few_bytes_are_many")
def test_rows_before_a_fault_that_was_read_ahead_are_computed() -> None:
    Path("in.csv.gz").write_bytes(gzip.compress(_text(90_000))[:-1])
    found = run(Job(["exp(x*x)*sin(t)"]), Rows(["in.csv.gz"]))
    size = 0
    with pytest.raises(GradError, match="truncated"):
        for block in found.blocks:
            size += len(block[0])
    assert size > 5_000 and found.engine == "vector"


def test_short_formulas_never_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy computes them as fast, so that nothing needs to be known about a stream."""
    asked: list[str] = []
    monkeypatch.setattr(Tables, "exceed", lambda tables, size: asked.append(f"{size} bytes"))
    Path("two.csv").write_text("x,t\n1,2\n")
    for text, order in (("x**2*t", 2), ("a*t", 3), ("sin(x)*exp(-t**2) + log(1 + x**2*t**2)", 2)):
        run(Job([text], order=order, at=["a=1"] * ("a" in text)), Rows(["two.csv"])).whole()
        assert asked == ["16777216 bytes"] * text.startswith("sin")


@pytest.mark.usefixtures("few_bytes_are_many")
@pytest.mark.parametrize(
    ("without", "why"),
    [
        ((engine, "find_spec", lambda name: None), "native needs llvmlite: pip install 'gradcli[native]'"),
        ((memory, "limited", lambda: True), "native takes much address space, which is limited here (ulimit -v)"),
    ],
)
def test_where_compiled_code_cannot_run_numpy_computes_large_files(
    without: tuple[Any, str, Any], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LARGE", 25)
    monkeypatch.setattr(*without)
    found = run(Job(["exp(x*x)*sin(t)"]), Rows(["runs.csv"]))
    assert len(found.whole()[0]) == 3
    assert (found.engine, found.slower) == ("vector", why)
