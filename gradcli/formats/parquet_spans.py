"""Spans of parquet: runs of row groups of about a size, by the metadata of the file alone."""

from __future__ import annotations

from gradcli.formats.columns import Span
from gradcli.formats.input import file_size
from gradcli.formats.parquet_read import Parquet


def parquet_spans(table: Parquet, size: int) -> list[Span]:
    """Return the spans of a file: as many row groups as have ``size`` bytes of it, at least one; none rather than one.

    A group's bytes are estimated by those it has unpacked: its compressed ones are told a column at a time.
    """
    metadata = table.metadata
    groups = [metadata.row_group(k) for k in range(metadata.num_row_groups)]
    sizes = [group.total_byte_size for group in groups]
    share = (file_size(table.source.stream) or 0) / max(1, sum(sizes))
    spans, start, held, before, rows = list[Span](), 0, 0.0, 0, 0
    for k, (group, unpacked) in enumerate(zip(groups, sizes, strict=True)):
        if k > start and held + unpacked * share > size:
            spans.append(Span(start, k, before))
            start, held, before = k, 0.0, rows
        held += unpacked * share
        rows += group.num_rows
    return [*spans, Span(start, len(groups), before)] if spans else []
