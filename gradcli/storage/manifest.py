"""The manifest of a folder of parts: the files that hold its rows, in the order of the rows.

It is written last, so that its presence means that all parts are there. Layer: must not know what the files hold.
"""

from __future__ import annotations

import json
from typing import Any

from gradcli.errors import GradError
from gradcli.storage.folder import folder

MANIFEST, PLAN = "manifest.json", "plan.json"
SCHEMA = "gradcli-parts/1"


def loads(data: bytes) -> dict[str, Any] | None:
    """Return a plan, record or manifest that is of this schema, else None."""
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) and told.get("schema") == SCHEMA else None


def dumps(told: dict[str, Any]) -> bytes:
    """Return the bytes of a plan, record or manifest."""
    # In ASCII: the name of a file may be no UTF-8.
    return json.dumps({"schema": SCHEMA, **told}, separators=(",", ":")).encode() + b"\n"


def parts(path: str) -> list[str] | None:
    """Return the names of the parts in a folder, in order; None if the folder has no parts.

    Raise GradError if some of them are missing or have another size than was written. Raises OSError.
    """
    at = folder(path)
    sizes = at.listing()
    if MANIFEST not in sizes:
        if PLAN in sizes and loads(at.read(PLAN)) is not None:
            raise GradError(
                f"{path}: this folder of parts is not whole: {MANIFEST} is missing",
                hint=f"the command that began it goes on with it; gradcli parts {path} tells what is missing",
            )
        return None
    told = loads(at.read(MANIFEST))
    if told is None:
        return None
    try:
        for part in told["parts"]:
            if sizes.get(part["part"]) != part["bytes"]:
                raise GradError(
                    f"{path}: {part['part']} is not as it was written",
                    hint="the command that made the folder makes it again",
                )
        return [str(part["part"]) for part in told["parts"]]
    except (KeyError, TypeError):
        raise GradError(f"{path}{MANIFEST}: not the manifest of a folder of parts") from None
