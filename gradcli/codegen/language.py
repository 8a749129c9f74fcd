"""What is known of a language: one row each. Must not know expressions or the printer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

Spelled = Mapping[str, str | tuple[str, int]]


class Language(NamedTuple):
    """One row.

    ``spelled`` has a template for each operation: ``{0:5}`` is its first argument, in brackets unless it binds at
    least as tightly as 5 (the levels of gradcli.expr, sums 5, products 6, atoms 9), ``{n}`` the integer parameter;
    beside it how tightly the whole binds, 9 if not said. ``prelude`` has, by word, a text that goes before the
    function where that word occurs. In ``frame``, ``helper``, ``assign`` and ``result`` words in <> stand for what is
    filled in.
    """

    name: str
    doc: str
    comment: str
    spelled: Spelled
    frame: str
    result: str
    """One result within the frame: <value>, <name>, <index> from 0 and <place> from 1."""
    between: str = ", "
    """What stands between results."""
    helper: str = ""
    """A function of one result; empty for a language without functions, where forms are written out."""
    prelude: Mapping[str, str] = {}
    assign: str = "    <name> = <value>\n"
    assign_truth: str = ""
    declare: str = ""
    declare_truth: str = ""
    """How a temporary is announced, in a language that wants that first."""
    read: str = ""
    """A line that reads one variable into its identifier, for each <key>."""
    parameter: str = "{0}"
    separator: str = ", "
    extra: str = ""
    """Further parameters of the function."""
    reads: str = "{0}"
    literal: str = "{0}"
    whole: bool = False
    """Whether integers may be written without a point."""
    minus: int = 7
    """How tightly a negative number binds."""
    keywords: str = ""
    folds: bool = False
    """Whether names that differ by case alone are one name."""
    width: int = 88
    """The longest text of an expression before it gets a name."""
    depth: int = 40
    """The deepest nesting before an expression gets a name."""
    wrap: str = ""
    """What continues a line, in a language whose lines are short."""
    quote: Callable[[str], str] | None = None
    """How the name of a column or key is written."""
    quoted: bool = False
    """Names are quoted and the text is one query: temporaries in stages (see staged)."""

    def words(self) -> set[str]:
        """Every word that may mean something in this language, so that no name is one of them."""
        spelled = [s if isinstance(s, str) else s[0] for s in self.spelled.values()]
        texts = (*spelled, *self.prelude, *self.prelude.values(), self.frame, self.helper, self.assign, self.extra)
        rest = (self.parameter, self.result, self.read, self.keywords)
        found = re.findall(r"[A-Za-z]\w*", " ".join((*texts, *rest)))
        # Parameters of the helpers: theirs alone.
        return {*found} - {"x", "y", "z", "n", "r"}


def fill(template: str, **parts: str) -> str:
    """A template with its words in <> replaced, all at once: what is filled in is never read again."""
    return re.sub(r"<(\w+)>", lambda match: parts.get(match[1], match[0]), template)
