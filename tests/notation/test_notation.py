"""Other notations: golden LaTeX, well-formed XML, graphs that their readers accept, hostile names everywhere."""

from __future__ import annotations

import re
import subprocess
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise

import pytest
from checkout import DATA
from tools import lack
from work import calls

from gradcli.calculus.derive import derive
from gradcli.calculus.leibniz import Derivative
from gradcli.calculus.leibniz import read as names_read
from gradcli.errors import GradError
from gradcli.expr import Expr, apply, const, readable, var
from gradcli.functions import TABLE, Function
from gradcli.language import parse
from gradcli.notation import NOTATIONS, write


def read(source: str) -> Expr:
    return parse(source).outputs[0][1]


def latex(source: str) -> str:
    left, _, right = write("latex", [("f", read(source))], ["x"]).rstrip("\n").partition(" = ")
    assert left == "f"
    return right


GOLDEN = r"""
x -> x
2*x -> 2 x
x**2*sin(y) -> x^{2} \sin\left(y\right)
x + y - z -> x + y - z
x - (y - z) -> x - \left(y - z\right)
-x -> -x
-(x + y) -> -\left(x + y\right)
x*(y + 1) -> x \left(y + 1\right)
2*3**x -> 2 \cdot 3^{x}
x/y -> \frac{x}{y}
(x + 1)/(y - 1) -> \frac{x + 1}{y - 1}
1/x -> \frac{1}{x}
x**-1 -> \frac{1}{x}
x**-2 -> x^{-2}
x**0.5 -> \sqrt{x}
sqrt(x + 1) -> \sqrt{x + 1}
cbrt(x) -> \sqrt[3]{x}
(x + 1)**2 -> \left(x + 1\right)^{2}
(x/y)**2 -> \left(\frac{x}{y}\right)^{2}
(-x)**3 -> \left(-x\right)^{3}
x**(y + 1) -> x^{y + 1}
2**3**x -> 2^{3^{x}}
exp(x) -> e^{x}
exp(-x**2/2) -> e^{-\frac{x^{2}}{2}}
exp(x)**2 -> \left(e^{x}\right)^{2}
sin(x)**2 -> \sin^{2}\left(x\right)
log(x)**2 -> \left(\ln\left(x\right)\right)^{2}
log(x) -> \ln\left(x\right)
log10(x) + log2(x) -> \log_{10}\left(x\right) + \log_{2}\left(x\right)
asin(x) + asinh(x) -> \arcsin\left(x\right) + \operatorname{arsinh}\left(x\right)
atan2(y, x) -> \operatorname{atan2}\left(y, x\right)
abs(x) -> \left|x\right|
floor(x) + ceil(x) -> \left\lceil x\right\rceil + \left\lfloor x\right\rfloor
gamma(x) + lgamma(x) -> \Gamma\left(x\right) + \ln\left(\Gamma\left(x\right)\right)
besselj(2, x) -> J_{2}\left(x\right)
polygamma(1, x) -> \psi^{\left(1\right)}\left(x\right)
max(x, y, 3) -> \max\left(x, y, 3\right)
2*(x % y) -> 2 \left(x \bmod y\right)
where(x > 0 and y <= 1, sqrt(x), 0) -> \begin{cases} \sqrt{x} & \text{if } x > 0 \land y \le 1 \\ 0 & \text{otherwise} \end{cases}
where(not x != 0, 1, x) -> \begin{cases} 1 & \text{if } \lnot \left(x \ne 0\right) \\ x & \text{otherwise} \end{cases}
alpha*beta_2 + x_1 + v_max -> \alpha \beta_{2} + x_{1} + v_{\mathrm{max}}
speed*foo_bar -> \mathrm{foo\_bar} \mathrm{speed}
2*pi*e*x -> 2 e \pi x
4*pi**2*L/T**2 -> \frac{4 \pi^{2} L}{T^{2}}
x*y*sqrt(2) -> \sqrt{2} x y
x*(-2)/(y + 1) -> -\frac{2 x}{y + 1}
a*b - x*(-2)/y -> a b + \frac{2 x}{y}
x - y/-3 -> x + \frac{y}{3}
-x/(-y) -> \frac{x}{y}
-(x*-3) -> 3 x
x*y*(-2)**3 -> -8 x y
x/3 + 2/3 -> \frac{x}{3} + \frac{2}{3}
1e-7*x + 1.5e20 -> 10^{-7} x + 1.5 \cdot 10^{20}
-2*x -> -2 x
x*inf -> \infty x
diff(x**2, x, 2) -> \frac{\mathrm{d}^{2}}{\mathrm{d} x^{2}}\left(x^{2}\right)
"""  # noqa: E501  one case a line


@pytest.mark.quick
@pytest.mark.parametrize("line", GOLDEN.strip().splitlines())
def test_latex(line: str) -> None:
    given, wanted = line.split(" -> ")
    assert latex(given) == wanted


def test_textbook_forms() -> None:
    named = derive([("f", read("atan(x)"))], ["x"], 1)
    assert write("latex", named, ["x"]).splitlines()[1] == r"\frac{\mathrm{d} f}{\mathrm{d} x} = \frac{1}{x^{2} + 1}"


def test_left_sides() -> None:
    named = derive([("f", read("x**2*sin(y)"))], ["x", "y"], 3)
    left = [line.partition(" = ")[0] for line in write("latex", named, ["x", "y"]).splitlines()]
    assert left[:6] == [
        "f",
        r"\frac{\partial f}{\partial x}",
        r"\frac{\partial f}{\partial y}",
        r"\frac{\partial^{2} f}{\partial x^{2}}",
        r"\frac{\partial^{2} f}{\partial x \partial y}",
        r"\frac{\partial^{2} f}{\partial y^{2}}",
    ]
    assert r"\frac{\partial^{3} f}{\partial x^{2} \partial y}" in left


def test_names_are_read_back() -> None:
    order = ["x", "x2", "dx", "d"]
    given = [("f", read("x*x2*dx*d")), ("df_dx", read("x + d"))]
    named = derive(given[:1], order, 2)
    found = names_read([n for n, _ in named], order)
    assert found[0] == Derivative("f", 0, ())
    assert Derivative("f", 2, (("x", 2),)) in found
    assert Derivative("f", 2, (("x", 1), ("dx", 1))) in found
    assert names_read(["g", "df_dx"], ["x"]) == [Derivative("g", 0, ()), Derivative("df_dx", 0, ())]


# Every function of the table.


def of_row(row: Function) -> Expr | None:
    """The row applied to variables, if an expression may hold it."""
    count = row.arity[0] if row.arity[1] is None or row.reduces else row.arity[1]
    args: list[Expr] = [var(name) for name in ("x", "y", "z")][:count]
    if row.name in ("where", "instead", "and", "or", "not"):
        args[0] = apply("lt", var("x"), var("y"))
    if row.name in ("and", "or"):
        args[1] = apply("gt", var("x"), const(1))
    e = apply(row.name, *args, value=1 if row.parameter else None)
    return apply("where", e, const(1), const(0)) if row.name in WITHIN else e


WITHIN = {"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not"}


@pytest.mark.parametrize("name", list(TABLE))
def test_every_function(name: str) -> None:
    e = of_row(TABLE[name])
    assert e is not None
    found = write("latex", [("f", e)], ["x"])
    assert found.count("{") == found.count("}") and found.count(r"\left") == found.count(r"\right")
    assert not re.search(r"(?<!\\)[_](?!\{)", found)
    for notation in ("mathml", "svg"):
        ET.fromstring(write(notation, [("f", e)], ["x"]))
    check_dot(write("dot", [("f", e)], ["x"]))
    assert write("graph", [("f", e)], ["x"]).splitlines()[-1].startswith("f = ")


SHORT = {name: rf"\{name}" for name in ["sin", "cos", "tan", "sec", "csc", "cot", "sinh", "cosh", "tanh", "coth"]} | {
    name: rf"\operatorname{{{name}}}" for name in ("sech", "csch")
}


@pytest.mark.quick
@pytest.mark.parametrize("name", list(SHORT))
def test_a_positive_whole_power_stands_on_a_short_name(name: str) -> None:
    word = SHORT[name]
    assert [latex(f"{name}(x)**{n}") for n in (2, 3, 12)] == [rf"{word}^{{{n}}}\left(x\right)" for n in (2, 3, 12)]
    assert latex(f"{name}(x)**-2") == rf"\left({word}\left(x\right)\right)^{{-2}}"
    assert latex(f"{name}(x)**x") == rf"\left({word}\left(x\right)\right)^{{x}}"


def test_no_other_name_is_short() -> None:
    assert {row.name for row in TABLE.values() if row.power_on_name} == set(SHORT)


MATHML_ARITY = {"mfrac": 2, "msup": 2, "msub": 2, "mroot": 2}


@pytest.mark.parametrize("line", GOLDEN.strip().splitlines())
def test_mathml_is_well_formed(line: str) -> None:
    tree = ET.fromstring(write("mathml", [("f", read(line.partition(" -> ")[0]))], ["x"]))
    assert tree.get("display") == "block"
    for element in tree.iter():
        tag = element.tag.rpartition("}")[2]
        assert len(element) == MATHML_ARITY.get(tag, len(element)), tag
        if tag in ("mi", "mn", "mo", "mtext"):
            assert element.text and not len(element)


LINEAR = (DATA / "mathml.txt").read_text("utf-8").splitlines()
"""The same in MathML, written in a line: braces are the children of fractions, powers, indices and roots."""


def linear(element: ET.Element) -> str:
    tag = element.tag.rpartition("}")[2]
    parts = [linear(child) for child in element]
    if tag in ("mi", "mn", "mo", "mtext"):
        return {"\u2061": "", "\u2062": " "}.get(element.text or "", element.text or "")
    if tag in MATHML_ARITY:
        sign = {"mfrac": "/", "msup": "^", "msub": "_", "mroot": "\u221a"}[tag]
        return f"{{{parts[0]}}}{sign}{{{parts[1]}}}"
    body = "".join(parts)
    return f"\u221a{{{body}}}" if tag == "msqrt" else f"{'; '.join(parts)}." if tag == "mtr" else body


@pytest.mark.quick
@pytest.mark.parametrize("line", LINEAR)
def test_mathml(line: str) -> None:
    given, wanted = line.split(" -> ")
    assert linear(ET.fromstring(write("mathml", [("f", read(given))], ["x"]))) == f"f={wanted}"


def test_both_notations_are_tested_alike() -> None:
    assert [line.split(" -> ")[0] for line in GOLDEN.strip().splitlines()] == [line.split(" -> ")[0] for line in LINEAR]


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("sinc(x)", [r"\operatorname{sinc}^{\left(1\right)}", r"\operatorname{sinc}^{\left(2\right)}"]),
        ("sinhc(x)", [r"\operatorname{sinhc}^{\left(1\right)}", r"\operatorname{sinhc}^{\left(2\right)}"]),
        ("digamma(x)", [r"\psi^{\left(1\right)}", r"\psi^{\left(2\right)}"]),
    ],
)
def test_derivatives_of_a_family_have_an_upper_index(source: str, wanted: list[str]) -> None:
    found = write("latex", derive([("f", read(source))], ["x"], 2), ["x"]).splitlines()[1:]
    assert [line.split(" = ")[1] for line in found] == [rf"{name}\left(x\right)" for name in wanted]


def test_mathml_golden() -> None:
    found = write("mathml", derive([("f", read("x**2"))], ["x"], 1), ["x"])
    assert found == (
        '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block"><mrow><mi>f</mi><mo>=</mo>'
        "<msup><mrow><mi>x</mi></mrow><mrow><mn>2</mn></mrow></msup></mrow></math>\n"
        '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block"><mrow><mfrac>'
        "<mrow><mi>d</mi><mi>f</mi></mrow>"
        "<mrow><mi>d</mi><mi>x</mi></mrow></mfrac><mo>=</mo><mn>2</mn><mo>\u2062</mo><mi>x</mi></mrow></math>\n"
    )


# Graphs.

QUOTED = r'"(?:[^"\\\n]|\\.)*"'
STATEMENTS = [
    r"digraph gradcli \{",
    r"  rankdir=LR;",
    r"  node \[shape=ellipse\];",
    rf"  \w+ \[label={QUOTED}(?:, shape=\w+)?\];",
    rf"  \w+ -> \w+(?: \[headlabel={QUOTED}\])?;",
    r"\}",
]


def check_dot(source: str) -> None:
    for line in source.rstrip("\n").split("\n"):
        assert any(re.fullmatch(s, line) for s in STATEMENTS), line
    declared = set(re.findall(r"^  (\w+) \[label", source, re.MULTILINE))
    used = {n for pair in re.findall(r"^  (\w+) -> (\w+)", source, re.MULTILINE) for n in pair}
    assert used <= declared
    if not lack("dot"):
        subprocess.run(["dot", "-Tplain"], input=source.encode(), check=True, capture_output=True)


def test_graph_is_text_that_reads_back() -> None:
    source = "x**2*sin(x*y) + where(x*y > 1 and not (x < y or y == 2), exp(sin(x*y)), x)"
    named = derive([("f", read(source))], ["x", "y"], 2)
    found = write("graph", named, ["x", "y"])
    again = parse(found)
    assert [name for name, _ in again.outputs] == [name for name, _ in named]
    assert [e for _, e in again.outputs] == readable([e for _, e in named])


@pytest.mark.quick
@pytest.mark.parametrize("order", [["t1"], []])
def test_graph_golden(order: list[str]) -> None:
    named = derive([("f", read("t1*sin(t1)"))], ["t1"], 1)
    assert write("graph", named, order) == (
        "t2 = sin(t1)\nt3 = t1*t2\nt4 = cos(t1)\nt5 = t1*t4\nt6 = t5 + t2\nf = t3\ndf_dt1 = t6\n"
    )


@pytest.mark.quick
def test_dot_golden() -> None:
    assert write("dot", [("f", read("x/2 + y"))], ["x"]) == (
        'digraph gradcli {\n  rankdir=LR;\n  node [shape=ellipse];\n  n1 [label="x", shape=box];\n'
        '  n2 [label="2", shape=plaintext];\n  n3 [label="/"];\n  n1 -> n3 [headlabel="1"];\n'
        '  n2 -> n3 [headlabel="2"];\n  n4 [label="y", shape=box];\n  n5 [label="+"];\n  n3 -> n5;\n  n4 -> n5;\n'
        '  out1 [label="f", shape=doublecircle];\n  n5 -> out1;\n}\n'
    )


def boxes(drawing: str) -> list[tuple[float, float, float, float]]:
    found = []
    for group in ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}g"):
        rect = group.find("{http://www.w3.org/2000/svg}rect")
        if rect is not None:
            found.append(tuple(float(rect.get(k, "0")) for k in ("x", "y", "width", "height")))
    return found  # type: ignore[return-value]


@pytest.mark.parametrize("source", ["x", "3", "x**2*sin(x*y)", "sin(x+" * 60 + "x" + ")" * 60, "x1+x2+x3*x4*x5-x6/x7"])
def test_svg_lays_nothing_over_another(source: str) -> None:
    p = parse(source)
    order = list(p.variables)
    drawing = write("svg", derive([("f", p.outputs[0][1])], order, 1), order)
    width, height = map(float, ET.fromstring(drawing).get("viewBox", "").split()[2:])
    found = boxes(drawing)
    assert found
    for i, (x, y, w, h) in enumerate(found):
        assert 0 <= x and 0 <= y and x + w <= width and y + h <= height
        for x2, y2, w2, h2 in found[:i]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y


def test_svg_has_inputs_left_and_results_right() -> None:
    drawing = write("svg", [("f", read("sin(x)*y"))], ["x", "y"])
    places = {
        group.findtext("{http://www.w3.org/2000/svg}title"): group.find("{http://www.w3.org/2000/svg}rect").get("x")  # type: ignore[union-attr]
        for group in ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}g")
        if group.find("{http://www.w3.org/2000/svg}title") is not None
    }
    assert float(places["x"] or 0) < float(places["sin"] or 0) < float(places["*"] or 0) < float(places["f"] or 0)


@pytest.mark.parametrize(
    ("source", "most"),
    [("f = sin(x); g = cos(y); h = exp(x)", 0), ("f = sin(x)*w + cos(y)*x + exp(z)*y + sqrt(w)*z", 3)],
)
def test_svg_edges_seldom_cross(source: str, most: int) -> None:
    """In the order in which the nodes were made, 1 and 15 pairs of edges cross."""
    named = [(str(name), e) for name, e in parse(source).outputs]
    edges: dict[tuple[str, str], None] = {}
    for path in re.findall(r'<path d="M([^"]+)"', write("svg", named, [])):
        edges |= dict.fromkeys(pairwise(part.split()[-1] for part in path.split(" C")))
    lines = [[tuple(map(float, end.split(","))) for end in edge] for edge in edges]
    crossed = [a[0] == c[0] and (a[1] - c[1]) * (b[1] - d[1]) < 0 for (a, b), (c, d) in combinations(lines, 2)]
    assert len(lines) >= len(named) and sum(crossed) <= most


def test_svg_refuses_what_nobody_can_look_at() -> None:
    with pytest.raises(GradError, match="the limit is 500") as caught:
        write("svg", [("f", read("+".join(f"x{i}" for i in range(300))))], ["x1"])
    assert "dot" in (caught.value.hint or "")


# Names from strangers.

HOSTILE = [
    "<script>",
    'a"b',
    "a\\b",
    "%",
    "&amp;",
    "$",
    "]]>",
    "a b",
    "\x1b[2J",
    "\u202e",
    "#_^~{}",
    "-->",
    "é",
    "\\input{x}",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("notation", list(NOTATIONS))
def test_hostile_names(name: str, notation: str) -> None:
    e = var(name) * apply("sin", var("x"))
    named = derive([(name + "f", e)], [name, "x"], 2)
    found = write(notation, named, [name, "x"])
    assert "\x1b" not in found and "\u202e" not in found
    if notation in ("mathml", "svg"):
        root = ET.fromstring(f"<all>{found}</all>")
        assert "script" not in {element.tag.rpartition("}")[2] for element in root.iter()}
    if notation == "dot":
        check_dot(found)
    if notation == "latex":
        bare = re.sub(r"\\text(backslash|asciicircum|asciitilde|less|greater|quotedbl)\{\}|\\[{}$&#%_]", "", found)
        assert not re.search(r"[$#%~]|\\input", bare)
        assert bare.count("{") == bare.count("}")
        assert found.count("\n") == len(named)


def test_a_newline_in_a_name() -> None:
    for notation in NOTATIONS:
        found = write(notation, [("a\nb", var("x\ny") + 1)], ["x\ny"])
        assert r"x\ny" in found or r"x\\ny" in found or r"x\textbackslash{}ny" in found


# Size.

BIG = {
    "long": lambda n: "+".join(f"sin(x*{i})*x" for i in range(n)),
    "deep": lambda n: "sin(1+" * n + "x" + ")" * n,
}


@pytest.mark.parametrize("notation", ["latex", "mathml", "graph", "dot"])
@pytest.mark.parametrize("size", list(BIG))
def test_large_expressions_end(notation: str, size: str) -> None:
    e = read(BIG[size](5000))
    assert len(write(notation, [("f", e)], ["x"])) > 100_000


@pytest.mark.parametrize("notation", ["latex", "mathml", "graph", "dot"])
@pytest.mark.parametrize("size", list(BIG))
def test_work_grows_with_the_expression(notation: str, size: str) -> None:
    def work(length: int) -> int:
        e = read(BIG[size](length))
        return calls(lambda: write(notation, [("f", e)], ["x"]))

    assert work(1000) < 2.2 * work(500)


def test_what_would_not_end_when_written_out() -> None:
    e = var("x")
    for i in range(200):
        e = apply("sin", e * e + i)
    for notation in ("latex", "mathml"):
        with pytest.raises(GradError, match="written out"):
            write(notation, [("f", e)], ["x"])
    assert len(write("graph", [("f", e)], ["x"]).splitlines()) < 1000


def test_an_unknown_notation() -> None:
    with pytest.raises(GradError, match="no notation 'word'"):
        write("word", [], [])
