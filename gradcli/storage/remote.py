"""Objects of stores that fsspec knows, such as s3."""

from __future__ import annotations

from typing import Any

from gradcli.errors import optional


def remote_folder(url: str) -> Any:
    """Return the folder of a URL. Raise GradError if a package is missing."""
    optional("fsspec", "cluster", f"{url} needs the package fsspec")
    raise NotImplementedError
