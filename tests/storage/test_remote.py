"""Objects behind URLs: of a server of S3's interface on this machine, and of this process's memory."""

import errno
import gc
import os
import socket
from pathlib import Path

import pytest
from fsspec import filesystem

from gradcli.errors import GradError
from gradcli.storage import is_url, remote
from gradcli.storage.folder import LocalFolder, folder
from gradcli.storage.remote import RemoteFolder, Upload, identity, matching, opened
from gradcli.storage.remote_errors import failures

MIB = 1 << 20


@pytest.fixture(params=["s3", "memory"])
def place(request: pytest.FixtureRequest) -> str:
    """The URL of an empty place for objects."""
    if request.param == "s3":
        return str(request.getfixturevalue("s3"))
    filesystem("memory").store.clear()
    filesystem("memory").pseudo_dirs[:] = [""]
    return "memory://place"


def put(url: str, data: bytes) -> str:
    upload = Upload(url)
    upload.open()
    upload.write(data)
    upload.commit()
    upload.discard()
    return url


def uploads(place: str) -> list[str]:
    """The keys of uploads that are neither complete nor aborted."""
    store = filesystem("s3")
    listed = store.call_s3("list_multipart_uploads", Bucket=place.removeprefix("s3://"))
    return [upload["Key"] for upload in listed.get("Uploads", [])]


@pytest.mark.quick
def test_urls_are_told_from_paths():
    assert all(map(is_url, ["s3://b/x.csv", "memory://x", "abfs://c@account/x", "gs+x://b"]))
    assert not any(map(is_url, ["x.csv", "/s3/x", "C:\\x", "c://x", "./s3://b", "-", "x=s3://b", ""]))


@pytest.mark.quick
def test_reads_as_from_a_file(place: str):
    """Any order of reads and seeks gives the bytes of the object."""
    data = bytes(range(256)) * 8192
    url = put(f"{place}/x.bin", data)
    with opened(url) as file:
        assert file.size == len(data)  # type: ignore[attr-defined]
        at = 0
        for k, size in enumerate([1, 7, 300_000, 0, 1, MIB, 5, 70_000] * 3):
            if k % 5 == 4:
                at = file.seek((k * 7919 * 131) % len(data))
            if k % 7 == 6:
                at = file.seek(-size, os.SEEK_END)
            assert file.read(size) == data[at : at + size]
            at = min(len(data), at + size)
            assert file.tell() == at
        assert file.seek(-2, os.SEEK_CUR) == at - 2
        file.seek(len(data) + 5)
        assert file.read(3) == file.read() == b""
        file.seek(10)
        buffer = bytearray(20)
        assert file.readinto(buffer) == 20  # type: ignore[attr-defined]
        assert buffer == data[10:30]
        assert file.read() == data[30:]
        with pytest.raises(OSError, match="Invalid argument"):
            file.seek(-1)
    with pytest.raises(ValueError, match="closed"):
        file.read(1)


@pytest.mark.quick
def test_two_readers_have_a_position_each(place: str):
    url = put(f"{place}/x", b"abcdef")
    with opened(url) as one, opened(url) as other:
        assert one.read(2) + other.read(3) + one.read(2) == b"ababccd"


def test_reads_in_order_are_few(s3: str, monkeypatch: pytest.MonkeyPatch):
    """A file read in order asks for more each time; one read here and there for what is wanted."""
    url = put(f"{s3}/x", bytes(24 * MIB))
    asked: list[int] = []
    with opened(url) as file:
        inner = file._file  # type: ignore[attr-defined]
        read = inner.read
        monkeypatch.setattr(inner, "read", lambda size: asked.append(size) or read(size))
        while file.read(MIB):
            pass
        assert len(asked) <= 9 and sum(asked) == 24 * MIB
        asked.clear()
        file.seek(10 * MIB)
        file.read(3 * MIB)
        file.seek(5)
        file.read(3)
        assert asked == [3 * MIB, MIB // 4]


def test_an_object_that_changes_is_no_mixture(s3: str):
    url = put(f"{s3}/x", bytes(2 * MIB))
    with opened(url) as file:
        assert file.read(100) == bytes(100)
        put(url, b"1" * 2 * MIB)
        file.seek(MIB + MIB // 2)
        with pytest.raises(OSError, match="replaced while it was read"):
            file.read(10)


@pytest.mark.quick
def test_an_object_that_is_cut_short_is_told():
    class Short:
        def seek(self, at: int) -> None: ...
        def close(self) -> None: ...
        def read(self, size: int) -> bytes:
            return b"abc"

    with remote.RemoteFile(Short(), 10) as file, pytest.raises(OSError, match="shorter"):
        file.read(10)


@pytest.mark.quick
def test_an_object_of_unknown_size_is_read_from_its_beginning():
    class Stream:
        left = b"abcdef"

        def close(self) -> None: ...
        def read(self, size: int) -> bytes:
            data, self.left = self.left[:size], self.left[size:]
            return data

    with remote.RemoteFile(Stream(), None) as file:
        assert not file.seekable()
        assert [file.read(4), file.tell(), file.read(4), file.read(4)] == [b"abcd", 4, b"ef", b""]
        with pytest.raises(OSError, match="seek"):
            file.seek(0)


@pytest.mark.quick
def test_an_upload_is_seen_when_it_is_complete(place: str):
    """An object of many parts stays as it was until the last one is there, and a discarded one leaves nothing."""
    url, store = f"{place}/x.bin", folder(place)
    put(url, b"old")
    upload = Upload(url)
    upload.open()
    pieces = [bytes([k]) * (7 * MIB) for k in range(5)]
    for piece in pieces:
        upload.write(piece)
    assert store.listing() == {"x.bin": 3}
    upload.commit()
    upload.discard()
    assert upload.complete and store.listing() == {"x.bin": 35 * MIB}
    assert store.read("x.bin") == b"".join(pieces)
    other = Upload(f"{place}/y.bin")
    other.open()
    for piece in pieces[:4]:
        other.write(piece)
    if place.startswith("s3"):
        assert uploads(place) == ["y.bin"]
    other.discard()
    del other
    gc.collect()
    assert store.listing() == {"x.bin": 35 * MIB}
    assert not place.startswith("s3") or not uploads(place)


@pytest.mark.quick
@pytest.mark.parametrize("size", [0, 10, 17 * MIB])
def test_an_upload_that_fails_leaves_the_old_object(place: str, size: int):
    with folder(place).write("x") as out:
        out(b"old")
    with pytest.raises(ZeroDivisionError), folder(place).write("x") as out:
        out(bytes(size))
        raise ZeroDivisionError
    gc.collect()
    assert folder(place).read("x") == b"old"
    assert not place.startswith("s3") or not uploads(place)


@pytest.mark.quick
def test_a_failed_commit_is_an_error(s3: str, monkeypatch: pytest.MonkeyPatch):
    """The file of a library that fails when it is closed is not closed once more by the garbage collector."""
    upload = Upload(f"{s3}/x")
    upload.open()
    upload.write(bytes(17 * MIB))
    upload.write(b"1")
    store = type(filesystem("s3"))
    call = store.call_s3

    def failing(self: object, method: str, *words: object, **more: object) -> object:
        if method == "complete_multipart_upload":
            raise OSError(errno.EIO, "no more disks")
        return call(self, method, *words, **more)

    with monkeypatch.context() as patch:
        patch.setattr(store, "call_s3", failing)
        with pytest.raises(OSError, match="no more disks"):
            upload.commit()
        upload.discard()
    del upload
    gc.collect()
    assert folder(s3).listing() == {} and not uploads(s3)


@pytest.mark.quick
def test_empty_objects(place: str):
    url = put(f"{place}/x", b"")
    with opened(url) as file:
        assert file.size == 0 and file.read(10) == b""  # type: ignore[attr-defined]
    assert folder(place).read("x") == b"" and folder(place).read_many(["x"]) == {"x": b""}


@pytest.mark.quick
@pytest.mark.parametrize("kind", ["local", "s3", "memory"])
def test_folders_are_alike(kind: str, request: pytest.FixtureRequest, tmp_path: Path):
    if kind == "local":
        path = f"{tmp_path}/out/"
    else:
        path = f"{request.getfixturevalue('s3') if kind == 's3' else 'memory://alike'}/out/"
    place = folder(path)
    assert isinstance(place, LocalFolder if kind == "local" else RemoteFolder) and place.path == path
    assert place.listing() == {}
    place.create()
    place.create()
    assert place.listing() == {}
    for name, data in {"a.json": b"{}", "b c?[1].csv": b"x\n1\n", "B": b"1"}.items():
        with place.write(name) as out:
            out(data[:1])
            out(data[1:])
    assert place.listing() == {"a.json": 2, "b c?[1].csv": 4, "B": 1}
    assert place.read("b c?[1].csv") == b"x\n1\n"
    assert place.read_many(["a.json", "none", "b c?[1].csv"]) == {"a.json": b"{}", "b c?[1].csv": b"x\n1\n"}
    assert place.read_many([]) == {}
    inner = folder(f"{path}sub/")
    inner.create()
    with inner.write("x") as out:
        out(b"1")
    assert place.listing() == {"a.json": 2, "b c?[1].csv": 4, "B": 1, "sub": -1}
    place.remove("a.json")
    place.remove("a.json")
    assert place.listing().keys() == {"b c?[1].csv", "B", "sub"}
    with pytest.raises(FileNotFoundError):
        place.read("a.json")


@pytest.mark.quick
def test_what_others_write_is_seen(s3: str):
    """Listings are asked anew: another program's object is there at once, and its removal too."""
    place, other = folder(f"{s3}/out/"), filesystem("s3", skip_instance_cache=True)
    assert place.listing() == {} and matching(f"{s3}/out/*") == []
    other.pipe_file(f"{s3}/out/x", b"123")
    assert place.listing() == {"x": 3} and matching(f"{s3}/out/*") == [f"{s3}/out/x"]
    before = identity(f"{s3}/out/x")
    other.pipe_file(f"{s3}/out/x", b"124")
    after = identity(f"{s3}/out/x")
    assert before[0] == after[0] == 3 and before[1] != after[1]
    other.rm_file(f"{s3}/out/x")
    assert place.listing() == {} and matching(f"{s3}/out/") == []


@pytest.mark.quick
def test_identities_are_listed(place: str):
    """A listing tells of many objects what asking for each would; of few, and of what is not there, nothing."""
    urls = [put(f"{place}/in/{k}.csv", b"1" * k) for k in range(9)]
    few = put(f"{place}/other/1.csv", b"1")
    put(f"{place}/in/deep/1.csv", b"1")
    known = remote.listed_identities([*urls, few, f"{place}/in/none.csv", f"{place}/in/deep"])
    assert known == ({url: identity(url) for url in urls} if place.startswith("s3") else {})
    assert [identity(url)[0] for url in urls] == [*range(9)]
    assert remote.listed_identities([f"s3://no-such-bucket/{k}" for k in range(9)]) == {}


@pytest.mark.quick
def test_patterns(place: str):
    for name in ["in/b.csv", "in/a.csv", "in/c.txt", "in/deep/d.csv", "in/e[1].csv", "other.csv", "in2/a.csv"]:
        put(f"{place}/{name}", b"1")

    def found(pattern: str) -> list[str]:
        return [url.removeprefix(f"{place}/") for url in matching(f"{place}/{pattern}")]

    assert found("in/*.csv") == ["in/a.csv", "in/b.csv", "in/e[1].csv"]
    assert found("in/") == ["in/a.csv", "in/b.csv", "in/c.txt", "in/e[1].csv"]
    assert found("in*/a.csv") == ["in/a.csv", "in2/a.csv"]
    assert found("in*/") == ["in/a.csv", "in/b.csv", "in/c.txt", "in/e[1].csv", "in2/a.csv"]
    assert found("in/e[1].csv") == ["in/e[1].csv"]
    assert found("in/[ab].csv") == ["in/a.csv", "in/b.csv"]
    assert found("none.csv") == ["none.csv"] and found("none*.csv") == []


@pytest.mark.quick
def test_a_key_for_a_folder_is_no_file(s3: str):
    """Consoles of stores make an empty object whose name ends in a slash."""
    store = filesystem("s3")
    for key in ("out/", "out/sub/"):
        store.call_s3("put_object", Bucket=s3.removeprefix("s3://"), Key=key, Body=b"")
    put(f"{s3}/out/x", b"1")
    assert matching(f"{s3}/out/") == matching(f"{s3}/out/*") == [f"{s3}/out/x"]
    assert folder(f"{s3}/out/").listing() == {"x": 1, "sub": -1}


@pytest.mark.quick
def test_failures_have_the_number_of_a_file_system(s3: str):
    cases = [
        (f"{s3}/none.csv", errno.ENOENT, "No such file or directory"),
        ("s3://no-such-bucket/x.csv", errno.ENOENT, "bucket does not exist"),
        (f"{s3}/", errno.EISDIR, "Is a directory"),
        ("s3://B!/x", errno.EINVAL, "Invalid bucket name"),
        ("memory://none", errno.ENOENT, "No such file or directory"),
    ]
    for url, number, words in cases:
        with pytest.raises(OSError, match=words) as caught:
            opened(url)
        assert (caught.value.errno, type(caught.value.strerror)) == (number, str), url
        if number != errno.EISDIR:
            with pytest.raises(OSError, match=words) as caught:
                identity(url)
            assert caught.value.errno == number, url


class NoCredentialsError(Exception):
    """As in botocore, whose errors derive from Exception alone."""


@pytest.mark.quick
@pytest.mark.parametrize(
    ("error", "number", "text"),
    [
        (FileNotFoundError("b/x"), errno.ENOENT, "No such file or directory"),
        (PermissionError("Forbidden"), errno.EACCES, "Forbidden"),
        (PermissionError(), errno.EACCES, "Permission denied"),
        (NoCredentialsError("Unable to locate credentials"), errno.EACCES, "Unable to locate credentials"),
        (TimeoutError(), errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)),
        (OSError(errno.EBUSY, "Slow\x1b[31m\r\ndown"), errno.EBUSY, "Slow [31m down"),
        (NotImplementedError(), errno.EINVAL, "Invalid argument"),
        (RuntimeError(), errno.EIO, "RuntimeError"),
        (RuntimeError("a" * 500), errno.EIO, "a" * 300 + "..."),
        (KeyError("b"), errno.EIO, "'b'"),
    ],
)
def test_failures_of_libraries(error: Exception, number: int, text: str):
    with pytest.raises(OSError) as caught, failures():
        raise error
    assert (caught.value.errno, caught.value.strerror) == (number, text)


@pytest.mark.quick
def test_what_is_no_failure_of_a_store():
    for kind in (GradError("words"), MemoryError(), KeyboardInterrupt()):
        with pytest.raises(type(kind)), failures():
            raise kind


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_has_connections_of_its_own(s3: str):
    """A connection, and the thread that serves it, end with a fork."""
    put(f"{s3}/x", b"123")
    assert opened(f"{s3}/x").read(3) == b"123"
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            put(f"{s3}/y", b"1234")
            os.write(theirs, opened(f"{s3}/x").read(3))
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        assert pipe.read() == b"123"
    os.waitpid(child, 0)
    assert folder(s3).listing() == {"x": 3, "y": 4}


@pytest.mark.quick
def test_a_folder_is_no_object(s3: str):
    put(f"{s3}/in/x", b"1")
    with pytest.raises(IsADirectoryError):
        opened(f"{s3}/in")
    with pytest.raises(IsADirectoryError):
        Upload(f"{s3}/in/").open()


@pytest.mark.quick
def test_a_bucket_that_does_not_exist_is_told_before_anything_is_written(s3: str):
    folder(f"{s3}/out/").create()
    with pytest.raises(FileNotFoundError, match="the bucket 'no-such-bucket' does not exist"):
        folder("s3://no-such-bucket/out/").create()


@pytest.mark.quick
def test_a_store_that_does_not_answer(s3: str, monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(type(filesystem("s3")), "retries", 1)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    filesystem("s3").clear_instance_cache()
    try:
        with pytest.raises(OSError, match="connect") as caught:
            opened(f"{s3}/x")
        assert caught.value.errno == errno.EIO
    finally:
        filesystem("s3").clear_instance_cache()


@pytest.mark.quick
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nosuch://b/x", "no store has the protocol nosuch://"),
        ("simplecache://x", "no store has the protocol simplecache://"),
        ("zip://x.csv::s3://b/x.zip", "chained URLs are not supported"),
        ("file:///tmp/x.csv", "a local file is named by its path"),
        ("gs://b/x.csv", "gs:// needs the package gcsfs"),
    ],
)
def test_urls_that_are_not_read(url: str, words: str):
    for call in (opened, identity, matching):
        with pytest.raises(GradError, match=words):
            call(f"{url}*")


@pytest.mark.quick
def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    import sys

    for package in ("s3fs", "fsspec"):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(GradError, match=f"s3:// needs the package {package}") as caught:
            opened("s3://b/x")
        assert caught.value.hint == "pip install 'gradcli[cluster]'"
