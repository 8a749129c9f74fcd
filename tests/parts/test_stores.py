"""Parts in stores of objects: a server of S3's interface on this machine, and the memory of this process."""

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import COMMAND, PATIENCE, Shell, environment
from fsspec import filesystem

from gradcli.parts import ledger
from gradcli.storage.folder import folder

EXPRESSION = "sin(x)*exp(-y**2) + log(1 + x**2*y**2)"
FILES, ROWS = 3, 300

STOP = """
import os, time
from gradcli.storage import remote
remote._UPLOADED = 5 << 20
write = remote.Upload.write

def stopping(self, data):
    write(self, data)
    if getattr(self._file, "parts", None):
        print("uploading", flush=True)
        time.sleep(60)

remote.Upload.write = stopping
"""
"""Run by Python when it starts: an upload stops when a piece of it has arrived."""


def put(place: str, rows: int = ROWS) -> None:
    """Files of ``rows`` numbered rows in ``place``, a folder or URL, in three row groups each."""
    target = folder(f"{place}/in/")
    target.create()
    for k in range(FILES):
        rng = np.random.default_rng(k)
        x, y = rng.uniform(-2, 2, (2, rows))
        table = pa.table({"id": np.arange(k * rows, (k + 1) * rows), "x": x, "y": y})
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, row_group_size=rows // 3)
        with target.write(f"{k}.parquet") as out:
            out(sink.getvalue().to_pybytes())


def words(place: str, *more: str) -> list[str]:
    paths = ["--input", f"{place}/in/*.parquet", "-o", f"{place}/out/"]
    return ["diff", EXPRESSION, "--order", "2", "--keep", "--part-bytes", "2KB", *paths, *more]


def parts(place: str) -> list[bytes]:
    """The bytes of the parts in a folder, in the order of their rows."""
    out = folder(f"{place}/out/")
    manifest = json.loads(out.read("manifest.json"))
    assert out.listing().keys() == {
        "plan.json", "manifest.json", *(e["part"] + more for e in manifest["parts"] for more in ("", ".json"))
    }  # fmt: skip
    return [out.read(entry["part"]) for entry in manifest["parts"]]


@pytest.fixture
def local(empty_folder: Path, shell: Shell) -> list[bytes]:
    """The same parts in a folder of this machine."""
    put("local")
    assert shell(*words("local", "-q")) == (0, "", "")
    made = parts("local")
    assert len(made) == 3 * FILES
    return made


def uploads(s3: str) -> list[str]:
    """The keys of uploads that are neither complete nor aborted."""
    listed = filesystem("s3").call_s3("list_multipart_uploads", Bucket=s3.removeprefix("s3://"))
    return [upload["Key"] for upload in listed.get("Uploads", [])]


@pytest.mark.quick
@pytest.mark.parametrize("more", [(), ("--cluster", "local:2")])
def test_parts_in_a_store_are_those_of_a_folder(s3: str, local: list[bytes], shell: Shell, more: Sequence[str]):
    put(s3)
    assert shell(*words(s3, "-q", *more)) == (0, "", "")
    assert parts(s3) == local and not uploads(s3)
    code, _, err = shell(*words(s3, *more))
    assert code == 0 and "0 made, 9 stood" in err
    # Rows of the store, in the order of the parts, and no others.
    read = ["eval", "id", "--csv", "--input"]
    code, out, _ = shell(*read, f"{s3}/out/")
    assert code == 0 and out == shell(*read, "local/out/")[1] and out.count("\n") == FILES * ROWS + 1


@pytest.mark.quick
def test_parts_in_the_memory_of_this_process(local: list[bytes], shell: Shell):
    place = "memory://parts"
    put(place)
    assert shell(*words(place, "-q")) == (0, "", "")
    assert parts(place) == local
    code, _, err = shell(*words(place))
    assert code == 0 and "0 made, 9 stood" in err
    for more in (["--cluster", "local:2"], ["--cluster", "tcp://127.0.0.1:1"]):
        code, _, err = shell(*words(place, *more))
        assert code == 2 and "memory:// is of this process alone" in err
    filesystem("memory").rm("/parts", recursive=True)


@pytest.mark.quick
def test_exactly_what_is_missing_is_made(s3: str, local: list[bytes], shell: Shell, monkeypatch: pytest.MonkeyPatch):
    put(s3)
    assert shell(*words(s3, "-q")) == (0, "", "")
    out = folder(f"{s3}/out/")
    names = [entry["part"] for entry in json.loads(out.read("manifest.json"))["parts"]]
    # Without the manifest the records tell, some at a time.
    out.remove("manifest.json")
    monkeypatch.setattr(ledger, "BATCH", 4)
    code, _, err = shell(*words(s3))
    assert code == 0 and "0 made, 9 stood" in err and parts(s3) == local
    out.remove(names[0])
    out.remove(names[1] + ".json")
    with out.write(names[2]) as write:
        write(b"short")
    with out.write(names[3] + ".json") as write:
        write(b"{")
    out.remove("manifest.json")
    code, _, err = shell(*words(s3))
    assert code == 0 and "4 made, 5 stood" in err and parts(s3) == local
    # A source with other bytes has another ETag.
    store = filesystem("s3")
    store.pipe_file(f"{s3}/in/1.parquet", store.cat_file(f"{s3}/in/2.parquet"))
    code, _, err = shell(*words(s3))
    assert code == 0 and "3 made, 6 stood" in err and parts(s3) == [*local[:3], *local[6:], *local[6:]]


@pytest.mark.quick
def test_a_folder_that_is_not_whole_is_not_read(s3: str, shell: Shell):
    put(s3)
    assert shell(*words(s3, "-q", "--part", "1/2"))[0] == 0
    code, out, err = shell("eval", "id", "--input", f"{s3}/out/")
    assert (code, out) == (2, "") and "manifest" in err
    code, out, _ = shell("parts", f"{s3}/out/")
    assert code == 1 and "5" in out
    assert shell(*words(s3, "-q", "--part", "2/2")) == (0, "", "")
    assert shell("parts", f"{s3}/out/", "--verify")[0] == 0


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_ends_while_it_uploads(s3: str, empty_folder: Path, shell: Shell, signum: int):
    """Nothing is seen of the part; the same command makes it."""
    put(s3, 80_000)
    Path("stop").mkdir()
    Path("stop/sitecustomize.py").write_text(STOP)
    stop = environment(PYTHONPATH=os.pathsep.join(["stop", environment()["PYTHONPATH"]]))
    command = [*COMMAND, *words(s3, "--part-bytes", "1GB")]
    with subprocess.Popen(command, env=stop, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"uploading\n"
        process.send_signal(signum)
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (-signum, b"")
    assert folder(f"{s3}/out/").listing().keys() == {"plan.json"}
    # What was killed could not take its upload back.
    assert len(uploads(s3)) == (signum == signal.SIGKILL)
    code, _, err_again = shell(*words(s3, "--part-bytes", "1GB"))
    assert code == 0 and f"{FILES} made, 0 stood" in err_again
    put("local", 80_000)
    assert shell(*words("local", "-q", "--part-bytes", "1GB")) == (0, "", "")
    assert parts(s3) == parts("local")


@pytest.mark.quick
def test_a_bucket_that_does_not_exist(s3: str, shell: Shell):
    put(s3)
    code, _, err = shell(*words(s3, "-o", "s3://no-such-bucket/out/"))
    assert code == 3 and "s3://no-such-bucket/out/: the bucket 'no-such-bucket' does not exist" in err
    code, _, err = shell("diff", EXPRESSION, "--input", f"{s3}/none/*.parquet", "-o", f"{s3}/out/")
    assert code == 2 and "none/*.parquet" in err
