"""What readers give and what writers are given: tables, columns, formulas. Knows no format."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gradcli.formats.passthrough import Kept

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Out = Callable[[bytes], object]
SCHEMA = "gradcli/1"


class Start(bytes):
    """To be written over the first bytes of the output, where ``Style.rewinds``."""


class Columns(Protocol):
    """What is written: named columns of numbers over a grid.

    A column that is None holds nothing; those that are Kept hold cells as they were read, and come first.
    ``shapes``: of each column of ``whole()``, where they differ.
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
    """What is written where there are no points: derivatives as expressions. ``unused`` names those that are not."""

    lines: list[tuple[str, str]]
    names: tuple[str, ...]
    derivatives: tuple[str, ...]
    unused: tuple[str, ...]
    variables: list[str]
    order: int

    @property
    def expressions(self) -> dict[str, str]: ...


class Style(NamedTuple):
    """How a table looks: significant digits (None: all), width to fit (None: any), whether to colour.

    ``rewinds``: whether the output is a file, whose start can be written last.
    """

    digits: int | None = None
    width: int | None = None
    color: bool = False
    rewinds: bool = False


def shaped(result: Columns) -> Iterator[tuple[str, tuple[int, ...], Any]]:
    """Name, shape and flat column of everything."""
    columns = result.whole()
    shapes = result.shapes if result.shapes is not None else dict.fromkeys(result.names, result.shape)
    for (name, shape), column in zip(shapes.items(), columns, strict=True):
        yield name, shape, column


class Chunk(NamedTuple):
    """Consecutive rows of a table: ``start`` rows came before, ``columns`` and ``kept`` have one entry a name.

    All entries are equally long and never empty.
    """

    start: int
    columns: list[NDArray[np.float64]]
    kept: list[Kept]


class Table(Protocol):
    """What readers give: the names of all columns, then rows as they come.

    ``rows`` is their number where the input tells it. ``notes`` grows while rows are taken: what the person should
    know and no error is, each told once.
    """

    names: tuple[str, ...]
    rows: int | None
    notes: list[str]

    def chunks(self, wanted: Sequence[str], keep: Sequence[str]) -> Iterator[Chunk]:
        """The ``wanted`` columns as numbers and the ``keep`` columns as they are; at least one name, and once.

        Rows before a bad one are given first, then GradError is raised, wherever the chunks end.
        """
        ...


def headed(header: bytes, blocks: Iterator[Any], out: Out) -> Iterator[Any]:
    """The blocks, once the first is there and the header is out: until then the work may come to nothing."""
    first = next(blocks, None)
    out(header)
    if first is not None:
        yield first
        yield from blocks


class Sink(io.RawIOBase):
    """``out`` as a file that is written from the front, for libraries that write files.

    A context: what is written after it, as by a library's destructor once writing has failed, goes nowhere.
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
