"""Objects behind URLs, such as ``s3://bucket/x.parquet``, by fsspec.

A failure is an OSError with an ``errno`` and a ``strerror``, as for local files; a URL that no installed package reads
is a GradError. Endpoint and credentials are those of the store's own variables and files, and of fsspec's. Nothing is
held between calls, neither a listing, since others write too, nor a connection, which a fork would break.
Layer: must not know what the bytes mean.
"""

from __future__ import annotations

import errno
import glob
import io
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, cast

from gradcli.errors import GradError, optional
from gradcli.storage.remote_errors import failures
from gradcli.storage.remote_file import RemoteFile

_STORES = {
    "s3": "s3fs", "s3a": "s3fs", "memory": "fsspec", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "abfss": "adlfs",
    "az": "adlfs",
}  # fmt: skip
"""The protocols that are read, with the package each needs: fsspec has many more, which are no stores of objects."""
_S3 = ("s3", "s3a")
_UPLOADED = 16 << 20
"""Bytes of a part of an upload. S3 takes 10,000 parts at most, so that parts grow with objects beyond 32 GiB."""
_PARTS = 2000
_SEVERAL = 8
"""Objects of a folder that are worth its listing."""
_TAGS = ("ETag", "etag", "mtime", "LastModified", "last_modified", "updated", "modified", "created")
"""What the stores call that which changes with an object, the best first."""


def opened(url: str) -> BinaryIO:
    """Open an object for reading. Its ``size`` is None if the store does not tell, and then it cannot be sought."""
    with failures():
        fs, path = _located(url)
        if url.endswith("/"):
            raise IsADirectoryError
        file = fs.open(path, "rb", cache_type="none")
        if isinstance(file, io.BytesIO):
            # The object itself, with one position for all its readers.
            file = io.BytesIO(file.getvalue())
        details = getattr(file, "details", None) or fs.info(path)
        if details["type"] == "directory":
            raise IsADirectoryError
        return cast(BinaryIO, RemoteFile(file, details["size"]))


def matching(pattern: str) -> list[str]:
    """Return the URLs that match a pattern, sorted: those of the files in a folder if it ends in a slash.

    A URL without ``*``, ``?`` and ``[``, or of an object that exists, matches itself.
    """
    magic = glob.has_magic(pattern)
    if not magic and not pattern.endswith("/"):
        return [pattern]
    with failures():
        fs, path = _located(pattern)
        if pattern.endswith("/"):
            try:
                entries = fs.glob(f"{path}/*", detail=True).values() if magic else fs.ls(path, detail=True)
            except FileNotFoundError:
                return []
        elif fs.exists(path):
            return [pattern]
        else:
            entries = fs.glob(path, detail=True).values()
    start = pattern.rstrip("/").removesuffix(path)
    # As a folder some stores keep an empty object whose name ends in a slash.
    names = [e["name"] for e in entries if e["type"] != "directory" and not e["name"].endswith("/")]
    return sorted(start + name for name in names if name != path)


def identity(url: str) -> list[int | str]:
    """Return what changes with the bytes of an object: its size, and its ETag or else the time when it was written."""
    with failures():
        fs, path = _located(url)
        return _identity(fs.info(path))


def listed_identities(urls: Sequence[str]) -> dict[str, list[int | str]]:
    """Return the identities that folders with several of the URLs tell in a listing, a request for 1,000 objects.

    They are those of `identity`; times, which a listing may tell in other words, are left to it.
    """
    known: dict[str, list[int | str]] = {}
    for start, count in Counter(url.rpartition("/")[0] for url in urls).items():
        # Who may read objects need not have the right to list them: then each is asked for.
        with suppress(OSError), failures():
            if count >= _SEVERAL:
                fs, path = _located(start)
                entries = [e for e in fs.ls(path, detail=True) if e["type"] != "directory" and e.get("ETag")]
                known |= {f"{start}/{e['name'].rpartition('/')[2]}": _identity(e) for e in entries}
    return {url: known[url] for url in urls if url in known}


def _identity(details: Mapping[str, Any]) -> list[int | str]:
    tag = next((details[key] for key in _TAGS if details.get(key)), "")
    return [-1 if details["size"] is None else int(details["size"]), str(tag)]


def same(url: str, other: str) -> bool:
    """Return whether two URLs name one object."""
    with failures():
        (fs, path), (fs2, path2) = _located(url), _located(other)
        return type(fs) is type(fs2) and path == path2


def _located(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, which knows nothing of what is there, and the path in it."""
    protocol = url.partition("://")[0]
    if "::" in url:
        raise GradError(f"{url}: chained URLs are not supported", hint="give the URL of the object itself")
    if protocol in ("file", "local"):
        raise GradError(f"{url}: a local file is named by its path", hint=f"leave out {protocol}://")
    if protocol not in _STORES:
        known = ", ".join(f"{name}://" for name in _STORES)
        raise GradError(f"{url}: no store has the protocol {protocol}://", hint=f"known are {known}")
    for package in ("fsspec", _STORES[protocol]):
        try:
            optional(package, "cluster", f"{url}: {protocol}:// needs the package {package}")
        except GradError as error:
            if protocol not in _S3 and package != "fsspec":
                error.hint = f"pip install {package}"
            raise
    # More requests than one for an object would begin with another for its size.
    options = {"max_concurrency": 1} if protocol in _S3 else {}
    fs, path = optional("fsspec.core", "cluster", url).url_to_fs(url, **options)
    if protocol in _S3 and hasattr(signal, "pthread_sigmask"):
        # A connection that the store has closed is an error of its thread's, where SIGPIPE would end the process.
        optional("fsspec.asyn", "cluster", url).get_loop().call_soon_threadsafe(
            signal.pthread_sigmask, signal.SIG_BLOCK, [signal.SIGPIPE]
        )
    fs.invalidate_cache()
    return fs, path


class Upload:
    """The replacement of one object: ``open()``, ``write(data)``, ``commit()``, and always ``discard()`` last.

    Nothing is seen of the bytes before ``commit()``. A process that is killed before it leaves parts that the store
    keeps out of sight until its rule for incomplete uploads removes them. ``complete``: the object is replaced.
    """

    def __init__(self, url: str) -> None:
        self.url, self.complete = url, False
        self._fs: Any = None
        self._file: Any = None
        self._path = ""

    def open(self) -> None:
        with failures():
            self._fs, self._path = _located(self.url)
            if self.url.endswith("/"):
                raise IsADirectoryError
            protocol = self.url.partition("://")[0]
            if protocol == "memory":
                self._file = io.BytesIO()
            elif protocol in _S3:
                self._file = self._fs.open(self._path, "wb", block_size=_UPLOADED)
            else:
                raise OSError(errno.EINVAL, f"{protocol}:// is read only: s3:// takes objects")

    def write(self, data: bytes) -> None:
        with failures():
            self._file.blocksize = max(_UPLOADED, self._file.tell() // _PARTS)
            self._file.write(data)

    def commit(self) -> None:
        with failures():
            if isinstance(self._file, io.BytesIO):
                self._fs.pipe_file(self._path, self._file.getvalue())
            else:
                self._file.close()
        self.complete = True

    def discard(self) -> None:
        """Remove what was uploaded, unless it is complete. Never raises OSError."""
        file, self._file = self._file, None
        if file is None or self.complete or isinstance(file, io.BytesIO):
            return
        with suppress(Exception):
            file.discard()
        # The object would be made of what was written when the garbage collector closes the file.
        file.closed = True


class RemoteFolder:
    """A folder of an object store, which needs none to be there; see `Folder`."""

    def __init__(self, path: str) -> None:
        self.path = path if path.endswith("/") else f"{path}/"

    def create(self) -> None:
        check_bucket(self.path)

    def clean(self) -> None:
        """Remove nothing: only the store knows of uploads that nothing goes on with."""

    def listing(self) -> dict[str, int]:
        with failures():
            fs, path = _located(self.path)
            try:
                entries = fs.ls(path, detail=True)
            except FileNotFoundError:
                return {}
        start = f"{path.rstrip('/')}/"
        sizes = {e["name"]: -1 if e["type"] == "directory" else e["size"] for e in entries}
        names = {name: name.removeprefix(start).rstrip("/") for name in sizes if name.startswith(start)}
        return {short: sizes[name] for name, short in names.items() if short}

    def read(self, name: str) -> bytes:
        with failures():
            fs, path = _located(self.path + name)
            return bytes(fs.cat_file(path))

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of an object in pieces."""
        with opened(self.path + name) as file:
            while data := file.read(_UPLOADED):
                yield data

    def read_many(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return the bytes of files by name, read concurrently; those that do not exist are left out."""
        found = {}
        with failures():
            asked = list(names)
            fs, path = _located(self.path)
            paths = [f"{path.rstrip('/')}/{name}" for name in asked]
            # `cat` would take special characters in a name for a pattern.
            none = [None] * len(paths)
            for name, data in zip(asked, fs.cat_ranges(paths, none, none, on_error="return"), strict=True):
                if isinstance(data, FileNotFoundError):
                    continue
                if isinstance(data, BaseException):
                    raise data
                found[name] = bytes(data)
        return found

    @contextmanager
    def write(self, name: str) -> Iterator[Callable[[bytes], None]]:
        upload = Upload(self.path + name)
        try:
            upload.open()
            yield upload.write
            upload.commit()
        finally:
            upload.discard()

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError), failures():
            fs, path = _located(self.path + name)
            fs.rm_file(path)


def check_bucket(url: str) -> None:
    """Raise OSError if the bucket of a URL does not exist, before anything is computed for it."""
    if url.partition("://")[0] in _S3:
        with failures():
            fs, path = _located(url)
            bucket = path.partition("/")[0]
            try:
                fs.call_s3("head_bucket", Bucket=bucket)
            except FileNotFoundError:
                raise OSError(errno.ENOENT, f"the bucket '{bucket}' does not exist") from None
            except PermissionError:
                # A user who may write objects need not have the right to ask for their bucket.
                pass
