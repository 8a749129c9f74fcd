"""A system that fails at the N-th call, for every N until the work succeeds: one error, and the old file or none."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import zstandard
from command import COMMAND
from open_files import can_be_unnamed, sizes

from gradcli.cli import output
from gradcli.cli import run as call
from gradcli.formats import input
from gradcli.storage import replacement

OLD = b"what was there\n"
WRITTEN = ["csv", "tsv", "json", "jsonl", "txt", "md", "npy", "npz", "parquet", "csv.gz", "jsonl.zst"]


@pytest.fixture(autouse=True)
def interruptible(empty_folder: Path) -> Iterator[None]:
    # A test run in the background ignores SIGINT; so would what it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Failing:
    """The module os, one of whose functions fails at its N-th call, once; ``named``: every file has a name."""

    def __init__(self, name: str, call: int, number: int, *, named: bool = False) -> None:
        self.name, self.left, self.number, self.named = name, call, number, named

    def __getattr__(self, name: str) -> Any:
        if self.named and name == "O_TMPFILE":
            raise AttributeError(name)
        real = getattr(os, name)
        if name != self.name:
            return real

        def once(*args: Any, **more: Any) -> Any:
            self.left -= 1
            if self.left:
                return real(*args, **more)
            if name == "close":
                # Linux closes, then tells.
                real(*args)
            raise OSError(self.number, os.strerror(self.number))

        return once

    @property
    def met(self) -> bool:
        return self.left <= 0


def left() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def told(err: str) -> None:
    assert err.startswith("gradcli: error: ") and err.count("gradcli: error") == 1
    assert "Traceback" not in err and "internal error" not in err


@pytest.mark.parametrize("before", [None, OLD])
@pytest.mark.parametrize(("suffix", "named"), [*[(suffix, False) for suffix in WRITTEN], ("csv", True)])
def test_writing_fails_at_every_call(
    suffix: str, named: bool, before: bytes | None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3 and the old file, or, where another way is left or the file is in place, 0 and the whole new one."""
    named = named or not can_be_unnamed(Path())
    # Pieces of a few bytes make many calls.
    monkeypatch.setattr(output, "_BUFFER", 16)
    target = Path(f"o.{suffix}")
    ended = {}
    for name, number in [
        ("open", errno.EIO), ("write", errno.ENOSPC), ("fsync", errno.EIO), ("write", errno.EIO),
        ("close", errno.EIO), ("link", errno.EPERM), ("replace", errno.EXDEV), ("fchmod", errno.EPERM),
        ("listxattr", errno.EIO), ("stat", errno.EIO),
    ]:  # fmt: skip
        codes = []
        for at in range(1, 1000):
            target.unlink(missing_ok=True)
            if before is not None:
                target.write_bytes(before)
            failing = Failing(name, at, number, named=named)
            with monkeypatch.context() as patch:
                patch.setattr(output, "os", failing)
                patch.setattr(replacement, "os", failing)
                code = call(["diff", "x**2", "--grid", "x=0:1:7", "-o", str(target)])
            out, err = capfd.readouterr()
            assert out == ""
            if code == 0:
                assert err == "" and left() == [target.name]
                assert target.read_bytes() != before
                if not failing.met:
                    break
            else:
                assert code == 3 and os.strerror(number) in err, (name, at, number, err)
                told(err)
                assert left() == ([] if before is None else [target.name])
                assert before is None or target.read_bytes() == before
            codes.append(code)
        ended[name] = codes
    assert set(ended["write"]) == {3}
    # First the folder, then the file; the old one's attributes may be unreadable.
    assert ended["open"] == [3, 3 if named else 0, *([] if before is None else [0])]
    assert ended["close"] == [*([] if before is None else [0]), 3, 0]
    # The folder's comes when the file is in place.
    assert ended["fsync"] == [3, 0]
    assert ended["link"] == ([] if named else [3])
    assert (ended["replace"], ended["fchmod"]) == ([3], [0])


def test_what_is_written_in_part_is_written_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Short(Failing):
        def __getattr__(self, name: str) -> Any:
            return (lambda fd, data: os.write(fd, data[:3])) if name == "write" else getattr(os, name)

    words = ["diff", "x**2", "--grid", "x=0:1:70", "-o"]
    assert call([*words, "whole.csv"]) == 0
    monkeypatch.setattr(output, "os", Short("", 0, 0))
    assert call([*words, "short.csv"]) == 0
    assert Path("short.csv").read_bytes() == Path("whole.csv").read_bytes()


def packed(text: bytes) -> dict[str, bytes]:
    return {"csv.gz": gzip.compress(text), "csv.zst": zstandard.compress(text)}


def readable() -> dict[str, bytes]:
    values = np.arange(40.0)
    text = b"x\n" + b"".join(b"%r\n" % v for v in values.tolist())
    npy, npz, parquet = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(npy, values)
    np.savez(npz, x=values)
    pyarrow.parquet.write_table(pyarrow.table({"x": values}), parquet)
    return {
        "csv": text, "tsv": text, "json": json.dumps({"x": values.tolist()}).encode(),
        "jsonl": b"".join(b'{"x": %r}\n' % v for v in values.tolist()),
        "npy": npy.getvalue(), "npz": npz.getvalue(), "parquet": parquet.getvalue(), **packed(text),
    }  # fmt: skip


@pytest.mark.parametrize("suffix", list(readable()))
def test_reading_fails_at_every_call(
    suffix: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    Path(f"i.{suffix}").write_bytes(readable()[suffix])
    monkeypatch.setattr(input, "PIECE", 50)
    plain = input._File

    class Broken(plain):
        left = 0

        def _count(self) -> None:
            Broken.left -= 1
            if Broken.left == 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

        def read(self, size: int | None = -1, /) -> bytes:
            self._count()
            return super().read(size)

        def readinto(self, buffer: Any, /) -> int:
            self._count()
            return super().readinto(buffer)

    monkeypatch.setattr(input, "_File", Broken)
    words = ["eval", "y = x", "--input", f"i.{suffix}"]
    for at in range(1, 200):
        Broken.left = at
        code = call([*words, "-o", "o.csv"])
        out, err = capfd.readouterr()
        assert out == ""
        if Broken.left > 0:
            assert (code, err) == (0, "") and Path("o.csv").read_bytes().count(b"\n") == 41
            break
        told(err)
        assert code == 3 and f"i.{suffix}: reading failed: Input/output error" in err
        assert left() == [f"i.{suffix}"]
        # To stdout: whole rows, the first ones.
        Broken.left = at
        code = call([*words, "--csv"])
        out, err = capfd.readouterr()
        told(err)
        rows = [f"{float(k)},{float(k)}\n" for k in range(40)]
        assert code == 3 and out in ("", *["".join(["x,y\n", *rows[:k]]) for k in range(41)])
    assert at > 2


NO_MEMORY = """
import os, random, sys
from _testcapi import set_nomemory
from gradcli.cli import run
words = sys.argv[2:]
random.seed(int(sys.argv[1]))
sys.unraisablehook = lambda _: None  # as the process has it
run(words)
os.unlink("o.csv")
at = 1
while True:
    with open("o.csv", "w") as file:
        file.write("old")
    child = os.fork()
    if not child:
        set_nomemory(at, at + 1)
        os._exit(run(words))
    print(at, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), open("o.csv").read() == "old", flush=True)
    if at > 60000:
        break
    at += 1 + random.randrange(at // 12 + 1)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("words", [["--grid", "x=0:1:9"], ["--input", "i.csv"]])
def test_an_allocation_fails(words: list[str]) -> None:
    pytest.importorskip("_testcapi")
    Path("i.csv").write_bytes(readable()["csv"])
    found = subprocess.run(
        [sys.executable, "-c", NO_MEMORY, "7", "diff", "sin(x)**2", *words, "-o", "o.csv"],
        capture_output=True, timeout=300, text=True, check=True,
    )  # fmt: skip
    ends = [line.split() for line in found.stdout.splitlines()]
    codes = {int(code) for _, code, _ in ends}
    assert len(ends) > 80 and {0, 3} <= codes
    # The interpreter and its libraries may die where they cannot allocate; gradcli does not take that for success.
    assert codes <= {0, 3, -signal.SIGSEGV, -signal.SIGABRT}
    assert all((int(code) != 0) == (old == "True") for _, code, old in ends)
    assert "Traceback" not in found.stderr and "out of memory" in found.stderr
    if min(codes) >= 0:
        assert left() == ["i.csv", "o.csv"]


SLOW = ["diff", "sin(x)**3*exp(-x)", "--order", "3", "--grid", "x=0:1:1000000"]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.parametrize("words", [[*SLOW, "-o", "o.csv"], ["eval", "sin(x)", "--input", "i.npy", "-o", "o.parquet"]])
def test_a_signal_at_any_moment(words: list[str], signum: int, tmp_path: Path) -> None:
    if signal.getsignal(signum) is signal.SIG_IGN:
        pytest.skip("who runs the tests is spared this signal, and so is what they start")
    np.save("i.npy", np.arange(3_000_000.0))

    def one(seed: int) -> tuple[int, bytes, bytes | None, list[str]]:
        folder = tmp_path / str(seed)
        folder.mkdir()
        (folder / "i.npy").symlink_to(tmp_path / "i.npy")
        target = folder / words[-1]
        if seed % 2:
            target.write_bytes(OLD)
        process = subprocess.Popen([*COMMAND, *words], cwd=folder, stderr=subprocess.PIPE)
        # Each signal comes at moments of its own.
        time.sleep(random.Random(100 * signum + seed).uniform(0.1, 0.3 + seed / 4))
        process.send_signal(signum)
        _, err = process.communicate(timeout=60)
        there = target.read_bytes() if target.exists() else None
        others = [p.name for p in folder.iterdir() if p.name not in (words[-1], "i.npy")]
        return process.returncode, err, OLD if there is None and not seed % 2 else there, others

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(one, range(4)))
    assert {code for code, *_ in found} <= {0, -signum} and -signum in {code for code, *_ in found}
    assert call(words) == 0
    whole = Path(words[-1]).read_bytes()
    for code, err, there, others in found:
        # Before the first line of gradcli SIGINT is Python's, which tells where it was.
        assert err == b"" or (signum == signal.SIGINT and err.endswith(b"KeyboardInterrupt\n"))
        # The signal may come when all is done.
        assert there == whole or (code != 0 and there == OLD)
        # Who is killed cannot clean up, but a file without a name needs nobody to.
        assert others == [] or (signum == signal.SIGKILL and not can_be_unnamed(tmp_path))


@pytest.mark.parametrize("form", ["table", "csv", "tsv", "json", "jsonl", "markdown", "npy", "npz", "parquet"])
def test_a_reader_leaves_early(form: str) -> None:
    def one(points: int, taken: int) -> tuple[int, int, bytes]:
        words = ["eval", "y = x", "--grid", f"x=0:1:{points}", "--format", form]
        with subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as process:
            assert process.stdout is not None and process.stderr is not None
            if taken:
                process.stdout.read(taken)
            process.stdout.close()
            return points, process.wait(60), process.stderr.read()

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(one, (2, 300, 300_000, 300_000), (0, 1, 0, 70_000)))
    for points, code, err in found:
        assert err == b""
        assert code == -signal.SIGPIPE or (points < 1000 and code == 0)


def test_a_reader_leaves_an_endless_stream() -> None:
    endless = subprocess.Popen(
        [sys.executable, "-c", "print('x')\nwhile True: print('1\\n2\\n3')"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    words = ["diff", "x**2", "--input", "-", "--csv"]
    with subprocess.Popen([*COMMAND, *words], stdin=endless.stdout, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and endless.stdout is not None
        endless.stdout.close()
        assert process.stdout.readline() == b"x,f,df_dx\n"
        process.stdout.close()
        assert process.wait(60) == -signal.SIGPIPE
    assert endless.wait(60) != 0


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_pipe_is_silent(signum: int, tmp_path: Path) -> None:
    words = ["diff", "x**2", "--input", "-", "-o", "o.csv"]
    with subprocess.Popen([*COMMAND, *words], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b"x\n1\n")
        process.stdin.flush()
        while not sizes(process.pid, tmp_path):
            assert process.poll() is None
        process.send_signal(signum)
        assert process.wait(60) == -signum
    assert left() == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
@pytest.mark.parametrize(
    "words", [["eval", "x", "-i", "i.parquet", "--csv"], ["eval", "x", "-i", "i.npy", "--format", "parquet"]]
)
def test_a_write_that_fails_while_a_thread_still_reads(words: list[str], tmp_path: Path) -> None:
    """The process ends by itself, not taken down by the interpreter's own end, and does not hang."""
    pytest.importorskip("pyarrow")
    np.save(tmp_path / "i.npy", np.arange(300_000.0))
    subprocess.run([*COMMAND, "eval", "y = x", "-i", "i.npy", "-o", "i.parquet"], cwd=tmp_path, check=True)
    for _ in range(6):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [*COMMAND, *words], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False
            )
        assert (done.returncode, done.stderr) == (
            3, b"gradcli: error: cannot write to stdout: No space left on device\n",
        )  # fmt: skip
