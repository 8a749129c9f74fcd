"""Pictures whose bytes are kept in tests/data/plots.

``python tests/plot/golden.py`` writes them anew; what changes is to be looked at.
"""

import base64
import re
import struct
import zlib
from pathlib import Path

from gradcli.plot.braille import written
from gradcli.plot.compose import picture
from gradcli.plot.layout import pixel_canvas, text_canvas
from gradcli.plot.request import PlotJob
from gradcli.plot.svg import svg

FOLDER = Path(__file__).parents[1] / "data" / "plots"
JOBS = {
    "cubic": PlotJob(expressions=["x**3 - x"], grids=["x=-1.5:1.5"], order=2, title="A cubic"),
    "pole": PlotJob(expressions=["1/x", "g = x/2"], grids=["x=-2:2"], ylim="-4:4"),
    "kink": PlotJob(expressions=["abs(x)"], grids=["x=-1:2"], order=1, xlabel="time", ylabel="metres"),
    "steps": PlotJob(expressions=["floor(x)"], grids=["x=-2.5:2.5"]),
    "hole": PlotJob(expressions=["(x**2 - 1)/(x - 1)"], grids=["x=0:3"], tangents=["x=2"], taylors=["x=0:0"]),
    "scales": PlotJob(expressions=["x**8"], grids=["x=0:3"], order=2),
    "log": PlotJob(expressions=["x**3", "x**-2"], grids=["x=0.01:100"], log="xy"),
    "points": PlotJob(expressions=["x**2"], grids=["x=-2:2:9"], style="dots"),
    "saddle": PlotJob(expressions=["x**2 - y**2"], grids=["x=-2:2", "y=-1:1"], arrows=5),
}


def stable(text: str) -> str:
    """An SVG with its images unpacked: libraries pack the same rows in different ways."""

    def rows(found: re.Match[str]) -> str:
        data, at, packed = base64.b64decode(found[1]), 8, b""
        while at < len(data):
            (size,) = struct.unpack(">I", data[at : at + 4])
            packed += data[at + 8 : at + 8 + size] if data[at + 4 : at + 8] == b"IDAT" else b""
            at += size + 12
        return zlib.decompress(packed).hex()

    return re.sub(r"data:image/png;base64,([\w+/=]+)", rows, text)


def made(name: str) -> dict[str, str]:
    """The text, the ASCII text, the coloured text and the SVG of a job, by the names of their files."""
    job = JOBS[name]
    text = picture(job, text_canvas(72, 18))
    small = 320 if name == "saddle" else 480
    return {
        f"{name}.txt": written(text),
        f"{name}.ascii.txt": written(text, ascii_=True),
        f"{name}.color.txt": written(text, color=True),
        f"{name}.svg": svg(picture(job, pixel_canvas(small, 300))),
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in JOBS:
        for file, text in made(name).items():
            (FOLDER / file).write_text(text, encoding="utf-8", newline="\n")
