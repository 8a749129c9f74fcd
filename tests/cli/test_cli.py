"""The shell door: options, operands, formats and files, colour, help; what a process may load."""

from __future__ import annotations

import json
import os
import pty
import re
import stat
import subprocess
import sys
import threading
import time
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import click
import pytest
from command import COMMAND, PATIENCE, Shell, environment, process

import gradcli
from gradcli.caret import display_width, printable
from gradcli.cli import COMMANDS, EXIT_CODES, group, options, run
from gradcli.cli.options import count
from gradcli.cli.topics import SYNONYMS, topics
from gradcli.formats import FORMATS

pytestmark = pytest.mark.usefixtures("empty_folder")


# The main job.


@pytest.mark.quick
def test_the_main_job(shell: Shell) -> None:
    code, out, err = shell("diff", "x**2", "--order", "2", "--grid", "3x4")
    assert (code, err) == (0, "")
    names = [block.split("\n", 1)[0] for block in out.split("\n\n")]
    assert names == ["x", "f", "df_dx", "d2f_dx2"]
    rows = [[[float(v) for v in line.split()] for line in block.splitlines()[1:]] for block in out.split("\n\n")]
    x = [[float(i + j) for j in range(4)] for i in range(3)]
    assert rows == [x, [[v * v for v in r] for r in x], [[2 * v for v in r] for r in x], [[2.0] * 4] * 3]

    code, out, err = shell("diff", "x**2", "--order", "2", "--grid", "3x4", "--format", "json")
    found = json.loads(out)
    assert found["columns"] == dict(zip(names, rows, strict=True))
    assert found["shape"] == [3, 4]
    code, out, err = shell("diff", "x**2", "--order", "2", "--grid", "3x4", "--csv")
    assert len(out.splitlines()) == 13
    assert out.splitlines()[:3] == ["x,f,df_dx,d2f_dx2", "0.0,0.0,0.0,2.0", "1.0,1.0,2.0,2.0"]


@pytest.mark.quick
def test_formulas_without_points(shell: Shell) -> None:
    assert shell("diff", "x**2") == (0, "f = x**2\ndf_dx = 2*x\n", "")
    assert shell("show", "x**2") == shell("diff", "x**2")
    assert shell("diff", "x**2", "--order", "0") == (0, "f = x**2\n", "")
    _, out, _ = shell("diff", "x**2", "--json", "--order", "2")
    assert json.loads(out) == {
        "schema": "gradcli/1", "expressions": {"f": "x**2"}, "variables": ["x"], "order": 2,
        "derivatives": {"df_dx": "2*x", "d2f_dx2": "2"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "slope", "raw"),
    [
        ("sin(x)**2 + cos(x)**2", "0", "t1 - t1"),
        ("x**n", "n*x**(n - 1)", "where(x == 0 and n == 0, 0, n*x**(n - 1))"),
        # A choice as typed stays.
        ("where(x == 0 and n == 0, 0, x)", "where(x == 0 and n == 0, 0, 1)", "where(x == 0 and n == 0, 0, 1)"),
    ],
)
def test_formulas_are_simplified_and_raw_ones_as_computed(shell: Shell, expression: str, slope: str, raw: str) -> None:
    code, out, err = shell("diff", expression, "--wrt", "x")
    assert (code, err) == (0, "")
    assert out.splitlines()[:2] == [f"f = {expression}", f"df_dx = {slope}"]
    assert shell("diff", expression, "--wrt", "x", "--raw")[1].splitlines()[-1] == f"df_dx = {raw}"


def test_points_left_out_of_a_formula_are_remarks(shell: Shell) -> None:
    remark = "where x == 0 and 1/n == 0, x**(1/n - 1)/n counts as 0"
    words = ("diff", "x**(1/n)", "--wrt", "x")
    assert shell(*words) == (0, f"f = x**(1/n)\ndf_dx = x**(1/n - 1)/n\n# {remark}\n", "")
    assert json.loads(shell(*words, "--json")[1])["remarks"] == [remark]
    assert shell(*words, "--csv")[2] == f"gradcli: note: {remark}\n"
    assert shell(*words, "--csv", "-q")[2] == ""
    Path("slope.grad").write_text(shell(*words)[1])
    assert shell("eval", "-f", "slope.grad", "--at", "x=4,n=2", "--json")[0] == 0


def test_a_base_that_is_0_over_an_interval_keeps_its_guard(shell: Shell) -> None:
    _, out, _ = shell("diff", "max(x, 0)**n", "--wrt", "n")
    assert "df_dn = where(max(x, 0) == 0 and n >= 0, 0, log(max(x, 0))*max(x, 0)**n)" in out


def test_raw_is_for_formulas(shell: Shell) -> None:
    code, out, err = shell("diff", "x", "--raw", "--at", "x=1")
    assert (code, out) == (2, "")
    assert "--raw is for derivatives as expressions" in err


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("f.tex", "f = a x\n"), ("f.PY", "# gradcli: a Python function"), ("f.js", "// gradcli: a JavaScript function"),
        ("f.c", "// gradcli: a C99 function"), ("f.rs", "// gradcli: a Rust function"),
        ("f.f90", "! gradcli: a Fortran 2008 module"), ("f.jl", "# gradcli: a Julia function"),
        ("f.sql", "-- gradcli: one SELECT over the table points, as PostgreSQL"), ("f.jq", "# gradcli: a filter"),
        ("f.awk", "# gradcli: a program that reads"), ("f.mlr", "# gradcli: a text for mlr"),
        ("f.mathml", "<math"), ("f.svg", "<svg"), ("f.dot", "digraph"), ("f.txt", "f = a*x\n"), ("f.csv", "name,expr"),
    ],
)  # fmt: skip
def test_the_suffix_chooses_the_form(shell: Shell, name: str, start: str) -> None:
    assert shell("show", "a*x", "-o", name) == (0, "", "")
    assert Path(name).read_text().startswith(start)


def test_a_form_as_typed_wins_over_the_suffix(shell: Shell) -> None:
    assert shell("show", "a*x", "--as", "duckdb", "-o", "f.sql") == (0, "", "")
    assert "for DuckDB" in Path("f.sql").read_text()


def test_arguments_in_an_order_of_ones_own(shell: Shell) -> None:
    assert "\ndef f(x, b, a):\n" in shell("show", "a*x + b", "--as", "python", "--args", "x,b,a")[1]
    assert "\ndef f(t, x):\n" in shell("show", "x", "--as", "python", "--args", "t,x", "--allow-unused")[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--as", "python", "--args", "x,b"], "--args: 'a' is missing\n  such as --args x,b,a"),
        (["--as", "python", "--args", "x,b,a,t"], "--args: 't' is not used in the expression"),
        (["--as", "python", "--args", "x,b,a,b"], "--args: 'b' is given twice"),
        (["--as", "sql", "--args", "x,b,a"], "--args is the order of a function's arguments, and sql has none"),
        (["--args", "x,b,a"], "--args is the order of a function's arguments, and text has none"),
        (["--as", "c", "--all-columns"], "--all-columns is for sql, duckdb, sqlite, jq, not for c"),
        (["--all-columns"], "--all-columns is for queries, not for text"),
        (["--as", "mathml", "--environment", "align"], "--environment is for latex, not for mathml"),
    ],
)
def test_options_of_show_that_the_form_lacks(shell: Shell, words: list[str], message: str) -> None:
    code, out, err = shell("show", "a*x + b", *words)
    assert (code, out) == (2, "")
    assert message in err


def test_environments_of_latex(shell: Shell) -> None:
    words = ("show", "x*y", "--wrt", "x", "--as", "latex", "--environment")
    slope = r"\frac{\partial f}{\partial x}"
    aligned = f"\\begin{{align}}\nf &= x y \\\\\n{slope} &= y\n\\end{{align}}\n"
    assert shell(*words, "align")[1] == aligned
    assert shell(*words, "gather*")[1] == aligned.replace("&= ", "= ").replace("align", "gather*")
    assert shell(*words, "equation")[1] == (
        f"\\begin{{equation}}\nf = x y\n\\end{{equation}}\n\\begin{{equation}}\n{slope} = y\n\\end{{equation}}\n"
    )


def test_what_is_printed_is_read_back(shell: Shell) -> None:
    code, out, _ = shell("diff", "exp(sin(x))", "--order", "6")
    assert re.search(r"^t1 = ", out, re.M)
    Path("formulas.txt").write_text(out)
    code, again, err = shell("eval", "-f", "formulas.txt", "--at", "x=0.7", "--json")
    assert (code, err) == (0, "")
    _, wanted, _ = shell("diff", "exp(sin(x))", "--order", "6", "--at", "x=0.7", "--json")
    found, wanted_columns = json.loads(again)["columns"], json.loads(wanted)["columns"]
    assert found == pytest.approx(wanted_columns, rel=1e-13)


def test_what_has_no_variable_has_no_explanation(shell: Shell) -> None:
    for words in (["3"], ["pi + 1", "--json"]):
        code, out, err = shell("explain", *words)
        assert (code, out, err) == (2, "", "gradcli: error: there is no variable to differentiate in\n")


@pytest.mark.quick
def test_eval(shell: Shell) -> None:
    assert shell("eval", "2**10 + x", "--at", "x=0.5", "--csv")[1] == "x,f\n0.5,1024.5\n"
    assert shell("eval", "2+3") == (0, "  f\n5.0\n", "")
    code, _, err = shell("eval", "x")
    assert code == 2
    assert "variable 'x' has no value" in err


def test_several_expressions(shell: Shell) -> None:
    assert shell("diff", "x", "y = 2*x", "3*x", "--at", "x=1", "--csv")[1].splitlines() == [
        "x,f1,df1_dx,y,dy_dx,f2,df2_dx",
        "1.0,1.0,1.0,2.0,2.0,3.0,3.0",
    ]


# Words.


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("-x**2", -9.0), ("-2*x", -6.0), ("-(x+1)", -4.0), ("-.5*x", -1.5), ("-sin(x)*0", -0.0), ("-x + 1", -2.0),
        ("-`x`*1", -3.0), ("---x", -3.0), ("-pi/pi*x", -3.0), ("-n*x", -6.0),
    ],
)  # fmt: skip
def test_an_expression_may_start_with_a_minus(expression: str, value: float, shell: Shell) -> None:
    at = "x=3,n=2" if "n*" in expression else "x=3"
    for words in (["eval", expression, "--at", at], ["eval", "--at", at, "--csv", expression]):
        code, out, err = shell(*words)
        assert (code, err) == (0, "")
        assert float(re.split(r"[\s,]+", out.strip())[-1]) == value


def test_options_keep_values_that_start_with_a_minus(shell: Shell) -> None:
    code, out, err = shell("eval", "x", "--grid", "2", "--fill", "-i*1", "--csv")
    assert (code, out, err) == (0, "x,f\n-0.0,-0.0\n-1.0,-1.0\n", "")
    code, out, _ = shell("diff", "-qn2", "-x**2", "--at", "x=3", "--csv")
    assert out.splitlines()[0] == "x,f,df_dx,d2f_dx2"
    code, out, _ = shell("diff", "--at", "x=3", "--csv", "--", "-x")
    assert out.splitlines()[1] == "3.0,-3.0,-1.0"


@pytest.mark.quick
@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["diff", "-z"], "No such option: -z", '"(-z)"'),
        (["diff", "-zeta"], "No such option: -z", '"(-zeta)"'),
        (["diff", "x", "--grad", "x"], "No such option: --grad", "did you mean --grid?"),
        (["diff", "x", "--ordr", "2"], "No such option: --ordr", "did you mean --order?"),
        (["diff", "x", "--point", "x=3"], "No such option: --point", "did you mean --at?"),
        (["diff", "x", "--simplify"], "No such option: --simplify", "that is an option of gradcli show"),
        (["eval", "x", "--order", "2"], "No such option: --order", "that is an option of gradcli diff, show"),
        (["diff", "x", "--latex"], "No such option: --latex", "gradcli show EXPR --as latex"),
        (["diff", "x", "--foo"], "No such option: --foo", "see: gradcli diff --help"),
        (["diff", "x**2", "x=3"], "'x' would be both a variable and a result", "or give a value: --at x=..."),
        (["diff", "x", "--wrt", "temp C"], "--wrt: 'temp C' is not the name of a variable", "'`temp C`', in back"),
        (["diff", "x", "--order", "two"], "Invalid value for '-n' / '--order': 'two' is not a valid integer", "--help"),
        (["diff", "x", "--format", "xml"], "'xml' is not one of", "--help"),
        (["diff"], "no expression given", 'gradcli diff "x**2" --order 2'),
        (["plot"], "no expression given", 'gradcli plot "exp(-x)*sin(5*x)" --grid'),
        (["dif", "x"], "No such command: dif", "did you mean 'diff'?"),
        (["x**2"], "No such command: x**2", 'gradcli diff "x**2"'),
        ([], "no command given", "gradcli --help"),
        (["help", "fromats"], "no help on 'fromats'", "did you mean 'formats'?"),
        (["eval", "mx + b", "--at", "m=1,x=2,b=3"], "'m' is not used", "mx is one variable: for a product write m*x"),
        (["diff", "x", "--at", "x", "=", "3"], "--at needs NAME=VALUE", "without blanks around the ="),
        (["completion"], "Choose from bash, zsh, fish, powershell\n", "--help"),
        (["diff", "lim x->0 sin(x)/x"], "--at x=0 --kink limit\n", ""),
        (["help", "wrt"], "no help on 'wrt'", "that is an option: gradcli diff --help"),
        (["functions", "arctn"], "unknown function 'arctn'", "did you mean 'arctan'?"),
        (["diff", "x", "-f", "-", "-f", "-"], "stdin cannot be read twice", ""),
        (["diff", "x", "--csv", "--json"], "one format at a time, not --csv and --json", ""),
        (["diff", "x", "--csv", "--format", "json"], "one format at a time", ""),
        (["diff", "x", "--at", "x=1", "--json", "--digits", "3"], "--digits is for table, markdown, csv, tsv", ""),
        (["diff", "x", "--at", "x=1", "-o", "y=x**2"], "'y=x**2' looks like an expression", "-o FILE.csv"),
        (["diff", "x", "--at", "x=1", "-o", "y=x**2", "--csv"], "'y=x**2' looks like an expression", "-o FILE.csv"),
        (["diff", "-order*x", "--at", "x=1"], "'rder*x' looks like an expression", "-o FILE.csv"),
        (["diff", "x", "--at", "x=1", "-o", "plain"], "no format goes with the name 'plain'", ".csv"),
        (["show", "x", "--as", "c", "--json"], "--as c has one form: leave out --json", ""),
        (["show", "x", "--as", "latex", "--format", "csv"], "--as latex has one form: leave out --format", ""),
        (["show", "x", "--as", "c", "--simplify"], "--simplify is for reading, and c for computing", "or --as c"),
        (["show", "x", "-o", "x.npy"], "npy holds numbers alone, and show has expressions", "gradcli diff EXPR --at"),
        (["diff", "x", "--fill", "i"], "--fill needs a shape", ""),
        (["diff", "x", "--wrt", "x,"], "--wrt: '' is not the name of a variable", ""),
        (["diff", "\udcff+x"], "not UTF-8", ""),
        (["diff", "-f", "nope.txt"], "nope.txt: No such file or directory", ""),
        (["diff", "-f", "."], ".: Is a directory", ""),
        (["diff", "-f", "a\0b"], "null", ""),
    ],
)
def test_wrong_words(words: list[str], message: str, hint: str, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["gradcli", *words])
    code, out, err = shell(*words)
    assert (code, out) == (2, "")
    assert err.startswith("gradcli: error: ")
    assert message in err
    assert hint in err
    assert os.listdir() == []


def test_the_suffix_of_an_input_tells_what_to_do(shell: Shell) -> None:
    for name, hint in (("a.txt", "columns of text are csv, "), ("a.XLSX", "after it has been saved as .csv")):
        Path(name).write_text("x\n1\n")
        code, _, err = shell("eval", "x", "-i", name)
        assert code == 2
        assert "no format that can be read goes with the suffix" in err
        assert hint in err


def test_a_file_is_no_expression(shell: Shell) -> None:
    Path("a b.csv").write_text("x\n1\n")
    Path("m.grad").write_text("x\n")
    Path("x").write_text("")
    words = {
        "a b.csv": "'a b.csv' is a file, not an expression\n  to read it: --input 'a b.csv'\n",
        "m.grad": "'m.grad' is a file, not an expression\n  to read it: --file m.grad\n",
    }
    for name, told in words.items():
        assert shell("eval", "x", name) == (2, "", f"gradcli: error: {told}")
    assert shell("show", "x")[0] == 0


@pytest.mark.quick
def test_a_form_set_in_the_environment_yields_to_code(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADCLI_FORMAT", "csv")
    assert shell("show", "x", "-n", "0", "--as", "latex") == (0, "f = x\n", "")


@pytest.mark.quick
def test_whole_numbers_may_have_an_exponent() -> None:
    assert [count(text) for text in ("1", "1000000", "1e6", "1.5E+1", "2.50e2")] == [1, 1000000, 1000000, 15, 250]
    for text in ("0", "-1", "1.5", "1.25e1", "1e-1", "", "x", "\u0661", "1e999", "9" * 19):
        with pytest.raises(click.BadParameter, match="is not a whole number from 1"):
            count(text)


@pytest.mark.quick
def test_errors_show_the_place(shell: Shell) -> None:
    assert shell("diff", "exp(x) + sn(x*y)")[2] == (
        "gradcli: error: unknown function 'sn' (did you mean 'sin'?)\n  exp(x) + sn(x*y)\n           ^^\n"
    )
    Path("two.txt").write_text("x + 1\nsn(x)\n")
    assert shell("diff", "-f", "two.txt")[2].startswith("gradcli: error: two.txt:2:1: unknown function 'sn'")
    Path("latin.txt").write_bytes(b"x\n\xff\n")
    assert shell("diff", "-f", "latin.txt")[2] == "gradcli: error: latin.txt:2: not UTF-8\n"


def test_expressions_from_files(shell: Shell) -> None:
    Path("e.txt").write_bytes(b"\xef\xbb\xbf# two outputs\r\nr = sqrt(x*x + y*y)\r\nu = log(r); v = 1/r\r\n")
    assert shell("eval", "-f", "e.txt", "--at", "x=3,y=4", "--csv")[1].splitlines()[0] == "x,y,u,v"
    given = process("eval", "-f", "-", "x", "--at", "x=3", "--csv", input="y = x*x\n")
    assert given.stdout == "x,f,y\n3.0,3.0,9.0\n"


def test_an_error_inside_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("one\ntwo")

    monkeypatch.setattr("gradcli.job.run", broken)
    code, out, err = shell("eval", "1")
    assert (code, out) == (3, "")
    assert err == "gradcli: error: internal error: ZeroDivisionError: one\n  --debug shows where\n"
    assert "Traceback" in shell("eval", "1", "--debug")[2]

    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("gradcli.job.run", full)
    assert shell("eval", "1") == (3, "", "gradcli: error: out of memory\n")

    def deep(*_: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr("gradcli.job.run", deep)
    assert shell("eval", "1")[0] == 3


# Notes.


def test_values_that_are_not_finite_are_counted(shell: Shell) -> None:
    words = ["diff", "log(x)", "--grid", "x=-1,0,1", "--csv"]
    code, out, err = shell(*words)
    assert (code, err.splitlines()[1:]) == (0, ["gradcli: note: 2 non-finite values in f, 2 in df_dx"])
    assert shell(*words, "-q") == (0, out, "")
    assert shell("eval", "exp(x)", "--at", "x=1000")[2] == "gradcli: note: 1 non-finite value in f\n"
    many = [f"log({k}*x)" for k in range(1, 12)]
    assert shell("eval", *many, "--at", "x=0")[2].endswith("1 in f8 and 3 in 3 more columns\n")


def test_strict(shell: Shell) -> None:
    words = ["diff", "log(x)", "--grid", "x=1,0,-1", "--strict"]
    for form in FORMATS:
        code, out, err = shell(*words, "--format", form)
        assert (code, out, err) == (1, "", "gradcli: error: at x=0.0: f is -inf\n")
    assert shell(*words, "-o", "o.csv")[0] == 1
    assert os.listdir() == []
    # A stream stops before the first block that holds one.
    code, out, err = shell("eval", "sqrt(1 - x)", "--grid", "x=0:1.1:400001", "--engine", "vector", "--csv", "--strict")
    assert code == 1
    assert re.fullmatch(r"gradcli: error: at x=1\.0000\d+: f is nan\n", err)
    assert out.startswith("x,f\n0.0,1.0\n")
    assert "nan" not in out
    assert out.endswith("\n")


def test_verbose(shell: Shell) -> None:
    told = r"gradcli: note: %s in [0-9.e-]+ s \([0-9,]+ a second\), steps %d, engine %s, threads %d\n"
    assert re.fullmatch(told % ("1 point", 1, "scalar", 1), shell("eval", "x*x", "--at", "x=1", "-v")[2])
    err = shell("eval", "x*x", "--grid", "x=0:1:1234", "-v", "--engine", "vector", "--threads", "3")[2]
    assert re.fullmatch(told % ("1,234 points", 1, "vector", 3), err)
    Path("x.csv").write_text("x\n1\n2\n")
    assert "note: 2 rows in " in shell("eval", "x*x", "--input", "x.csv", "-v")[2]
    assert "note: 6 points in " in shell("eval", "x*y", "--input", "x.csv", "--grid", "y=1,2,3", "-v")[2]
    # What is summed is counted before it is.
    err = shell("grad", "a*x*x", "--wrt", "a", "--at", "a=1", "--grid", "x=0:1:50", "-v")[2]
    assert re.fullmatch(told % ("50 points", 1, "scalar", 1), err)


def test_the_pace_of_long_and_of_no_time() -> None:
    from gradcli.cli.stderr import summary

    assert summary(10**8, "rows", 1234.5, 4, "vector", 2) == (
        "100,000,000 rows in 1,234 s (81,004 a second), steps 4, engine vector, threads 2"
    )
    assert summary(1, "rows", 0.0, 1, "scalar", 1).startswith("1 row in 0 s (no telling how many a second)")


# Files.


@pytest.mark.parametrize("name", sorted([name for name, row in FORMATS.items() if not row.binary]))
def test_a_file_holds_what_would_be_printed(name: str, shell: Shell) -> None:
    words = ["diff", "sin(x)*y", "--grid", "x=0:1:3", "--grid", "y=1,2"]
    _, printed, _ = shell(*words, "--format", name)
    for suffix in FORMATS[name].suffixes:
        assert shell(*words, "-o", f"o{suffix}") == (0, "", "")
        assert Path(f"o{suffix}").read_text() == printed
    assert shell(*words, "-o", "o", "--format", name) == (0, "", "")
    assert Path("o").read_text() == printed
    assert shell(*words, "-o", "-", "--format", name) == (0, printed, "")


@pytest.mark.parametrize("name", [name for name, row in FORMATS.items() if row.binary])
def test_binary_formats_go_to_files_and_pipes_alike(name: str, tmp_path: Path) -> None:
    if name == "parquet":
        pytest.importorskip("pyarrow")
    words = ["diff", "sin(x)*y", "--grid", "x=0:1:3", "--grid", "y=1,2"]
    piped = process(*words, "--format", name, text=False, check=True).stdout
    for suffix in FORMATS[name].suffixes:
        process(*words, "-o", f"o{suffix}", check=True)
        assert (tmp_path / f"o{suffix}").read_bytes() == piped
        again = process("eval", "z = x + y", "--input", f"o{suffix}", "--csv", check=True)
        assert len(again.stdout.splitlines()) == 7


def test_a_file_is_replaced_whole(shell: Shell) -> None:
    old = Path("real.csv")
    old.write_text("old")
    old.chmod(0o640)
    Path("link.csv").symlink_to("real.csv")
    node = old.stat().st_ino
    assert shell("eval", "1", "-o", "link.csv")[0] == 0
    assert Path("link.csv").is_symlink()
    assert old.read_text() == "f\n1.0\n"
    assert old.stat().st_ino != node
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert sorted(os.listdir()) == ["link.csv", "real.csv"]


def test_a_target_that_cannot_be_read_is_replaced_by_a_more_private_file(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, real = Path("o.csv"), os.open
    old.write_text("old")
    old.chmod(0o664)

    def unreadable(path: str, flags: int, *more: int, **given: int) -> int:
        if os.path.basename(path) == "o.csv" and not flags & (os.O_WRONLY | os.O_RDWR):
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *more, **given)

    monkeypatch.setattr(os, "open", unreadable)
    assert shell("eval", "1", "-o", "o.csv") == (0, "", "")
    assert (old.read_text(), stat.S_IMODE(old.stat().st_mode)) == ("f\n1.0\n", 0o644)


def test_a_new_file_has_the_usual_permissions(shell: Shell) -> None:
    before = os.umask(0o027)
    try:
        assert shell("eval", "1", "-o", "new.csv")[0] == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path("new.csv").stat().st_mode) == 0o640


def test_a_device_is_written_to(shell: Shell) -> None:
    assert shell("eval", "1", "-o", "/dev/null", "--csv") == (0, "", "")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.parametrize("path", ["no/o.csv", "folder.csv"])
def test_a_file_that_cannot_be_written(path: str, shell: Shell) -> None:
    Path("folder.csv").mkdir()
    code, out, err = shell("eval", "1", "-o", path)
    assert (code, out) == (3, "")
    assert err.startswith(f"gradcli: error: {path}: ")
    assert os.listdir() == ["folder.csv"]


def test_a_full_disk_leaves_nothing(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("o.csv").write_text("old")
    real = os.write

    def full(fd: int, data: bytes) -> int:
        if fd > 2:
            raise OSError(28, "No space left on device")
        return real(fd, data)

    monkeypatch.setattr(os, "write", full)
    assert shell("eval", "1", "-o", "o.csv") == (3, "", "gradcli: error: o.csv: No space left on device\n")
    assert os.listdir() == ["o.csv"]
    assert Path("o.csv").read_text() == "old"


# The environment.


def test_options_come_from_the_environment_too(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADCLI_ORDER", "2")
    monkeypatch.setenv("GRADCLI_FORMAT", "csv")
    monkeypatch.setenv("GRADCLI_AT", "x=1 y=2")
    monkeypatch.setenv("GRADCLI_QUIET", "1")
    assert shell("diff", "log(x-y/2)") == (0, "x,y,f,df_dx,df_dy,d2f_dx2,d2f_dxdy,d2f_dy2\n" + (
        "1.0,2.0,-inf,inf,-inf,-inf,inf,-inf\n"), "")  # fmt: skip
    # What is typed goes first.
    assert json.loads(shell("diff", "x*y", "--json", "--order", "0")[1])["columns"] == {"x": 1.0, "y": 2.0, "f": 2.0}
    monkeypatch.setenv("GRADCLI_DIGITS", "3")
    assert shell("eval", "x/3+y", "--csv")[0] == 0
    assert shell("eval", "x/3+y", "-o", "o.json")[0] == 0
    assert json.loads(Path("o.json").read_text())["columns"]["f"] == 1 / 3 + 2
    monkeypatch.setenv("GRADCLI_ORDER", "many")
    code, _, err = shell("diff", "x*y")
    assert code == 2
    assert "GRADCLI_ORDER" in err


@pytest.mark.parametrize(
    ("words", "environment", "colored"),
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        (["--color=always"], {"NO_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1", "TERM": "dumb"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        ([], {"GRADCLI_COLOR": "always"}, True),
        (["--color", "never"], {"GRADCLI_COLOR": "always"}, False),
    ],
)
def test_color(
    words: list[str], environment: dict[str, str], colored: bool, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    _, out, err = shell("diff", "log(x)", "--at", "x=0", *words)
    assert ("\x1b[" in out, "\x1b[" in err) == (colored, colored)
    assert re.sub(r"\x1b\[[0-9;]*m", "", out) == "  x     f  df_dx\n0.0  -inf    inf\n"
    _, _, err = shell("diff", "sn(x)", *words)
    assert ("\x1b[" in err) == colored


# On a terminal.


def on_a_terminal(*words: str, **more: str) -> tuple[str, str]:
    """(stdout as a terminal got it, stderr)."""
    ours, theirs = pty.openpty()
    env = environment(**{"TERM": "xterm", "COLUMNS": "40"} | more)
    with subprocess.Popen([*COMMAND, *words], stdout=theirs, stderr=subprocess.PIPE, env=env) as child:
        os.close(theirs)
        out = read_all(ours)
        assert child.stderr is not None
        err = child.stderr.read()
    return out.replace("\r\n", "\n"), err.decode()


def read_all(terminal: int) -> str:
    """What a terminal got until nobody holds its other end, which Linux tells as an error and macOS as an end."""
    out = b""
    with suppress(OSError):
        while data := os.read(terminal, 65536):
            out += data
    os.close(terminal)
    return out.decode()


def test_a_terminal_adds_colour_and_fitting_but_no_other_data() -> None:
    words = ["diff", "x/3*y", "--at", "x=1,y=2"]
    piped = process(*words).stdout
    shown, err = on_a_terminal(*words)
    assert err == ""
    records = [line.split() for line in re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()]
    assert dict(records) == dict(zip(*map(str.split, piped.splitlines()), strict=True))
    assert "\x1b[1m" in shown
    assert on_a_terminal(*words, TERM="dumb", COLUMNS="200")[0] == piped
    assert on_a_terminal(*words, NO_COLOR="1", COLUMNS="200")[0] == piped


def test_a_table_stops_after_a_screenful_and_counts_all_the_same(tmp_path: Path) -> None:
    """The rest is computed, since its values that are not finite are told, and an error is one."""
    (tmp_path / "x.csv").write_text("x\n" + "1\n" * 40 + "-1\n")
    shown, err = on_a_terminal("eval", "sqrt(x)", "-i", "x.csv", LINES="13")
    assert shown.endswith("\n 1.0  1.0\n41 rows, 10 shown; --all\n") and shown.count("\n") == 12
    assert err == "gradcli: note: 1 non-finite value in f\n"
    assert on_a_terminal("eval", "sqrt(x)", "-i", "x.csv", "--all", LINES="13")[0].count("\n") == 42
    assert on_a_terminal("eval", "sqrt(x)", "-i", "x.csv", "--csv", LINES="13")[0].count("\n") == 42
    with open("x.csv", "a") as file:
        file.write("oops\n")
    assert "x.csv:43" in on_a_terminal("eval", "sqrt(x)", "-i", "x.csv", LINES="13")[1]


def test_widths_are_those_on_a_screen(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("city,x\nZürich,1.5\n東京,10.25\ne\u0301,3\n", encoding="utf-8")
    assert process("eval", "x", "-i", "t.csv", "--keep", encoding="utf-8").stdout == (
        "  city      x      f\nZürich   1.5    1.5\n  東京  10.25  10.25\n     e\u0301   3      3.0\n"
    )


def test_text_fits_a_terminal(shell: Shell) -> None:
    """From 40 cells on, and 100 at most where there are more."""
    long = " + ".join(f"sin({k}*x)*`東京`*exp(-y/{k})" for k in range(1, 9))
    commands = [["help"], *[[name, "--help"] for name in COMMANDS], ["functions"], ["functions", "where"]]
    topics_ = [["help", name, "--full"] for name in ("points", "formats", "cookbook-ci", "options")]
    results = [
        ["explain", long, "--wrt", "x", "--at", "x=1,y=2,`東京`=3"],
        ["check", long, "--claim", "df_dx = sin(x)"],
    ]
    for words in [*commands, *topics_, *results]:
        _, piped, _ = shell(*words)
        for columns in (40, 64, 250):
            shown, err = on_a_terminal(*words, COLUMNS=str(columns), NO_COLOR="1")
            assert err == ""
            assert max(map(display_width, shown.split("\n"))) <= min(columns, 100), words
            # Nothing is lost but blanks, and the marks that continue a line.
            assert re.sub(r"\s|\\\n|```", "", shown) == re.sub(r"\s|\\\n", "", piped), words


def on_a_terminal_alone(*words: str, columns: int, send: bytes = b"") -> str:
    """All that a terminal got that is stdin, stdout and stderr in one."""
    ours, theirs = pty.openpty()
    env = environment(TERM="xterm", COLUMNS=str(columns), NO_COLOR="1")
    with subprocess.Popen([*COMMAND, *words], stdin=theirs, stdout=theirs, stderr=theirs, env=env):
        os.close(theirs)
        os.write(ours, send)
        return read_all(ours).replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [40, 56, 300])
def test_carets_fit_a_terminal_and_stand_below_their_place(columns: int) -> None:
    for before, after in (
        ("x + ", ""),
        ("`東京`*" * 20, ""),
        ("", " + `東京`" * 20),
        ("x*y + " * 30, " - `東`/y" * 30),
    ):
        shown = on_a_terminal_alone("eval", f"{before}sn(x){after}", columns=columns)
        assert max(map(display_width, shown.split("\n"))) <= min(columns, 100)
        source, carets = shown.splitlines()[-2:]
        assert display_width(source.partition("sn(x)")[0]) == carets.index("^") and carets.strip() == "^^"
        assert "unknown function 'sn'" in shown


def test_who_reads_from_a_keyboard_says_so() -> None:
    words = ["eval", "2*x", "--input", "-", "--csv"]
    for more, told in (([], "gradcli: note: waiting for rows from the keyboard; Ctrl-D ends them\n"), (["-q"], "")):
        shown = on_a_terminal_alone(*words, *more, columns=80, send=b"x\n21\n\x04")
        assert shown.replace("^D\x08\x08", "").replace("x\n21\n", "", 1) == f"{told}x,f\n21.0,42.0\n"
    assert "waiting for expressions" in on_a_terminal_alone("eval", "-f", "-", columns=80, send=b"1\n\x04")
    assert "waiting" not in process(*words, input="x\n1\n").stderr


UNSEEN = "\x01\x07\x1b[31m\x7f\x85\x9b31m\x9d\u200b\u2028\u202e\u2066\ufeff\U000e0001"


@pytest.mark.parametrize("form", ["csv", "tsv", "json", "jsonl"])
@pytest.mark.parametrize("command", ["eval", "diff"])
def test_a_terminal_is_shown_what_cannot_be_seen(form: str, command: str, tmp_path: Path) -> None:
    """Names, cells and expressions alike; a pipe gets them as they are."""
    (tmp_path / "in.json").write_text(json.dumps({f"n{UNSEEN}": ["t" + UNSEEN], "x": [1]}))
    (tmp_path / "x.grad").write_text(f"`q{UNSEEN}` = x")
    words = [command, "-f", str(tmp_path / "x.grad"), f"--{form}"]
    if command == "eval":
        words += ["-i", str(tmp_path / "in.json"), "--keep"]
    piped, (shown, _) = process(*words).stdout, on_a_terminal(*words)
    assert UNSEEN[-1] in piped
    assert all(map(str.isprintable, shown.replace("\t" if form == "tsv" else "\n", "\n").split("\n")))
    if form.startswith("json"):
        read = json.loads if form == "json" else lambda text: [json.loads(line) for line in text.split("\n") if line]
        assert read(shown) == read(piped)
    else:
        assert shown == "".join(c if c in "\n\t" else printable(c) for c in piped)


def test_verdicts_and_explanations_as_json_on_a_terminal() -> None:
    for words in (["check", "`x\u202e`**2", "--claim", "2*`x\u202e`"], ["explain", "`x\u202e`**2"]):
        piped, (shown, _) = process(*words, "--json").stdout, on_a_terminal(*words, "--json")
        assert "\u202e" in piped
        assert (shown.strip().isprintable(), json.loads(shown)) == (True, json.loads(piped))


def test_progress_only_on_a_terminal_and_only_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    from gradcli.cli import stderr

    said: list[str] = []
    now = [0.0]
    monkeypatch.setattr(stderr, "tell", said.append)
    monkeypatch.setattr(stderr, "monotonic", lambda: now[0])
    progress = stderr.Progress("points")
    progress(10, 0.05)
    progress.erase()
    assert said == []
    for seconds, done, part in ((1.5, 1050, 0.259), (1.55, 1060, 0.26), (1.7, 20, None)):
        now[0] = seconds
        progress(done, part)
    progress.erase()
    progress.erase()
    long, short = "gradcli: 1,050 points, 25 %, 700 a second, 5 s left", "gradcli: 20 points, 12 a second"
    assert said == [f"\r{long}", f"\r{short.ljust(len(long))}", f"\r{' ' * len(short)}\r"]
    said.clear()
    now[0] = 1000.0
    progress(3_000_000, 0.25)
    now[0] = 2000.0
    progress(3_000_000, 0.1)
    assert [text.strip("\r").rstrip() for text in said] == [
        "gradcli: 3,000,000 points, 25 %, 3,000 a second, 50 min 0 s left",
        "gradcli: 3,000,000 points, 10 %, 1,500 a second, 5 h 0 min left",
    ]


def test_progress_of_rows_on_a_terminal() -> None:
    """Four processes at once, whose producer rests for longer than a second once the first answer is there."""
    command, env = [*COMMAND, "eval", "x", "--input", "-", "--csv"], environment(TERM="xterm")
    started = []
    for words, on_terminal in (([], False), (["-q"], False), (["--no-progress"], False), ([], True)):
        ours, theirs = pty.openpty()
        child = subprocess.Popen(
            [*command, *words], stdin=subprocess.PIPE, stdout=theirs if on_terminal else subprocess.PIPE,
            stderr=theirs, env=env,
        )  # fmt: skip
        os.close(theirs)
        started.append((child, ours))
    for child, _ in started:
        assert child.stdin
        child.stdin.write(b"x\n1\n")
        child.stdin.flush()
    for child, _ in started:
        if child.stdout is not None:
            assert [child.stdout.readline() for _ in range(2)] == [b"x,f\n", b"1.0,1.0\n"]
    time.sleep(1.05)
    shown = []
    for child, ours in started:
        child.communicate(b"2\n", timeout=PATIENCE)
        shown.append(read_all(ours))
        assert child.returncode == 0
    assert re.fullmatch(r"(\rgradcli: 1 row, \d+ a second *)?\rgradcli: 2 rows, \d+ a second *\r +\r", shown[0])
    assert shown[1:] == ["", "", "x,f\r\n1.0,1.0\r\n2.0,2.0\r\n"]


# What a process loads.


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["diff", "--help"],
        ["show", "x**3*sin(x)"],
        ["diff", "x**2", "--at", "x=3"],
        ["diff", "x**2", "--order", "2", "--grid", "3x4", "--json"],
        ["eval", "sin(x)", "--grid", "x=0:2*pi:101", "--csv"],
        ["version", "--json"],
    ],
)
def test_small_work_never_imports_numpy(words: list[str]) -> None:
    code = "import sys; from gradcli.cli import run; sys.exit(run(sys.argv[1:]) or 7 * ('numpy' in sys.modules))"
    subprocess.run([sys.executable, "-c", code, *words], env=environment(), check=True, capture_output=True)


def test_help_and_version_load_no_parser() -> None:
    heavy = {"lark", "orjson", "gradcli.language", "gradcli.job"}
    code = f"import sys; from gradcli.cli import run; sys.exit(run(sys.argv[1:]) or bool({heavy} & set(sys.modules)))"
    for word in ("--help", "--version"):
        subprocess.run([sys.executable, "-c", code, word], env=environment(), check=True, capture_output=True)


# As a part of a program.


def test_a_command_line_runs_off_the_main_thread(tmp_path: Path) -> None:
    """Where Python sets no handlers of signals."""
    (tmp_path / "x.csv").write_text("x\n1\n2\n")
    lines = [
        ["--help"],
        ["eval", "x", "-i", "x.csv", "-o", "o.csv"],
        ["check", "x", "--claim", "2", "--junit", "r.xml"],
    ]
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.extend(map(run, lines)))
    thread.start()
    thread.join(PATIENCE)
    assert codes == [0, 0, 1]
    assert Path("o.csv").read_text() == "x,f\n1.0,1.0\n2.0,2.0\n" and Path("r.xml").exists()


def test_public_names_alone_are_listed() -> None:
    assert {*gradcli.__all__} < {*dir(gradcli)}
    assert all(hasattr(gradcli, name) for name in dir(gradcli))
    assert {"erf", "besselj", "sinc"} <= {*dir(gradcli)} and not {"errors", "cli", "dgauss"} & {*dir(gradcli)}


# Telling about itself.


def test_every_command_has_help_with_three_examples_that_run(shell: Shell) -> None:
    for name in COMMANDS:
        code, out, err = shell(name, "--help")
        assert (code, err) == (0, "")
        examples = re.findall(r"^  ((?:eval \")?\$?\(?gradcli .*)$", out.split("Usage:")[0], re.M)
        assert len(examples) >= (2 if name == "version" else 3)
        assert shell("help", name)[1] == out
    for words in (("--help",), ("-h",), ("diff", "-h")):
        assert shell(*words)[1].startswith("Examples:\n  gradcli diff ")


def test_examples_run(shell: Shell) -> None:
    import shlex

    Path("runs.csv").write_text("a,b,t,q,name\n1,2,3,0.5,u\n2,3,4,0.25,v\n")
    # Those of `completion` are for shells, which run them in the tests of the docs; `check` and `parts` read files.
    for name in COMMANDS.keys() - {"check", "completion", "parts"}:
        module, attribute, _ = COMMANDS[name]
        for example in getattr(import_module(f"gradcli.cli.{module}"), attribute).examples:
            code, out, err = shell(*shlex.split(example)[1:])
            assert (code, err) == (0, ""), example
            assert out or "-o " in example
    for example in ("gradcli --help", *__import__("gradcli.cli").cli.EXAMPLES):
        assert shell(*shlex.split(example)[1:])[0] == 0


@pytest.mark.quick
def test_every_option_is_declared_once_for_all_commands() -> None:
    context = click.Context(group())
    seen: dict[str, tuple[type, bool]] = {}
    rows = [
        ({word for word in spelled if word.startswith("-")}, about["help"]) for spelled, about in options.ROWS.values()
    ]
    for name in COMMANDS:
        command = group().get_command(context, name)
        assert command is not None
        for param in command.params:
            if isinstance(param, click.Option) and (name, param.name) not in {
                ("version", "json"),
                ("show", "language"),
                ("show", "environment"),
            }:
                told = (type(param.type), param.multiple)
                assert seen.setdefault(str(param.name), told) == told
                assert (set(param.opts), param.help) in [*rows, ({"-h", "--help"}, "Show this help.")]


def test_help_stands_in_sections_and_speaks_of_its_own_command(shell: Shell) -> None:
    def sections(name: str) -> list[str]:
        return re.findall(r"^(\w+):$", shell(name, "--help")[1], re.M)

    assert sections("diff") == ["Examples", "Options", "Points", "Files", "Parts", "Output", "Engine"]
    assert sections("check") == ["Examples", "Options", "Claims", "Points", "Files", "Output", "Engine"]
    assert sections("version") == ["Examples", "Options", "Output"]
    for name in COMMANDS:
        spoken = shell(name, "--help")[1].partition("\nOptions:")[2]
        # An option may have the name of a command, and its help that word.
        spoken = re.sub(r"(?m)^  --(?:tangent|taylor) .*$", "", spoken)
        others = {other for other in COMMANDS if re.search(rf"\b{other}\b(?! an?\b)", spoken)} - {name, "help"}
        # "show" is a verb too: the traceback is shown; and parts are what a folder of results holds.
        assert not others - {"show", "functions", "version", "parts"}, name
    titles = [title for title, names in options.SECTIONS.items() for _ in names.split()]
    names = [name for names in options.SECTIONS.values() for name in names.split()]
    assert len(names) == len(set(names)) == len(titles) and set(names) <= options.CommandLine.__annotations__.keys()


def test_gradcli_alone_shows_examples_and_the_commands(shell: Shell) -> None:
    code, out, err = shell()
    assert (code, out) == (2, "")
    assert err.startswith("gradcli: error: no command given\n  see: gradcli --help\nExamples:\n  gradcli diff ")
    assert len(re.findall(r"^  gradcli ", err, re.M)) == 4
    assert re.findall(r"^  (\w+)  ", err, re.M) == list(COMMANDS)


@pytest.mark.quick
def test_topics(shell: Shell) -> None:
    _, overview, _ = shell("help")
    for name, title in topics().items():
        assert re.search(rf"^  {name}[ ,].*  {re.escape(title)}$", overview, re.M)
        code, whole, err = shell("help", name, "--full")
        assert (code, err) == (0, "")
        assert whole.startswith(f"{title}\n\n")
        if name not in COMMANDS:
            code, out, err = shell("help", name)
            assert (code, err) == (0, "")
            lead, _, rest = out.partition("\n\nAll of it: ")
            assert whole.startswith(lead)
            assert rest in ("", f"gradcli help {name} --full\n")
            # Without a rest to name, this is the whole page; with one, a title and something said.
            assert lead == whole if not rest else lead.removeprefix(f"{title}\n\n").strip()
    for name, page in SYNONYMS.items():
        assert f" {name} " in overview
        assert shell("help", name)[1].startswith(topics()[page])
    assert all(re.search(rf"`{code}` +{meaning[:20]}", shell("help", "exit-codes")[1])
               for code, meaning in EXIT_CODES.items())  # fmt: skip
    said = " ".join(shell("help", "formats")[1].split())
    assert all(row.doc in said for row in FORMATS.values())


@pytest.mark.parametrize("name", ["../README", "index/../tutorial", "/etc/hostname", "schemas", ""])
def test_a_topic_is_no_path(name: str, shell: Shell) -> None:
    code, out, err = shell("help", name)
    assert (code, out) == (2, "")
    assert err.startswith(f"gradcli: error: no help on '{name}'")


def test_functions(shell: Shell) -> None:
    _, out, _ = shell("functions")
    assert re.search(r"^atan2\(y, x\) +\S", out, re.M)
    assert re.search(r"^max\(x, y, \.\.\.\) +\S", out, re.M)
    _, out, _ = shell("functions", "arctan")
    assert out.startswith("atan(x)  ")
    assert "\ndomain: " in out
    assert "\ndatan_dx = " in out
    from gradcli.functions import SPELLED

    for name, row in SPELLED.items():
        if not row.internal:
            assert shell("functions", name)[0] == 0, name


@pytest.mark.quick
def test_one_function(shell: Shell) -> None:
    for name, told in {
        "besselj": "besselj(n, x)  Bessel function J of order n\ndomain: all x\n"
        "dbesselj_dx = besselj(0, x)/2 - besselj(2, x)/2  (for n = 1)\n"
        "n is any real number; x >= 0 unless it is whole\nneeds: scipy\n",
        "ln": "log(x)  natural logarithm\ndomain: x > 0\nalso written: ln\ndlog_dx = 1/x\n"
        "log(0) = -inf, slope inf at 0; nan below\n",
        "max": "max(x, y, ...)  greatest of its arguments\ndomain: all x\nalso written: maximum\n"
        "ties share equally; nan if any is nan; max(x) is the greatest of all points\n",
        "where": "where(condition, a, b)  a where the condition holds, else b\ndomain: all x\n"
        "selects, never multiplies: nothing leaks from the branch not taken\n",
        "sum": "sum(x)  sum over all points\ndomain: all x\nrounded once, whatever the order of the points\n",
    }.items():
        assert shell("functions", name) == (0, told, "")


def test_version(shell: Shell) -> None:
    _, out, _ = shell("version", "--json")
    found = json.loads(out)
    assert list(found)[:2] == ["gradcli", "python"]
    assert found["formats"] == list(FORMATS)
    assert found["numpy"] and found["orjson"] and found["lark"] and found["click"]
    assert shell("--version")[1] == f"gradcli {gradcli.__version__}\n" == shell("-V")[1]
    assert shell("version")[1].splitlines()[1] == f"python {found['python']}"


@pytest.mark.parametrize("name", ["bash", "zsh", "fish", "powershell"])
def test_completion(name: str, shell: Shell) -> None:
    code, out, err = shell("completion", name)
    assert (code, err) == (0, "")
    assert "_GRADCLI_COMPLETE" in out


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("gradcli di", "diff"), ("gradcli diff --gr", "--grid"), ("gradcli diff -x**2 --format ts", "tsv")],
)
def test_completing(typed: str, offered: str) -> None:
    done = process(
        env=environment(_GRADCLI_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD=str(len(typed.split()) - 1))
    )
    assert f"plain,{offered}" in done.stdout.split()


def test_powershell_asks_for_the_word_at_the_cursor() -> None:
    asked = {"_GRADCLI_COMPLETE": "powershell_complete", "COMP_WORDS": "gradcli\ndiff\nx y\n--format"}
    assert process(env=environment(**asked, COMP_CWORD="ts")).stdout.splitlines() == ["plain\ttsv\t"]
    # Without a word at the cursor there is no such variable.
    assert "plain\tparquet\t" in process(env=environment(**asked)).stdout.splitlines()
    typed = environment(**asked | {"COMP_WORDS": "gradcli", "COMP_CWORD": "vers"})
    assert process(env=typed).stdout.startswith("plain\tversion\tVersions ")


@pytest.mark.parametrize(
    "asked", ["powershell", "bash_complete", "zsh_complete", "fish_complete", "bash", "_", "no_complete", "fish_"]
)
@pytest.mark.parametrize(
    "words", [{}, {"COMP_WORDS": ""}, {"COMP_CWORD": "1"}, {"COMP_WORDS": "gradcli di", "COMP_CWORD": " "}]
)
def test_what_no_shell_asks_is_a_plain_error(
    asked: str, words: dict[str, str], shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (asked, words.get("COMP_CWORD")) == ("fish_complete", " ") and version("click") < "8.2":
        pytest.skip("click before 8.2 takes a blank word from fish")
    for name, value in {"_GRADCLI_COMPLETE": asked, **words}.items():
        monkeypatch.setenv(name, value)
    code, out, err = shell()
    assert (code, out) == (2, "")
    assert err.startswith("gradcli: error: _GRADCLI_COMPLETE is ")


def test_nothing_completes_words_that_are_wrong() -> None:
    done = process(env=environment(_GRADCLI_COMPLETE="bash_complete", COMP_WORDS="gradcli nonsense -", COMP_CWORD="2"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_headings_of_awkward_names_read_back(shell: Shell) -> None:
    code, out, _ = shell("diff", "`temp C`**2")
    assert (code, out) == (0, "f = `temp C`**2\n`df_dtemp C` = 2*`temp C`\n")
    with open("slopes.txt", "w") as file:
        file.write(out)
    assert shell("eval", "-f", "slopes.txt", "--at", "`temp C`=3", "--csv")[1].endswith("3.0,9.0,6.0\n")


def test_rounding_for_a_table_never_makes_an_infinity(shell: Shell) -> None:
    assert "inf" not in shell("eval", "x", "--at", "x=1.7976931348623157e308", "--digits", "3")[1]


@pytest.mark.skipif(os.name != "posix", reason="device files")
def test_expressions_without_end_are_refused(shell: Shell) -> None:
    code, out, err = shell("diff", "-f", "/dev/zero")
    assert (code, out) == (2, "")
    assert "beyond the limit" in err


@pytest.mark.skipif(os.name != "posix", reason="symbolic links")
def test_a_link_to_itself_is_no_target(shell: Shell) -> None:
    os.symlink("loop.csv", "loop.csv")
    code, _, err = shell("eval", "1", "-o", "loop.csv")
    assert (code, os.path.islink("loop.csv")) == (3, True)
    assert "symbolic links" in err


@pytest.mark.parametrize("engine", ["scalar", "vector", "native"])
def test_engines_agree_where_the_sign_of_a_nan_is_asked_for(shell: Shell, engine: str) -> None:
    out = shell("eval", "copysign(x, log(-y))", "--at", "x=1,y=1", "--engine", engine, "--csv")[1]
    assert out.endswith("1.0,1.0,nan\n")


def test_an_even_power_of_an_absolute_value_has_no_kink(shell: Shell) -> None:
    assert shell("diff", "abs(x)**2", "-n", "2", "--at", "x=0", "--csv")[1].endswith("0.0,0.0,0.0,2.0\n")
