"""What a folder of parts holds: which of its parts are whole, missing or broken."""

from __future__ import annotations

import hashlib
import zlib
from typing import Any, NamedTuple

from gradcli.errors import GradError
from gradcli.parts.ledger import Ledger, failed
from gradcli.parts.part import RECORD, stands
from gradcli.parts.plan import Part, Plan

DONE, MISSING, BROKEN = "done", "missing", "broken"


class State(NamedTuple):
    """A part: whether it is done, missing or broken, why, its record if it has one, and the digest of its bytes.

    The digest, BLAKE2b of 16 bytes, is known only where the bytes were read.
    """

    part: Part
    status: str
    why: str
    record: dict[str, Any] | None
    blake2b: str | None


class Report(NamedTuple):
    """The states of all parts in the order of the rows; ``closed``: there is a manifest of them."""

    path: str
    plan: Plan
    states: list[State]
    closed: bool
    foreign: list[str]

    def count(self, status: str) -> int:
        return sum(state.status == status for state in self.states)

    @property
    def rows(self) -> int:
        """The rows of the parts that are done."""
        return sum(s.record["rows"] for s in self.states if s.record is not None and s.status == DONE)

    @property
    def whole(self) -> bool:
        return self.closed and self.count(DONE) == len(self.states) and not self.foreign


def report(path: str, verify: bool) -> Report:
    """Return what a folder of parts holds; with ``verify`` the bytes of every part are read and compared.

    Raise GradError, exit code 2, if it is no folder of parts, and 3 if it cannot be read.
    """
    ledger = Ledger(path)
    plan = ledger.plan
    if plan is None:
        what = (
            "no folder of parts: there is no plan in it" if ledger.sizes else "there is no such folder, or it is empty"
        )
        raise GradError(f"{path}: {what}", hint="parts are made by: gradcli diff EXPR --input FILES -o FOLDER/")
    records = ledger.read_records(plan.parts)
    states = [_state(ledger, part, records.get(part.name), verify) for part in plan.parts]
    return Report(path, plan, states, ledger.closed(plan), ledger.foreign)


def _state(ledger: Ledger, part: Part, record: dict[str, Any] | None, verify: bool) -> State:
    size = ledger.sizes.get(part.name)
    if record is None:
        # A process was stopped between the renaming of a part and of its record.
        why = "not made" if size is None else "it has no record" if part.name + RECORD not in ledger.sizes else ""
        return State(part, MISSING if why else BROKEN, why or "its record cannot be read", None, None)
    if record.get("key") != part.key:
        return State(part, MISSING, "made of other rows, options or versions", record, None)
    if not stands(part, record, size):
        if size is None:
            return State(part, MISSING, "its file is gone", record, None)
        written = record.get("bytes")
        cut = isinstance(written, int) and size != written
        why = f"it has {size:,} bytes, its record tells {written:,}" if cut else "its record does not tell all"
        return State(part, BROKEN, why, record, None)
    if not verify:
        return State(part, DONE, "", record, None)
    try:
        size, check, digest = 0, 0, hashlib.blake2b(digest_size=16)
        for data in ledger.folder.pieces(part.name):
            size, check = size + len(data), zlib.crc32(data, check)
            digest.update(data)
    except OSError as error:
        raise failed(path=f"{ledger.path}{part.name}", error=error) from None
    sound = size == record["bytes"] and f"{check:08x}" == record["crc32"]
    return State(
        part, DONE if sound else BROKEN, "" if sound else "its bytes are not those that were written", record,
        digest.hexdigest(),
    )  # fmt: skip
