"""One query from lines: temporaries that depend on each other stand in stages, each a table of its own.

Stages are MATERIALIZED: an engine that merged them would write every temporary out wherever it is used, and work
that was shared would grow exponentially. Must not know expressions.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradcli.codegen.language import Language, fill
from gradcli.codegen.printer import Line, Text


def staged_query(
    language: Language,
    notes: str,
    made: Sequence[Line],
    results: Sequence[tuple[str, Text]],
    columns: Sequence[str],
) -> str:
    """The whole text, ``notes`` its comment; ``columns`` are the variables as the language quotes them."""
    level = dict.fromkeys(columns, 0)
    stages: list[list[Line]] = []
    for line in made:
        at = level[line.name] = 1 + max((level[name] for name in line.reads), default=0)
        stages += [[] for _ in range(at - len(stages))]
        stages[at - 1].append(line)
    rank = {name: place for place, name in enumerate(level)}
    wanted = [frozenset[str]().union(*[value.reads for _, value in results])]
    for stage in reversed(stages):
        made_here = {line.name for line in stage}
        wanted.append((wanted[-1] - made_here).union(*[line.reads for line in stage]))
    wanted.reverse()

    source, tables = "points", []
    if wanted[0]:
        rows = [fill(language.read, key=name, name=name) for name in columns if name in wanted[0]]
        tables.append(_table("points_0", "AS", rows, source))
        source = "points_0"
    for k, stage in enumerate(stages, 1):
        made_here = {line.name for line in stage}
        kept = sorted(wanted[k] - made_here, key=rank.__getitem__)
        rows = [*kept, *[f"{line.text} AS {line.name}" for line in stage]]
        tables.append(_table(f"points_{k}", "AS MATERIALIZED", rows, source))
        source = f"points_{k}"
    head = f"WITH {', '.join(tables)}\n" if tables else ""
    values = language.between.join(fill(language.result, value=value.text, name=name) for name, value in results)
    return fill(language.frame, comment=notes, head=head, results=values, source=source)


def _table(name: str, how: str, rows: Sequence[str], source: str) -> str:
    return f"{name} {how} (\n  SELECT\n    " + ",\n    ".join(rows) + f"\n  FROM {source}\n)"
