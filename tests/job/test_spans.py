"""Parts of a run: each has the columns, the order and the errors that all rows together would have."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcli.errors import GradError
from gradcli.formats import Dialect, open_table, spans
from gradcli.formats.passthrough import Kept
from gradcli.job import Job, Rows, run
from gradcli.job.gradient import GradJob, run_grad
from gradcli.job.stream import Streamed

pytestmark = pytest.mark.quick

Found = tuple[list[str], list[list[Any]]]


def columns(job: Job, rows: Rows) -> Found:
    result = run(job, rows).output
    return list(result.names), [
        list(column.cells) if isinstance(column, Kept) else [repr(float(x)) for x in column]
        for column in result.whole()
    ]


def parts(paths: Sequence[str], size: int, **how: Any) -> list[Rows]:
    """The rows of a run in parts of about ``size`` bytes."""
    dialect = how.get("dialect", Dialect())
    header = open_table(paths[0], None, dialect=dialect).names
    return [
        Rows([path], span=span, header=header, first=paths[0], **how)
        for path in paths
        for span in spans(path, None, size, dialect=dialect) or [None]
    ]


def joined(job: Job, rows: list[Rows]) -> Found:
    names, *others = [columns(job, part) for part in rows]
    assert all(other[0] == names[0] for other in others)
    pieces = zip(*[part[1] for part in (names, *others)], strict=True)
    return names[0], [[*chain.from_iterable(column)] for column in pieces]


def refusal(job: Job, rows: Rows) -> tuple[str, str | None]:
    with pytest.raises(GradError) as caught:
        run(job, rows).whole()
    return caught.value.message, caught.value.hint


def written(path: str, names: str, count: int, seeds: random.Random) -> None:
    cells = {"x": ["1.5", "-2", "3e1", "0.25"], "t": ["a", "b", '"c, d"', '"e\nf"'], "y": ["4", "5", "nan"]}
    lines = [",".join(seeds.choice(cells[name]) for name in names) for _ in range(count)]
    Path(path).write_text("\n".join([",".join(names), *lines, ""]))


@pytest.mark.parametrize("seed", range(12))
def test_parts_are_the_run(seed: int, empty_folder: Path) -> None:
    seeds = random.Random(seed)
    for k, names in enumerate(("xty", "ytx", "txy")):
        written(f"{k}.csv", names, seeds.choice([2, 5, 30]), seeds)
    choice = seeds.choice([{}, {"keep": True}, {"select": ["df_dx", "t"]}, {"keep": True, "drop": ["y", "f"]}])
    keep = bool(choice.pop("keep", False))
    job = Job(["x**2*y"], engine="vector", grids=seeds.choice([[], ["b=1,2"]]), allow_unused=True, **choice)
    how: dict[str, Any] = {"keep": keep, "dialect": Dialect(na=seeds.choice(["nan", "skip"]))}
    paths = ["0.csv", "1.csv", "2.csv"]
    whole = columns(job, Rows(paths, **how))
    for size in (1, 40, 200):
        rows = parts(paths, size, **how)
        assert len(rows) > 3 or size > 1
        assert joined(job, rows) == whole


def test_the_first_table_decides_about_columns(empty_folder: Path) -> None:
    Path("a.csv").write_text("x,t\n1,2\n")
    Path("b.csv").write_text("t,u,x\n3,4,5\n6,7,8\n")
    Path("c.csv").write_text("x\n9\n")
    job = Job(["x**2"], engine="vector")
    for paths, keep, at in (
        (["a.csv", "b.csv"], True, []),
        (["a.csv", "c.csv"], True, []),
        (["a.csv", "b.csv"], False, ["t=1"]),
    ):
        job = Job(["x**2*t"] if at else ["x**2"], engine="vector", at=at)
        message = refusal(job, Rows(paths, keep=keep))
        assert refusal(job, parts(paths, 1, keep=keep)[-1]) == message
    assert "'u', which --keep would carry, is not in a.csv" in refusal(
        Job(["x"]), Rows(["b.csv"], keep=True, header=["x", "t"], first="a.csv")
    )[0]  # fmt: skip
    assert columns(Job(["x"], order=0), Rows(["b.csv"], keep=True, header=["x", "t", "u"]))[0] == ["x", "t", "u", "f"]


def test_columns_without_names(empty_folder: Path) -> None:
    Path("a.csv").write_text("x,,t\n1,a,2\n3,b,4\n")
    job = Job(["x"], order=0, engine="vector")
    whole = columns(job, Rows(["a.csv"], keep=True))
    (part, *_) = rows = parts(["a.csv"], 1, keep=True)
    assert joined(job, rows) == whole
    # As they are written down in a plan: without a name, which is then no name of another column either.
    assert columns(job, Rows(["a.csv"], span=part.span, keep=True, header=["x", "", "t"]))[0] == whole[0]
    np.save("one.npy", np.arange(3.0))
    assert columns(job, Rows(["one.npy"], header=[""])) == columns(job, Rows(["one.npy"]))


def test_rows_read_are_counted(empty_folder: Path) -> None:
    Path("a.csv").write_text("x\n1\nnan\nNA\n2\n\n3\n".replace("\n\n", "\n"))
    job = Job(["x"], order=0, engine="vector")
    for na, size in (("nan", 5), ("skip", 3)):
        dialect, read, rows = Dialect(na=na), 0, 0
        for part in parts(["a.csv"], 4, dialect=dialect):
            result = run(job, part)
            assert isinstance(result, Streamed)
            rows += len(result.whole()[0])
            read += result.tables.rows_read
            assert result.tables.read is None
        assert (read, rows) == (5, size)


def test_errors_of_rows_are_those_of_the_run(empty_folder: Path) -> None:
    Path("a.csv").write_text("x,y\n1,2\n3,4\n5,six\n")
    job = Job(["x*y"], engine="vector")
    rows = parts(["a.csv"], 1)
    assert joined(job, rows[:2])[1][0] == ["1.0", "3.0"]
    assert refusal(job, rows[2]) == refusal(job, Rows(["a.csv"]))
    assert refusal(job, rows[2])[0].startswith("a.csv:4:3: ")


def test_names_of_parts_are_no_patterns(empty_folder: Path) -> None:
    Path("[a].csv").write_text("x\n1\n")
    Path("a.csv").write_text("x\n2\n")
    (part,) = parts(["[a].csv"], 1)
    job = Job(["x"], order=0, engine="vector")
    assert columns(job, part)[1][0] == ["1.0"]
    Path("[a].csv").unlink()
    assert "[a].csv: No such file" in refusal(job, part)[0]


def test_a_gradient_over_a_part(empty_folder: Path) -> None:
    Path("a.csv").write_text("x\n1\n2\n3\n4\n")
    part = parts(["a.csv"], 4)[1]
    result = run_grad(GradJob(["sum(x**2)"], ["x"]), part)
    assert [6.0, 8.0] in [list(map(float, column)) for column in result.whole()]
