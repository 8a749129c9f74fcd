"""Names that could mean two things: a constant or a variable, a function or a variable, a variable or a result."""

import json
import re
from pathlib import Path

import pytest
from command import Shell

pytestmark = pytest.mark.quick

COLUMNS = "tau,t,e,inf,min,x,f\n2,1,3,8.5,5,7,11\n"
TAU, E, INF = 0.6065306597126334, 21.0, -1.5
"""exp(-t/tau), e*x and x - inf with the columns of that file."""


@pytest.fixture(autouse=True)
def table(empty_folder: None) -> None:
    Path("c.csv").write_text(COLUMNS)
    row = dict(zip(*[line.split(",") for line in COLUMNS.splitlines()], strict=True))
    numbers = {name: float(value) for name, value in row.items()}
    Path("c.jsonl").write_text(json.dumps(numbers) + "\n")
    Path("c.json").write_text(json.dumps([numbers]))


def number(shell: Shell, *words: str) -> float:
    """The last number of the only row."""
    code, out, err = shell(*words, "--csv")
    assert code == 0, err
    return float(out.splitlines()[1].split(",")[-1])


@pytest.mark.parametrize("name", ["c.csv", "c.jsonl", "c.json"])
@pytest.mark.parametrize(
    ("text", "constant", "column", "value"),
    [
        ("exp(-t/tau)", "tau", "exp(-t/`tau`)", TAU),
        ("e*x", "e", "`e`*x", E),
        ("x - inf", "inf", "x - `inf`", INF),
    ],
)
def test_a_constant_and_a_column(shell: Shell, name: str, text: str, constant: str, column: str, value: float) -> None:
    code, out, err = shell("eval", text, "--input", name)
    assert (code, out) == (2, "")
    assert f"'{constant}' is a constant, and a column of {name} too" in err
    assert f"`{constant}`" in err and f"--constant {constant}" in err
    assert err.splitlines()[2].index("^") == err.splitlines()[1].index(constant)
    assert number(shell, "eval", column, "--input", name) == pytest.approx(value, rel=1e-15)  # NumPy's exp
    plain = number(shell, "eval", text, "--at", "t=1,x=7", "--allow-unused")
    assert number(shell, "eval", text, "--input", name, "--constant", constant) == pytest.approx(plain, rel=1e-15)


@pytest.mark.parametrize("command", ["diff", "grad", "check"])
def test_every_command_that_reads_a_file_asks(shell: Shell, command: str) -> None:
    more = {"diff": [], "grad": ["--wrt", "t"], "check": ["--claim", "df_dt = 1/tau"]}[command]
    words = [command, "t/tau", "--input", "c.csv", *more]
    code, _, err = shell(*words)
    assert code == 2 and "'tau' is a constant, and a column of c.csv too" in err
    assert shell(*words, "--constant", "tau,e")[0] == 0


def test_a_claim_asks_too(shell: Shell) -> None:
    words = ["check", "t*`tau`", "--input", "c.csv", "--claim", "df_dt = tau"]
    assert shell(*words)[0] == 2
    assert shell(*words[:-1], "df_dt = `tau`")[0] == 0


def test_columns_that_no_expression_uses_as_a_constant_do_not_matter(shell: Shell) -> None:
    assert number(shell, "eval", "2*x*pi", "--input", "c.csv") == pytest.approx(43.982297150257104, rel=1e-15)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["eval", "x", "--input", "c.csv", "--constant", "x"], "'x' is no constant"),
        (["eval", "x*e", "--input", "c.csv", "--at", "e=1", "--constant", "e"], "given as a variable"),
        (["eval", "x", "--at", "x=1", "--constant", "e"], "--constant goes with --input"),
    ],
)
def test_constants_that_cannot_be(shell: Shell, words: list[str], message: str) -> None:
    code, _, err = shell(*words)
    assert code == 2 and message in err


def test_a_constant_bound_on_the_command_line_is_a_variable(shell: Shell) -> None:
    """Kepler's equation."""
    words = ["E - e*sin(E)", "--wrt", "E,e", "--at", "E=1,e=0.1", "--csv"]
    assert shell("diff", *words)[1] == (
        "E,e,f,df_dE,df_de\n1.0,0.1,0.9158529015192103,0.945969769413186,-0.8414709848078965\n"
    )
    assert number(shell, "grad", "E - e*sin(E)", "--wrt", "e", "--at", "E=1,e=0.1") == -0.8414709848078965
    assert shell("check", "E - e*sin(E)", "--at", "E=1,e=0.1", "--claim", "df_de = -sin(E)")[0] == 0
    assert shell("show", "E - e*sin(E)", "--wrt", "e")[1].splitlines()[-1] == "df_de = -sin(E)"
    assert number(shell, "eval", "pi*x", "--grid", "pi=2", "--at", "x=3") == 6


def test_a_function_that_is_not_called(shell: Shell) -> None:
    assert number(shell, "eval", "min*x", "--input", "c.csv") == 35
    assert number(shell, "eval", "min(x, 2)*min", "--at", "x=3,min=4") == 8
    assert number(shell, "diff", "sec**2", "--wrt", "sec", "--at", "sec=3") == 6
    assert shell("diff", "`sec`*2")[1].splitlines()[-1] == "df_dsec = 2"
    assert number(shell, "eval", "gamma(x)*gamma", "--at", "x=4,gamma=2") == 12
    for more in ([], ["--at", "y=1"], ["--input", "c.csv"]):
        code, out, err = shell("eval", "sec*y", *more)
        assert (code, out) == (2, "")
        assert "sec is a function: write sec(...)" in err and "--at sec=1" in err and "`sec`" in err


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["x"], ["f"]),
        (["f*x"], ["y"]),
        (["f*y"], ["g"]),
        (["f*y*g"], ["h"]),
        (["f*y*g*h"], ["f_1"]),
        (["f*y*g*h*f_1"], ["f_2"]),
        (["f = 2*x; f + 1"], ["y"]),
        (["f = x", "x"], ["f", "y"]),
        (["x", "f*x"], ["f1", "f2"]),
        (["x", "f2*x"], ["y1", "y2"]),
        (["f1*x", "y1 = x", "2*x"], ["g1", "y1", "g2"]),
        (["f1*y1*g2*h1", "x"], ["f_1", "f_2"]),
        (["f1*y1*g2*h1*f_1", "x"], ["f__1", "f__2"]),
    ],
)
def test_the_name_of_a_result_is_free(shell: Shell, texts: list[str], names: list[str]) -> None:
    code, out, err = shell("diff", *texts, "--order", "0")
    assert code == 0
    assert [line.split(" = ")[0] for line in out.splitlines() if not re.match(r"t\d", line)] == names
    assert ("note: the result" in err) == (not {"f", "f1"} & {*names} or names == ["f", "y"])


def test_the_name_does_not_depend_on_other_columns(shell: Shell) -> None:
    assert shell("eval", "2*x", "--input", "c.csv", "--csv")[1] == "x,f\n7.0,14.0\n"
    code, _, err = shell("eval", "2*x", "--input", "c.csv", "--keep")
    assert code == 2 and "'f' would be both a column that is kept and a result" in err
    assert shell("eval", "2*f", "--input", "c.csv", "-q", "--csv") == (0, "f,y\n11.0,22.0\n", "")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--wrt", "x", "y", "--at", "x=1,y=2"], "--wrt x,y"),
        (["--wrt", "x,", "y"], "--wrt x,y"),
        (["--wrt=x", "y"], "--wrt x,y"),
        (["-w", "x", "y"], "-w x,y"),
        (["--at", "x=1", "y=2"], "--at x=1,y=2"),
        (["--at", "x=1,", "y=-pi/4"], "--at x=1,y=-pi/4"),
        (["--grid", "x=0:1:3", "y=1,2"], "--grid x=0:1:3 --grid y=1,2"),
        (["--input", "c.csv", "./c.jsonl"], "--input c.csv --input ./c.jsonl"),
    ],
)
def test_a_blank_where_a_comma_is_meant(shell: Shell, words: list[str], hint: str) -> None:
    for command in ("diff", "eval") if "w" not in words[0] else ("diff",):
        code, out, err = shell(command, "x*y", *words)
        assert (code, out) == (2, "")
        assert "would be an expression of its own" in err and hint in err


def test_expressions_after_options_are_expressions(shell: Shell) -> None:
    assert shell("diff", "--wrt", "x", "x**2", "--at", "x=2", "--csv")[1] == "x,f,df_dx\n2.0,4.0,4.0\n"
    assert shell("diff", "--wrt", "x", "x", "--at", "x=2", "--csv")[1] == "x,f,df_dx\n2.0,2.0,1.0\n"
    assert shell("eval", "--at", "x=2", "u = x**2", "v = 3*x", "--csv")[1] == "x,u,v\n2.0,4.0,6.0\n"
