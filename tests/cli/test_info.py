"""The commands functions and help, commands of other names, and the note on names that look like calls."""

import json
from pathlib import Path

import pytest
from command import Shell

from gradcli.cli import COMMANDS
from gradcli.cli.topics import TASKS
from gradcli.functions import SPELLED, TABLE

pytestmark = [pytest.mark.quick, pytest.mark.usefixtures("empty_folder")]

PUBLIC = [row.name for row in TABLE.values() if not row.internal and row.name in SPELLED]


def test_versions_tell_of_every_library_that_is_installed_with_gradcli(shell: Shell) -> None:
    versions = json.loads(shell("version", "--json")[1])
    assert {"click", "lark", "numpy", "orjson", "python-flint"} <= {*versions}


def test_functions_are_listed_in_groups(shell: Shell) -> None:
    code, out, err = shell("functions")
    groups = [block.splitlines() for block in out.split("\n\n")]
    assert (code, err) == (0, "")
    assert [group[0] for group in groups][:4] == ["Arithmetic and choice", "Roots", "Exponentials and logarithms",
                                                  "Trigonometric"]  # fmt: skip
    listed = [line.partition("(")[0] for group in groups for line in group[1:] if line]
    assert listed == PUBLIC
    assert any(line.startswith("acosh(x)") and line.endswith("; x >= 1") for group in groups for line in group)


def test_functions_by_names_and_by_words(shell: Shell) -> None:
    _, erf, _ = shell("functions", "erf")
    _, gamma, _ = shell("functions", "gamma")
    assert shell("functions", "erf", "gamma", "erf") == (0, f"{erf}\n{gamma}", "")
    _, out, _ = shell("functions", "bessel")
    assert [f"bessel{kind}(n, x)  " in out for kind in "jyik"] == [True] * 4
    assert "\ndbesselk_dx = " in out and "domain: x > 0" in out
    _, out, _ = shell("functions", "Hyperbolic")
    assert "sinh(x)  hyperbolic sine" in out and "sin(x)  " not in out
    _, out, _ = shell("functions", "binary")
    assert out.startswith("log2(x)  ")
    assert shell("functions", "erf(x)") == (0, erf, "")


def test_functions_as_json(shell: Shell) -> None:
    _, out, _ = shell("functions", "arcsin", "polygamma", "--json")
    answer = json.loads(out)
    asin, polygamma = answer["functions"]
    assert answer["schema"] == "gradcli-functions/1"
    assert asin == {
        "name": "asin", "call": "asin(x)", "doc": "inverse sine", "group": "Trigonometric", "domain": "-1 <= x <= 1",
        "slopes": {"x": "1/sqrt(1 - x**2)"}, "synonyms": ["arcsin"], "notes": None, "needs": None,
    }  # fmt: skip
    assert (polygamma["slopes"], polygamma["needs"]) == ({"x": "polygamma(2, x)"}, "scipy")
    everything = json.loads(shell("functions", "--json")[1])["functions"]
    assert all(row["group"] for row in everything)
    assert [row["name"] for row in everything] == [
        row.name for row in TABLE.values() if not row.internal and row.name in SPELLED
    ]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("sind", "sind(x) is sin(pi*x/180)"), ("square", "square(x) is x**2"), ("expint", "there is no function here"),
     ("sqr", "sqr(x) is x**2 or sqrt(x)"), ("integrate", "there are no integrals here"),
     ("arctn", "did you mean 'arctan'?")],
)  # fmt: skip
def test_a_function_of_another_language_is_told_from_ours(name: str, hint: str, shell: Shell) -> None:
    code, out, err = shell("functions", name)
    assert (code, out) == (2, "")
    assert err.startswith(f"gradcli: error: unknown function '{name}'\n  {hint}")


def test_help_on_several_things_and_by_words(shell: Shell) -> None:
    _, sine, _ = shell("functions", "sin")
    assert shell("help", "sin") == (0, sine, "")
    assert shell("help", "arcsin") == (0, shell("functions", "asin")[1], "")
    assert shell("help", "diff", "sin") == (0, f"{shell('help', 'diff')[1]}\n{sine}", "")
    _, out, _ = shell("help", "kink")
    assert [line.split()[0] for line in out.splitlines()] == ["functions", "hard-points", "check"]
    assert shell("help", "chart")[2].startswith("gradcli: error: no help on 'chart'\n  that is: gradcli plot")


def test_commands_of_other_names_lead_to_those_here(shell: Shell) -> None:
    assert not TASKS.keys() & COMMANDS.keys()
    for word, text in TASKS.items():
        code, out, err = shell(word, "x**2")
        assert (code, out, err) == (2, "", f"gradcli: error: No such command: {word}\n  {text}\n")
        assert any(f"gradcli {name}" in text for name in COMMANDS) or "there is no command for that" in text
    assert shell("LaTeX", "x")[2].endswith("gradcli show EXPR --as latex|mathml|dot|svg\n")


NOTE = "gradcli: note: sinx is read as one variable (did you mean sin(x)?)\n"


@pytest.mark.parametrize(
    "words",
    [["diff", "sinx"], ["diff", "sinx", "--json"], ["show", "sinx*2"], ["show", "sinx", "--as", "c"],
     ["explain", "sinx"], ["diff", "sinx", "--wrt", "x", "--allow-unused"]],
)  # fmt: skip
def test_a_name_like_a_call_is_noted(words: list[str], shell: Shell) -> None:
    code, out, err = shell(*words)
    assert (code, err) == (0, NOTE)
    assert shell(*words, "-q") == (0, out, "") or words[0] == "explain"


def test_a_name_that_is_bound_is_not_noted(shell: Shell) -> None:
    Path("rows.csv").write_text("sinx\n1\n")
    for words in (["--at", "sinx=2"], ["--grid", "sinx=0:1:3"], ["--wrt", "sinx"], ["--input", "rows.csv"]):
        assert shell("diff", "sinx**2", *words)[::2] == (0, "")
    assert shell("diff", "sinks")[2] == ""
    code, _, err = shell("eval", "sin(PI*x)", "--at", "x=2")
    assert code == 2
    assert err.endswith("  PI is read as one variable (did you mean pi?); or give it one: --at PI=..., or several: "
                        "--grid PI=0:1:11\n")  # fmt: skip


def test_a_column_with_a_point_leads_to_backquotes(shell: Shell) -> None:
    Path("iris.csv").write_text("Sepal.Length,Sepal.Width\n5.1,3.5\n")
    code, _, err = shell("eval", "Sepal.Length*2", "--input", "iris.csv")
    assert code == 2
    assert err.endswith("write `Sepal.Length`*2\n")
    assert shell("eval", "`Sepal.Length`*2", "--input", "iris.csv", "--csv")[1].endswith("10.2\n")
