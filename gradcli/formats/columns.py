"""The interface of readers and writers: tables, columns, formulas and styles.

Layer: must not know any format.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gradcli.formats.passthrough import Kept

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Out = Callable[[bytes], object]
SCHEMA = "gradcli/1"


class Start(bytes):
    """Bytes that overwrite the start of the output; allowed if ``Style.rewinds``."""


class Columns(Protocol):
    """A result to write: named columns of numbers over a grid.

    A block holds a flat column for each name: an array or list of floats, None for a column without values, or ``Kept``
    for cells carried through. ``whole()`` returns the columns of all points; ``shapes`` gives their
    shapes if they differ.
    """

    names: tuple[str, ...]
    shape: tuple[int, ...]
    expressions: dict[str, str]
    variables: list[str]
    order: int
    matrix: bool
    nonfinite: dict[str, int]
    shapes: dict[str, tuple[int, ...]] | None
    empty: tuple[str, ...]

    @property
    def blocks(self) -> Iterator[list[Any]]: ...
    def whole(self) -> list[Any]: ...


class Statements(Protocol):
    """Derivatives as expressions, written if there are no points; ``unused`` names those that do not occur."""

    lines: list[tuple[str, str]]
    names: tuple[str, ...]
    derivatives: tuple[str, ...]
    unused: tuple[str, ...]
    variables: list[str]
    order: int
    note: str

    @property
    def expressions(self) -> dict[str, str]: ...


class Style(NamedTuple):
    """The style of the output: significant digits (None: all), maximum width and height (None: unlimited), and colour.

    ``rewinds``: whether the output is a file whose start can be overwritten at the end.
    """

    digits: int | None = None
    width: int | None = None
    color: bool = False
    rewinds: bool = False
    height: int | None = None


def shaped(result: Columns) -> Iterator[tuple[str, tuple[int, ...], Any]]:
    """Yield the name, shape and flat column of each output."""
    columns = result.whole()
    shapes = result.shapes if result.shapes is not None else dict.fromkeys(result.names, result.shape)
    for (name, shape), column in zip(shapes.items(), columns, strict=True):
        yield name, shape, column


class Chunk(NamedTuple):
    """Consecutive rows of a table, of which ``start`` is the index of the first.

    ``columns`` and ``kept`` have an entry for each name asked for; all have the same length, at least 1.
    """

    start: int
    columns: list[NDArray[np.float64]]
    kept: list[Kept]


class Table(Protocol):
    """A table that is read: the names of all columns, then rows as they arrive.

    ``rows`` is their number, or None if the format does not store it. ``notes`` collects warnings while rows are read,
    each once.
    """

    names: tuple[str, ...]
    rows: int | None
    notes: list[str]

    def chunks(self, wanted: Sequence[str], keep: Sequence[str]) -> Iterator[Chunk]:
        """Yield the rows: columns ``wanted`` as float64 arrays, columns ``keep`` as cells carried through.

        At least one column is asked for, and each chunk iterator is used once. Raise GradError at an invalid row, after
        all rows before it have been yielded.
        """
        ...


def runs(block: Sequence[Any]) -> Iterator[Any]:
    """Yield the columns of a block in order: each carried through, and each list of neighbouring columns of numbers."""
    for kept, group in groupby(block, lambda column: isinstance(column, Kept)):
        columns = list(group)
        yield from columns if kept else [columns]


def by_rows(
    block: Sequence[Any], texts: Callable[[Kept], list[bytes]], numbers: Callable[[list[Any]], list[bytes]]
) -> list[bytes]:
    """Return the cells of a block row after row; ``numbers`` gives those of columns of numbers in that order."""
    columns: list[list[bytes]] = []
    for run in runs(block):
        if isinstance(run, Kept):
            columns.append(texts(run))
        elif len(run) == len(block):
            return numbers(run)
        else:
            cells = numbers(run)
            columns += [cells[k :: len(run)] for k in range(len(run))]
    return [cell for row in zip(*columns, strict=True) for cell in row]


def headed(header: bytes, blocks: Iterator[Any], out: Out) -> Iterator[Any]:
    """Yield the blocks; write the header after the first is computed, since that may raise an error."""
    first = next(blocks, None)
    out(header)
    if first is not None:
        yield first
        yield from blocks


class Sink(io.RawIOBase):
    """A sequential file that passes its bytes to ``out``, for libraries that write files.

    After the ``with`` block bytes are discarded, such as those that the destructor of a library writes after a failure.
    """

    def __init__(self, out: Out) -> None:
        self._out, self._at = out, 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._out(piece)
        self._at += len(piece)
        return len(piece)

    def __exit__(self, *_: object) -> None:
        self._out = len
