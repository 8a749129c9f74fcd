"""Atomic replacement of a file: the new content is readable only by its owner until it takes the target's place.

Paths are relative to a descriptor of the folder where the system supports it, so that renaming the folder meanwhile is
harmless. Raises OSError. Layer: must not know the content, nor signals.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from time import sleep

_AT = {os.open, os.stat, os.unlink, os.rename} <= os.supports_dir_fd
_CONTENT_ATTRIBUTES = {"security.capability", "security.ima", "security.evm"}
"""Extended attributes not copied: they depend on the content, and a write removes or invalidates them."""
_ACL = "system.posix_acl_access"
_MANY = 1 << 23
"""Bytes written from which they begin their way to the disk while more are computed."""
_NAP = 0.001
"""Seconds between checks that they are there."""


class Replacement:
    """The replacement of one file: ``open()``, write to the descriptor, ``commit()``, and always ``discard()`` last.

    ``wrote(size)`` after each write lets the disk work meanwhile, so that ``commit()`` waits for little. ``clean``:
    remove first what killed processes have left in the folder, which takes a listing.

    ``complete``: the target has been replaced.
    """

    def __init__(self, target: str, *, clean: bool = True) -> None:
        self.clean = clean
        self.path, self.base = os.path.split(target)
        self.fd = self.folder = -1
        self.name = self._relative(f"{_prefix()}{os.getpid()}-{os.urandom(6).hex()}.tmp")
        self.temporary: str | None = None
        self.mode = 0o600
        self.complete = False
        self.unsynced = 0
        self.syncing: Callable[[], bool] = bool
        self.error: OSError | None = None

    @property
    def dir_fd(self) -> int | None:
        return self.folder if _AT else None

    def _relative(self, name: str) -> str:
        return name if _AT else os.path.join(self.path, name)

    def open(self) -> int:
        """Create an empty file of mode 0600 and return its descriptor, which this object owns.

        The file has no name where the system has O_TMPFILE, so that nothing is left behind even by SIGKILL.
        """
        if _AT:
            self.folder = _open_folder(self.path)
        self.mode = _default_mode(self.path)
        if self.clean:
            remove_stale(self.folder if _AT else self.path)
        if _AT and hasattr(os, "O_TMPFILE"):
            # On any error (a file system without O_TMPFILE, no /proc to link from) fall back to a named file.
            with suppress(OSError):
                self.fd = os.open(".", os.O_WRONLY | os.O_TMPFILE, 0o600, dir_fd=self.folder)
                os.stat(_descriptor_path(self.fd))
                return self.fd
            self._close()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        # Set before the file exists, so that a signal in between still removes it.
        self.temporary = self.name
        self.fd = os.open(self.name, flags, 0o600, dir_fd=self.dir_fd)
        return self.fd

    def wrote(self, size: int) -> None:
        self.unsynced += size
        if self.unsynced >= _MANY and hasattr(os, "fdatasync") and not self.syncing():
            from gradcli.limits.threads import begin

            self.unsynced = 0
            # Without memory for a thread all waits for ``commit``.
            with suppress(RuntimeError, MemoryError):
                self.syncing = begin(self._sync)

    def _sync(self) -> None:
        try:
            os.fdatasync(self.fd)
        except OSError as e:
            self.error = e

    def commit(self) -> None:
        while self.syncing():
            sleep(_NAP)
        if self.error is not None:
            # The system reports a failed write once: the sync below would not repeat it.
            raise self.error
        self._copy_metadata()
        os.fsync(self.fd)
        if self.temporary is None:
            # link() cannot replace a file, so link under a temporary name and rename; SIGKILL in between leaves that
            # name behind.
            self.temporary = self.name
            os.link(_descriptor_path(self.fd), self.name, dst_dir_fd=self.folder, follow_symlinks=True)
        self._close()
        os.replace(self.name, self._relative(self.base), src_dir_fd=self.dir_fd, dst_dir_fd=self.dir_fd)
        # The target is replaced: later errors do not matter.
        self.complete = True
        self.temporary = None
        with suppress(OSError):
            if self.folder >= 0:
                os.fsync(self.folder)

    def discard(self) -> None:
        """Close the descriptors and remove the temporary file, if any. Never raises OSError."""
        with suppress(OSError):
            self._close()
        with suppress(OSError):
            if self.temporary is not None:
                os.unlink(self.temporary, dir_fd=self.dir_fd)
                self.temporary = None
        with suppress(OSError):
            if self.folder >= 0:
                folder, self.folder = self.folder, -1
                os.close(folder)

    def _close(self) -> None:
        if self.fd >= 0:
            # Forget the descriptor first: close() releases it even if it reports an error.
            fd, self.fd = self.fd, -1
            os.close(fd)

    def _copy_metadata(self) -> None:
        """Copy mode, group, owner and extended attributes of the target; without a target set a new file's mode.

        If a part cannot be copied, the file ends up more private than the target, never less.
        """
        if not hasattr(os, "fchown"):
            return
        mode = self.mode
        with suppress(FileNotFoundError):
            old = os.stat(self._relative(self.base), dir_fd=self.dir_fd, follow_symlinks=False)
            mode = self._copy_owner(old)
        with suppress(OSError):
            os.fchmod(self.fd, mode)

    def _copy_owner(self, old: os.stat_result) -> int:
        """Copy owner, group and extended attributes; return the mode to set."""
        for owner in ((-1, old.st_gid), (old.st_uid, -1)):
            with suppress(OSError):
                os.fchown(self.fd, *owner)
        known = self._copy_attributes()
        now, mode = os.fstat(self.fd), stat.S_IMODE(old.st_mode)
        if now.st_gid != old.st_gid or not known:
            # The group or the ACL differs: reduce the group's permissions to those of others.
            mode &= 0o7707 | (mode & 0o007) << 3
        if (now.st_uid, now.st_gid) != (old.st_uid, old.st_gid):
            mode &= 0o777
        return mode

    def _copy_attributes(self) -> bool:
        """Copy the extended attributes, ACLs included. False if the ACL of the target cannot be read or set."""
        if not hasattr(os, "listxattr"):
            return True
        try:
            target = os.open(self._relative(self.base), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self.dir_fd)
        except OSError:
            return False
        known = True
        try:
            names = _attributes(target)
            if _ACL in _attributes(self.fd):
                # An ACL inherited from the folder may allow users whom the target does not: remove it.
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


def remove_stale(folder: str | int) -> None:
    """Remove temporary files left by killed processes of this machine, never those of a running process.

    ``folder`` is a path or a descriptor.
    """
    if os.name != "posix":
        return
    pattern = re.compile(re.escape(_prefix()) + r"([1-9][0-9]{0,8})-[0-9a-f]{12}\.tmp")
    with suppress(OSError):
        for name in os.listdir(folder):
            match = pattern.fullmatch(name)
            if match and not _is_running(int(match[1])):
                with suppress(OSError):
                    if isinstance(folder, int):
                        os.unlink(name, dir_fd=folder)
                    else:
                        os.unlink(os.path.join(folder, name))


def _open_folder(path: str) -> int:
    try:
        return os.open(path or ".", os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        # The folder is writable but not listable.
        return os.open(path or ".", getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY)


def _attributes(fd: int) -> list[str]:
    """Names of the extended attributes to copy; none if the file system does not support them."""
    try:
        return [name for name in os.listxattr(fd) if name not in _CONTENT_ATTRIBUTES]
    except OSError as e:
        if e.errno != errno.ENOTSUP:
            raise
        return []


def _default_mode(folder: str) -> int:
    """The mode of a new file in a folder: 0666 masked by the folder's default ACL, or by the umask if it has none."""
    mask = os.umask(0o077)
    os.umask(mask)
    with suppress(OSError, AttributeError):
        acl = os.getxattr(folder, "system.posix_acl_default")
        # acl(5): a 4-byte version, then tag, permissions and id per entry; tags: 1 owner, 4 group, 16 mask, 32 others.
        permissions = {tag: bits for tag, bits, _ in struct.iter_unpack("<HHI", acl[4:])}
        mask = ~(permissions[1] << 6 | permissions.get(16, permissions[4]) << 3 | permissions[32])
    return 0o666 & ~mask


def _descriptor_path(fd: int) -> str:
    """The path of a descriptor of this process."""
    return f"/proc/self/fd/{fd}"


def _prefix() -> str:
    """The prefix of temporary files of this machine and PID namespace.

    Host names are not unique and containers number their processes from 1, so a checksum of the machine id and the PID
    namespace is part of it.
    """
    node = os.uname().nodename if hasattr(os, "uname") else ""
    identity = b""
    with suppress(OSError), open("/etc/machine-id", "rb") as file:
        identity = file.read(64)
    with suppress(OSError):
        identity += os.readlink(b"/proc/self/ns/pid")
    return f".gradcli-{re.sub(r'[^A-Za-z0-9.]', '_', node)}-{zlib.crc32(identity):08x}-"


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError as e:
        # EPERM: the process exists and belongs to another user.
        return e.errno != errno.ESRCH
    with suppress(OSError), open(f"/proc/{process}/stat", "rb") as file:
        # A zombie, which its parent has not waited for, writes no more.
        return file.read(4096).rpartition(b")")[2].split()[:1] not in ([b"Z"], [b"X"])
    return True
