"""Sources of rows, and what a folder of parts made of them holds."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

MANIFEST = "manifest.json"


def numbered(first: int, rows: int) -> pa.Table:
    """Rows with a number each, ``id``, and columns whose values follow from it."""
    ids = np.arange(first, first + rows)
    return pa.table({"id": ids, "x": ids % 1009 / 1009 + 0.25, "y": ids % 127 - 60.0})


def sources(folder: Path, sizes: Iterable[int], suffix: str = "parquet", group: int = 100) -> list[str]:
    """Write files with so many rows each, numbered through all of them, and return their names."""
    folder.mkdir(exist_ok=True)
    first, paths = 0, []
    for k, rows in enumerate(sizes):
        path = folder / f"{k:05}.{suffix}"
        if suffix == "parquet":
            pq.write_table(numbered(first, rows), path, row_group_size=group)
        else:
            pyarrow.csv.write_csv(numbered(first, rows), path)
        paths.append(str(path))
        first += rows
    return paths


def parts(folder: Path) -> list[Path]:
    """The parts in the order of their rows, as the manifest tells."""
    return [folder / part["part"] for part in json.loads((folder / MANIFEST).read_bytes())["parts"]]


def names(folder: Path) -> list[str]:
    """All files of the folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    """The bytes of each file of the folder, and the time at which it was written."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def content(folder: Path) -> dict[str, bytes]:
    return {name: data for name, (data, _) in state(folder).items()}


def changed(before: dict[str, tuple[bytes, int]], folder: Path) -> set[str]:
    """The parts that were written anew since ``before``."""
    after = state(folder)
    return {
        name for name in after if name.startswith("part-") and name.endswith("t") and after[name] != before.get(name)
    }


def faults(folder: Path) -> list[str]:
    """The parts that are not as the records beside them tell, by size and checksum."""
    wrong = []
    for path in folder.glob("part-*.json"):
        record = json.loads(path.read_bytes())
        data = (folder / record["part"]).read_bytes()
        if len(data) != record["bytes"] or f"{crc32(data):08x}" != record["crc32"]:
            wrong.append(record["part"])
    return wrong


def ids(folder: Path) -> list[int]:
    """The numbers of all rows of the parts, which are parquet, in their order."""
    return [number for path in parts(folder) for number in map(int, pq.read_table(path)["id"].to_pylist())]


def whole(folder: Path, rows: int) -> None:
    """Check that each of so many rows is there once, in order, and nothing but parts."""
    assert ids(folder) == list(range(rows))
    assert faults(folder) == []
    made = [path.name for path in parts(folder)]
    assert names(folder) == sorted([*made, *[f"{name}.json" for name in made], MANIFEST, "plan.json"])


def made(stderr: str) -> tuple[int, int]:
    """How many parts a run has made, and how many stood, by its note."""
    match = re.search(r"([0-9,]+) made, ([0-9,]+) stood", stderr)
    assert match is not None, stderr
    return int(match[1].replace(",", "")), int(match[2].replace(",", ""))


def joined(paths: Iterable[Path]) -> Any:
    """The rows of files of one format: bits of the columns of parquet and npy, else lines without those of headers."""
    paths = list(paths)
    suffix = paths[0].suffix
    if suffix == ".parquet":
        # A column of text has no bits: the table itself.
        table = pa.concat_tables([pq.read_table(path) for path in paths]).combine_chunks()
        return {
            name: table[name].to_numpy().tobytes()
            if pa.types.is_primitive(table[name].type)
            else table[name].to_pylist()
            for name in table.column_names
        }
    if suffix == ".npy":
        arrays = [np.load(path) for path in paths]
        return arrays[0].dtype, b"".join(array.tobytes() for array in arrays)
    lines = [path.read_bytes().splitlines(keepends=True) for path in paths]
    if suffix == ".jsonl":
        return [line for file in lines for line in file]
    return [lines[0][0], *[line for file in lines for line in file[1:]]]
