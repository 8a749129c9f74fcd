"""The command plot, and diff -o to a picture: sizes, forms, options, what is refused."""

import os
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from command import COMMAND, Shell, environment, process

pytestmark = pytest.mark.quick


def test_a_curve_in_a_pipe_is_72_by_18(shell: Shell) -> None:
    code, out, err = shell("plot", "sin(x)/x", "--grid", "x=-10:10")
    lines = out.splitlines()
    assert (code, err, len(lines)) == (0, "gradcli: note: 1 hole near x=0\n", 18)
    assert max(map(len, lines)) == 72 and lines[-1] == "f = sin(x)/x"
    assert "\u2800" < max(out) and shell("plot", "sin(x)/x", "--grid", "x=-10:10")[1] == out


def test_letters_stand_in_the_order_of_the_curves(shell: Shell) -> None:
    _, out, _ = shell("plot", "x**2", "2*x", "--grid", "x=0.1:1", "--log", "y", "--size", "60x8")
    assert [line[-1] for line in out.splitlines()[:2]] == ["b", "a"]


def test_a_zero_on_a_logarithmic_axis_is_no_pole(shell: Shell) -> None:
    assert shell("plot", "x**2", "--grid", "x=-1:1", "--log", "y")[2] == ""
    assert shell("plot", "1/x", "--grid", "x=-1:1", "--log", "y")[2] == "gradcli: note: 1 pole near x=0\n"


def test_size_and_color(shell: Shell) -> None:
    _, out, _ = shell("plot", "x", "1-x", "--grid", "x=0:1", "--size", "40x12", "--color", "always")
    assert "\x1b[38;5;" in out and len(out.splitlines()) == 12
    _, out, _ = shell("plot", "x", "--grid", "x=0:1", "-o", "a.svg", "--size", "300x200")
    assert (out, ElementTree.parse("a.svg").getroot().get("viewBox")) == ("", "0 0 300 200")


@pytest.mark.parametrize(
    ("variables", "ascii_"),
    [
        ({"LC_ALL": "C"}, True), ({"LANG": "C"}, True), ({"LANG": "de_DE.ISO-8859-1"}, True), ({}, False),
        ({"LANG": "de_DE.UTF-8"}, False), ({"LC_CTYPE": "C.utf8", "LANG": "C"}, False),
    ],
)  # fmt: skip
def test_ascii_where_the_locale_has_no_utf8(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], ascii_: bool
) -> None:
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert shell("plot", "x**2", "--grid", "x=0:1")[1].isascii() == ascii_
    assert shell("plot", "x**2", "--grid", "x=0:1", "--ascii")[1].isascii()


def test_forms_go_by_suffix_and_by_format(shell: Shell) -> None:
    for name, head in (("a.svg", b"<svg"), ("a.html", b"<!DOCTYPE html>"), ("a.txt", b" ")):
        assert shell("plot", "x", "--grid", "x=0:1", "-o", name)[0] == 0
        assert Path(name).read_bytes().startswith(head)
    assert shell("plot", "x", "--grid", "x=0:1", "--format", "svg")[1].encode() == Path("a.svg").read_bytes()


def test_png_and_pdf(shell: Shell) -> None:
    pytest.importorskip("matplotlib")
    for name, head in (("a.png", b"\x89PNG\r\n\x1a\n"), ("a.pdf", b"%PDF-")):
        for words in (["1/x", "abs(x)", "--grid", "x=-1:1"], ["x*y", "--grid", "x=0:1", "--grid", "y=0:1"]):
            assert shell("plot", *words, "--title", "$x_{", "-o", name, "-q") == (0, "", "")
            assert Path(name).read_bytes().startswith(head)
    data = Path("a.png").read_bytes()
    assert (int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")) == (640, 560)
    shell("plot", "x*y", "--grid", "x=0:1", "--grid", "y=0:1", "--title", "$x_{", "-o", "b.png")
    assert Path("b.png").read_bytes() == data


def test_png_without_matplotlib(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    code, _, err = shell("plot", "x", "--grid", "x=0:1", "-o", "a.png")
    assert code != 0 and not os.path.exists("a.png") and "matplotlib" in err


def test_data_and_overlays(shell: Shell) -> None:
    Path("runs.csv").write_text("x;y;u_y\n1;0,8;0,1\n2;0,3;0,1\n")
    words = ["plot", "y = a*exp(-b*x)", "--at", "a=2,b=1", "--grid", "x=0:5", "--data", "runs.csv", "--delimiter", ";",
             "--decimal", ",", "--tangent", "x=1", "--taylor", "x=0:2"]  # fmt: skip
    code, out, err = shell(*words)
    assert (code, err) == (0, "")
    assert out.endswith("y = a*exp(-b*x)   Taylor polynomial at x=0, order 2\ntangent at x=1   data\n")
    done = process(*words[:7], "-", *words[8:], input=Path("runs.csv").read_text(), cwd=os.getcwd())
    assert (done.returncode, done.stdout) == (0, out)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("x", "plot needs a range: --grid x=-5:5"),
        ("sqrt(x) --grid x=-5:-1", "sqrt(x) has no value in -5:-1"),
        ("x --grid x=0:1 -o a.bmp", "a.bmp: no picture goes with the suffix '.bmp'\n  there are .svg, .html, "),
        ("x --grid x=0:1 -o a", "a: no picture goes with a name without suffix"),
        ("x --grid x=0:1 --size 10", "--size needs WxH in characters, such as 72x18, not '10'"),
        ("x --grid x=0:1 --size 1x1", "--size 1x1: from 24x6 to 1000x500 characters"),
        ("x --grid x=0:1 -o a.svg --size 9000x10", "--size 9000x10: from 160x120 to 8000x8000 pixels"),
        ("x --grid x=0:1 --log z", "--log: 'z' is no choice of axes"),
        ("x --grid x=0:1 --delimiter ;", "--delimiter goes with --data"),
        ("x --grid x=0:1 --data none.csv", "none.csv: No such file or directory"),
        ("x --grid x=0:1 --style spots", "Invalid value for '--style'"),
    ],
)
def test_what_is_refused(shell: Shell, words: str, message: str) -> None:
    code, out, err = shell("plot", *words.split())
    assert (code, out) == (2, "") or (code, out) == (3, "")
    assert err.startswith(f"gradcli: error: {message}")


def test_diff_to_a_picture_is_plot(shell: Shell) -> None:
    assert shell("diff", "x**3", "--grid", "x=-1:1", "-o", "d.svg") == (0, "", "")
    assert shell("plot", "x**3", "--grid", "x=-1:1", "--order", "1", "-o", "p.svg") == (0, "", "")
    assert Path("d.svg").read_bytes() == Path("p.svg").read_bytes()
    assert shell("diff", "a*x", "--at", "a=2", "--grid", "x=0:1", "-o", "d.html")[0] == 0
    assert '"name":"\\u2202f/\\u2202a"' in Path("d.html").read_text()
    code, _, err = shell("diff", "x", "--grid", "x=0:1", "-o", "d.svg", "--trust")
    assert (code, err) == (2, "gradcli: error: --trust is not for a picture, and d.svg is one\n")
    code, _, err = shell("diff", "x", "-o", "d.svg")
    assert (code, err) == (2, "gradcli: error: plot needs a range: --grid x=-5:5\n")
    assert shell("show", "x**3", "-o", "s.svg")[0] == 0 and "gp" not in Path("s.svg").read_text()


def test_a_terminal_gets_its_size() -> None:
    pty = pytest.importorskip("pty")
    import subprocess

    main, side = pty.openpty()
    words = [*COMMAND, "plot", "x", "--grid", "x=0:1", "--color", "never"]
    variables = environment(COLUMNS="100", LINES="20", LANG="C.UTF-8")
    try:
        with subprocess.Popen(words, env=variables, stdout=side, stderr=side,
                              stdin=subprocess.DEVNULL) as run:  # fmt: skip
            os.close(side)
            out = b""
            while True:
                try:
                    piece = os.read(main, 65536)
                except OSError:
                    break
                if not piece:
                    break
                out += piece
        assert run.returncode == 0
    finally:
        os.close(main)
    lines = out.decode().splitlines()
    assert len(lines) == 18 and max(map(len, lines)) == 100
