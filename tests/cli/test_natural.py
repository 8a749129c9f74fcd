"""The option --natural: what each command reads with it, how it tells that, and which names are known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command import Shell, environment

from gradcli.cli import COMMANDS, group

pytestmark = pytest.mark.quick

READ = "gradcli: note: read as "

DOORS = [
    (["diff", "3x² - 1"], "3*x**2 - 1"),
    (["diff", "3x²", "--at", "x=2"], "3*x**2"),
    (["diff", "3x²", "--raw"], "3*x**2"),
    (["eval", "sin 2x", "--at", "x=0"], "sin(2*x)"),
    (["grad", "3x²", "--wrt", "x", "--at", "x=2"], "3*x**2"),
    (["grad", "3x²", "--wrt", "x", "--create-graph"], "3*x**2"),
    (["show", "3x²"], "3*x**2"),
    (["show", "3x²", "--as", "latex"], "3*x**2"),
    (["show", "3x²", "--as", "c"], "3*x**2"),
    (["check", "3x²", "--claim", "6x"], "3*x**2; 6*x"),
    (["check", "x²", "--equals", "x x"], "x**2; x*x"),
    (["check", "u²", "--let", "u = 3x", "--claim", "df_dx = 18x"], "u**2; u = 3*x; df_dx = 18*x"),
    (["explain", "x sin x"], "x*sin(x)"),
    (["plot", "3x²", "--grid", "x=-1:1"], "3*x**2"),
    (["plot", "3x y", "--grid", "x=-1:1", "--grid", "y=0:1", "-o", "map.svg"], "3*x*y"),
    (["diff", "3x²", "--grid", "x=-1:1", "-o", "curve.svg"], "3*x**2"),
    (["propagate", "2πr", "--at", "r=1.00(1)"], "2*pi*r"),
    (["propagate", "2πr", "--at", "r=1.00(1)", "--csv"], "2*pi*r"),
    (["propagate", "2πr", "--u", "r=0.1", "--grid", "r=1,2"], "2*pi*r"),
    (["propagate", "2πr"], "2*pi*r"),
]
PROVED = [
    (["bounds", "3x²", "--over", "x=0:1"], "3*x**2"),
    (["tangent", "3x²", "--at", "x=1"], "3*x**2"),
    (["taylor", "3x²"], "3*x**2"),
    (["implicit", "x² + y² = 2x"], "x**2 + y**2 = 2*x"),
    (["implicit", "x² + y² = 25", "--at", "x=3,y=4"], "x**2 + y**2 = 25"),
    (["study", "x² - 2x", "--grid", "x=-5:5"], "x**2 - 2*x"),
]
"""Commands that need python-flint."""
NO_JSON = {"--as", "-o", "--csv", "plot"}


def told(err: str) -> list[str]:
    return [line.removeprefix(READ) for line in err.splitlines() if line.startswith(READ)]


@pytest.mark.parametrize(("words", "strict"), [*DOORS, *PROVED])
def test_every_door_reads_and_tells_it(shell: Shell, words: list[str], strict: str) -> None:
    if (words, strict) in PROVED:
        pytest.importorskip("flint")
    code, out, err = shell(*words, "--natural")
    assert (code, told(err)) == (0, [strict])
    assert shell(*words, "--natural", "-q") == (0, out, "")
    if not NO_JSON & {*words}:
        data = json.loads(shell(*words, "--natural", "--json")[1])
        assert data["read_as"] == strict


def test_a_strict_text_has_no_note_and_no_member(shell: Shell) -> None:
    words = ["diff", "3*x^2 - sin(2*x)", "--at", "x=1", "--json"]
    assert shell(*words, "--natural") == shell(*words)
    assert "read_as" not in json.loads(shell(*words, "--natural")[1])


def test_every_command_with_expressions_has_the_option() -> None:
    cli = group()
    commands = [cli.get_command(None, name) for name in COMMANDS]  # type: ignore[arg-type]
    having = {c.name for c in commands if c and {p.name for p in c.params} >= {"expr", "natural"}}
    assert having == {c.name for c in commands if c and any(p.name == "file" for p in c.params)}


def test_the_environment_sets_it(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADCLI_NATURAL", "1")
    assert shell("eval", "2x", "--at", "x=3", "-q") == (0, "  x    f\n3.0  6.0\n", "")
    monkeypatch.setenv("GRADCLI_NATURAL", "0")
    assert shell("eval", "2x", "--at", "x=3")[0] == 2


def test_two_readings_are_an_error(shell: Shell) -> None:
    code, out, err = shell("diff", "x + 1/2x", "--natural")
    assert (code, out) == (2, "")
    assert "\n  x + 1/2x\n       ^^^\n" in err
    assert "(1/2)*x or" in err
    assert "1/(2*x)" in err


def test_without_it_an_error_offers_it(shell: Shell) -> None:
    for words in (["diff", "3x + 1"], ["check", "x", "--claim", "2x"], ["implicit", "2x = y"]):
        code, _, err = shell(*words)
        assert code == 2, words
        assert "--natural" in err, words
    assert "--natural" not in shell("diff", "3*x +")[2]


# Names.


@pytest.mark.parametrize(
    "words",
    [
        ["eval", "2rate", "--at", "rate=1"],
        ["eval", "2rate", "--grid", "rate=1,2"],
        ["diff", "2rate", "--wrt", "rate"],
        ["show", "a rate", "--wrt", "rate"],
        ["plot", "2rate", "--grid", "rate=0:1"],
        ["check", "2rate", "--let", "rate = 3x", "--claim", "df_dx = 6"],
        ["check", "`rate` x", "--claim", "df_dx = 1rate"],
        ["propagate", "2rate", "--at", "rate=1.0(1)"],
        ["eval", "rate = 3x; 2rate", "--at", "x=1"],
    ],
)
def test_names_of_options_and_definitions_are_known(shell: Shell, words: list[str]) -> None:
    assert shell(*words, "--natural", "-q")[0::2] == (0, "")
    assert shell("eval", "2rate", "--natural")[0] == 2


def test_names_of_proving_commands_are_known(shell: Shell) -> None:
    pytest.importorskip("flint")
    for words in (
        ["bounds", "2rate", "--over", "rate=0:1"], ["study", "2rate", "--grid", "rate=-1:1"],
        ["tangent", "2rate", "--at", "rate=1"], ["taylor", "2rate", "--wrt", "rate"],
        ["implicit", "2rate = 3x", "--solve", "rate"],
    ):  # fmt: skip
        assert shell(*words, "--natural", "-q")[0::2] == (0, ""), words


@pytest.mark.parametrize("how", ["file", "stdin", "json", "columns", "folder", "propagate", "check"])
def test_columns_are_known(shell: Shell, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("in").mkdir()
    Path("in/rows.csv").write_text("rate,t\n0.5,2\n0.25,8\n")
    Path("bare.csv").write_text("0.5,2\n0.25,8\n")
    Path("rows.json").write_text('[{"rate": 0.5, "t": 2}, {"rate": 0.25, "t": 8}]')
    words = {
        "file": ["eval", "2rate t", "-i", "in/rows.csv"],
        "stdin": ["eval", "2rate t", "-i", "-"],
        "json": ["eval", "2rate t", "-i", "rows.json"],
        "columns": ["eval", "2rate t", "-i", "bare.csv", "--columns", "rate,t"],
        "folder": ["eval", "2rate t", "-i", "in/"],
        "propagate": ["propagate", "2rate t", "-i", "in/rows.csv", "--u", "rate=0.1", "--select", "rate,t,f"],
        "check": ["check", "2rate t", "-i", "in/rows.csv", "--claim", "df_dt = 2rate"],
    }[how]
    if how == "stdin":
        with open("in/rows.csv") as stdin:
            monkeypatch.setattr("sys.stdin", stdin)
            code, out, err = shell(*words, "--natural", "--csv")
    else:
        code, out, err = shell(*words, "--natural", *([] if how == "check" else ["--csv"]))
    assert (code, told(err)[0].split("; ")[0]) == (0, "2*rate*t"), err
    if how != "check":
        assert out == "rate,t,f\n0.5,2.0,2.0\n0.25,8.0,4.0\n"


def test_a_column_called_as_a_constant_is_refused_as_without_the_option(shell: Shell) -> None:
    Path("rows.csv").write_text("e,x\n1,2\n")
    words = ["eval", "e*x", "-i", "rows.csv"]
    assert shell(*words, "--natural") == shell(*words)
    assert shell(*words, "--natural")[0] == 2
    assert shell("eval", "2e x", "-i", "rows.csv", "--natural", "--constant", "e", "-q")[0] == 0


def test_the_rows_of_a_pipe_with_a_path_are_read(shell: Shell) -> None:
    read, write = os.pipe()
    os.write(write, b"a,t\n1,2\n")
    os.close(write)
    try:
        assert shell("eval", "2a t", "-i", f"/dev/fd/{read}", "--input-format", "csv", "--natural", "-q", "--csv") == (
            0, "a,t,f\n1.0,2.0,4.0\n", "",
        )  # fmt: skip
    finally:
        os.close(read)


# Files.


def test_files_are_read_so_and_errors_stand_in_them(shell: Shell) -> None:
    Path("model.grad").write_text("# a comment\nu = 2x  # two\nf = (u +\n  3x)(x - 1)\n")
    code, _, err = shell("eval", "-f", "model.grad", "--natural", "--at", "x=2")
    assert (code, told(err)) == (0, ["u = 2*x; f = (u + 3*x)*(x - 1)"])
    data = json.loads(shell("eval", "-f", "model.grad", "--natural", "--at", "x=2", "--json")[1])
    Path("strict.grad").write_text(data["read_as"])
    assert shell("eval", "-f", "strict.grad", "--at", "x=2") == shell(
        "eval", "-f", "model.grad", "--natural", "--at", "x=2", "-q"
    )
    Path("wrong.grad").write_text("u = 2x\nf = 1/2u\n")
    code, _, err = shell("eval", "-f", "wrong.grad", "--natural", "--at", "x=2")
    assert code == 2
    assert err.startswith("gradcli: error: wrong.grad:2:6: ")


def test_models_are_read_so(shell: Shell) -> None:
    Path("one.grad").write_text("f = 3x²\ndf_dx = 6x\n")
    Path("two.grad").write_text("g = sin 2x\ndg_dx = 2cos 2x\ndg2 = 1/2x\n")
    code, out, err = shell("check", "one.grad", "--natural")
    assert (code, out.splitlines()[0][:13]) == (0, "df_dx  agrees")
    assert told(err) == ["f = 3*x**2; df_dx = 6*x"]
    code, out, err = shell("check", "one.grad", "two.grad", "--natural", "--json")
    data = json.loads(out)
    assert [(c["model"], c["status"]) for c in data["checks"]] == [("one.grad", "agrees"), ("two.grad", "agrees")]
    assert (data["errors"][0]["file"], data["errors"][0]["line"], code) == ("two.grad", 3, 2)


def test_a_long_text_is_told_in_part(shell: Shell) -> None:
    (note,) = told(shell("show", "+".join(["2x"] * 400), "--natural", "--order", "0")[2])
    assert len(note) < 420
    assert note.endswith(" ...")


# Places in the text that was typed.


@pytest.mark.parametrize(
    ("words", "marked"),
    [
        (["eval", "3x + ln(2x)", "--at", "x=-1", "--why"], "ln(2x)"),
        (["diff", "2x + mean(x) y", "--at", "x=1,y=2"], "mean(x)"),
        (["check", "x²", "--claim", "df_dx = 2x q"], "q"),
        (["implicit", "x² = 2y sn(x)"], "sn"),
        (["eval", "2x foo(x)", "--at", "x=1"], "foo"),
    ],
)
def test_carets_stand_in_the_typed_text(shell: Shell, words: list[str], marked: str) -> None:
    lines = shell(*words, "--natural")[2].splitlines()
    k = next(k for k, line in enumerate(lines) if line.strip() and {*line.strip()} == {"^"})
    start = lines[k].index("^")
    assert lines[k - 1][start : start + lines[k].count("^")] == marked
    assert lines[k - 1].strip() in " ".join(words)


# What is loaded.


def loaded(*words: str) -> set[str]:
    code = (
        "import sys; from gradcli.cli import run; run(sys.argv[1:]); "
        "print(*[n for n in sys.modules if n.startswith('gradcli.')])"
    )
    call: Any = [sys.executable, "-P", "-c", code, *words]
    out = subprocess.run(call, env=environment(), capture_output=True, text=True, check=True).stdout
    return set(out.splitlines()[-1].split())


def test_nothing_of_it_is_loaded_without_it() -> None:
    plain = loaded("diff", "x**2", "--at", "x=3")
    assert not [name for name in plain if "natural" in name]
    more = loaded("diff", "x²", "--at", "x=3", "--natural") - plain
    assert more
    assert all(name.startswith(("gradcli.language.natural", "gradcli.language.foreign")) for name in more - {
        "gradcli.language.lookalikes"})  # fmt: skip
