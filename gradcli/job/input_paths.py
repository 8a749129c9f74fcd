"""From what --input names to paths and URLs: patterns, folders of tables and folders of parts."""

from __future__ import annotations

import glob
import os

from gradcli.errors import GradError
from gradcli.formats import readable_suffix
from gradcli.formats.input import unopened
from gradcli.storage import is_url
from gradcli.storage.folder import folder
from gradcli.storage.manifest import parts


def matching(path: str) -> list[str]:
    """The files that match a pattern, sorted by name; the path itself if it is no pattern, or such a file exists.

    Of a folder: its parts in their order if it is one of parts, else the files in it that can be read, sorted. Raises
    GradError if there are none, and for a folder of parts that is not whole.
    """
    if not path:
        raise GradError("--input: the name of the file is missing")
    if path == "-":
        return [path]
    try:
        if path.endswith(("/", os.sep)) or (not is_url(path) and os.path.isdir(path)):
            return _inside(os.path.join(path, ""))
        if is_url(path):
            from gradcli.storage import remote

            paths = remote.matching(path)
        elif not glob.has_magic(path) or os.path.exists(path):
            return [path]
        else:
            paths = sorted(glob.glob(path))
    except OSError as error:
        raise unopened(path, error) from None
    if not paths:
        raise GradError(f"--input: no file matches '{path}'")
    return paths


def _inside(path: str) -> list[str]:
    """The files of a folder, whose path ends in a slash. Raises OSError."""
    if not is_url(path):
        os.stat(path)
    names = parts(path)
    if names is None:
        sizes = folder(path).listing()
        names = sorted(name for name, size in sizes.items() if size >= 0 and not name.startswith((".", "_")))
        wrong = next((name for name in names if readable_suffix(name) is None), None)
        if wrong is not None:
            raise GradError(
                f"{path}: '{wrong}' is no table that can be read", hint=f'name the tables: --input "{path}*.csv"'
            )
    if not names:
        raise GradError(f"--input: there are no files in {path}")
    return [path + name for name in names]
