"""The interface of readers and writers: tables, columns, formulas and styles.

Layer: must not know any format.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gradcli.formats.passthrough import Kept

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gradcli.formats.input import Input

Out = Callable[[bytes], object]
SCHEMA = "gradcli/1"
_LONG = 1 << 19
"""Bytes of a piece that `Sink` passes on."""


class Start(bytes):
    """Bytes that overwrite the start of the output; allowed if ``Style.rewinds``."""


class Columns(Protocol):
    """A result to write: named columns of numbers over a grid.

    A block holds a flat column for each name: an array or list of floats, None for a column without values, or ``Kept``
    for cells carried through. ``whole()`` returns the columns of all points; ``shapes`` gives their
    shapes if they differ. ``members``: what JSON tells beside the columns. ``nothing``: a block without rows, whose
    columns have the types of those with rows. ``read_as``: the strict text of natural notation, where it differs.
    """

    names: tuple[str, ...]
    shape: tuple[int, ...]
    expressions: dict[str, str]
    variables: list[str]
    order: int
    read_as: str | None
    matrix: bool
    nonfinite: dict[str, int]
    shapes: dict[str, tuple[int, ...]] | None
    empty: tuple[str, ...]

    @property
    def members(self) -> dict[str, Any]: ...
    @property
    def nothing(self) -> list[Any]: ...
    @property
    def blocks(self) -> Iterator[list[Any]]: ...
    def whole(self) -> list[Any]: ...


class Statements(Protocol):
    """Derivatives as expressions, written if there are no points.

    ``unused`` names those that do not occur; ``remarks`` tell single points at which a formula does not hold.
    ``read_as``: the strict text of natural notation, where it differs.
    """

    lines: list[tuple[str, str]]
    names: tuple[str, ...]
    derivatives: tuple[str, ...]
    unused: tuple[str, ...]
    remarks: tuple[str, ...]
    variables: list[str]
    order: int
    note: str

    @property
    def expressions(self) -> dict[str, str]: ...
    @property
    def read_as(self) -> str | None: ...


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


class Dialect(NamedTuple):
    """The spelling of an input: the options of the command line that say how a text is read.

    ``columns``: names for columns that have none. ``encoding`` None: UTF-8, or what a byte order mark tells.
    ``delimiter`` None: that of the format; ``tab``, ``blank`` (any run of blanks and tabs) or a character. ``comment``:
    what a line begins with that is no row. ``skip`` lines before the header and ``skip_after_header`` below it are not
    read. ``na``: missing numbers are an ``error``, ``nan``, or their rows are left out (``skip``).
    """

    columns: Sequence[str] | None = None
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str = "."
    comment: str | None = None
    skip: int = 0
    skip_after_header: int = 0
    na: str = "error"


PLAIN = Dialect()
"""What is read without any option."""


class Span(NamedTuple):
    """A run of the rows of one input: a part that is read without the rows before it.

    Of parquet: the row groups [``start``, ``stop``), with ``before`` rows before them. Of text: the bytes
    [``start``, ``stop``) of the file, whole lines that no quote encloses, with ``before`` lines before them.
    """

    start: int
    stop: int
    before: int


HEADER = Span(0, 0, 0)
"""The span without rows: the header alone is read."""


class Unnamed(str):
    """The name of a column without one, made of its place: ``column_3``. No expression can use it; csv writes it as
    the empty header that it was."""


def key_of(name: str) -> str:
    """Return the name of a column as the input has it: empty for `Unnamed`."""
    return "" if isinstance(name, Unnamed) else name


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
    each once. ``source``: the input that is read. Names may repeat, as long as none of those is asked for. ``parts``
    are names of numbers inside columns, which can be asked for as if they were columns. ``left_out``: how many of the
    rows read are not yielded.
    """

    names: tuple[str, ...]
    rows: int | None
    notes: list[str]
    source: Input
    parts: Collection[str] = ()
    left_out: int = 0

    def chunks(self, wanted: Sequence[str], keep: Sequence[str]) -> Iterator[Chunk]:
        """Yield the rows: columns ``wanted`` as float64 arrays, columns ``keep`` as cells carried through.

        At least one column is asked for, and each chunk iterator is used once. Raise GradError at an invalid row, after
        all rows before it have been yielded.
        """
        ...

    def nothing(self, keep: Sequence[str]) -> list[Kept]:
        """Return columns ``keep`` without cells, of the type of those that are carried through: by default text."""
        return [Kept([]) for _ in keep]

    def hint(self, name: str) -> str | None:
        """Return the options with which the input has a column ``name``, which it lacks now; None if there are none."""
        return None


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
    """A sequential file that passes its bytes to ``out`` in long pieces, for libraries that write files.

    After the ``with`` block bytes are discarded, such as those that the destructor of a library writes after a failure.
    """

    def __init__(self, out: Out) -> None:
        self._out, self._at = out, 0
        self._pieces: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._size += len(piece)
        self._at += len(piece)
        if self._size >= _LONG:
            self._pass()
        return len(piece)

    def _pass(self) -> None:
        pieces, self._pieces, self._size = self._pieces, [], 0
        self._out(b"".join(pieces))

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._pass()
        self._out = len
