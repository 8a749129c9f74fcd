"""Repeated readings: the values of GUM H.2, against exact fractions, in blocks, and errors with their place."""

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gradcli.errors import GradError
from gradcli.language import parse
from gradcli.uncertainty.budget import at_point
from gradcli.uncertainty.request import PropagateJob
from gradcli.uncertainty.samples import estimates, read_samples

pytestmark = pytest.mark.quick

CASES = [json.loads(line) for line in (Path(__file__).parents[1] / "data" / "gum.jsonl").read_text().splitlines()]
H2 = [case for case in CASES if case["id"].startswith("H2-")]


def write(case, path="h2.csv"):
    names = [*case["data"]]
    rows = zip(*case["data"].values(), strict=True)
    Path(path).write_text("\n".join([",".join(names), *[",".join(map(repr, row)) for row in rows]]) + "\n")


def exact(x, y):
    """The covariance of means, as a fraction."""
    a, b = ([Fraction(v) for v in column] for column in (x, y))
    n, p, q = len(a), sum(a) / len(a), sum(b) / len(b)
    return sum((v - p) * (w - q) for v, w in zip(a, b, strict=True)) / (n - 1) / n


@pytest.mark.parametrize("case", [c for c in H2 if c["kind"] == "first"], ids=lambda case: case["id"])
def test_results_of_readings(empty_folder, case):
    write(case)
    text = case["expression"]
    job = PropagateJob([text], estimates=[read_samples("h2.csv", [parse(text, columns=True)])])
    (outcome,) = at_point(job).outcomes
    assert outcome.value == pytest.approx(case["true"]["y"], rel=1e-13)
    assert outcome.u == pytest.approx(case["true"]["u"], rel=1e-12)


def test_correlations_of_results(empty_folder, shell):
    case = next(c for c in H2 if c["kind"] == "matrix")
    write(case)
    told = json.loads(shell(*case["args"], "--json")[1])["correlations"]
    for key, true in case["true"].items():
        a, b = key[2:-1].split(",")
        assert told[a][b] == pytest.approx(true, rel=case["rtol"])


def test_degrees_of_freedom_and_digits(empty_folder):
    write(H2[0])
    texts = ["V/I"]
    job = PropagateJob(texts, estimates=[read_samples("h2.csv", [parse(texts[0], columns=True)])])
    answer = at_point(job)
    assert answer.prepared.uncertain.given.df == {"V": 4, "I": 4}
    assert answer.inputs["V"].typed == ("4.9990", "0.0032")


@pytest.mark.parametrize("cut", [1, 2, 7, 100, 500])
def test_blocks(cut):
    generator = np.random.default_rng(1)
    x = 1e6 + generator.standard_normal(500)
    y = 1e-9 * (x - 1e6) + 1e-10 * generator.standard_normal(500)
    blocks = [(x[k : k + cut], y[k : k + cut]) for k in range(0, len(x), cut)]
    result = estimates(["x", "y"], blocks, "here")
    for column, value, u in zip((x, y), result.values, result.u, strict=True):
        true = sum(map(Fraction, column)) / len(column)
        assert abs(value - true) <= max(1e-12 * u, 2e-16 * abs(true))
        assert u * u == pytest.approx(float(exact(column, column)), rel=1e-12)
    assert result.r[0][1] * result.u[0] * result.u[1] == pytest.approx(float(exact(x, y)), rel=1e-12)


def test_no_overflow_and_no_digits_lost():
    result = estimates(["x", "y"], [[np.array([1e300, 3e300]), np.array([1e9 + 1, 1e9 + 3])]], "here")
    assert result.values == [2e300, 1e9 + 2]
    assert result.u == pytest.approx([1e300, 1], rel=1e-15)
    assert result.r[0][1] == pytest.approx(1, rel=1e-15)


def test_readings_that_do_not_vary():
    result = estimates(["x", "y"], [[np.array([2.0, 2.0, 2.0]), np.array([1.0, 2.0, 4.0])]], "here")
    assert result.u[0] == 0 and result.r == [[1, 0], [0, 1]]


@pytest.mark.parametrize(("text", "message"), [
    ("V,I\n1,2\n", "s.csv: 1 reading, and a standard uncertainty takes at least 2"),
    ("V,I\n", "s.csv: no readings"),
    ("V,I\n1,2\n1,inf\n", "s.csv: reading 2 of 'I' is inf"),
    ("V,I\n1,2\n1,x\n", "s.csv:3:3: 'x'"),
    ("A,B\n1,2\n1,3\n", "--samples: no variable of the expression is a column of s.csv"),
    ("V,V,I\n1,2,3\n1,3,4\n", "columns 1 and 2 are both named 'V'"),
])  # fmt: skip
def test_wrong_files(empty_folder, text, message):
    (empty_folder / "s.csv").write_text(text)
    with pytest.raises(GradError) as error:
        read_samples("s.csv", [parse("V/I", columns=True)])
    assert message in str(error.value)


def test_a_constant_that_is_a_column(empty_folder):
    (empty_folder / "s.csv").write_text("V,e\n1,2\n1,3\n")
    with pytest.raises(GradError, match="'e' is a constant, and a column"):
        read_samples("s.csv", [parse("V/e", columns=True)])
    assert read_samples("s.csv", [parse("V/e", columns=True)], constants=["e"]).names == ["V"]


@pytest.mark.parametrize(("options", "message"), [
    (["--at", "V=3"], "--samples: 'V' is a column of h2.csv, and has a value in --at too"),
    (["--at", "V=3(1)"], "--samples: 'V' has its uncertainty from h2.csv and from another option too"),
    (["--u", "V=0.1"], "--samples: 'V' has its uncertainty"),
    (["--dist", "V=R(1,2)"], "--samples: 'V' has its uncertainty"),
    (["--corr", "V,I=.3"], "--corr: the correlation of 'V' and 'I' is given twice"),
    (["--df", "V=3"], "--df: 'V' is given twice"),
    (["--samples", "none.csv"], "none.csv"),
])  # fmt: skip
def test_options_beside_samples(empty_folder, shell, options, message):
    write(H2[0])
    code, _, err = shell("propagate", "V/I", "--samples", "h2.csv", *options)
    assert code == 2 and message in err


def test_the_text_of_a_file_of_readings(empty_folder, shell):
    (empty_folder / "s.csv").write_text("name;V\na;4,5\nb;4,6\n")
    code, _, err = shell("propagate", "V**2", "--samples", "s.csv")
    assert code == 2 and "--delimiter ';' --decimal , reads it" in err
    code, out, _ = shell("propagate", "V**2", "--samples", "s.csv", "--delimiter", ";", "--decimal", ",")
    assert code == 0 and out.startswith("f = 20.70(4")


def test_readings_with_values(empty_folder, shell):
    write(H2[0])
    told = json.loads(shell("propagate", "V/I*k", "--samples", "h2.csv", "--at", "k=2.0(1)", "--json")[1])
    assert told["budget"]["k"]["u"] == 0.1 and math.isclose(told["budget"]["V"]["value"], 4.999)
