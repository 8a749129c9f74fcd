"""Covariance matrices of inputs: their numbers, their orders, and errors that name the pair."""

import json
from dataclasses import replace

import pytest

from gradcli.caret import Source
from gradcli.errors import GradError
from gradcli.job.request import Rows
from gradcli.parts.work import Work, work_of
from gradcli.uncertainty.covariance import covariance, read_covariance
from gradcli.uncertainty.request import PropagateJob

pytestmark = pytest.mark.quick


MATRIX = ",a,b\na,4e-4,-2e-5\nb,-2e-5,1e-4\n"
AT = ("--at", "a=2,b=.5")


def test_a_matrix_and_the_same_options(empty_folder, shell):
    (empty_folder / "c.csv").write_text("input,b,a\na,-2e-5,4e-4\nb,1e-4,-2e-5\n")
    _, matrix, _ = shell("propagate", "a*exp(-b)", *AT, "--cov", "c.csv", "--json")
    _, options, _ = shell("propagate", "a*exp(-b)", *AT, "--u", "a=0.02,b=0.01", "--corr", "a,b=-0.1", "--json")
    told, known = json.loads(matrix), json.loads(options)
    assert told["columns"]["u_f"] == pytest.approx(known["columns"]["u_f"], rel=1e-15)
    assert told["budget"]["a"] == pytest.approx(known["budget"]["a"], rel=1e-14)


def test_a_matrix_for_the_rows_of_a_file(empty_folder, shell):
    (empty_folder / "c.csv").write_text(MATRIX)
    (empty_folder / "x.csv").write_text("x\n1\n2\n")
    words = ["propagate", "a*exp(-b*x)", *AT, "--cov", "c.csv", "--json"]
    _, out, _ = shell(*words, "--input", "x.csv")
    alone = [json.loads(shell(*words, "--at", f"x={x}")[1])["columns"]["u_f"] for x in (1, 2)]
    assert json.loads(out)["columns"]["u_f"] == pytest.approx(alone, rel=1e-15)


def test_parts_hold_the_numbers_of_the_matrix(empty_folder):
    (empty_folder / "c.csv").write_text(MATRIX)
    job = PropagateJob([Source("a*exp(-b*x)")], at=AT[1:], estimates=[read_covariance("c.csv")])
    work = Work(job, Rows(), "csv")
    again = work_of(json.loads(json.dumps(work.described())))
    assert again.identity() == work.identity()
    (empty_folder / "x.csv").write_text("x\n1\n2\n")
    ours, theirs = (w.run(Rows(["x.csv"])).whole() for w in (work, again))
    assert [list(column) for column in ours] == [list(column) for column in theirs]
    (empty_folder / "c.csv").write_text(",a,b\na,1e-4,0\nb,0,1e-4\n")
    other = Work(replace(job, estimates=[read_covariance("c.csv")]), Rows(), "csv")
    assert other.identity() != work.identity()


@pytest.mark.parametrize(("text", "message"), [
    (",a,b\na,1,.5\nb,.4,1\n", "the matrix is not symmetric: 'a' and 'b' have 0.5 and 0.4"),
    (",a,b\na,1,2\nb,2,1\n", "the correlation of 'a' and 'b' is 2, and it lies between -1 and 1"),
    (",a,b\na,-1,0\nb,0,1\n", "the variance of 'a' is -1.0, which is negative"),
    (",a,b\na,0,1\nb,1,1\n", "the covariance of 'a' and 'b' is not 0, and one of them has no variance"),
    (",a,b\na,inf,0\nb,0,1\n", "the covariance of 'a' and 'a' is inf"),
    (",a,b,c\na,1,.9,-.9\nb,.9,1,.9\nc,-.9,.9,1\n", "not positive semidefinite: the covariance of 'b' and 'c'"),
    (",a,b\na,1,0\n", "'b' has a column and no row"),
    (",a,b\na,1,0\nc,0,1\n", "row 2 is that of 'c', which is no column"),
    (",a,b\na,1,0\na,0,1\n", "'a' has two rows"),
    (",a,a\na,1,0\na,0,1\n", "'a' is there twice"),
    ("a\n1\n", "this is no matrix"),
    (",a,b\na,1,x\nb,0,1\n", "c.csv:2:5: 'x'"),
])  # fmt: skip
def test_wrong_files(empty_folder, text, message):
    (empty_folder / "c.csv").write_text(text)
    with pytest.raises(GradError) as error:
        read_covariance("c.csv")
    assert message in str(error.value) and "c.csv" in str(error.value)


@pytest.mark.parametrize(("options", "message"), [
    (["--at", "a=2(1),b=1"], "--cov: 'a' has its uncertainty from --cov c.csv and from another option too"),
    (["--at", "a=2,b=1", "--u", "a=.1"], "--cov: 'a' has its uncertainty"),
    (["--at", "a=2,b=1", "--corr", "a,b=.1"], "--corr: the correlation of 'a' and 'b' is given twice"),
    (["--at", "a=2,b=1", "--u", "c=.1"], "'c' is not used in the expression"),
])  # fmt: skip
def test_options_beside_a_matrix(empty_folder, shell, options, message):
    (empty_folder / "c.csv").write_text(MATRIX)
    code, _, err = shell("propagate", "a*exp(-b)", "--cov", "c.csv", *options)
    assert code == 2 and message in err


def test_a_name_that_is_no_variable(empty_folder, shell):
    (empty_folder / "c.csv").write_text(",a,z\na,4e-4,0\nz,0,1e-4\n")
    code, _, err = shell("propagate", "a*exp(-b)", "--cov", "c.csv", *AT)
    assert code == 2 and "--cov: 'z' is not used in the expression" in err


def test_the_text_of_a_file_with_a_matrix(empty_folder, shell):
    (empty_folder / "c.csv").write_text("input;a;b\na;4,0;-2,0\nb;-2,0;1,0\n")
    words = ["propagate", "a*exp(-b)", *AT, "--cov", "c.csv"]
    assert shell(*words)[0] == 2
    assert shell(*words, "--delimiter", ";", "--decimal", ",")[0] == 0


def test_a_matrix_from_stdin_and_a_file_of_expressions(empty_folder, shell):
    code, _, err = shell("propagate", "--file", "-", "--cov", "-", *AT)
    assert code == 2 and "stdin cannot be read twice" in err


def test_rounded_matrices():
    near = covariance(["a", "b"], [[1.0, 1.0 + 1e-13], [1.0, 1.0]], "here")
    assert near.r == [[1, 1], [1, 1]]
    tiny = covariance(["a", "b"], [[1e-300, 5e-301], [5e-301, 1e-300]], "here")
    assert tiny.r[0][1] == pytest.approx(0.5)
