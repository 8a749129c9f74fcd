"""The columns of the output: --keep, --select and --drop."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import Shell

TABLE = 'id,x,note,y\n7,0.50,"a, b",+2\n8,1e1,,3\n'


@pytest.fixture(autouse=True)
def table(empty_folder: Path) -> None:
    Path("t.csv").write_text(TABLE)


def test_keep_has_the_order_and_the_spelling_of_the_input(shell: Shell) -> None:
    for expression, values in (("x*y", ("1.0", "30.0")), ("y*x", ("1.0", "30.0")), ("y", ("2.0", "3.0"))):
        assert shell("eval", expression, "-i", "t.csv", "--keep", "--csv") == (
            0, f'id,x,note,y,f\n7,0.50,"a, b",+2,{values[0]}\n8,1e1,,3,{values[1]}\n', "",
        )  # fmt: skip
    words = ["eval", "x*y", "-i", "t.csv", "--keep"]
    # +2 is no number of JSON: a variable is written as the number that it is.
    assert shell(*words, "--jsonl")[1] == (
        '{"id": 7, "x": 0.50, "note": "a, b", "y": 2.0, "f": 1.0}\n{"id": 8, "x": 1e1, "note": "", "y": 3, "f": 30.0}\n'
    )
    assert '"x": [0.50,1e1]' in shell(*words, "--json")[1]
    assert shell(*words)[1].splitlines()[1].split() == ["7", "0.50", "a,", "b", "+2", "1.0"]
    assert shell(*words, "--format", "markdown")[1].splitlines()[2] == "| 7 | 0.50 | a, b | +2 | 1.0 |"
    assert shell(*words, "--tsv")[1].splitlines()[1] == "7\t0.50\ta, b\t+2\t1.0"


def test_a_missing_variable_stays_as_it_is_spelled(shell: Shell) -> None:
    Path("na.csv").write_text('x,k\nNA,1\n"5",2\n')
    words = ["eval", "2*x", "-i", "na.csv", "--na", "nan", "--keep"]
    assert shell(*words, "--csv")[1] == "x,k,f\nNA,1,nan\n5,2,10.0\n"
    assert shell(*words, "--jsonl")[1] == '{"x": null, "k": 1, "f": null}\n{"x": 5, "k": 2, "f": 10.0}\n'


@pytest.mark.parametrize("name", ["r.json", "c.json", "l.jsonl"])
def test_json_keeps_order_and_spelling(shell: Shell, name: str) -> None:
    rows = ['{"k": 7, "x": 0.50, "s": "1"}', '{"k": 8, "x": 1e1, "s": null}']
    Path("r.json").write_text(f"[{', '.join(rows)}]")
    Path("c.json").write_text('{"k": [7, 8], "x": [0.50, 1e1], "s": ["1", null]}')
    Path("l.jsonl").write_text("\n".join(rows) + "\n")
    assert shell("eval", "x", "-i", name, "--keep", "--jsonl")[1] == (
        '{"k": 7, "x": 0.50, "s": "1", "f": 0.5}\n{"k": 8, "x": 1e1, "s": null, "f": 10.0}\n'
    )


def test_nested_json_is_carried_by_lines_and_records(shell: Shell) -> None:
    line = '{"x": 1, "v": [1.50, {"a": "\u00e9\\n", "b": null}], "o": {}, "s": "[]"}'
    Path("n.jsonl").write_text(line + "\n", encoding="utf-8")
    Path("n.json").write_text(f"[{line}]", encoding="utf-8")
    for name in ("n.jsonl", "n.json"):
        words = ["eval", "x", "-i", name, "--keep"]
        assert shell(*words, "--jsonl")[1] == line[:-1] + ', "f": 1.0}\n'
        assert shell(*words, "--csv")[1].splitlines()[1] == (
            '1,"[1.50, {""a"": ""\u00e9\\n"", ""b"": null}]",{},[],1.0'
        )
    Path("c.json").write_text('{"x": [1], "v": [[2]]}')
    code, out, err = shell("eval", "x", "-i", "c.json", "--keep")
    assert (code, out) == (2, "") and "'v', value 1: a list cannot be carried through in columns" in err
    assert shell("eval", "x", "-i", "c.json", "--keep", "--drop", "v", "--csv")[1] == "x,f\n1,1.0\n"
    Path("deep.jsonl").write_text('{"x": 1, "v": ' + "[" * 3000 + "]" * 3000 + "}\n")
    code, out, err = shell("eval", "x", "-i", "deep.jsonl", "--keep", "--csv")
    assert (code, out) == (2, "") and "lists and objects are nested too deep" in err


def test_arrays_keep_their_types(shell: Shell) -> None:
    rows = np.array([(2**53 + 1, 0.5, 3), (2, 1.5, 4)], dtype=[("id", "<i8"), ("x", ">f4"), ("n", "<u2")])
    np.save("a.npy", rows)
    assert shell("eval", "x*n", "-i", "a.npy", "--keep", "-o", "o.npy") == (0, "", "")
    found = np.load("o.npy")
    assert found.dtype == [("id", "<i8"), ("x", "<f4"), ("n", "<u2"), ("f", "<f8")]
    assert found.tolist() == [(2**53 + 1, 0.5, 3, 1.5), (2, 1.5, 4, 6.0)]
    assert shell("eval", "x*n", "-i", "a.npy", "--keep", "--csv")[1].splitlines()[1] == "9007199254740993,0.5,3,1.5"
    np.savez("a.npz", id=rows["id"], x=rows["x"])
    assert shell("eval", "x", "-i", "a.npz", "--keep", "-o", "o.npz") == (0, "", "")
    with np.load("o.npz") as archive:
        assert {name: archive[name].dtype.str for name in archive} == {"id": "<i8", "x": "<f4", "f": "<f8"}
        assert archive["id"].tolist() == [2**53 + 1, 2]
    np.save("one.npy", np.arange(2))
    assert shell("eval", "x + 1", "-i", "one.npy", "--keep", "--csv") == (0, "x,f\n0,1.0\n1,2.0\n", "")


def test_select_chooses_and_orders(shell: Shell) -> None:
    words = ["diff", "x*y", "--wrt", "x", "-i", "t.csv"]
    assert shell(*words, "--select", "df_dx", "--csv")[1] == "df_dx\n2.0\n3.0\n"
    assert shell(*words, "--select", "f,x", "--csv")[1] == "f,x\n1.0,0.5\n30.0,10.0\n"
    assert (
        shell(*words, "--keep", "--select", "f", "--select", "x,id", "--csv")[1] == "f,x,id\n1.0,0.50,7\n30.0,1e1,8\n"
    )
    # A column of the input that is selected is carried.
    assert shell(*words, "--select", "note,f,id", "--jsonl")[1].splitlines()[0] == '{"note": "a, b", "f": 1.0, "id": 7}'
    assert shell(*words, "--select", "id", "--format", "markdown")[1] == "| id |\n| ---: |\n| 7 |\n| 8 |\n"
    assert shell(*words, "--select", "f,id")[1].split() == ["f", "id", "1.0", "7", "30.0", "8"]
    assert json.loads(shell(*words, "--select", "f,note", "--json")[1])["columns"] == {
        "f": [1, 30], "note": ["a, b", ""],
    }  # fmt: skip


def test_drop_leaves_columns_out(shell: Shell) -> None:
    words = ["eval", "x*y", "-i", "t.csv"]
    assert shell(*words, "--drop", "x,y", "--csv")[1] == "f\n1.0\n30.0\n"
    assert shell(*words, "--keep", "--drop", "note,x", "--csv")[1] == "id,y,f\n7,+2,1.0\n8,3,30.0\n"
    assert shell(*words, "--keep", "--drop", "f,note", "--csv")[1] == "id,x,y\n7,0.50,+2\n8,1e1,3\n"
    assert shell(*words, "--keep", "--select", "id,f", "--drop", "id", "--csv")[1] == "f\n1.0\n30.0\n"


def test_the_columns_of_points_are_chosen_too(shell: Shell) -> None:
    at = ["--at", "x=2,y=3"]
    assert shell("diff", "x*y", *at, "--select", "df_dy,x", "--csv")[1] == "df_dy,x\n2.0,2.0\n"
    assert shell("diff", "x*y", *at, "--drop", "x,y,f", "--csv")[1] == "df_dx,df_dy\n3.0,2.0\n"
    found = json.loads(shell("diff", "log(x)", "--grid", "x=0,1", "--select", "df_dx", "--json")[1])
    assert found["columns"] == {"df_dx": [None, 1]} and found["nonfinite"] == {"df_dx": 1}
    assert shell("diff", "x*y", "--grid", "2x2", "--select", "df_dx")[1].split() == [
        "df_dx",
        "0.0",
        "1.0",
        "1.0",
        "2.0",
    ]
    assert shell("diff", "x*y", "--select", "df_dx")[1] == "df_dx = y\n"
    assert shell("eval", "sum(x)", "-i", "t.csv", "--select", "f", "--csv")[1] == "f\n10.5\n"


def test_gradients_are_chosen_too(shell: Shell) -> None:
    words = ["grad", "a*x*y", "--wrt", "a,x,q", "--allow-unused", "--at", "a=2,y=1", "--grid", "x=1,2"]
    found = json.loads(shell(*words, "--select", "grad_a,grad_q", "--json")[1])
    assert found["columns"] == {"grad_a": 3, "grad_q": None} and found["unused"] == ["grad_q"]
    assert shell(*words, "--select", "grad_x,x", "--csv")[0] == 2
    again = ["grad", "a*x", "--wrt", "x,q", "--allow-unused", "--at", "a=2", "--grid", "x=1,2"]
    assert shell(*again, "--drop", "x,a,grad_q", "--csv")[1] == "grad_x\n2.0\n2.0\n"
    assert shell(*again[:5], "--create-graph", "--select", "grad_x")[1] == "grad_x = a\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--select", "df_dz"], "--select: the output has no column 'df_dz' (did you mean 'df_dx'?)"),
        (["--select", "nte,f"], "--select: the output has no column 'nte'"),
        (["--keep", "--select", "nte,f"], "(did you mean 'note'?)"),
        (["--drop", "nte"], "--drop: the output has no column 'nte' (did you mean 'note'?)"),
        (["--keep", "--drop", "nte"], "--drop: the output has no column 'nte' (did you mean 'note'?)"),
        (["--select", "f,f"], "--select: 'f' is given twice"),
        (["--drop", "x,f,df_dx"], "--drop: no column is left"),
    ],
)
def test_names_that_are_no_columns(shell: Shell, words: list[str], message: str) -> None:
    code, out, err = shell("diff", "2*x", "-i", "t.csv", "-o", "o.csv", *words)
    assert (code, out) == (2, "") and message in err
    assert not Path("o.csv").exists()


def test_a_kept_column_called_like_a_result_has_two_ways_out(shell: Shell) -> None:
    Path("f.csv").write_text("x,f,y,df_dx\n1,2,3,4\n")
    words = ["diff", "x**2", "-i", "f.csv", "--keep"]
    code, out, err = shell(*words)
    assert (code, out, err) == (
        2, "",
        "gradcli: error: 'f' would be both a column that is kept and a result\n"
        "  name the result: g = ...; or leave the column out: --drop f\n",
    )  # fmt: skip
    assert shell("diff", "g = x**2", "-i", "f.csv", "--keep", "--csv")[1] == "x,f,y,df_dx,g,dg_dx\n1,2,3,4,1.0,2.0\n"
    code, _, err = shell(*words, "--drop", "f")
    assert code == 2 and "'df_dx' would be both" in err
    assert shell(*words, "--drop", "f,df_dx", "--csv")[1] == "x,y,f,df_dx\n1,3,1.0,2.0\n"
    # Neither is met where none of both is in the output, nor without --keep.
    assert shell(*words, "--select", "y,df_dx", "--drop", "df_dx", "--csv")[1] == "y,df_dx\n3,2.0\n"
    assert shell(*words, "--select", "x,y", "--csv")[1] == "x,y\n1,3\n"
    assert shell("diff", "x**2", "-i", "f.csv", "--drop", "f", "--csv")[1] == "x,df_dx\n1.0,2.0\n"


def test_dropped_columns_are_not_read(shell: Shell) -> None:
    Path("bad.csv").write_bytes(b"x,t\n1,\xff\n")
    assert shell("eval", "x", "-i", "bad.csv", "--keep", "--csv")[0] == 2
    assert shell("eval", "x", "-i", "bad.csv", "--keep", "--drop", "t", "--csv") == (0, "x,f\n1,1.0\n", "")


@pytest.mark.parametrize("grid", [[], ["--grid", "a=1,2"]])
def test_no_rows_have_columns_too(shell: Shell, grid: list[str]) -> None:
    Path("none.csv").write_text("id,x\n")
    expression = "a*x" if grid else "x"
    words = ["eval", expression, "-i", "none.csv", *grid, "--keep"]
    names = ["id", "x", "a", "f"] if grid else ["id", "x", "f"]
    assert shell(*words, "--csv") == (0, ",".join(names) + "\n", "")
    assert shell(*words, "--jsonl") == (0, "", "")
    assert json.loads(shell(*words, "--json")[1])["columns"] == {name: [] for name in names}


def test_kept_variables_are_numbers_to_formats_of_numbers(shell: Shell) -> None:
    arrow = pytest.importorskip("pyarrow.parquet")
    words = ["eval", "x*y", "-i", "t.csv", "--keep", "-o"]
    assert shell(*words, "o.parquet") == (0, "", "")
    found = arrow.read_table("o.parquet")
    assert found.to_pydict() == {"id": ["7", "8"], "x": [0.5, 10], "note": ["a, b", ""], "y": [2, 3], "f": [1, 30]}
    assert shell(*words, "o.npy", "--drop", "note") == (0, "", "")
    assert np.load("o.npy").tolist() == [(7, 0.5, 2, 1), (8, 10, 3, 30)]


def test_keep_is_the_same_for_rows_that_are_held(shell: Shell) -> None:
    words = ["--keep", "-i", "t.csv"]
    assert shell("eval", "y - mean(x) + 0*x", *words, "--csv")[1] == (
        'id,x,note,y,f\n7,0.50,"a, b",+2,-3.25\n8,1e1,,3,-2.25\n'
    )
    found = json.loads(shell("eval", "a*y - mean(x)", *words, "--grid", "a=1,2", "--json")[1])
    assert found["columns"]["x"] == [[0.5, 0.5], [10, 10]] and found["columns"]["y"] == [[2, 2], [3, 3]]


class Counted(str):
    """A name that counts how often it is compared with another one of equal hash or in a list."""

    compared = 0

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_names_are_looked_up_not_searched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from gradcli.job.choices import Choice
    from gradcli.job.inputs import Tables
    from gradcli.job.parse_at_grid_fill import Points
    from gradcli.job.request import Rows

    width = 2000
    names = [Counted(f"c{k}") for k in range(width)]
    results = [Counted(f"f{k}") for k in range(width)]
    text = io.BytesIO((",".join(names) + "\n" + ",".join(["1"] * width) + "\n").encode())
    Counted.compared = 0
    points = Points([",".join(f"p{k}=1" for k in range(width))])
    rows = Rows(["-"], keep=True, stdin=text)
    choice = Choice(drop=[*names[:10], *results[:10]])
    tables = Tables(rows, points, names, [], [*names, *results], choice)
    axis, kept = tables.whole(10)
    points.bind(names, rows=axis)
    assert len(kept) == width - 10 and len(tables.places) == 2 * width - 20
    assert Counted.compared < 100 * width


def test_the_collector_rests_while_derivatives_and_programs_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    import gc

    from gradcli.job import Job, run

    def collections() -> int:
        phases: list[Any] = []
        before = gc.get_threshold()
        gc.callbacks.append(lambda phase, info: phases.append(phase))
        gc.set_threshold(500)
        try:
            names = [f"x{k}" for k in range(1000)]
            result = run(Job(["+".join(f"{x}**2" for x in names)], at=[",".join(f"{x}=1" for x in names)]))
        finally:
            gc.set_threshold(*before)
            gc.callbacks.pop()
        assert result.whole()[-1][0] == 2
        return phases.count("start")

    rested = collections()
    # About 11 where it rests, and 95 where it does not.
    monkeypatch.setattr(gc, "disable", lambda: None)
    assert 4 * rested < collections()
