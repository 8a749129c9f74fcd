"""The files that cases of data/faults.jsonl read, byte for byte; a case with several is run with each in turn."""

from __future__ import annotations

import gzip
import io
import pickle
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet

ROWS = b"x\n1.5\n-2\n"


class Hostile:
    """Whoever unpickles it runs a command."""

    def __reduce__(self) -> Any:
        import os

        return os.system, ("touch PWNED",)


def gz(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def npy(values: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, values, allow_pickle=True)
    return file.getvalue()


def hostile_parquet(value: Any, storage: Any) -> bytes:
    """A column of an extension type as old releases of pyarrow wrote it: its description is a pickle."""
    meta = {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": pickle.dumps(Hostile())}
    file = io.BytesIO()
    table = pyarrow.table(
        [pyarrow.array([value], storage)], schema=pyarrow.schema([pyarrow.field("x", storage, metadata=meta)])
    )
    pyarrow.parquet.write_table(table, file)
    return file.getvalue()


def gzip_bomb() -> bytes:
    """10 GiB of zeros: one part that depends on none before it, as often as it takes."""
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    part = packing.compress(bytes(1 << 24)) + packing.flush(zlib.Z_FULL_FLUSH)
    size = 10 << 30
    end = b"\x03\0" + (0xF41D912F).to_bytes(4, "little") + (size % (1 << 32)).to_bytes(4, "little")
    return b"\x1f\x8b\x08\0\0\0\0\0\2\xff" + part * (size >> 24) + end


FILES: dict[str, Callable[[], list[bytes]]] = {
    "F052": lambda: [npy(np.array([Hostile()], dtype=object)), npy(np.array([(Hostile(),)], dtype=[("x", object)]))],
    "F053": lambda: [pickle.dumps(Hostile(), protocol) for protocol in (0, 2, 5)],
    "F054": lambda: [hostile_parquet(1.5, pyarrow.float64()), hostile_parquet(b"1.5", pyarrow.binary())],
    "F057": lambda: [b"=cmd|'/c calc'!A1,x\n1,-1.5\n"],
    "F059": lambda: [b"[" * 100_000, b'{"x":' * 100_000],
    "F077": lambda: [gzip_bomb()],
    "F078": lambda: [b"x\n" + b"1" * 100_000_000 + b"\n", b'x\n"' + b"1" * 100_000_000],
    "F082": lambda: [b""],
    "F083": lambda: [b"x\n"],
    "F086": lambda: [ROWS.decode().encode(encoding) for encoding in ("utf-16-le", "utf-16-be")],
    "F089": lambda: [b"x\n1\0002\n", b"x\n\0\n", b'x\n"1\0"\n'],
    "F090": lambda: [ROWS.replace(b"\n", b"\r\n"), b'"x"\r\n"1.5"\r\n"-2"\r\n'],
    "F091": lambda: [ROWS.replace(b"\n", b"\r"), b"x\r1.5\r-2", b'"x"\r"1.5"\r"-2"\r'],
    "F092": lambda: [ROWS[:-1]],
    "F096": lambda: [b"temp C,y\n1,2\n"],
    "F099": lambda: [b"x\nNA\n", b"x,y\nNA,1\n"],
    "F101": lambda: [b'x\n"1,234"\n'],
    "F102": lambda: [b'x\n"1,5"\n', b'x,y\n"1,5","2,5"\n'],
    "F105": lambda: [b'x\n"1\n2\n3\n', b'x,y\n1,"2\n3,4\n'],
    "F106": lambda: [b'{"x": [1,, 2]}', b'{\n  "x": [1, 2],\n}\n', b"[{'x': 1}]"],
    "F107": lambda: [b'{"x": [1], "x": [2]}', b'[{"x": 1, "x": 2}]', b'{"x": [1], "\\u0078": [2]}'],
    "F108": lambda: [b'{"x": ["1"]}', b'[{"x": "1"}]'],
    "F109": lambda: [b'{"x": [1, 2, 3], "y": [1, 2]}'],
    "F110": lambda: [b'{"x": [NaN]}', b'[{"x": NaN}]'],
    "F111": lambda: [b'{"x": [1e400]}', b'[{"x": -1e400}]', b'{"x": [1' + b"0" * 400 + b"]}"],
    "F112": lambda: [b'{"x": [1, 2', b'[{"x": 1}, {"x', b'{"x": [1, 2]'],
    "F113": lambda: [npy(np.arange(9.0))[:cut] for cut in (-1, -8, -72, 100, 9, 7)],
    "F115": lambda: [npy(np.array(["a", "b"])), npy(np.array([b"a"])), npy(np.array([1, "a"], dtype=object))],
    "F116": lambda: [npy(np.array([9007199254740993])), npy(np.array([9007199254740993], dtype=[("x", "<u8")]))],
    "F120": lambda: [ROWS],
    "F121": lambda: [b'{"x": [1.5, -2]}\n', b'[{"x": 1.5}, {"x": -2}]', b'{\n  "x": [1.5, -2]\n}\n', b"[1.5, -2]\n"],
    "F122": lambda: [gz(ROWS), gz(ROWS[:4]) + gz(ROWS[4:])],
    "F123": lambda: [gz(ROWS)[:cut] for cut in (-1, -8, -12, 5)],
}
"""Contents by the case's id."""
