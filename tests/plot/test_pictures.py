"""Pictures as files: golden bytes, what a strict parser reads in them, names and titles that mean harm."""

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from golden import FOLDER, JOBS, made, stable

from gradcli.language import parse
from gradcli.plot import palette
from gradcli.plot.braille import written
from gradcli.plot.compose import picture
from gradcli.plot.curve import Curve
from gradcli.plot.dots import covered
from gradcli.plot.frame import Frame
from gradcli.plot.html import html
from gradcli.plot.layout import axis_ticks, pixel_canvas, text_canvas
from gradcli.plot.picture import Picture, Series, Stroke
from gradcli.plot.request import PlotJob
from gradcli.plot.sample import sampled
from gradcli.plot.strokes import bars, strokes
from gradcli.plot.svg import svg
from gradcli.plot.svg_field import png

pytestmark = pytest.mark.quick

NS = "{http://www.w3.org/2000/svg}"
HOSTILE = "</title></svg><script>alert(1)</script>\"'&]]>\x1b[31m\u202e"


@pytest.mark.parametrize("name", JOBS)
def test_golden_bytes(name: str) -> None:
    """``python tests/plot/golden.py`` writes them anew."""
    for file, text in made(name).items():
        assert stable((FOLDER / file).read_text(encoding="utf-8")) == stable(text), file


def of(*texts: str, form: str = "svg", width: int = 800, height: int = 500, **options) -> Picture:
    grids = options.pop("grids", ["x=-2:2"])
    canvas = text_canvas(width, height) if form == "text" else pixel_canvas(width, height, 4 if form == "html" else 1)
    return picture(PlotJob(expressions=texts, grids=grids, **options), canvas)


def coordinates(path: str) -> list[list[float]]:
    """The points of the lines of a path of M and L."""
    return [[float(n) for n in re.findall(r"-?[0-9.]+", piece)] for piece in path.split("M")[1:]]


# SVG.


def test_a_curve_in_svg_lies_where_it_should() -> None:
    drawn = of("x**2", width=640, height=400)
    frame, panel = drawn.panels[0].frame, drawn.panels[0]
    root = ElementTree.fromstring(svg(drawn))
    (path,) = [p.get("d") for p in root.iter(f"{NS}path") if p.get("class") == "curve c0" and "L" in p.get("d")]
    (numbers,) = coordinates(path)
    x = frame.left + (np.array(numbers[::2]) - panel.left) / frame.across
    y = frame.top - (np.array(numbers[1::2]) - panel.top) / frame.up
    assert np.abs(y - x**2).max() * frame.up <= 0.05
    # Between the points lines are right to half a pixel.
    fine = np.linspace(-2, 2, 10001)
    assert np.abs(np.interp(fine, x, y) - fine**2).max() * frame.up <= 0.55


def test_svg_is_accessible_and_names_what_is_drawn() -> None:
    root = ElementTree.fromstring(svg(of("sin(x)", "g = x", order=1, title="Two curves")))
    assert root.find(f"{NS}title").text == "Two curves"
    assert root.find(f"{NS}desc").text == "f = sin(x), df_dx, g = x, dg_dx over x from -2 to 2; values from -2 to 2"
    assert root.get("aria-labelledby").split() == [root.find(f"{NS}{tag}").get("id") for tag in ("title", "desc")]
    labels = [t.text for t in root.iter(f"{NS}text") if "math f" in t.get("class", "")]
    assert labels == ["f", "df/dx", "g", "dg/dx"] or sorted(labels) == sorted(["f", "df/dx", "g", "dg/dx"])


def test_svg_is_small() -> None:
    assert len(svg(of("sin(x)/x", grids=["x=-10:10"]))) < 8000


def test_hostile_texts_stay_texts() -> None:
    job = {"title": HOSTILE, "xlabel": HOSTILE, "ylabel": HOSTILE, "at": ["`<b>&`=1"]}
    document = svg(of("x*`<b>&`", **job))
    root = ElementTree.fromstring(document)
    assert "<script" not in document and "\x1b" not in document and "\u202e" not in document
    assert {e.tag.removeprefix(NS) for e in root.iter()} <= {
        "svg", "title", "desc", "style", "rect", "text", "tspan", "path", "clipPath", "g", "circle",
    }  # fmt: skip
    text = written(of("x*`<b>&`", form="text", width=72, height=18, **job))
    assert "\x1b" not in text and "\u202e" not in text
    assert written(of("x", form="text", width=72, height=18, title="\u03bb"), ascii_=True).isascii()


def test_no_two_pictures_of_a_page_share_identifiers() -> None:
    ids = [set(re.findall(r' id="([^"]+)"', svg(of(text)))) for text in ("x", "x**2")]
    assert not ids[0] & ids[1]


# HTML.


class Strict(HTMLParser):
    """Reads a document whose elements must nest, and keeps scripts and what refers to the outside."""

    VOID = frozenset({"meta", "link", "img", "br", "input"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.scripts: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append("")
        for name, value in attrs:
            assert not name.startswith("on"), name
            if name in ("src", "href") and not (value or "").startswith("data:"):
                self.outside.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data


@pytest.mark.parametrize("kind", ["curve", "surface"])
def test_html_opens_alone_and_runs_its_own_script(kind: str) -> None:
    grids = ["x=-2:2"] if kind == "curve" else ["x=-2:2", "`<b>&`=0:1"]
    drawn = of("y = x*`<b>&`", form="html", grids=grids, title=HOSTILE, xlabel=HOSTILE,
               at=["`<b>&`=1"] if kind == "curve" else ())  # fmt: skip
    document = html(drawn)
    reader = Strict()
    reader.feed(document)
    reader.close()
    assert not reader.open and not reader.outside
    data, script = reader.scripts
    assert set(re.findall(r"https?://[^\"' <]*", document)) == {"http://www.w3.org/2000/svg"}
    assert "eval" not in script and "innerHTML" not in script
    panel = json.loads(data)["panels"][0]
    assert "<" not in data
    if kind == "curve":
        (curve,) = panel["curves"]
        assert curve["y"] == pytest.approx(curve["x"], abs=1e-5) and set(curve["d"]) == {1.0}
    else:
        assert panel["field"]["rows"]


def test_html_is_small() -> None:
    document = html(of("x**2", form="html"))
    data = re.search(r'id="gp-data">(.*?)</script>', document, re.DOTALL)[1]
    assert len(document) - len(data) < 30_000


# Text.


def points_read(text: str, wide: int, high: int) -> np.ndarray:
    """The dots of braille as a raster, the lowest row first."""
    raster = np.zeros((high * 4, wide * 2), bool)
    bits = [[1, 8], [2, 16], [4, 32], [64, 128]]
    for j, line in enumerate(text.splitlines()[:high]):
        for i, c in enumerate(re.sub(r"^[^│┤]*[│┤]", "", line)[:wide]):
            code = ord(c) - 0x2800
            if 0 <= code < 256:
                for a in range(4):
                    for b in range(2):
                        raster[4 * (high - 1 - j) + 3 - a, 2 * i + b] = bool(code & bits[a][b])
    return raster


@pytest.mark.parametrize("text", ["sin(x)", "x**2", "exp(x) - 2*x", "x**3/4"])
def test_braille_is_read_back(text: str) -> None:
    """Every dot is within a dot of the curve, and every point of the curve within a dot of a dot."""
    drawn = of(text, form="text", width=80, height=24)
    frame = drawn.panels[0].frame
    raster = points_read(written(drawn), frame.width // 2, frame.height // 4)
    ((_, e),) = parse(text).outputs
    x = np.linspace(frame.left, frame.right, 200_001)
    px, py = (x - frame.left) * frame.across, (Curve(e, "x").values(x) - frame.bottom) * frame.up
    j, i = np.nonzero(raster)
    for a, b in zip(i + 0.5, j + 0.5, strict=True):
        near = np.abs(px - a) <= 1
        assert np.maximum(np.abs(px[near] - a), np.abs(py[near] - b)).min() <= 0.75
    ends = np.minimum(np.floor(py).astype(int), frame.height - 1), np.minimum(np.floor(px).astype(int), frame.width - 1)
    wide = np.pad(raster, 1)
    around = sum(np.roll(np.roll(wide, a, 0), b, 1) for a in (-1, 0, 1) for b in (-1, 0, 1))[1:-1, 1:-1] > 0
    assert around[ends].all()


def test_single_points_are_dots_at_their_places() -> None:
    frame = Frame(0, 10, 0, 10, 20, 40)
    for x, y in ((0, 0), (10, 10), (2.3, 7.9), (5, 5)):
        series = Series("curve", "f", "f", "", 0, [Stroke(np.array([x, x]), np.array([y, y]))])
        ((j, i),) = np.argwhere(covered(series, frame))
        assert abs((i + 0.5) / 2 - x) <= 0.25 and abs((j + 0.5) / 4 - y) <= 0.125


def test_an_axis_has_two_numbers_or_more() -> None:
    assert [t.label for t in axis_ticks(-4, 4, 28, 16, False)] == ["-4", "-2", "0", "2", "4"]


def test_texts_fit_their_size() -> None:
    for width, height in ((24, 6), (72, 18), (80, 22), (200, 48)):
        for job in ({"order": 1}, {"order": 2, "title": "T"}, {"log": "y"}):
            lines = written(of("exp(x)", form="text", width=width, height=height, **job)).splitlines()
            assert max(map(len, lines)) <= max(width, 24)
            assert len(lines) <= max(height, 12)
            assert not any(line != line.rstrip() for line in lines)


def test_colours_are_all_that_a_terminal_adds() -> None:
    drawn = of("sin(x)", "cos(x)", form="text", width=72, height=18)
    plain, colored = written(drawn), written(drawn, color=True)
    assert "\x1b" in colored and re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain


# Lines, bars and marks.


def test_lines_end_at_the_edges() -> None:
    ((_, e),) = parse("x**3").outputs
    frame = Frame(-3, 3, -1, 1, 300, 200)
    found = strokes(sampled(Curve(e, "x"), frame), frame)
    assert len(found) == 1
    y = np.concatenate([s.y for s in found])
    assert y.min() >= -1.03 and y.max() <= 1.03 and y.min() < -1 and y.max() > 1


def test_huge_values_do_not_overflow() -> None:
    for text in ("1e308*x", "exp(300*x)", "-1e308*x**3"):
        document = svg(of(text, grids=["x=-1.7:1.7"]))
        assert "nan" not in document and "inf" not in document


def test_oscillations_are_bars_of_their_range() -> None:
    ((_, e),) = parse("sin(1/x)").outputs
    frame = Frame(-1, 1, -1.1, 1.1, 800, 400)
    found = bars(sampled(Curve(e, "x"), frame), frame)
    inner = np.abs(found.x) < 0.01
    assert found.low[inner].max() < -0.99 and found.high[inner].min() > 0.99


def test_marks_are_dots() -> None:
    (series,) = of("floor(x)", grids=["x=-1.5:1.5"]).panels[0].series
    assert {(d.x, d.y, d.open) for d in series.dots} == {
        (-1, -2, True), (-1, -1, False), (0, -1, True), (0, 0, False), (1, 0, True), (1, 1, False),
    }  # fmt: skip
    (hole,) = of("(x**2-1)/(x-1)").panels[0].series
    assert [(d.x, d.y, d.open) for d in hole.dots] == [(1, 2, True)]
    panel = of("1/(x-1)").panels[0]
    assert panel.asymptotes == [(1, 0)]


# Colours.


def test_curves_are_seen_on_their_paper() -> None:
    """Contrast of 3 and more on dark paper, 2 and more on light, as WCAG 2.2 computes it."""

    def light(color: str) -> float:
        parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    for paper, colors, least in (("#ffffff", palette.LIGHT, 2.0), ("#0d1117", palette.DARK, 3.0)):
        for color in colors:
            a, b = sorted((light(color), light(paper)))
            assert (b + 0.05) / (a + 0.05) >= least, color


def test_surfaces_grow_lighter() -> None:
    shades = [sum(palette.surface(k / 20)) for k in range(21)]
    assert shades == sorted(shades)


def test_png_is_read_by_others() -> None:
    image = pytest.importorskip("PIL.Image")
    import io

    index = np.arange(6, dtype=np.uint8).reshape(2, 3)
    colors = bytes(range(18))
    found = image.open(io.BytesIO(png(index, colors, bytes([255] * 5 + [0])))).convert("RGBA")
    assert found.size == (3, 2)
    assert found.getpixel((2, 0)) == (6, 7, 8, 255) and found.getpixel((2, 1))[3] == 0
