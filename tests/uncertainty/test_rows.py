"""Uncertainties over grids and for the rows of files: columns, engines, kept columns, and errors with their row."""

import gzip
import io
import math

import pytest

from gradcli.errors import GradError
from gradcli.job.request import Rows
from gradcli.uncertainty.request import PropagateJob
from gradcli.uncertainty.run import prepare, propagated, run_propagate

pytestmark = pytest.mark.quick

PENDULUM = "g = 4*pi**2*L/T**2"
TABLE = "L,u_L,T,u_T,place\n1,.002,2,.01,here\n1.1,.003,2.1,.02,there\n"


def columns(result):
    block = result.whole()
    return {name: [float(v) for v in column] for name, column in zip(result.names, block, strict=True)}


def true_u(row, r=0.0):
    a = 4 * math.pi**2 / row["T"] ** 2 * row["u_L"]
    b = -8 * math.pi**2 * row["L"] / row["T"] ** 3 * row["u_T"]
    return math.sqrt(a * a + b * b + 2 * r * a * b)


ROWS = [{"L": 1.0, "u_L": 0.002, "T": 2.0, "u_T": 0.01}, {"L": 1.1, "u_L": 0.003, "T": 2.1, "u_T": 0.02}]


@pytest.mark.parametrize("engine", ["auto", "scalar", "vector"])
def test_the_columns_of_a_file(empty_folder, engine):
    (empty_folder / "a.csv").write_text(TABLE)
    found = columns(run_propagate(PropagateJob([PENDULUM], engine=engine), Rows(["a.csv"])))
    assert list(found) == ["L", "T", "u_L", "u_T", "g", "u_g"]
    assert found["u_g"] == pytest.approx([true_u(row) for row in ROWS], rel=1e-14)


@pytest.mark.parametrize(("header", "options"), [
    ("L,sL,T,sT", {}), ("L,L_std,T,T_std", {}), ("L,a,T,b", {"u": ["L=a,T=b"]}), ("L,a,T,u_T", {"u": ["L=a"]}),
])  # fmt: skip
def test_names_of_columns_with_uncertainties(empty_folder, header, options):
    (empty_folder / "a.csv").write_text(TABLE.replace("L,u_L,T,u_T", header))
    found = columns(run_propagate(PropagateJob([PENDULUM], **options), Rows(["a.csv"])))
    assert found["u_g"] == pytest.approx([true_u(row) for row in ROWS], rel=1e-14)


def test_an_uncertainty_for_all_rows(empty_folder):
    (empty_folder / "a.csv").write_text("L,T\n1,2\n1.1,2.1\n")
    found = columns(run_propagate(PropagateJob([PENDULUM], u=["L=0.002", "T=0.01"]), Rows(["a.csv"])))
    assert found["u_g"] == pytest.approx([true_u({**row, "u_L": 0.002, "u_T": 0.01}) for row in ROWS], rel=1e-14)


def test_a_column_without_uncertainty_is_exact(empty_folder):
    (empty_folder / "a.csv").write_text("L,u_L,T\n1,.002,2\n")
    found = columns(run_propagate(PropagateJob([PENDULUM]), Rows(["a.csv"])))
    assert found["u_g"] == pytest.approx([true_u({**ROWS[0], "u_T": 0.0})], rel=1e-14)


@pytest.mark.parametrize("name", ["r_L_T", "r_T_L"])
def test_a_column_of_correlations(empty_folder, name):
    (empty_folder / "a.csv").write_text(f"L,u_L,T,u_T,{name}\n1,.002,2,.01,.4\n1.1,.003,2.1,.02,-1\n")
    found = columns(run_propagate(PropagateJob([PENDULUM]), Rows(["a.csv"])))
    assert found["u_g"] == pytest.approx([true_u(ROWS[0], 0.4), true_u(ROWS[1], -1)], rel=1e-13)


def test_names_with_underscores_in_a_correlation(empty_folder):
    (empty_folder / "a.csv").write_text("a_b,u_a_b,c,u_c,r_a_b_c\n1,3,1,4,1\n")
    assert columns(run_propagate(PropagateJob(["f = a_b + c"]), Rows(["a.csv"])))["u_f"] == [7]


def test_kept_and_selected_columns(empty_folder):
    (empty_folder / "a.csv").write_text(TABLE)
    kept = run_propagate(PropagateJob([PENDULUM]), Rows(["a.csv"], keep=True))
    assert kept.output.names == ("L", "u_L", "T", "u_T", "place", "g", "u_g")
    some = run_propagate(PropagateJob([PENDULUM], select=["u_g", "place"]), Rows(["a.csv"]))
    assert some.output.names == ("u_g", "place")


def test_budget_and_second_order_as_columns(empty_folder):
    (empty_folder / "a.csv").write_text(TABLE)
    result = run_propagate(PropagateJob([PENDULUM], budget=True, second_order=True), Rows(["a.csv"]))
    found = columns(result)
    assert list(found)[4:] == ["g", "u_g", "g_second", "u_g_second", "linear", "c_L", "share_L", "c_T", "share_T"]
    assert found["share_L"][0] + found["share_T"][0] == pytest.approx(1, rel=1e-14)
    several = run_propagate(
        PropagateJob([PENDULUM, "h = L*T"], budget=True, second_order=True, correlations=True), Rows(["a.csv"])
    )
    assert {"linear_g", "linear_h", "c_g_L", "share_h_T", "r_g_h"} <= {*several.names}


@pytest.mark.parametrize("packed", [False, True])
def test_stdin_begins_again_after_its_header(packed):
    data = gzip.compress(TABLE.encode()) if packed else TABLE.encode()
    rows = Rows(["-"], stdin=io.BytesIO(data))
    found = columns(run_propagate(PropagateJob([PENDULUM]), rows))
    assert found["u_g"] == pytest.approx([true_u(row) for row in ROWS], rel=1e-14)


@pytest.mark.parametrize(("table", "message"), [
    ("x,u_x,y,u_y,r_x_y\n1,1,1,1,0\n2,-1,1,1,0\n", "row 2: u_x is -1.0, and an uncertainty is a number, 0 or more"),
    ("x,u_x,y,u_y,r_x_y\n1,1,1,nan,0\n2,1,1,1,0\n", "row 1: u_y is nan, and an uncertainty is a number, 0 or more"),
    ("x,u_x,y,u_y,r_x_y\n1,1,1,1,0\n2,1,1,1,1.5\n", "row 2: r_x_y is 1.5, and a correlation lies between -1 and 1"),
])  # fmt: skip
@pytest.mark.parametrize("engine", ["scalar", "vector"])
def test_an_uncertainty_that_is_none_names_its_row(empty_folder, table, message, engine):
    (empty_folder / "a.csv").write_text(table)
    result = run_propagate(PropagateJob(["x*y"], engine=engine), Rows(["a.csv"]))
    with pytest.raises(GradError) as caught:
        result.whole()
    assert caught.value.message == message


@pytest.mark.parametrize(("header", "options", "message", "hint"), [
    ("x,sx,x_std", {}, "both columns 'sx' and 'x_std'", "--u x=sx"),
    ("x,err", {}, "no input has an uncertainty", "a column u_x beside the column x"),
    ("x,err", {"u": ["x=er"]}, "--u: 'er', the uncertainty of 'x', is no column", "did you mean 'err'?"),
    ("x,u_x", {"u": ["x=0.1"]}, "and as the column 'u_x' too", "give it once"),
])  # fmt: skip
def test_columns_that_are_wrong(empty_folder, header, options, message, hint):
    (empty_folder / "a.csv").write_text(f"{header}\n" + ",".join("1" * len(header.split(","))) + "\n")
    with pytest.raises(GradError) as caught:
        run_propagate(PropagateJob(["x**2"], **options), Rows(["a.csv"]))
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_rows_that_are_not_linear_enough_are_counted(empty_folder):
    (empty_folder / "a.csv").write_text("x,u_x\n0,1\n3,.01\n0.1,1\n")
    checked = propagated(prepare(PropagateJob(["x**2"], second_order=True), Rows(["a.csv"])))
    found = columns(checked.columns)
    assert checked.checked.bent == 2
    assert found["linear"][0] == math.inf
    assert any("2 of 3 results are not linear enough" in note for note in checked.columns.notes)


def test_grids():
    found = columns(run_propagate(PropagateJob(["x*y"], at=["x=3±0.1"], grids=["y=1:3:3"])))
    assert found["u_f"] == pytest.approx([0.1, 0.2, 0.3])
    found = columns(run_propagate(PropagateJob(["x**2"], at=["x=3"], grids=["u_x=0:1:3"])))
    assert found["u_f"] == [0, 3, 6]
    with pytest.raises(GradError, match="point 1: u_x is -1"):
        run_propagate(PropagateJob(["x**2"], at=["x=3"], grids=["u_x=-1:1:3"])).whole()


def test_the_same_numbers_from_every_engine():
    job = {"at": ["a=1.5±0.1,b=0.7+0.2-0.1"], "grids": ["c=0.1:3:50"], "u": ["c=0.05"], "corr": ["a,b=0.3", "b,c=-0.2"],
           "second_order": True}  # fmt: skip
    first, second = (
        columns(run_propagate(PropagateJob(["exp(a)*sin(b*c)"], engine=engine, **job)))
        for engine in ("scalar", "vector")
    )
    for name in first:
        assert first[name] == pytest.approx(second[name], rel=1e-13), name
