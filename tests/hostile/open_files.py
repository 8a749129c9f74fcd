"""Files that a process writes to, whether they have a name or not; and whether the system can make some without."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def can_be_unnamed(folder: Path) -> bool:
    """Whether a file may be made in a folder that gets its name later."""
    if not hasattr(os, "O_TMPFILE"):
        return False
    try:
        fd = os.open(folder, os.O_WRONLY | os.O_TMPFILE, 0o600)
    except OSError:
        return False
    try:
        return os.path.exists(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)


def sizes(process: int, folder: Path) -> list[int]:
    """Of the files in a folder that a process has open for writing."""
    if not can_be_unnamed(folder):
        return [path.stat().st_size for path in folder.glob(".gradcli-*")]
    found = []
    with suppress(OSError):
        for link in Path(f"/proc/{process}/fd").iterdir():
            with suppress(OSError):
                flags = int((link.parents[1] / "fdinfo" / link.name).read_text().split("flags:")[1].split()[0], 8)
                if os.readlink(link).startswith(f"{folder}/") and flags & os.O_ACCMODE == os.O_WRONLY:
                    found.append(os.stat(link).st_size)
    return found
