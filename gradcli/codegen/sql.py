"""One SQL query with temporaries in stages: common table expressions, each using those before it.

Stages are MATERIALIZED: an engine that merged them would copy every temporary to each of its uses, and shared work
would grow exponentially. Layer: must not know expressions.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradcli.codegen.language import Language, fill
from gradcli.codegen.printer import Line, Text


def staged_query(
    language: Language,
    notes: str,
    temporaries: Sequence[Line],
    results: Sequence[tuple[str, Text]],
    columns: Sequence[str],
    all_columns: bool,
) -> str:
    """The complete query. ``notes`` is its comment; ``columns`` are the variables as the language quotes them.

    ``all_columns``: the columns of the input, whatever they are, precede the results.
    """
    level = dict.fromkeys(columns, 0)
    stages: list[list[Line]] = []
    for line in temporaries:
        stage_number = level[line.name] = 1 + max((level[name] for name in line.reads), default=0)
        stages += [[] for _ in range(stage_number - len(stages))]
        stages[stage_number - 1].append(line)
    position = {name: k for k, name in enumerate(level)}
    needed = [frozenset[str]().union(*[value.reads for _, value in results])]
    for stage in reversed(stages):
        own = {line.name for line in stage}
        needed.append((needed[-1] - own).union(*[line.reads for line in stage]))
    needed.reverse()

    row = [_free("points_row", columns)] if all_columns else []
    source, tables = "points", []
    if needed[0] or row:
        rows = [f"{language.row_of} AS {name}" for name in row]
        rows += [fill(language.read, key=name, name=name) for name in columns if name in needed[0]]
        tables.append(_table("points_0", "AS", rows, source))
        source = "points_0"
    for k, stage in enumerate(stages, 1):
        own = {line.name for line in stage}
        kept = sorted(needed[k] - own, key=position.__getitem__)
        rows = [*row, *kept, *[f"{line.text} AS {line.name}" for line in stage]]
        tables.append(_table(f"points_{k}", "AS MATERIALIZED", rows, source))
        source = f"points_{k}"
    values = [(name, value.text) for name, value in results]
    if row and language.rejoined:
        rows = [*row, *[f"{value} AS {name}" for name, value in values]]
        tables.append(_table("results", "AS", rows, source))
        values = [(name, f"results.{name}") for name, _ in values]
        source = f"points JOIN results ON {language.row_of} = results.{row[0]}"
    return fill(
        language.frame,
        comment=notes,
        head=f"WITH {', '.join(tables)}\n" if tables else "",
        carried=fill(language.carry, row=row[0]) if row else "",
        results=language.between.join(fill(language.result, value=value, name=name) for name, value in values),
        source=source,
    )


def _free(name: str, columns: Sequence[str]) -> str:
    while f'"{name}"' in [column.lower() for column in columns]:
        name += "_"
    return name


def _table(name: str, how: str, rows: Sequence[str], source: str) -> str:
    return f"{name} {how} (\n  SELECT\n    " + ",\n    ".join(rows) + f"\n  FROM {source}\n)"
