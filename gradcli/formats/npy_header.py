"""The header of a .npy array, parsed as data: nothing in it is unpickled or executed."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from gradcli.errors import GradError
from gradcli.limits import memory

if TYPE_CHECKING:
    import numpy as np

_LONGEST = 1 << 16
"""Maximum of bytes of a header."""
_SHORT = 1000
"""Bytes of a header that is not nested deeply."""
_DIMENSIONS = 64
_KEYS = {"descr", "fortran_order", "shape"}


class Header:
    """The header of an array: its ``shape``, whether it is in ``fortran`` order, and ``item``, the dtype.

    ``file`` is left at the first number. Raise GradError for an invalid header and for arrays of Python objects.
    """

    def __init__(self, file: Any, name: str) -> None:
        import numpy as np

        if not (start := file.read(8)):
            raise GradError(f"{name}: the file is empty")
        if not start.startswith(b"\x93NUMPY"):
            raise GradError(f"{name}: not a .npy file")
        if len(start) < 8:
            raise GradError(f"{name}: truncated in the header")
        version = (start[6], start[7])
        if version not in ((1, 0), (2, 0), (3, 0)):
            raise GradError(f"{name}: version {version[0]}.{version[1]} of .npy is not known")
        width = 2 if version == (1, 0) else 4
        length = file.read(width)
        size = int.from_bytes(length, "little")
        if size > _LONGEST:
            raise GradError(f"{name}: a header of {size:,} bytes is beyond the limit of {_LONGEST:,}")
        text = file.read(size)
        if len(text) < size or len(length) < width:
            raise GradError(f"{name}: truncated in the header")
        try:
            # Python 2 wrote long integers as 3L. Version 3 of the format is UTF-8, earlier ones are Latin-1.
            literal = re.sub(rb"([0-9])L\b", rb"\1", text).decode("utf-8" if version == (3, 0) else "latin-1")
            header = ast.literal_eval(literal.strip())
            shape, fortran = header["shape"], header["fortran_order"]
            item = np.lib.format.descr_to_dtype(header["descr"])
            valid = set(header) == _KEYS and isinstance(fortran, bool) and _is_shape(shape)
        except Exception as error:
            # Python raises MemoryError for deeply nested text too, which is a damaged header, but only if it is long.
            if memory.lacking(error) and size < _SHORT:
                raise
            # literal_eval and NumPy raise unrelated exception types for damaged input.
            valid = False
        if not valid:
            raise GradError(f"{name}: the header of the array is damaged")
        if item.hasobject:
            raise GradError(f"{name}: an object array (dtype {item}) would have to be unpickled: it is never read")
        self.shape: tuple[int, ...] = shape
        self.fortran: bool = fortran
        self.item: np.dtype[Any] = item


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, tuple) and len(shape) <= _DIMENSIONS and all(type(n) is int and n >= 0 for n in shape)
