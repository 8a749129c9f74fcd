"""Storage: paths and URLs to bytes, and back.

Layer: must not know what the bytes mean.
"""

from __future__ import annotations

import re

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_url(path: str) -> bool:
    """Return whether a name is the URL of an object, such as ``s3://bucket/x.parquet``, rather than a path."""
    return _URL.match(path) is not None
