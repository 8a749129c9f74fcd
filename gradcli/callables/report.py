"""Reports of `check` for Python programs: verdicts by index and by name, as text and for JSON.

Layer: must not know how a claim is judged, nor print.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from gradcli.caret import inert

if TYPE_CHECKING:
    from gradcli.verify import Report as Verified
    from gradcli.verify import Verdict as Judged


class Verdict:
    """The verdict on one claim; true if the claim agrees.

    >>> verdict = check("x**2", "3*x")["df_dx"]
    >>> verdict.status, verdict.point, verdict.claimed_value, verdict.true_value, verdict.truth
    ('disagrees', {'x': 1.0}, 3.0, 2.0, '2*x')
    """

    __slots__ = ("_judged",)

    def __init__(self, judged: Judged) -> None:
        self._judged = judged

    @property
    def name(self) -> str:
        """The derivative that is claimed, such as ``df_dx``, or the output."""
        return self._judged.claim.name

    @property
    def claimed(self) -> str:
        """The claim as it was written."""
        return self._judged.claim.typed

    @property
    def truth(self) -> str:
        """The formula of the exact derivative; the beginning of it where it is long."""
        from gradcli.verify.wording import truth

        return truth(self._judged)

    @property
    def status(self) -> str:
        """``agrees``, ``disagrees`` or ``unchecked``."""
        return self._judged.status

    @property
    def point(self) -> dict[str, float] | None:
        """The simplest point found where the claim is wrong, in the units of the variables; None if none was."""
        return None if self._judged.example is None else dict(self._judged.example.point)

    @property
    def claimed_value(self) -> float | None:
        """The value of the claim at `point`."""
        return None if self._judged.example is None else self._judged.example.claimed

    @property
    def true_value(self) -> float | None:
        """The exact derivative at `point`, rounded to a double."""
        return None if self._judged.example is None else self._judged.example.true

    @property
    def ulps(self) -> float:
        """The difference in units in the last place of the true value.

        That at `point` for a claim that disagrees, else the largest one found.
        """
        example = self._judged.example
        if example is None:
            return self._judged.ulps
        apart = abs(example.claimed - example.true) / math.ulp(example.true)
        return apart if apart == apart else math.inf

    @property
    def pattern(self) -> str:
        """What all wrong points have in common, such as ``the sign is wrong``; empty if nothing."""
        return "" if self._judged.example is None else self._judged.example.pattern

    @property
    def hole(self) -> str:
        """The operation of the claim that has no value at `point`, such as ``0/0``; empty if it has one."""
        return "" if self._judged.example is None else self._judged.example.hole

    @property
    def points(self) -> int:
        """The number of points at which the two were compared; 0 where they are the same expression."""
        return self._judged.compared

    @property
    def outcome(self) -> str:
        """What was found, in words, such as ``at x=1: claimed 3, true 2``."""
        from gradcli.verify.wording import outcome

        return outcome(self._judged)

    def __bool__(self) -> bool:
        return self.status == "agrees"

    def __repr__(self) -> str:
        return f"<{self.name} {self.status}: {self.outcome}>"


class Report(Sequence[Verdict]):
    """The verdicts on several claims, in order; true if every claim agrees.

    ``str(report)`` is the text that ``gradcli check`` prints. ``report["df_dx"]`` is the verdict on a derivative, under
    the name that `Verdict.name` gives it; KeyError if it is not claimed.

    >>> report = check("x*y", {"df_dx": "y", "df_dy": "y"})
    >>> [(verdict.name, bool(verdict)) for verdict in report]
    [('df_dx', True), ('df_dy', False)]
    >>> report.to_dict()["ok"]
    False
    """

    def __init__(self, verified: Verified) -> None:
        self._verified = verified
        self.verdicts = tuple(map(Verdict, verified.verdicts))

    @property
    def ok(self) -> bool:
        """Whether every claim agrees."""
        return self._verified.exit_code == 0

    @property
    def expressions(self) -> dict[str, str]:
        """The text of each expression by the name of its output."""
        return dict(self._verified.expressions)

    @property
    def seed(self) -> int | None:
        """The seed that chose the points; None if they were given."""
        return self._verified.seed

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on the check, such as that python-flint is not installed and hard points were not decided."""
        from gradcli.verify.wording import MISSING

        return (MISSING,) if self._verified.missing else ()

    def to_dict(self) -> dict[str, Any]:
        """The members of the JSON object that ``gradcli check --json`` prints, of JSON's types alone.

        Its schema is ``docs/schemas/check.json``. A value of a claim and a difference in ulp that are not finite are
        None.
        """
        from gradcli.verify.wording import fields

        return fields(self._verified)

    @overload
    def __getitem__(self, key: int | str) -> Verdict: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[Verdict]: ...
    def __getitem__(self, key: int | str | slice) -> Verdict | Sequence[Verdict]:
        if not isinstance(key, str):
            return self.verdicts[key]
        for verdict in self.verdicts:
            if verdict.name == key:
                return verdict
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return any(key in (verdict, verdict.name) for verdict in self.verdicts)

    def __len__(self) -> int:
        return len(self.verdicts)

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self.verdicts)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        from gradcli.verify.wording import table

        return inert(table(self._verified)).rstrip("\n")

    __repr__ = __str__
