"""The pages of docs/, each a topic of ``gradcli help``. Layer: must not know their content."""

from __future__ import annotations

import os
import re

from gradcli.caret import wrapped
from gradcli.errors import GradError

SYNONYMS = {"grammar": "language", "names": "derivatives", "claims": "check", "uncertainty": "propagate"}
"""Topics that have no page of their own, and the page that covers each."""
TASKS = {
    word: text
    for words, text in (
        ("latex tex mathml dot svg", "that is a form of: gradcli show EXPR --as latex|mathml|dot|svg"),
        ("code codegen export generate lambdify compile c cpp python numpy julia rust fortran javascript js sql jq awk",
         "code is written by: gradcli show EXPR --as LANGUAGE"),
        ("simplify expand factor reduce", "simplified derivatives: gradcli show EXPR --simplify"),
        ("derivative derivatives derive differentiate deriv d partial hessian jacobian",
         "that is: gradcli diff EXPR (with --order 2 the second derivatives)"),
        ("gradient vjp jvp backward backprop autograd", "that is: gradcli grad EXPR --wrt x,y"),
        ("evaluate calc calculate compute value values run table print", "that is: gradcli eval EXPR --at x=1"),
        ("graph draw chart graphs plotting picture curve", "that is: gradcli plot EXPR --grid x=-5:5"),
        ("gradcheck verify test compare claim prove", "that is: gradcli check EXPR --claim CLAIM"),
        ("steps step tape trace tutor", "that is: gradcli explain EXPR"),
        ("man doc docs manual info usage topic", "that is: gradcli help"),
        ("function list search", "that is: gradcli functions"),
        ("convert csv json", "formats are an option: gradcli eval EXPR --input FILE --format csv"),
        ("limit onesided", "that is: gradcli diff EXPR --at x=0 --sides"),
        ("bound range extremum extrema minimize maximize interval enclosure box",
         "least and greatest values over a box: gradcli bounds EXPR --over x=0:1"),
        ("series maclaurin expand_about polynomial", "that is: gradcli taylor EXPR --at x=0 --order 6"),
        ("normal line plane touching", "that is: gradcli tangent EXPR --at x=1"),
        ("implicitly implicit_derivative curve", "that is: gradcli implicit \"x**2 + y**2 = 25\" --at x=3,y=4"),
        ("zeros zero root roots poles asymptotes inflection inflections monotone convex discuss analyze analyse",
         "that is: gradcli study EXPR --grid x=-5:5"),
        ("pole edge singularity discontinuity asymptote", "what a point is: gradcli diff EXPR --at x=0 --verdict"),
        ("precision", "proved digits: gradcli eval EXPR --digits 50"),
        ("uncertainty uncertainties propagation error errors errorprop gum budget montecarlo",
         'that is: gradcli propagate EXPR --at "x=1.02\u00b10.03"'),
        ("integrate integral solve dsolve optimize fit laplace fourier",
         "there is no command for that: gradcli computes derivatives and values"),
    )
    for word in words.split()
}  # fmt: skip
"""Commands as people call them, and what does that here."""
_LINK = re.compile(r"!?\[([^\]]+)\]\([^)\s]+\)")


def topics() -> dict[str, str]:
    """The title of each page by its name, in the order of the index."""
    return dict(re.findall(r"^- \[([\w-]+)\]\(\1\.md\): (.+)$", _page("index"), re.MULTILINE))


def page_text(topic: str, *, full: bool, width: int | None = None) -> str:
    """A page as plain text, without code fences and link targets: its beginning, or with ``full`` all of it.

    Paragraphs are filled to ``width`` cells.
    """
    name = SYNONYMS.get(topic, topic)
    text = _LINK.sub(r"\1", _page(name))
    start = text.partition("\n## ")[0]
    lines = [line for line in _filled(text if full else start, width) if not line.startswith(("```", "<!--"))]
    plain = "\n".join(lines).removeprefix("# ").rstrip()
    more = "" if full or text == start else f"\n\nAll of it: gradcli help {name} --full"
    return re.sub(r"\n{3,}", "\n\n", plain + more) + "\n"


def found(word: str) -> dict[str, str]:
    """The title of each page that has the word in a heading."""
    inside = re.compile(rf"^#.*\b{re.escape(word)}", re.MULTILINE | re.IGNORECASE)
    return {page: title for page, title in topics().items() if word.isidentifier() and inside.search(_page(page))}


def _filled(text: str, width: int | None) -> list[str]:
    """The lines of a page; those of a paragraph or an item of a list are joined and broken again at ``width``."""
    if width is None:
        return text.splitlines()
    lines, code = [""], False
    for line in text.splitlines():
        code ^= line.startswith("```")
        begins = code or not line or not lines[-1] or line.startswith(("```", "#", "|", "<", "- "))
        if begins or lines[-1].startswith(("```", "#", "|", "<")):
            lines.append(line)
        else:
            lines[-1] += " " + line.lstrip()
    return [piece for line in lines[1:] for piece in wrapped(line, width, 0 if line[:1].isalnum() else None)]


def _page(name: str) -> str:
    """The Markdown of a page: from ``_docs`` in an installed package, from ``docs`` in a checkout."""
    package = os.path.join(os.path.dirname(__file__), os.pardir)
    for folder in (os.path.join(package, "_docs"), os.path.join(package, os.pardir, "docs")):
        try:
            with open(os.path.join(folder, f"{name}.md"), encoding="utf-8") as file:
                return file.read()
        except OSError:
            continue
    raise GradError(f"{name}.md is missing from this installation of gradcli", exit_code=3)
