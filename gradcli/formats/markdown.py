"""Writer of Markdown tables, with a row for each point."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gradcli.caret import printable
from gradcli.formats.columns import Columns, Out, Statements, Style, headed, runs
from gradcli.formats.passthrough import Kept
from gradcli.formats.print_numbers import number_rows

_MARKS = r"[\\|<&\[`]|:(?=//)|(?<=[wW]{3})\."
"""Characters with a meaning in a cell. GitHub turns addresses into links, in which backslashes do not escape: escape
the ``:`` and ``.`` that make an address."""


def cell(text: str, marks: str = _MARKS) -> str:
    """A text as it may stand in a cell."""
    return printable(re.sub(marks, r"\\\g<0>", text))


def _code(text: str) -> str:
    """Return an expression as code, between more backquotes than it contains in a row."""
    shown = printable(text)
    if "\\|" in shown:
        # Code in a table cannot contain a backslash before a bar: write text with all punctuation escaped.
        return cell(text, r"[!-/:-@\[-`{-~]")
    mark = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    blank = " " if len(mark) > 1 else ""
    return f"{mark}{blank}{shown}{blank}{mark}".replace("|", "\\|")


def _markdown_row(cells: Sequence[str]) -> bytes:
    return ("| " + " | ".join(cells) + " |\n").encode()


def write_markdown(result: Columns, out: Out, style: Style) -> None:
    header = _markdown_row([cell(name) for name in result.names]) + b"|" + b" ---: |" * len(result.names) + b"\n"
    for block in headed(header, result.blocks, out):
        cells = [
            [cell(text).encode() for text in run.plain()] if isinstance(run, Kept)
            else number_rows(run, nothing=b"null", digits=style.digits).replace(b",", b" | ").split(b"\n")
            for run in runs(block)
        ]  # fmt: skip
        out(b"".join([b"| " + b" | ".join(row) + b" |\n" for row in zip(*cells, strict=True)]))


def tell_markdown(formulas: Statements, out: Out, style: Style) -> None:
    out(_markdown_row(["name", "expression"]) + b"| --- | --- |\n")
    for name, text in formulas.lines:
        out(_markdown_row([cell(name), _code(text)]))
    for name in formulas.unused:
        out(_markdown_row([cell(name), "not used"]))
