"""The manifest of a folder of parts: the files that hold its rows, in the order of the rows.

It is written last, so that its presence means that all parts are there. Layer: must not know what the files hold.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

from gradcli.errors import GradError
from gradcli.storage.folder import folder

MANIFEST, PLAN = "manifest.json", "plan.json"
SCHEMA = "gradcli-parts/1"


def loads(data: bytes) -> dict[str, Any] | None:
    """Return a plan, record or manifest that is of this schema and as it was written, else None."""
    try:
        told = json.loads(data)
        if not isinstance(told, dict) or told.get("schema") != SCHEMA or told.pop("check", None) != _check(told):
            return None
    except (ValueError, RecursionError):
        return None
    return told


def dumps(told: dict[str, Any]) -> bytes:
    """Return the bytes of a plan, record or manifest."""
    told = {"schema": SCHEMA, **told}
    return _text({**told, "check": _check(told)}) + b"\n"


def _check(told: dict[str, Any]) -> str:
    """Return the checksum by which a plan without one of its parts, or a record of other bytes, is known as changed."""
    return f"{zlib.crc32(_text(told)):08x}"


def _text(told: dict[str, Any]) -> bytes:
    # In ASCII: the name of a file may be no UTF-8.
    return json.dumps(told, separators=(",", ":")).encode()


def parts(path: str) -> list[str] | None:
    """Return the names of the parts in a folder, in order; None if the folder has no parts.

    Raise GradError if some of them are missing or have another size than was written. Raises OSError.
    """
    at = folder(path)
    sizes = at.listing()
    told = loads(at.read(MANIFEST)) if MANIFEST in sizes else None
    if told is None:
        if PLAN in sizes and loads(at.read(PLAN)) is not None:
            what = "is not as it was written" if MANIFEST in sizes else "is missing"
            raise GradError(
                f"{path}: this folder of parts is not whole: {MANIFEST} {what}",
                hint=f"the command that began it goes on with it; gradcli parts {path} tells what is missing",
            )
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
