"""One part: its rows computed by the job floor and written whole, then the record beside it."""

from __future__ import annotations

import os
import zlib
from dataclasses import replace
from typing import Any

from gradcli.compute.execute import aside
from gradcli.errors import GradError
from gradcli.formats import FORMATS, Out, Style
from gradcli.parts.plan import Part, Source, identified
from gradcli.parts.work import Work
from gradcli.storage import is_url
from gradcli.storage.folder import Folder
from gradcli.storage.manifest import MANIFEST, dumps, loads

RECORD = ".json"
"""What the name of a record has after that of its part."""


def stands(part: Part, record: dict[str, Any] | None, size: int | None) -> bool:
    """Return whether a part is there as its record tells: made of the same rows in the same way, and as long."""
    return record is not None and record.get("key") == part.key and record.get("bytes") == size and _sound(record)


def _sound(record: dict[str, Any]) -> bool:
    """Return whether a record, which others may have written, tells all that `make` tells."""
    kinds = {"rows_in": int, "rows": int, "bytes": int, "crc32": str, "source": str, "columns": list, "notes": list}
    counts = [record.get("nonfinite"), record.get("hard")]
    return all(isinstance(record.get(name), kind) for name, kind in kinds.items()) and all(
        isinstance(count, dict) and all(isinstance(number, int) for number in count.values()) for count in counts
    )


def make(work: Work, part: Part, folder: Folder, base: str = "") -> dict[str, Any]:
    """Compute a part, write it and its record, and return the record. ``base``: what a relative source is in.

    Equal keys give equal bytes, so that two processes may make one part at the same time. Raise GradError if the data
    are wrong, or if reading or writing fails (exit code 3), or if the source is not that of the plan any more; nothing
    but whole parts is visible at any moment.
    """
    source = part.source.path
    path = source if is_url(source) else os.path.join(base, source)
    rows = replace(work.rows, paths=[path], span=part.span, notes=[])
    form = FORMATS[work.format]
    _check_unchanged(part.source, path)
    form.load(None)
    result = work.run(rows)
    size = check = 0
    try:
        with folder.write(part.name, mark=True) as out:

            def send(data: bytes) -> None:
                nonlocal size, check
                size, check = size + len(data), zlib.crc32(data, check)
                out(data)

            def write(put: Out) -> None:
                form.write(result.output, put, Style(work.digits))

            for piece in aside(write):
                send(piece)
            if result.size:
                _check_types(work, work.types_of(result.output), source)
            _check_unchanged(part.source, path)
            for old in folder.read_many([part.name + RECORD]).values():
                # Between the renaming of the part and of its record an old one would tell of other bytes; and so would
                # a manifest that another run has written meanwhile.
                if (loads(old) or {}).get("key") != part.key:
                    folder.remove(MANIFEST)
                    folder.remove(part.name + RECORD)
        record = {
            "part": part.name, "key": part.key, "source": source,
            "range": part.range, "rows_in": result.rows_read, "rows": result.size,
            "bytes": size, "crc32": f"{check:08x}", "columns": list(result.output.names),
            "nonfinite": {name: result.nonfinite[name] for name in result.results if name in result.nonfinite},
            "hard": {} if result.hard is None else dict(sorted(result.hard.kinds.items())),
            "notes": [note.replace(path, source) for note in (result.note, *rows.notes) if note],
        }  # fmt: skip
        with folder.write(part.name + RECORD) as out:
            out(dumps(record))
        if not folder.stands(part.name) and _checksum(folder, part.name) != record["crc32"]:
            # Another run has renamed a part of other bytes between the two, whose record may be lost as well.
            folder.remove(MANIFEST)
            folder.remove(part.name + RECORD)
            raise GradError(
                f"{folder.path}{part.name}: another run with other rows or options writes to this folder",
                hint="give each a folder of its own", exit_code=3,
            )  # fmt: skip
    except OSError as error:
        raise GradError(f"{folder.path}{part.name}: {error.strerror or error}", exit_code=3) from None
    return record


def _check_types(work: Work, types: dict[str, str] | None, source: str) -> None:
    """Raises GradError if a column has another type than in the first source: who reads all parts would cast one."""
    for name, kind in (types or {}).items():
        if (first := (work.types or {}).get(name, kind)) != kind:
            raise GradError(
                f"{source}: the column '{name}' is of the type {kind}, in {work.rows.first} it is of the type {first}: "
                "parquet cannot hold both",
                hint=f"write csv: --csv; or leave the column out: --drop {name}",
            )


def _checksum(folder: Folder, name: str) -> str:
    check = 0
    for data in folder.pieces(name):
        check = zlib.crc32(data, check)
    return f"{check:08x}"


def _check_unchanged(source: Source, path: str) -> None:
    """Raises GradError if a source has changed: its rows may stand at other places than the plan tells."""
    if identified(path)[1:] != source[1:]:
        raise GradError(
            f"{source.path}: it has changed since the run began, or is another file here", exit_code=3,
            hint="the same command makes its parts anew",
        )  # fmt: skip
