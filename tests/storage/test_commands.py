"""Commands that read and write objects behind URLs, as they read and write files."""

import json
import os
import signal
import subprocess
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest
from command import COMMAND, PATIENCE, Shell, environment
from fsspec import filesystem

from gradcli.formats import open_table
from gradcli.storage import remote
from gradcli.storage.folder import folder

KINDS = [
    "a.csv", "a.tsv", "a.json", "a.jsonl", "a.npy", "a.npz", "a.parquet", "a.csv.gz", "a.jsonl.zst", "a.parquet.gz",
]  # fmt: skip


@pytest.fixture
def files(shell: Shell, empty_folder: Path) -> dict[str, bytes]:
    """The bytes of one table in every format that is read."""
    (empty_folder / "in.csv").write_text("x,y\n" + "".join(f"{k / 7},{k}\n" for k in range(300)))
    for name in KINDS:
        code, _, err = shell("eval", "z = x", "--input", "in.csv", "--keep", "-o", name, "-q")
        assert code == 0, err
    return {name: (empty_folder / name).read_bytes() for name in KINDS}


@pytest.mark.quick
@pytest.mark.parametrize("store", ["s3", "memory"])
def test_every_format_is_read_and_written(
    store: str, files: dict[str, bytes], shell: Shell, request: pytest.FixtureRequest
):
    """An object gives the bytes that a file does, and is written with the bytes of the file."""
    place = request.getfixturevalue("s3") if store == "s3" else "memory://formats"
    for name, data in files.items():
        wanted = shell("diff", "x**2 + z", "--input", name, "--keep", "--csv")
        assert wanted[0] == 0, wanted
        with folder(place).write(name) as out:
            out(data)
        assert shell("diff", "x**2 + z", "--input", f"{place}/{name}", "--keep", "--csv") == wanted, name
        assert shell("eval", "z = x", "--input", "in.csv", "--keep", "-q", "-o", f"{place}/again-{name}") == (0, "", "")
        assert folder(place).read(f"again-{name}") == data, name


@pytest.mark.quick
def test_globs_and_folders(s3: str, shell: Shell):
    for k in (2, 1, 3):
        with folder(f"{s3}/in/").write(f"{k}.csv") as out:
            out(b"x\n%d\n" % k)
    words = ("eval", "x", "--csv", "--input")
    for pattern in (f"{s3}/in/*.csv", f"{s3}/in/"):
        code, text, _ = shell(*words, pattern)
        assert code == 0 and [line.partition(",")[0] for line in text.split()] == ["x", "1.0", "2.0", "3.0"]
    code, _, err = shell(*words, f"{s3}/in/1.csv", f"{s3}/in/2.csv")
    assert code == 2 and "--input" in err
    code, _, err = shell(*words, f"{s3}/in/*.tsv")
    assert code == 2 and f"no file matches '{s3}/in/*.tsv'" in err


@pytest.mark.quick
@pytest.mark.parametrize("store", ["s3", "memory"])
def test_a_folder_of_parts(store: str, shell: Shell, empty_folder: Path, request: pytest.FixtureRequest):
    """A store holds the parts that a file system does; a source that is replaced is made again, and no other."""
    place = request.getfixturevalue("s3") if store == "s3" else "memory://parts"
    inputs = folder(f"{place}/in/")
    (empty_folder / "in").mkdir()
    for k in range(9):
        data = b"x,y\n" + b"%d.5,2\n" % k * (k + 1)
        (empty_folder / f"in/{k}.csv").write_bytes(data)
        with inputs.write(f"{k}.csv") as out:
            out(data)

    def parts(path: str) -> list[bytes]:
        at = folder(path)
        return [at.read(part["part"]) for part in json.loads(at.read("manifest.json"))["parts"]]

    words = ("diff", "x**2 * y", "--keep", "--input")
    assert shell(*words, "in/*.csv", "-o", "out/")[0] == 0
    target = f"{place}/out/"
    command = (*words, f"{place}/in/*.csv", "-o", target)
    code, _, err = shell(*command)
    assert code == 0 and "9 of 9 parts, 45 rows: 9 made" in err
    assert parts(target) == parts("out/")
    assert "0 made, 9 stood" in shell(*command)[2]
    with inputs.write("4.csv") as out:
        out(b"x,y\n1,1\n")
    assert "9 of 9 parts, 41 rows: 1 made, 8 stood" in shell(*command)[2]
    assert shell("parts", target, "--verify")[0] == 0
    code, text, _ = shell("eval", "x", "--input", target, "--csv")
    assert code == 0 and len(text.split()) == 42
    folder(target).remove("manifest.json")
    assert shell("parts", target)[0] == 1
    assert shell("eval", "x", "--input", target)[0] == 2


@pytest.mark.quick
def test_failures(s3: str, shell: Shell):
    def told(code: int, words: str, *command: str) -> None:
        assert shell(*command)[0] == code
        assert words in shell(*command)[2], command

    told(2, f"{s3}/x.csv: No such file or directory", "eval", "x", "--input", f"{s3}/x.csv")
    told(2, "s3://no-such-bucket/x.csv: The specified bucket", "eval", "x", "--input", "s3://no-such-bucket/x.csv")
    told(2, "no store has the protocol nosuch://", "eval", "x", "--input", "nosuch://x.csv")
    told(2, "no store has the protocol nosuch://", "eval", "x", "--input", "nosuch://*.csv")
    told(2, "no store has the protocol nosuch://", "eval", "x", "--at", "x=1", "-o", "nosuch://x.csv")
    told(
        3,
        "x.csv: the bucket 'no-such-bucket' does not exist",
        "eval",
        "x",
        "--at",
        "x=1",
        "-o",
        "s3://no-such-bucket/x.csv",
    )
    told(2, "no format goes with", "eval", "x", "--at", "x=1", "-o", f"{s3}/year=2024")
    with folder(s3).write("a.csv") as out:
        out(b"x\n1\nabc\n")
    told(2, f"{s3}/a.csv:3:1: ", "eval", "x", "--input", f"{s3}/a.csv", "-o", f"{s3}/b.csv")
    told(2, "this input is the output too", "eval", "x", "--input", f"{s3}/*.csv", "-o", f"{s3}/a.csv")
    told(2, "this input is the output too", "eval", "x", "--input", f"{s3}/a.csv", "-o", f"s3a{s3[2:]}/a.csv")
    told(2, "too large: the limit is 4 bytes", "eval", "x", "--input", f"{s3}/a.csv", "--max-bytes", "4")
    with folder(s3).write("a.what") as out:
        out(b"x\n1\n")
    told(2, "no format that can be read", "eval", "x", "--input", f"{s3}/a.what")
    assert folder(s3).listing() == {"a.csv": 8, "a.what": 4}


@pytest.mark.quick
def test_a_store_that_fails_while_it_is_read(s3: str, shell: Shell, monkeypatch: pytest.MonkeyPatch):
    with folder(s3).write("a.csv") as out:
        out(b"x\n" + b"1\n" * 2_000_000)
    read = remote.RemoteFile._fetched

    def failing(self: remote.RemoteFile, want: int) -> bytes:
        if self.tell() > 1 << 20:
            raise OSError(5, "the cable is cut")
        return read(self, want)

    monkeypatch.setattr(remote.RemoteFile, "_fetched", failing)
    code, _, err = shell("eval", "x", "--input", f"{s3}/a.csv", "-o", f"{s3}/b.csv")
    assert code == 3 and f"{s3}/a.csv: reading failed: the cable is cut" in err
    assert folder(s3).listing().keys() == {"a.csv"}


@pytest.mark.quick
def test_a_cotangent_in_an_object(s3: str, shell: Shell, empty_folder: Path):
    np.save("g.npy", np.arange(6.0).reshape(2, 3))
    with folder(s3).write("g.npy") as out:
        out((empty_folder / "g.npy").read_bytes())
    words = ("grad", "y = x**2", "--wrt", "x", "--grid", "2x3", "--csv", "--grad-outputs")
    wanted = shell(*words, "g.npy")
    assert wanted[0] == 0, wanted
    assert shell(*words, f"{s3}/g.npy") == wanted
    code, _, err = shell(*words, f"{s3}/none.npy")
    assert code == 2 and "none.npy: No such file" in err


@pytest.mark.quick
def test_parquet_and_npy_are_not_held(s3: str, empty_folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Of parquet the ranges of one column of four are asked for, of npy pieces in order."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(1)
    pq.write_table(pa.table({name: rng.random(200_000) for name in "abcd"}), "x.parquet", row_group_size=25_000)
    np.save("x.npy", np.rec.fromarrays(list(rng.random((4, 200_000))), names="a,b,c,d"))
    for name, most, total in (("x.parquet", 300_000, 4_000_000), ("x.npy", 5_000_000, 6_400_200)):
        with folder(s3).write(name) as out:
            out((empty_folder / name).read_bytes())
        url, asked = f"{s3}/{name}", list[int]()
        file = remote.opened(url)
        inner = file._file  # type: ignore[attr-defined]
        read = inner.read
        monkeypatch.setattr(inner, "read", lambda size, asked=asked, read=read: asked.append(size) or read(size))
        rows = sum(len(chunk.columns[0]) for chunk in open_table(url, file).chunks(["b"], []))
        assert rows == 200_000
        assert max(asked) <= most and sum(asked) <= total, (name, asked)


def test_a_signal_removes_what_was_uploaded(s3: str):
    """Of an object whose upload has begun neither it nor its parts remain."""
    words = [*COMMAND, "eval", "x", "--input", "-", "-o", f"{s3}/out.csv"]
    store, bucket = filesystem("s3"), s3.removeprefix("s3://")

    def uploads() -> list[object]:
        return list(store.call_s3("list_multipart_uploads", Bucket=bucket).get("Uploads", []))

    with subprocess.Popen(words, env=environment(), stdin=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdin is not None and child.stderr is not None
        try:
            child.stdin.write(b"x\n" + b"0.12345678901234567\n" * 1_200_000)
            child.stdin.flush()
            until = monotonic() + PATIENCE
            while not uploads() and monotonic() < until and child.poll() is None:
                sleep(0.05)
            assert uploads(), child.stderr.read()
            os.kill(child.pid, signal.SIGTERM)
            assert child.wait(PATIENCE) == -signal.SIGTERM
        finally:
            child.kill()
    assert folder(s3).listing() == {} and not uploads()
