"""`Language`, the row of a target language: its spellings, its frame and its limits.

Layer: must not know expressions or the printer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

Spelled = Mapping[str, str | tuple[str, int]]
"""Templates by operation, with how tightly each binds if not as an atom (9)."""


class Language(NamedTuple):
    """One target language.

    ``spelled`` has a template for each operation: ``{0:5}`` is its first argument, in brackets unless it binds at
    least as tightly as 5 (the levels of gradcli.expr: sums 5, products 6, atoms 9), ``{n}`` the integer parameter.
    ``prelude`` has texts by word: a text precedes the function if its word occurs. In ``frame``, ``helper``, ``assign``
    and ``result``, words in <> are placeholders for `fill`.
    """

    name: str
    doc: str
    comment: str
    spelled: Spelled
    frame: str
    result: str
    """One result within the frame: <value>, <name>, <index> from 0 and <place> from 1."""
    suffixes: tuple[str, ...] = ()
    """The suffixes of files that hold it; of several languages that share one, the first row's."""
    spread: str = ""
    """The value of a result that does not use every variable, in a language of arrays: it gets the inputs' <shape>."""
    shape: str = ""
    """The line that finds the shape of all inputs, from their <shapes>, each `shape_of` a variable."""
    shape_of: str = ""
    caveats: Mapping[str, str] = {}
    """Sentences for the comment, each by the operation that calls for it; that of "" always stands there."""
    carry: str = ""
    """What precedes the results in <carried> if the text carries all columns or keys of its input through."""
    row_of: str = ""
    """How the first stage of a query names a row of the input, which ``carry`` then writes out as <row>."""
    rejoined: bool = False
    """Whether the rows so named have to be joined to the results, since the language cannot write them out."""
    between: str = ", "
    """The separator of results."""
    helper: str = ""
    """The frame of a helper function; empty for a language without functions, in which forms are written out."""
    prelude: Mapping[str, str] = {}
    assign: str = "    <name> = <value>\n"
    assign_truth: str = ""
    """The assignment of a temporary, and of a truth value if that differs."""
    declare: str = ""
    declare_truth: str = ""
    """The declaration of a temporary, and of a truth value, in a language that needs one."""
    read: str = ""
    """The line that reads the variable <key> into its identifier <name>."""
    parameter: str = "{0}"
    separator: str = ", "
    extra: str = ""
    """Further parameters of the function."""
    reads: str = "{0}"
    """A use of a variable or temporary."""
    literal: str = "{0}"
    """A number."""
    whole: bool = False
    """Whether integers may be written without a decimal point."""
    minus: int = 7
    """How tightly a negative number binds."""
    keywords: str = ""
    """Words that no identifier may be."""
    folds: bool = False
    """Whether the language ignores the case of letters in names."""
    width: int = 88
    """Characters of an expression from which it gets a name."""
    depth: int = 40
    """Nesting from which an expression gets a name."""
    wrap: str = ""
    """The continuation mark, in a language with a limit on the length of lines."""
    quote: Callable[[str], str] = str
    """The quoted form of a column's or key's name."""
    quoted: bool = False
    """Whether the text is one SQL query with quoted names and temporaries in stages (see `sql`)."""

    @property
    def ordered(self) -> bool:
        """Whether its variables are known by their order, as the parameters of a function are, not by their names."""
        return "<parameters>" in self.frame or "<place>" in self.read

    def words(self) -> set[str]:
        """Every word that has a meaning in this language or in this row: no identifier may be one of them."""
        spelled = [s if isinstance(s, str) else s[0] for s in self.spelled.values()]
        texts = (*spelled, *self.prelude, *self.prelude.values(), self.frame, self.helper, self.assign, self.extra)
        rest = (self.parameter, self.result, self.read, self.shape, self.spread, self.keywords)
        words = re.findall(r"[A-Za-z]\w*", " ".join((*texts, *rest)))
        # The parameters of helpers are local to them.
        return {*words} - {"x", "y", "z", "n", "r"}


def fill(template: str, **parts: str) -> str:
    """A template with its words in <> replaced in one pass, so that inserted texts are never replaced themselves."""
    return re.sub(r"<(\w+)>", lambda match: parts.get(match[1], match[0]), template)
