"""The rows of a table in which no number is missing: ``--na skip``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradcli.formats.columns import Chunk, Table


class CompleteRows(Table):
    """The rows of ``table`` that have a number, not nan, in every column read as one; see ``Table``."""

    rows = None

    def __init__(self, table: Table, name: str) -> None:
        self._table, self._name, self.source = table, name, table.source
        self.names, self.parts, self.notes = table.names, table.parts, list[str]()

    def chunks(self, wanted: Sequence[str], keep: Sequence[str]) -> Iterator[Chunk]:
        import numpy as np

        start = 0
        for chunk in self._table.chunks(wanted, keep):
            missing = np.isnan(chunk.columns).any(axis=0)
            if missing.any():
                self.left_out += int(missing.sum())
                rows = np.flatnonzero(~missing)
                columns = [column[rows] for column in chunk.columns]
                chunk = Chunk(start, columns, [kept.picked(rows.tolist()) for kept in chunk.kept])
            if len(chunk.columns[0]):
                yield chunk._replace(start=start)
                start += len(chunk.columns[0])
        self.notes += self._table.notes
        if self.left_out:
            rows_are = (
                "1 row without a number is" if self.left_out == 1 else f"{self.left_out:,} rows without a number are"
            )
            self.notes.append(f"{self._name}: {rows_are} left out (--na skip)")

    def hint(self, name: str) -> str | None:
        return self._table.hint(name)
