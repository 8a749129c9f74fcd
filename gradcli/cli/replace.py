"""A file that takes its target's place whole, or not at all, readable meanwhile by nobody but its owner.

All is done relative to a descriptor of the folder, where the system has that: a folder may be moved in between.
Knows nothing of what is written, nor of signals. Raises OSError.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import struct
import zlib
from contextlib import suppress

_AT = {os.open, os.stat, os.unlink, os.rename} <= os.supports_dir_fd
_ABOUT_CONTENT = {"security.capability", "security.ima", "security.evm"}
"""Attributes that vouch for the old content: a write takes the first away, and makes the others wrong."""
_ACL = "system.posix_acl_access"


class Replacement:
    """``open()`` gives a descriptor to write to, ``commit()`` puts what was written in place, ``discard()`` undoes.

    ``whole``: whether it stands in place.
    """

    def __init__(self, target: str) -> None:
        self.path, self.base = os.path.split(target)
        self.fd = self.folder = -1
        self.name = self._place(f"{_prefix()}{os.getpid()}-{os.urandom(6).hex()}.tmp")
        self.temporary: str | None = None
        self.mode = 0o600
        self.whole = False

    @property
    def at(self) -> int | None:
        return self.folder if _AT else None

    def _place(self, name: str) -> str:
        return name if _AT else os.path.join(self.path, name)

    def open(self) -> int:
        """The descriptor of an empty file, mode 0600.

        It has no name where the system can do that, so that nothing is left however this process ends.
        """
        if _AT:
            self.folder = _open_folder(self.path)
        self.mode = _usual_mode(self.path)
        self._clear()
        if _AT and hasattr(os, "O_TMPFILE"):
            # Whatever is against it (a file system without it, no /proc to link from): a named file meets the rest.
            with suppress(OSError):
                self.fd = os.open(".", os.O_WRONLY | os.O_TMPFILE, 0o600, dir_fd=self.folder)
                os.stat(_own(self.fd))
                return self.fd
            self._close()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        # Noted before it exists: a signal may come in between.
        self.temporary = self.name
        self.fd = os.open(self.name, flags, 0o600, dir_fd=self.at)
        return self.fd

    def commit(self) -> None:
        self._dress()
        os.fsync(self.fd)
        if self.temporary is None:
            # A link never replaces, a rename does: between these two a kill leaves the file under this name.
            self.temporary = self.name
            os.link(_own(self.fd), self.name, dst_dir_fd=self.folder, follow_symlinks=True)
        self._close()
        os.replace(self.name, self._place(self.base), src_dir_fd=self.at, dst_dir_fd=self.at)
        # No failure counts from here on.
        self.whole = True
        self.temporary = None
        with suppress(OSError):
            if self.folder >= 0:
                os.fsync(self.folder)

    def discard(self) -> None:
        """What is left to tidy, whether it stands in place or not."""
        with suppress(OSError):
            self._close()
        with suppress(OSError):
            if self.temporary is not None:
                os.unlink(self.temporary, dir_fd=self.at)
                self.temporary = None
        with suppress(OSError):
            if self.folder >= 0:
                folder, self.folder = self.folder, -1
                os.close(folder)

    def _close(self) -> None:
        if self.fd >= 0:
            # Closed even where closing fails.
            fd, self.fd = self.fd, -1
            os.close(fd)

    def _dress(self) -> None:
        """Mode, group, owner and extended attributes of the target as far as the system lets, or a new file's mode.

        What cannot be given leaves the file more private than the target, never less.
        """
        if not hasattr(os, "fchown"):
            return
        mode = self.mode
        with suppress(FileNotFoundError):
            old = os.stat(self._place(self.base), dir_fd=self.at, follow_symlinks=False)
            mode = self._dress_like(old)
        with suppress(OSError):
            os.fchmod(self.fd, mode)

    def _dress_like(self, old: os.stat_result) -> int:
        """The mode that is left to give."""
        for owner in ((-1, old.st_gid), (old.st_uid, -1)):
            with suppress(OSError):
                os.fchown(self.fd, *owner)
        known = self._copy_attributes()
        now, mode = os.fstat(self.fd), stat.S_IMODE(old.st_mode)
        if now.st_gid != old.st_gid or not known:
            # Rights that were not meant for this group: no more than all others have.
            mode &= 0o7707 | (mode & 0o007) << 3
        if (now.st_uid, now.st_gid) != (old.st_uid, old.st_gid):
            mode &= 0o777
        return mode

    def _copy_attributes(self) -> bool:
        """Extended attributes, ACLs among them. False where the ACL of the target is not known or cannot be given."""
        if not hasattr(os, "listxattr"):
            return True
        try:
            target = os.open(self._place(self.base), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self.at)
        except OSError:
            return False
        known = True
        try:
            names = _attributes(target)
            if _ACL in _attributes(self.fd):
                # The folder hands it down to new files: it may let in whom the target does not know.
                os.removexattr(self.fd, _ACL)
            for name in names:
                try:
                    os.setxattr(self.fd, name, os.getxattr(target, name))
                except OSError:
                    known = known and name != _ACL
        except OSError:
            known = False
        finally:
            with suppress(OSError):
                os.close(target)
        return known

    def _clear(self) -> None:
        """Remove what processes of this machine left here that were killed, never what may belong to one alive."""
        if os.name != "posix":
            return
        left = re.compile(re.escape(_prefix()) + r"([1-9][0-9]{0,8})-[0-9a-f]{12}\.tmp")
        with suppress(OSError):
            for name in os.listdir(self.folder if _AT else self.path):
                match = left.fullmatch(name)
                if match and not _lives(int(match[1])):
                    with suppress(OSError):
                        os.unlink(self._place(name), dir_fd=self.at)


def _open_folder(path: str) -> int:
    try:
        return os.open(path or ".", os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        # A folder that may be written to, not listed.
        return os.open(path or ".", getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY)


def _attributes(fd: int) -> list[str]:
    """Names of extended attributes; none where the file system has none."""
    try:
        return [name for name in os.listxattr(fd) if name not in _ABOUT_CONTENT]
    except OSError as e:
        if e.errno != errno.ENOTSUP:
            raise
        return []


def _usual_mode(folder: str) -> int:
    """That of a new file: 0666 without what the umask takes away, or else what a default ACL of the folder leaves."""
    mask = os.umask(0o077)
    os.umask(mask)
    with suppress(OSError, AttributeError):
        acl = os.getxattr(folder, "system.posix_acl_default")
        # After acl(5): a version, then tag, rights and id of each entry; 1 owner, 4 group, 16 mask, 32 others.
        rights = {tag: bits for tag, bits, _ in struct.iter_unpack("<HHI", acl[4:])}
        mask = ~(rights[1] << 6 | rights.get(16, rights[4]) << 3 | rights[32])
    return 0o666 & ~mask


def _own(fd: int) -> str:
    """The name of a descriptor of this process."""
    return f"/proc/self/fd/{fd}"


def _prefix() -> str:
    """How temporary files of this machine begin.

    The name of a machine may not be its own, and containers count their processes anew: a checksum tells them apart.
    """
    node = os.uname().nodename if hasattr(os, "uname") else ""
    marks = b""
    with suppress(OSError), open("/etc/machine-id", "rb") as file:
        marks = file.read(64)
    with suppress(OSError):
        marks += os.readlink(b"/proc/self/ns/pid")
    return f".gradcli-{re.sub(r'[^A-Za-z0-9.]', '_', node)}-{zlib.crc32(marks):08x}-"


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        # There, but somebody else's.
        return True
    return True
