"""The command study: its table, its forms, what it refuses and how; names and titles that would be code."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from command import Shell

pytestmark = pytest.mark.quick
pytest.importorskip("flint")

TABLE = """\
f = x**3 - 3*x over -2 <= x <= 2

domain       [-2, 2]
zeros        -sqrt(3) (-1.73205), 0, sqrt(3) (1.73205)
asymptotes   none
maxima       -1: f = 2
minima       1: f = -2
inflections  0: f = 0
rising       [-2, -1], [1, 2]
falling      [-1, 1]
convex       [0, 2]
concave      [-2, 0]
undecided    nothing
"""


def test_table(shell: Shell) -> None:
    assert shell("study", "x**3 - 3*x", "--grid", "x=-2:2", "--no-picture") == (0, TABLE, "")


def test_the_picture_stands_below_the_table(shell: Shell) -> None:
    words = ("study", "x**3 - 3*x", "--grid", "x=-2:2", "--size", "40x12")
    code, out, err = shell(*words)
    assert (code, err) == (0, "") and out.startswith(f"{TABLE}\n")
    picture = out.removeprefix(f"{TABLE}\n").splitlines()
    assert max(map(len, picture)) <= 40 and len(picture) == 12
    # Two extrema and an inflection.
    assert sum(line.count("●") for line in picture) == 3
    _, out, _ = shell(*words, "--ascii")
    assert out.isascii() and sum(line.count("@") for line in out.splitlines()) == 3
    _, out, _ = shell(*words[:-2], "--md")
    assert out.count("```") == 2


def test_a_range_that_cannot_be_drawn_is_studied_all_the_same(shell: Shell) -> None:
    code, out, err = shell("study", "x**2 - 2", "--grid", "x=1e300:1e300+1e280")
    assert code == 0 and "rising" in out
    assert err.startswith("gradcli: note: no picture: ")


def test_ends_mean_what_they_say(shell: Shell) -> None:
    code, out, _ = shell("study", "sin(x)", "--grid", "x=-pi:pi")
    assert code == 0
    assert "zeros        -pi (-3.14159), 0, pi (3.14159)\n" in out
    assert "domain       [-pi, pi]\n" in out


def test_other_variables_have_exact_values(shell: Shell) -> None:
    code, out, _ = shell("study", "p = x*exp(-a*x)", "--grid", "x=0:10", "--at", "a=1/3")
    assert code == 0
    assert out.startswith("p = x*exp(-a*x) over 0 <= x <= 10 with a = 1/3\n")
    assert "maxima       3: p = 3/e (1.10364)\n" in out


def test_several_functions_stand_one_below_the_other(shell: Shell) -> None:
    code, out, _ = shell("study", "u = x**2", "v = 1/x", "--grid", "x=-1:1")
    assert code == 0
    assert out.count(" over -1 <= x <= 1\n") == 2
    assert "poles        0: -inf on the left, inf on the right\n" in out


def test_json(shell: Shell) -> None:
    code, out, _ = shell("study", "1/(x**2 - 2)", "--grid", "x=-5:5", "--json")
    (found,) = json.loads(out)["studies"]
    assert code == 0
    assert [(r["x"], r["value"], r["proved"]) for r in found["poles"]] == [
        ("-sqrt(2)", -(2**0.5), True), ("sqrt(2)", 2**0.5, True),
    ]  # fmt: skip
    assert all(0 < r["radius"] < 2**-52 for r in found["poles"])
    assert [(p["left"], p["right"]) for p in found["poles"]] == [("inf", "-inf"), ("-inf", "inf")]
    assert [a["equation"] for a in found["asymptotes"]] == ["x = -sqrt(2)", "x = sqrt(2)", "y = 0"]
    assert [(e["kind"], e["x"], e["y"]["text"]) for e in found["extrema"]] == [("maximum", "0", "-1/2")]
    assert [i["text"] for i in found["rising"]] == ["[-5, -sqrt(2))", "(-sqrt(2), 0]"]
    assert found["undecided"] == [] and found["inflections"] == []


def test_what_is_undecided_is_said(shell: Shell) -> None:
    code, out, _ = shell("study", "sin(x)**2 + cos(x)**2", "--grid", "x=-1:1")
    assert code == 0
    assert "undecided    extrema in -1 .. 1: no proof within the limit of work\n" in out


def test_long_lists_are_cut_in_a_table_and_whole_in_json(shell: Shell) -> None:
    words = ("study", "sin(x)", "--grid", "x=0:100")
    _, out, _ = shell(*words)
    assert ", and 20 more\n" in out
    _, out, _ = shell(*words, "--json")
    assert len(json.loads(out)["studies"][0]["zeros"]) == 32


@pytest.mark.parametrize("how", [["--md"], ["--format", "markdown"], ["-o", "study.md"]])
def test_markdown(shell: Shell, how: list[str]) -> None:
    code, out, _ = shell("study", "`a|b`**2", "--grid", "`a|b`=-1:1", *how)
    out = out or Path("study.md").read_text()
    assert code == 0
    assert "| domain | \\[-1, 1] |\n" in out
    assert "a\\|b" in out.splitlines()[0]


class _Parsed(HTMLParser):
    """The tags of a document, which all end."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.feed(document)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_one_document_without_script_whatever_the_names(shell: Shell) -> None:
    name = "`<script>alert(1)</script>`"
    code, out, _ = shell("study", f"{name}**2 - 2", "--grid", f"{name}=-2:2", "--format", "html")
    assert code == 0
    assert "script" not in _Parsed(out).tags
    assert "&lt;script&gt;" in out
    assert out.count("http") == out.count('xmlns="http://www.w3.org/2000/svg"') == 1
    shell("study", "1/x", "--grid", "x=-1:1", "-o", "study.html")
    assert _Parsed(Path("study.html").read_text()).tags.count("tr") > 8


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["x"], "a study needs a range: --grid x=-5:5"),
        (["x", "--grid", "x=-5:5", "--grid", "y=0:1"], "a study has one range, not 2"),
        (["x", "--grid", "x=0:1:11"], "--grid x=0:1:11: a study looks at all of a range, not at 11 points"),
        (["x", "--grid", "x=1,2"], "--grid needs NAME=LOW:HIGH, such as x=-5:5, not 'x=1,2'"),
        (["x", "--grid", "x=1:1"], "--grid x=1:1: the range has one point, and a study needs more"),
        (["x", "--grid", "x=1:0"], "--grid x=1:0: the range ends before it begins"),
        (["x", "--grid", "x=0:inf"], "--grid x=0:inf: the ends must be finite"),
        (["x*a", "--grid", "x=0:1"], "variable 'a' has no value"),
        (
            ["x*a", "--grid", "x=0:1", "--at", "x=1,a=2"],
            "'x' has a range and a value: leave out one of --grid and --at",
        ),
        (["x*a", "--grid", "x=0:1", "--at", "a=inf"], "--at: the value of 'a' must be finite"),
        (["sqrt(x)", "--grid", "x=-5:-1"], "sqrt(x) has no value in -5:-1"),
        (["5", "--grid", "x=0:1"], "'x' is not used in the expression"),
        (["x", "--grid", "x=0:1", "--json", "--md"], "one format at a time, not json and markdown"),
        (["x", "--grid", "x=0:1", "-o", "x.pdf"], "--output: 'x.pdf' ends in none of .txt, .json, .md, .html"),
    ],
)
def test_refused(shell: Shell, words: list[str], message: str) -> None:
    code, out, err = shell("study", *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"gradcli: error: {message}\n")


def test_names_send_no_commands_to_a_terminal(shell: Shell) -> None:
    name = "`\x1b[31m`"
    code, out, _ = shell("study", f"{name}**2 - 1", "--grid", f"{name}=-2:2")
    assert code == 0
    assert "\x1b" not in out and out.startswith("f = `\\x1b[31m`**2 - 1 over")
