"""The bytes that the values of Arrow arrays take, so that batches and row groups of long rows have fewer rows.

Layer: must not know any file; ``types`` is the module ``pyarrow.types``.
"""

from __future__ import annotations

from typing import Any


def width(kind: Any, types: Any) -> int | None:
    """Return the bytes of a value of a type, or None if they vary."""
    try:
        return None if types.is_dictionary(kind) else -(-kind.bit_width // 8)
    except ValueError:
        return None


def stored(array: Any) -> Any:
    """Return the numbers of an Arrow array without nulls as they lie in memory, not to be written to.

    ``to_numpy`` of pyarrow would import pandas where that is installed, which takes 0.1 s.
    """
    import numpy as np

    kind = array.type.to_pandas_dtype()
    if not len(array):
        return np.empty(0, kind)
    return np.frombuffer(array.buffers()[1], kind)[array.offset : array.offset + len(array)]


def doubles(column: Any, arrow: Any) -> Any:
    """Return an Arrow array of doubles: those of a list or an array of NumPy, which is not copied.

    ``pyarrow.array`` would import pandas where that is installed.
    """
    import numpy as np

    numbers = np.ascontiguousarray(column, np.float64)
    return arrow.Array.from_buffers(arrow.float64(), len(numbers), [None, arrow.py_buffer(numbers)], 0)


def row_bytes(array: Any, types: Any) -> Any:
    """Return the bytes of each value of an array, with dictionaries written out; an integer if all are equal."""
    import numpy as np

    kind = array.type
    if (size := width(kind, types)) is not None:
        return size
    if types.is_dictionary(kind):
        sizes = row_bytes(array.dictionary, types)
        if isinstance(sizes, int) or not len(sizes):
            return sizes if isinstance(sizes, int) else 0
        return sizes[np.nan_to_num(array.indices.to_numpy(zero_copy_only=False)).astype(np.int64)]
    if types.is_struct(kind):
        return sum(row_bytes(field, types) for field in array.flatten())
    if types.is_list(kind) or types.is_large_list(kind) or types.is_map(kind):
        sizes, ends = row_bytes(array.values, types), _offsets(array, types.is_large_list(kind))
        totals = np.arange(ends[-1] + 1) * sizes if isinstance(sizes, int) else np.append(0, np.cumsum(sizes))
        return np.diff(totals[ends])
    if types.is_binary(kind) or types.is_string(kind):
        return np.diff(_offsets(array, False))
    if types.is_large_binary(kind) or types.is_large_string(kind):
        return np.diff(_offsets(array, True))
    return -(-array.nbytes // max(1, len(array)))


def longest(array: Any, types: Any) -> int:
    """Return the bytes of the longest text in the dictionaries of an array, nested ones included."""
    kind = array.type
    if types.is_dictionary(kind):
        sizes = row_bytes(array.dictionary, types)
        return sizes if isinstance(sizes, int) else int(sizes.max(initial=0))
    if types.is_struct(kind):
        return sum(longest(field, types) for field in array.flatten())
    return longest(array.values, types) if types.is_list(kind) or types.is_large_list(kind) or types.is_map(kind) else 0


def _offsets(array: Any, large: bool) -> Any:
    import numpy as np

    buffer = array.buffers()[1]
    if not len(array) or buffer is None:
        return np.zeros(1, np.int64)
    offsets = np.frombuffer(buffer, np.int64 if large else np.int32)
    return offsets[array.offset : array.offset + len(array) + 1].astype(np.int64)
