"""The pages of docs/, each a topic of ``gradcli help``. Layer: must not know their content."""

from __future__ import annotations

import os
import re

from gradcli.errors import GradError

SYNONYMS = {"grammar": "language", "names": "derivatives", "claims": "check"}
"""Topics that have no page of their own, and the page that covers each."""
_LINK = re.compile(r"\[([^\]]+)\]\([^)\s]+\)")


def topics() -> dict[str, str]:
    """The title of each page by its name, in the order of the index."""
    return dict(re.findall(r"^- \[([\w-]+)\]\(\1\.md\): (.+)$", _page("index"), re.MULTILINE))


def page_text(topic: str, *, full: bool) -> str:
    """A page as plain text, without code fences and link targets: its beginning, or with ``full`` all of it."""
    name = SYNONYMS.get(topic, topic)
    text = _page(name)
    start = text.partition("\n## ")[0]
    lines = [line for line in (text if full else start).splitlines() if not line.startswith(("```", "<!--"))]
    plain = _LINK.sub(r"\1", "\n".join(lines).removeprefix("# ")).rstrip()
    more = "" if full or text == start else f"\n\nAll of it: gradcli help {name} --full"
    return re.sub(r"\n{3,}", "\n\n", plain + more) + "\n"


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
