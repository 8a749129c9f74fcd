"""The pages of docs/, each of them a topic of ``gradcli help``. Must not know what they say."""

from __future__ import annotations

import os
import re

from gradcli.errors import GradError

SYNONYMS = {"grammar": "language", "names": "derivatives", "claims": "check"}
"""Topics that are a part of a page."""
_LINK = re.compile(r"\[([^\]]+)\]\([^)\s]+\)")


def topics() -> dict[str, str]:
    """The title of every page, in the order of the index."""
    return dict(re.findall(r"^- \[([\w-]+)\]\(\1\.md\): (.+)$", _page("index"), re.MULTILINE))


def told(topic: str, *, full: bool) -> str:
    """A page without its marks for code and links: the part before the first section, or all of it."""
    name = SYNONYMS.get(topic, topic)
    text = _page(name)
    start = text.partition("\n## ")[0]
    lines = [line for line in (text if full else start).splitlines() if not line.startswith(("```", "<!--"))]
    plain = _LINK.sub(r"\1", "\n".join(lines).removeprefix("# ")).rstrip()
    more = "" if full or text == start else f"\n\nAll of it: gradcli help {name} --full"
    return re.sub(r"\n{3,}", "\n\n", plain + more) + "\n"


def _page(name: str) -> str:
    """A page as written: beside the package's files where it is installed, beside the package in a checkout."""
    package = os.path.join(os.path.dirname(__file__), os.pardir)
    for folder in (os.path.join(package, "_docs"), os.path.join(package, os.pardir, "docs")):
        try:
            with open(os.path.join(folder, f"{name}.md"), encoding="utf-8") as file:
                return file.read()
        except OSError:
            continue
    raise GradError(f"{name}.md is missing from this installation of gradcli", exit_code=3)
