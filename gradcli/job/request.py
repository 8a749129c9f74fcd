"""Requests: the expressions of a job, parsed, named and checked before any computation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import BinaryIO, NamedTuple

from gradcli.calculus.derive import Named, count_partials, derive
from gradcli.caret import Source
from gradcli.compute.grid import Grid
from gradcli.errors import GradError, meant
from gradcli.expr import CONSTANTS, Expr, reachable, spell_name, statements, text
from gradcli.formats import PLAIN, Dialect, Span
from gradcli.job.choices import Choice, Hard, How, Where
from gradcli.language import Parsed, parse
from gradcli.language.actions import NUMBERS
from gradcli.language.names import glued, product

ORDER_LIMIT = 200
COLUMN_LIMIT = 50_000
RESERVED = frozenset({*CONSTANTS, *NUMBERS})
"""Names that are constants unless an option binds them."""


class Facts(NamedTuple):
    """The description of a request in output formats: the text of each output, the variables, the order.

    ``note`` tells the user the name of an unnamed output if it is not f; else it is empty. ``read_as``: the strict
    texts of natural notation, where they differ from those that were typed.
    """

    expressions: dict[str, str]
    variables: list[str]
    order: int
    note: str = ""
    read_as: str | None = None


@dataclass(frozen=True)
class Job(Where, How, Choice, Hard):
    """A request for values and derivatives, checked when it is run. ``wrt`` None: every variable."""

    expressions: Sequence[str | Source | Parsed]
    wrt: Sequence[str] | None = None
    order: int = 1
    allow_unused: bool = False


@dataclass(frozen=True)
class Rows:
    """The tables to read, and how, as typed on the command line; ``stdin`` is the stream for the path ``-``.

    ``watch`` is called with the number of rows and the fraction read if all rows are read before the computation.
    ``constants`` are the names of constants that remain constants even if a column has such a name. ``notes`` receives
    messages for the user while the tables are read. ``span``: the run of rows to read, for exactly one path.
    ``header``: the columns of the first table of a run of which these rows are a part, "" for one without a name, and
    ``first`` its path. They decide about columns, their order and errors, as that table does where it is among the
    paths; these are then names of files, no patterns. ``known``: the columns of the first table, where texts in natural
    notation have to know them before they are read. ``begun``: the streams of paths that have been opened for that and
    cannot be opened again, such as pipes.
    """

    paths: Sequence[str] = ()
    format: str | None = None
    dialect: Dialect = PLAIN
    max_bytes: int | None = None
    keep: bool = False
    constants: Sequence[str] = ()
    stdin: BinaryIO | None = None
    watch: Callable[[int, float | None], None] | None = None
    notes: list[str] = field(default_factory=list, compare=False)
    span: Span | None = None
    header: Sequence[str] | None = None
    first: str | None = None
    known: Sequence[str] = ()
    begun: Mapping[str, BinaryIO] = field(default_factory=dict, compare=False)


class Expressions:
    """The parsed expressions of a request: ``outputs`` are (name, expression) pairs, ``variables`` names in order.

    ``bound`` are the names that the command line gives to variables, ``rows`` the tables whose columns may do so too.
    """

    def __init__(
        self, expressions: Sequence[str | Source | Parsed], bound: Collection[str], rows: Rows | None = None
    ) -> None:
        for name in () if rows is None else rows.constants:
            if name in bound:
                raise GradError(f"--constant: '{name}' is given as a variable on the command line")
        self.parsed = [e if isinstance(e, Parsed) else read_expression(e, bound, rows) for e in expressions]
        if not self.parsed:
            raise GradError("no expression given")
        self.variables = list(dict.fromkeys(v for p in self.parsed for v in p.variables))
        self.outputs, self.note = _named_outputs(self.parsed, self.variables)
        if rows is None and (unbound := [name for name in self.variables if name not in bound]):
            self.note = "; ".join(filter(None, (self.note, glued(unbound))))

    @property
    def read_as(self) -> str | None:
        """The strict texts of natural notation; None where they are those that were typed."""
        return read_as(self.parsed)

    @property
    def reductions(self) -> bool:
        """Whether an expression contains a reduction over all points."""
        return any(p.reductions for p in self.parsed)

    def check_names(self, names: Sequence[str], option: str) -> None:
        """Raises GradError for a duplicate name."""
        twice = next((name for name, count in Counter(names).items() if count > 1), None)
        if twice is not None:
            raise GradError(f"{option}'{twice}' is given twice")

    def meant(self, name: str) -> str:
        """The hint for a name that is not a variable of any expression."""
        return meant(name, self.variables, "its variables are") if self.variables else "it has no variables"

    def unused(self, names: Sequence[str], option: str, allowed: bool) -> list[str]:
        """Those of ``names`` that are not variables of any expression. Raises GradError for one unless ``allowed``."""
        known = set(self.variables)
        unused = [n for n in names if n not in known]
        if unused and not allowed:
            hint = product(self.variables, unused) or self.meant(unused[0])
            raise GradError(f"{option}'{unused[0]}' is not used in the expression", hint=hint)
        return unused

    def check_columns(self, results: Iterable[str], points: Sequence[str], hint: str = "") -> None:
        """Raises GradError if a result has the name of a variable; by default the hint is a free name for it."""
        taken = {*points, *self.variables}
        for name in results:
            if name in taken:
                used = [*points, *[output for output, _ in self.outputs]]
                free = next((n for n in "ygh" if n not in used), "result")
                hint = hint or f"name the output: {free} = expression; or give a value: --at {spell_name(name)}=..."
                raise GradError(f"'{name}' would be both a variable and a result", hint=hint)

    def facts(self, order: int) -> Facts:
        """The description of the request for output formats."""
        return Facts({name: as_text(e) for name, e in self.outputs}, self.variables, order, self.note, self.read_as)


def read_expression(text: str | Source, bound: Collection[str], rows: Rows | None = None) -> Parsed:
    """A text as it is read beside tables, whose columns are known in natural notation as ``bound`` names are.

    Names of constants remain constants there, as in the strict language: `Parsed.check_columns` refuses such columns.
    """
    if isinstance(text, Source) and text.natural and rows is not None:
        bound = {*bound, *[name for name in rows.known or rows.header or () if name and name not in RESERVED]}
    return parse(text, bound, columns=rows is not None)


def read_as(texts: Sequence[Parsed]) -> str | None:
    """The strict text of natural notation, that of several as statements; None where it is the text that was typed."""
    if all(text.read_as is None for text in texts):
        return None
    strict = [(text.source.text if text.read_as is None else text.read_as).strip() for text in texts]
    return ("\n" if any("\n" in text or "#" in text for text in strict) else "; ").join(strict)


class Request(Expressions):
    """The checked expressions of a job; ``names`` are the variables with values from the command line.

    Derivatives are computed on first use of ``derived``: all checks that do not need them come first, since computing
    them may take long.
    """

    def __init__(self, job: Job, names: Sequence[str], rows: Rows | None = None) -> None:
        super().__init__(job.expressions, {*names, *(job.wrt or ())}, rows)
        self.points = [*self.variables, *self.unused(names, "", job.allow_unused)]
        wrt = self.variables if job.wrt is None else list(job.wrt)
        self.unused(wrt, "--wrt: ", job.allow_unused)
        self.check_names(wrt, "--wrt: ")
        check_order(job.order, len(wrt), len(self.outputs))
        if job.order:
            self.pointwise()
        self.wrt, self._order = wrt, job.order
        self._derived: Named | None = None
        self.check_columns([n for n, _ in self.outputs], self.points)

    @property
    def derived(self) -> Named:
        """All outputs and their derivatives by name. Raises GradError for duplicate names or too much work."""
        # Not a cached_property: in Python 3.11 it holds a lock, on which a forked child may hang.
        if self._derived is None:
            derived = derive(self.outputs, self.wrt, self._order)
            self.check_columns([n for n, _ in derived], self.points)
            self._derived = derived
        return self._derived

    def pointwise(self) -> None:
        """Raises GradError if an expression contains a reduction over all points."""
        for p in self.parsed:
            p.pointwise(
                "and derivatives here are of each point alone",
                hint='gradients through it: gradcli grad "..." --wrt ...',
            )


class Formulas:
    """Derivatives as expressions, the result of a job without points.

    ``derived``: the outputs and their derivatives, which may be simplified. ``lines`` are (name, text) statements that
    parse back, shared parts included; ``remarks`` tell single points at which a formula does not hold.
    """

    unused: tuple[str, ...] = ()

    def __init__(
        self, request: Expressions, order: int, derived: Named, *, kinks: bool = False, remarks: Sequence[str] = ()
    ) -> None:
        self.lines = list(statements(derived, kinks=kinks)) if derived else []
        self.names, self.remarks = tuple([name for name, _ in derived]), tuple(remarks)
        self.variables, self.order, self.note, self._request = request.variables, order, request.note, request
        outputs = dict(request.outputs)
        self.derivatives = tuple([name for name in self.names if name not in outputs])

    @property
    def expressions(self) -> dict[str, str]:
        """The text of each output by its name."""
        return self._request.facts(self.order).expressions

    @property
    def read_as(self) -> str | None:
        """The strict texts of natural notation; None where they are those that were typed."""
        return self._request.read_as


def check_size(grid: Grid, limit: int) -> None:
    """Raises GradError if a grid has more than ``limit`` points."""
    if grid.size > limit:
        raise GradError(f"{grid.size} points are beyond the limit of {limit} (--max-points)")


def _named_outputs(parsed: Sequence[Parsed], variables: Sequence[str]) -> tuple[list[tuple[str, Expr]], str]:
    """All outputs with their names, and a note for the user if an unnamed one is called otherwise than f or f1, f2 ...

    An unnamed output has the first of the names f, y, g, h, f_1, f_2 ... that the expressions do not use; of several
    the first stem is taken whose names, such as y1, y2 ..., are all free.
    """
    outputs = [output for p in parsed for output in p.outputs]
    taken = {*variables, *[name for p in parsed for name in p.names]}
    unnamed = sum(name is None for name, _ in outputs)
    if unnamed == 1:
        choices = ([stem] for stem in chain("fygh", map("f_{}".format, count(1))))
    else:
        stems = chain("fygh", map("f{}_".format, map("_".__mul__, count())))
        choices = ([f"{stem}{k}" for k in range(1, unnamed + 1)] for stem in stems)
    usual = names = next(choices)
    while not taken.isdisjoint(names):
        names = next(choices)
    note = ""
    if names != usual:
        verb, used = ("result is", "f") if unnamed == 1 else ("results are", next(n for n in usual if n in taken))
        note = f"the {verb} called {', '.join(names[:3])}{' ...' if unnamed > 3 else ''}: the expressions use {used}"
    free = iter(names)
    named: dict[str, Expr] = {}
    for name, e in outputs:
        name = name or next(free)
        if name in named:
            raise GradError(f"two outputs are called '{name}'", hint="name the outputs apart: name = expression")
        named[name] = e
    return list(named.items()), note


def check_order(order: int, wrt: int, outputs: int) -> None:
    """Raises GradError for an order beyond the limits, given the numbers of variables and outputs."""
    if order < 0:
        raise GradError("the order must be at least 0")
    if order > ORDER_LIMIT:
        raise GradError(f"order {order} is beyond the limit of {ORDER_LIMIT}")
    columns = outputs * (1 + count_partials(wrt, order))
    if columns > COLUMN_LIMIT:
        raise GradError(
            f"order {order} in {wrt} variables makes {columns} results, the limit is {COLUMN_LIMIT}",
            hint="choose variables with --wrt, or a lower order",
        )


def as_text(e: Expr) -> str:
    """An expression as text that parses back; shared parts become statements if the text would grow exponentially."""
    size: dict[Expr, int] = {}
    nodes = reachable([e])
    for node in nodes:
        size[node] = 1 + sum(size[a] for a in node.args)
    if size[e] <= 1000 + 4 * len(nodes):
        return text(e)
    lines = list(statements([("", e)]))
    return "; ".join([*[f"{name} = {body}" for name, body in lines[:-1]], lines[-1][1]])
