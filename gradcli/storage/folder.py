"""A folder whose files are replaced whole: a reader sees the old bytes or the new ones, never a part of them.

Methods raise OSError. Layer: must not know what the files hold.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Protocol

from gradcli.storage import is_url
from gradcli.storage.replacement import Replacement, identity, remove_stale

_PIECE = 1 << 22


class Folder(Protocol):
    """A folder, of a file system or of an object store; ``path`` is its name as typed, and ends in a slash."""

    path: str

    def create(self) -> None:
        """Create the folder and those above it, unless it exists."""

    def clean(self) -> None:
        """Remove unfinished files of killed processes, as far as they are known to run no more."""

    def listing(self) -> dict[str, int]:
        """Return the sizes in bytes of its files by name; -1 for what is no file. Empty if there is no such folder."""

    def read(self, name: str) -> bytes:
        """Return the bytes of a file."""

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file in pieces."""

    def read_many(self, names: Iterable[str]) -> Mapping[str, bytes]:
        """Return the bytes of files by name; those that do not exist are left out."""

    def write(self, name: str, *, mark: bool = False) -> AbstractContextManager[Callable[[bytes], None]]:
        """Return a context whose function takes the bytes of a file, which appears when the context ends.

        An exception inside the context leaves the old file, or none. ``mark``: remember which file it is.
        """

    def stands(self, name: str) -> bool:
        """Return whether a file is known to be the one that was marked last, rather than that of another writer."""

    def remove(self, name: str) -> None:
        """Remove a file, unless it is gone."""


def folder(path: str) -> Folder:
    """Return the folder of a path or URL."""
    if is_url(path):
        from gradcli.storage.remote import RemoteFolder

        return RemoteFolder(path)
    return LocalFolder(path)


class LocalFolder:
    """A folder of the file system; see `Folder`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._marked: tuple[int, ...] | None = None

    def _at(self, name: str) -> str:
        return os.path.join(self.path, name)

    def create(self) -> None:
        os.makedirs(self.path, exist_ok=True)

    def clean(self) -> None:
        remove_stale(self.path)

    def listing(self) -> dict[str, int]:
        try:
            with os.scandir(self.path) as entries:
                return {e.name: e.stat().st_size if e.is_file() else -1 for e in entries if _there(e)}
        except FileNotFoundError:
            return {}

    def read(self, name: str) -> bytes:
        with open(self._at(name), "rb") as file:
            return file.read()

    def pieces(self, name: str) -> Iterator[bytes]:
        with open(self._at(name), "rb") as file:
            while data := file.read(_PIECE):
                yield data

    def read_many(self, names: Iterable[str]) -> dict[str, bytes]:
        found = {}
        for name in names:
            with suppress(FileNotFoundError):
                found[name] = self.read(name)
        return found

    @contextmanager
    def write(self, name: str, *, mark: bool = False) -> Iterator[Callable[[bytes], None]]:
        # Without a listing of the folder for each of its files.
        file = Replacement(self._at(name), clean=False)
        try:
            fd = file.open()

            def write(data: bytes) -> None:
                view = memoryview(data)
                while view:
                    view = view[os.write(fd, view) :]
                file.wrote(len(data))

            yield write
            file.commit()
            if mark:
                self._marked = file.identity
        finally:
            file.discard()

    def stands(self, name: str) -> bool:
        with suppress(FileNotFoundError):
            return identity(os.stat(self._at(name))) == self._marked
        return False

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self._at(name))


def _there(entry: os.DirEntry[str]) -> bool:
    """Return whether a file of a listing still exists: others may remove it meanwhile."""
    try:
        entry.stat()
    except FileNotFoundError:
        return False
    return True
