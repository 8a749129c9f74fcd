"""Options of propagate: what is wrong is one error that says what, where and what to do."""

import math

import pytest

from gradcli.errors import GradError
from gradcli.uncertainty.budget import at_point
from gradcli.uncertainty.request import PropagateJob

pytestmark = pytest.mark.quick

ERRORS = {
    "negative in --at": ({"at": ["x=1±-0.1,y=1"]}, "--at x: the uncertainty is negative", "0 or more"),
    "negative in --u": ({"at": ["x=1,y=1"], "u": ["x=-1"]}, "--u x=-1: the uncertainty is negative", "0 or more"),
    "nan in --u": ({"at": ["x=1,y=1"], "u": ["x=nan"]}, "--u x=nan: the uncertainty is not a finite number", ""),
    "infinite in --u": ({"at": ["x=1,y=1"], "u": ["x=inf"]}, "is not a finite number", ""),
    "nan value": ({"at": ["x=nan,y=1"], "u": ["x=1"]}, "'x': the value nan is not finite", ""),
    "both": ({"at": ["x=1±0.1,y=1"], "u": ["x=1"]}, "'x' has its uncertainty in --at already", "give it once"),
    "both, as a variable": ({"at": ["x=1±0.1,y=1,u_x=1"]}, "given twice, once as 'u_x'", "give it once"),
    "twice in --at": ({"at": ["x=1±0.1,x=2"]}, "--at: 'x' is given twice", ""),
    "twice in --u": ({"at": ["x=1,y=1"], "u": ["x=1", "x=2"]}, "--u: 'x' is given twice", ""),
    "unknown in --u": ({"at": ["x=1,y=1"], "u": ["q=1"]}, "--u: 'q' is not used in the expression", "variables are"),
    "unknown in --at": ({"at": ["x=1,y=1,q=1±1"]}, "'q' is not used in the expression", "variables are"),
    "--u without a value": ({"at": ["x=1,y=1"], "u": ["x="]}, "--u: the uncertainty of 'x' is missing", ""),
    "--u without a name": ({"at": ["x=1,y=1"], "u": ["0.1"]}, "--u needs NAME=NUMBER", ""),
    "--u, a column of no file": ({"at": ["x=1,y=1"], "u": ["x=err"]}, "is no column of a file", "--u x=0.005"),
    "none": ({"at": ["x=1,y=1"]}, "no input has an uncertainty", "--at x=1.020±0.005"),
    "|r| > 1": ({"at": ["x=1±1,y=1±1"], "corr": ["x,y=1.5"]}, "lies between -1 and 1, and this is 1.5", ""),
    "r nan": ({"at": ["x=1±1,y=1±1"], "corr": ["x,y=nan"]}, "lies between -1 and 1", ""),
    "r of one name": ({"at": ["x=1±1,y=1±1"], "corr": ["x,x=1"]}, "'x' is correlated with itself by 1", ""),
    "r twice": ({"at": ["x=1±1,y=1±1"], "corr": ["x,y=1", "y,x=1"]}, "is given twice", ""),
    "r, malformed": ({"at": ["x=1±1,y=1±1"], "corr": ["x=1"]}, "--corr needs A,B=R", ""),
    "r without u": ({"at": ["x=1±1,y=1"], "corr": ["x,y=0.5"]}, "--corr: 'y' has no uncertainty", "--u y=0.005"),
    "df without u": ({"at": ["x=1±1,y=1"], "df": ["y=5"]}, "--df: 'y' has no uncertainty", "--u y=0.005"),
    "df below 1": ({"at": ["x=1±1,y=1"], "df": ["x=0.5"]}, "degrees of freedom are at least 1", ""),
    "df twice": ({"at": ["x=1±1,y=1"], "df": ["x=5", "x=6"]}, "--df: 'x' is given twice", ""),
    "dist and value": ({"at": ["x=1,y=1"], "dist": ["x=R(0,2)"]}, "and --at does too", ":rect"),
    "dist and u": ({"at": ["y=1"], "dist": ["x=R(0,2)"], "u": ["x=1"]}, "has a width already", "leave out --u"),
    "dist without u": ({"at": ["x=1,y=1"], "dist": ["x=N"]}, "--dist: 'x' has no uncertainty", ""),
    "unknown dist": ({"at": ["x=1±1,y=1"], "dist": ["x=Q(1)"]}, "--dist: unknown distribution", "R(a,b)"),
    "one result": ({"at": ["x=1±1,y=1"], "correlations": True}, "there is one result", ""),
    "correlated and rectangular": (
        {"at": ["y=1±1"], "dist": ["x=R(0,2)"], "corr": ["x,y=0.5"], "second_order": True},
        "only normal inputs can be", "leave out",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    options, message, hint = ERRORS[name]
    with pytest.raises(GradError) as caught:
        at_point(PropagateJob(["x + y"], **options))
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")
    assert caught.value.exit_code == 2


def test_the_place_of_an_error_is_marked():
    with pytest.raises(GradError) as caught:
        at_point(PropagateJob(["x"], at=["x=1.02±-0.1"]))
    assert caught.value.source.text[caught.value.span.start : caught.value.span.end] == "-0.1"


def test_a_variable_called_as_an_uncertainty():
    with pytest.raises(GradError, match="'u_x' is a variable of the expression"):
        at_point(PropagateJob(["x + u_x"], at=["x=1±0.1,u_x=2"]))


def test_a_matrix_that_is_not_positive_semidefinite_names_a_pair():
    job = PropagateJob(["a + b + c"], at=["a=1±1,b=1±1,c=1±1"], corr=["a,b=0.9", "b,c=0.9", "a,c=-0.9"])
    with pytest.raises(GradError, match="contradict each other at 'b' and 'c'"):
        at_point(job)


def test_many_correlated_inputs_are_refused():
    names = [f"x{k}" for k in range(201)]
    job = PropagateJob(
        ["+".join(names)], at=[",".join(f"{name}=1±1" for name in names)], corr=[f"x0,{name}=0" for name in names[1:]]
    )
    with pytest.raises(GradError, match="201 correlated inputs are beyond the limit"):
        at_point(job)


def test_many_inputs():
    names = [f"x{k}" for k in range(500)]
    result = at_point(PropagateJob(["+".join(names)], at=[",".join(f"{name}=1±2" for name in names)]))
    assert result.outcomes[0].u == pytest.approx(2 * math.sqrt(500), rel=1e-14)


def test_a_name_that_is_bound_is_the_variable():
    (outcome,) = at_point(PropagateJob(["e*tau"], at=["e=1.6±0.1,tau=2"])).outcomes
    assert (outcome.value, outcome.u) == (3.2, 0.2)


def test_brackets_are_arithmetic_and_measurements_win_without():
    (bracketed,) = at_point(PropagateJob(["x + y"], at=["x=(1+0.2-0.1),y=0±0.1"])).outcomes
    (two_sided,) = at_point(PropagateJob(["x + y"], at=["x=1+0.2-0.1,y=0±0.1"])).outcomes
    assert (bracketed.value, bracketed.plus) == (1.1, None)
    assert (two_sided.value, two_sided.plus) == (1.0, pytest.approx(math.hypot(0.2, 0.1)))
    assert two_sided.u == pytest.approx(math.hypot(0.15, 0.1))


def test_a_distribution_gives_value_and_uncertainty():
    (outcome,) = at_point(PropagateJob(["x**2"], dist=["x=R(-0.3,0.3)"], second_order=True)).outcomes
    assert outcome.second[0] == pytest.approx(0.03, rel=1e-14)
    assert outcome.second[1] == pytest.approx(math.sqrt(4 / 45) * 0.09, rel=1e-14)


def test_shares_with_correlation_need_not_add_to_one():
    (outcome,) = at_point(PropagateJob(["a + b"], at=["a=3±0.5,b=4±0.5"], corr=["a,b=-1"])).outcomes
    assert outcome.u == 0
    assert [line.share for line in outcome.sources] == [math.inf, math.inf]
