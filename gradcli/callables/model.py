"""The model of a function: its expressions, its arguments, and the requests of each order that compute it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

from gradcli.calculus.forward import Partial
from gradcli.calculus.leibniz import derivative_name
from gradcli.callables.python_errors import in_python
from gradcli.compute.execute import Block
from gradcli.errors import BadValue, GradError
from gradcli.expr import Expr
from gradcli.job.choices import conflicts
from gradcli.job.marks import hazard_mask
from gradcli.job.request import Job, Request, check_order

if TYPE_CHECKING:
    from gradcli.job.hard_rows import HardRows


class Model:
    """Parsed expressions with the order of their arguments.

    ``job``: the expressions, the variables to differentiate in and the options; its order stands for nothing. ``args``:
    the arguments in their order, None for that of first occurrence. Raises GradError for a text that cannot be read, an
    argument that is missing or that no expression uses, and a reduction over points.

    ``of``: the outputs that these are derivatives of, one for each; () if they are none.
    """

    def __init__(self, job: Job, args: Sequence[str] | None) -> None:
        first = Request(replace(job, order=0), args or ())
        for parsed in first.parsed:
            parsed.pointwise(
                "and a function is of each point alone", hint="for sums over points: gradcli.tensor and gradcli.grad"
            )
        conflicts(job, False)
        if args is not None:
            first.check_names(args, "args: ")
            missing = [name for name in first.variables if name not in args]
            if missing:
                hint = f'such as args="{",".join([*args, *missing])}"'
                raise BadValue(f"args: '{missing[0]}' is missing", hint=hint)
        self.args: tuple[str, ...] = tuple(first.points if args is None else args)
        self.wrt: tuple[str, ...] = self.args if job.wrt is None else tuple(job.wrt)
        # Parsed expressions are not read again for each order.
        self.job = replace(job, expressions=first.parsed, wrt=list(self.wrt))
        self.parsed = first.parsed
        self.outputs = first.outputs
        self.note = first.note
        self.of: tuple[str, ...] = ()
        self.settles_all = bool(job.careful or job.exact)
        self.settles = self.settles_all or job.kink != "convention"
        self._requests: dict[int, Request] = {}
        self._numbered: dict[int, Request] = {}
        self._free: dict[tuple[int, str], list[HardRows]] = {}
        self._mask: list[Expr] | None = None

    def request(self, order: int) -> Request:
        """The request of an order, whose results are named as in the shell."""
        request = self._requests.get(order)
        if request is None:
            with in_python():
                request = Request(replace(self.job, order=order), self.args)
                _ = request.derived  # which may find that a result has the name of a variable
            self._requests[order] = request
        return request

    def by_place(self, order: int) -> Request:
        """As `request`, of results that are told by their places: their names may be equal.

        The derivatives of f, df_dx as two outputs are df_dx and ddf_dx_dx: those names have numbers instead.
        """
        if order in self._numbered:
            return self._numbered[order]
        if len(self.outputs) == 1 or order == 0:
            return self.request(order)
        partials = self.partials(order)
        names = [derivative_name(name, self.wrt, p) for name, _ in self.outputs for p in partials]
        if len({*names}) == len(names):
            return self.request(order)
        outputs: list[tuple[str | None, Expr]] = [
            (f"{name} (output {k})", e) for k, (name, e) in enumerate(self.outputs, 1)
        ]
        job = replace(self.job, expressions=[self.parsed[0]._replace(outputs=outputs)], order=order)
        request = self._numbered[order] = Request(job, self.args)
        return request

    def partials(self, order: int) -> list[Partial]:
        """The partials of each output in the request of an order, in the order of its results.

        Raises BadValue where there are more than a request may have.
        """
        with in_python():
            check_order(order, len(self.wrt), len(self.outputs))
        wrt = range(len(self.wrt))
        return [p for total in range(order + 1) for p in combinations_with_replacement(wrt, total)]

    @property
    def mask(self) -> list[Expr]:
        """The mask of hard points as one more output; none if no point can be hard, or none is looked at."""
        if self._mask is None:
            roots = [e for _, e in self.request(0).derived]
            self._mask = hazard_mask(roots) if self.settles else []
        return self._mask

    def numbers(self, order: int, engine_name: str, columns: Sequence[Any]) -> Block:
        """The results of a request at rows, hard points settled as in the rows of files.

        ``columns``: those of the arguments, lists of floats for the scalar engine, else arrays.
        """
        from gradcli.job.hard_rows import HardRows

        # What settles rows has state. Each call takes one that is free: threads, forks, and handlers of signals that
        # interrupt a call and make another, do not wait for each other.
        free = self._free.setdefault((order, engine_name), [])
        try:
            rows = free.pop()
        except IndexError:
            rows = HardRows(replace(self.job, order=order), self.by_place(order), engine_name)
        at = dict(zip(self.args, columns, strict=True))
        try:
            block = rows.numbers([at[name] for name in rows.variables])
        except GradError:
            free.append(rows)
            with in_python():
                raise
        free.append(rows)
        return block
