"""The pictures of docs/plot.md: what its own commands write, docs/pictures/plot-NAME.svg for ``-o NAME.svg``.

``python tests/docs/test_docs.py --write`` writes them anew.
"""

import re
import shlex
import tempfile
from contextlib import chdir
from pathlib import Path

from checkout import ROOT

from gradcli.cli import run

PAGE = ROOT / "docs" / "plot.md"
FOLDER = ROOT / "docs" / "pictures"


def drawn() -> dict[str, str]:
    """The pictures by the names of their files."""
    page = PAGE.read_text()
    pictures = {}
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        for name, text in re.findall(r"^`([\w.]+)`:\n```\w+\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
            Path(name).write_text(text)
        for line, name in re.findall(r"^\$ gradcli (.* -o ([\w-]+)\.svg)$", page, re.MULTILINE):
            assert run([*shlex.split(line), "-q"]) == 0, line
            pictures[f"plot-{name}.svg"] = Path(f"{name}.svg").read_text(encoding="utf-8")
    return pictures


def write() -> None:
    for name, text in drawn().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
