"""A system without memory, or whose files fail: one line, exit code 3, and the old file or none."""

from __future__ import annotations

import errno
import io
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from command import COMMAND, PATIENCE, environment

from gradcli.errors import GradError, missing
from gradcli.formats import open_table
from gradcli.language import parse
from gradcli.limits import memory, threads

try:
    import resource
except ImportError:
    resource = None  # type: ignore[assignment]

ROWS = 60_000
needs_limits = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a limit on the address space")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tables of some rows, text among them."""
    folder = tmp_path_factory.mktemp("shelf")
    x, y = np.arange(ROWS) / 7, np.arange(ROWS) % 11 + 0.5
    words = [f"n{k}" for k in range(ROWS)]
    pyarrow.parquet.write_table(pyarrow.table({"x": x, "y": y, "t": words}), folder / "in.parquet")
    rows = zip(x.tolist(), y.tolist(), words, strict=True)
    (folder / "in.csv").write_text("x,y,t\n" + "".join(f"{a!r},{b!r},{c}\n" for a, b, c in rows))
    return folder


KINDS = {
    "csv": ["-i", "in.csv", "--keep", "-o", "o.csv"],
    "parquet": ["-i", "in.parquet", "--keep", "-o", "o.parquet"],
    "native": ["-i", "in.csv", "--engine", "native", "-o", "o.csv"],
}


@needs_limits
@pytest.mark.parametrize("megabytes", [60, 100, 140, 180, 240, 300, 360, 420, 480, 560, 700, 1100])
@pytest.mark.parametrize("kind", KINDS)
def test_under_any_limit_all_is_done_or_nothing(kind: str, megabytes: int, shelf: Path, tmp_path: Path) -> None:
    size = megabytes * 1_000_000
    words = [str(shelf / word) if word.startswith("in.") else word for word in KINDS[kind]]
    done = subprocess.run(
        [*COMMAND, "diff", "q=sin(x)*y", "--wrt", "x", *words], cwd=tmp_path, env=environment(), capture_output=True,
        timeout=PATIENCE, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)), check=False,
    )  # fmt: skip
    left = [path.name for path in tmp_path.iterdir()]
    if done.returncode == 0:
        assert done.stderr == b"" and left == [words[-1]]
        if kind == "parquet":
            assert pyarrow.parquet.read_metadata(tmp_path / words[-1]).num_rows == ROWS
        else:
            assert (tmp_path / words[-1]).read_bytes().count(b"\n") == ROWS + 1
    else:
        assert (done.returncode, done.stderr, left) == (3, b"gradcli: error: out of memory\n", [])
    # The first is too little for NumPy, the last enough for everything.
    assert (megabytes == 60) <= (done.returncode == 3) and (megabytes == 1100) <= (done.returncode == 0)


# The limit.


def files(contents: Mapping[str, str]) -> Callable[..., io.StringIO]:
    """`open` where these files alone exist."""

    def opened(path: str) -> io.StringIO:
        if path not in contents:
            raise FileNotFoundError(path)
        return io.StringIO(contents[path])

    return opened


V2, V1 = memory._CONTAINER


@pytest.mark.quick
@pytest.mark.parametrize(
    ("contents", "limit"),
    [
        ({}, 3000), ({V2: "max\n"}, 3000), ({V2: "2000\n"}, 1500), ({V2: "max\n", V1: "2000"}, 1500),
        ({V1: "9223372036854771712\n"}, 3000), ({V2: "1200\n", V1: "2000\n"}, 900),
    ],
)  # fmt: skip
def test_the_limit_is_three_quarters_of_what_the_machine_or_its_container_has(
    contents: dict[str, str], limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory.os, "sysconf", {"SC_PHYS_PAGES": 40, "SC_PAGE_SIZE": 100}.__getitem__, raising=False)
    monkeypatch.setattr(memory, "open", files(contents), raising=False)
    assert memory.limit() == limit


@pytest.mark.parametrize("pages", [0, -1, None])
def test_a_machine_that_does_not_tell_its_memory_has_the_default(
    pages: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(name: str) -> int:
        if pages is None:
            raise ValueError("unrecognized configuration name")
        return pages if name == "SC_PHYS_PAGES" else 4096

    monkeypatch.setattr(memory.os, "sysconf", told, raising=False)
    monkeypatch.setattr(memory, "open", files({}), raising=False)
    assert memory.limit() == 6 * 2**30


def test_what_exceeds_the_limit_by_a_byte_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "limit", lambda: 1_500_000_000)
    memory.check(1_500_000_000, "the table", "fewer rows")
    with pytest.raises(GradError, match=r"^the table would take 2\.3 GB of memory, and the limit is 1\.5 GB here"):
        memory.check(2_250_000_001, "the table", "fewer rows")
    with pytest.raises(GradError) as refused:
        memory.check(1_500_000_001, "the table", "fewer rows")
    assert (refused.value.hint, refused.value.exit_code) == ("fewer rows", 2)


@needs_limits
def test_room_is_looked_for_where_there_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(memory, "spare", asked.append)
    monkeypatch.setattr(memory, "limited", lambda: False)
    room = memory.Room()
    for name in ("numpy", "pyarrow.parquet", "json", "numpy.linalg"):
        assert room.find_spec(name) is None
    assert asked == [memory.IMPORTS["numpy"], memory.IMPORTS["pyarrow.parquet"]]
    monkeypatch.undo()
    memory.spare(1 << 60)
    monkeypatch.setattr(memory, "limited", lambda: True)
    memory.spare(1 << 20)
    with pytest.raises(MemoryError):
        memory.spare(1 << 60)


def test_a_point_neither_imports_nor_asks_for_more() -> None:
    code = """
import sys
from gradcli.__main__ import main
sys.argv = ["gradcli", "diff", "x**2", "--at", "x=3"]
import os
leave = os._exit
os._exit = lambda code: leave(code or 7 * bool({"numpy", "resource", "mmap", "ctypes"} & set(sys.modules)))
main()
"""
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def chained(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(), OSError(errno.ENOMEM, "Cannot allocate memory"),
        ImportError("libarrow.so.2300: failed to map segment from shared object"),
        pyarrow.ArrowMemoryError("malloc of size 240064 failed"),
        OSError("Failed to launch worker thread: Resource temporarily unavailable"),
        chained(ImportError("IMPORTANT: PLEASE READ THIS"), ImportError("x.so: cannot allocate memory in static TLS")),
        chained(RuntimeError("std::bad_alloc"), ValueError()),
    ],
)  # fmt: skip
def test_want_of_memory_by_any_name(error: BaseException) -> None:
    assert memory.lacking(error)


def test_other_errors_are_none() -> None:
    for error in (
        ModuleNotFoundError("No module named 'pyarrow'", name="pyarrow"), OSError(errno.EIO, "Input/output error"),
        ImportError("undefined symbol: x"), FileNotFoundError(2, "No such file or directory", "out of memory.csv"),
        pyarrow.ArrowInvalid("Could not open Parquet input source"), RuntimeError("can't start new thread"),
    ):  # fmt: skip
        assert not memory.lacking(error), error


@pytest.mark.parametrize(
    ("error", "only_where_space_is_limited"),
    [
        (ImportError("undefined symbol: x"), True), (RuntimeError("can't start new thread"), True),
        (chained(ValueError("x"), ImportError("undefined symbol: x")), True), (ValueError("x"), False),
        (ModuleNotFoundError("No module named 'x'"), False), (OSError(errno.EIO, "Input/output error"), False),
    ],
)  # fmt: skip
def test_a_library_loaded_in_part_lacks_memory_where_space_is_limited(
    error: BaseException, only_where_space_is_limited: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limited in (False, True):
        monkeypatch.setattr(memory, "limited", lambda limited=limited: limited)
        assert memory.lacking(error) == (limited and only_where_space_is_limited)


def test_libraries_are_asked_some_hundred_megabytes_for() -> None:
    """What an import grows by depends on the release, so that the margins themselves are not compared with one."""
    assert all(90 << 20 <= size <= 400 << 20 for size in memory.IMPORTS.values())
    assert max(memory.IMPORTS, key=memory.IMPORTS.__getitem__) == "pyarrow"


def test_only_a_package_that_is_not_there_is_missing() -> None:
    assert missing(ModuleNotFoundError("No module named 'scipy'", name="scipy"), "scipy")
    assert not missing(ModuleNotFoundError("No module named 'x'", name="x"), "scipy")
    assert not missing(ImportError("libscipy.so: failed to map segment", name="scipy"), "scipy")


BROKEN = """
import sys
from gradcli.cli import run
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            raise {error}
sys.meta_path.insert(0, Broken())
sys.exit(run(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        ("ImportError('x.so: failed to map segment from shared object', name=name)", "out of memory"),
        ("ImportError('undefined symbol: y', name=name)", "a library cannot be loaded: ImportError: undefined symbol"),
        ("ModuleNotFoundError('No module named ' + repr(name), name=name)", "pip install"),
    ],
)
@pytest.mark.parametrize(
    ("library", "words"),
    [
        ("pyarrow", ["eval", "x", "-i", "in.parquet"]), ("pyarrow", ["eval", "y=x", "--at", "x=1", "-o", "o.parquet"]),
        ("llvmlite", ["eval", "x", "--at", "x=1", "--engine", "native"]),
        ("zstandard", ["eval", "y=x", "--at", "x=1", "-o", "o.csv.zst"]),
        ("scipy", ["eval", "polygamma(3, x)", "--grid", "x=1:2:3", "--engine", "vector"]),
    ],
)  # fmt: skip
def test_a_library_that_cannot_be_loaded(
    library: str, words: list[str], error: str, wanted: str, shelf: Path, tmp_path: Path
) -> None:
    pytest.importorskip(library)
    done = subprocess.run(
        [sys.executable, "-P", "-c", BROKEN.format(error=error), library, *words], cwd=shelf, env=environment(),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == (2 if wanted == "pip install" else 3) and wanted in done.stderr
    assert "internal error" not in done.stderr and "--engine vector" not in done.stderr
    assert sorted(path.name for path in shelf.iterdir()) == ["in.csv", "in.parquet"]


# Threads.


def test_a_thread_that_dies_at_once_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_PATIENCE", 0.01)
    started: list[Callable[[], object]] = []
    # Its callable goes as if the thread had ended before the first line.
    monkeypatch.setattr(
        threads._thread, "start_new_thread", lambda work, _: started.append(lambda: work) or started.clear()
    )
    with pytest.raises(MemoryError):
        threads.in_thread(lambda: 1)
    with pytest.raises(MemoryError):
        list(threads.in_order(iter([lambda: 1, lambda: 2]), 2))


def test_threads_give_results_in_order_and_the_first_error() -> None:
    assert threads.in_thread(lambda: 3) == 3
    assert list(threads.in_order((lambda k=k: k * k for k in range(500)), 3)) == [k * k for k in range(500)]

    def broken() -> int:
        raise ValueError("7")

    found = []
    with pytest.raises(ValueError, match="7"):
        for one in threads.in_order((broken if k == 7 else lambda k=k: k for k in range(50)), 2):
            found.append(one)
    assert found == list(range(7))
    with pytest.raises(ValueError, match="7"):
        threads.in_thread(broken)


def test_none_is_at_work_once_results_are_no_longer_taken() -> None:
    at_work: list[int] = []

    def task() -> int:
        at_work.append(1)
        at_work.pop()
        return 1

    results = threads.in_order((task for _ in range(1000)), 2)
    next(results)
    results.close()
    assert at_work == []


def test_expressions_are_refused_that_memory_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes cost some hundred bytes a character, and where there are many names each has a bit for every name."""
    monkeypatch.setattr(memory, "limit", lambda: 300_000_000)
    long = "+".join(["x"] * 300_000)
    assert parse("+".join(["x"] * 100_000)).variables == ("x",)
    with pytest.raises(GradError, match=r"expressions of 599,999 characters and 1 names would take 0\.2 GB") as refused:
        monkeypatch.setattr(memory, "limit", lambda: 200_000_000)
        parse(long)
    assert refused.value.exit_code == 2
    with pytest.raises(GradError, match="50,000 names would take"):
        parse("+".join(f"x{k}" for k in range(50_000)))


def test_columns_of_an_archive_are_counted_together_used_or_not(tmp_path: Path) -> None:
    def rows(names: str, limit: int) -> int:
        table = open_table(str(tmp_path / "a.npz"), None, max_bytes=limit)
        return sum(len(chunk.columns[0]) for chunk in table.chunks(list(names), []))

    np.savez_compressed(tmp_path / "a.npz", **{name: np.zeros(10_000) for name in "abc"})
    assert (tmp_path / "a.npz").stat().st_size < 10_000
    assert rows("abc", 240_384) == 10_000
    with pytest.raises(GradError, match="too large: 240,384 bytes of arrays are held in memory"):
        rows("a", 240_383)
