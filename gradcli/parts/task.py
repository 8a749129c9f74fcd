"""A part as a task of another process: JSON in, JSON out, so that nothing is unpickled that a user wrote."""

from __future__ import annotations

import json
import os
import platform
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

from gradcli.compute import engine
from gradcli.errors import GradError
from gradcli.formats import FORMATS
from gradcli.limits import memory, work
from gradcli.parts.part import make
from gradcli.parts.plan import Part, part_of, versions
from gradcli.parts.work import Work, work_of
from gradcli.storage import is_url
from gradcli.storage.folder import folder


class Fault(NamedTuple):
    """Why a part was not made."""

    message: str
    hint: str | None
    exit_code: int


class Outcome(NamedTuple):
    """A part that was made, with its record, or the fault that kept it from that."""

    part: Part
    record: dict[str, Any] | None
    fault: Fault | None


def told(work: Work, folder: str, base: str = "") -> str:
    """Return what all tasks of a run have in common: the work, and the folder of the parts.

    ``base``: the folder that relative paths are in, for processes that are elsewhere.
    """
    at = folder if is_url(folder) else os.path.join(base, folder)
    common = {"work": work.described(), "folder": at, "base": base, "versions": versions(work.job.engine)}
    return json.dumps(common)


def answered(common: str, part: dict[str, Any]) -> dict[str, Any]:
    """Make the part that `Part.told` tells; return its record or the fault, as JSON."""
    try:
        return {"record": _made(common, part)}
    except Exception as error:
        return {"fault": list(fault(error))}


def warm(common: str) -> None:
    """Load what all parts need, before the first is asked for."""
    with suppress(Exception):
        computation = _common(common)[0]
        engine.load(computation.job.engine)
        FORMATS[computation.format].load(None)


def outcome(part: Part, answer: dict[str, Any]) -> Outcome:
    """Return the outcome that an answer tells."""
    return Outcome(part, answer.get("record"), Fault(*answer["fault"]) if "fault" in answer else None)


def fault(error: Exception) -> Fault:
    """Return the fault of an exception: its own words for a GradError, an internal error for what should not happen."""
    if isinstance(error, GradError):
        # The picture with a caret is part of the message.
        hint = None if error.span is not None else error.hint
        return Fault(str(error) if error.span is not None else error.message, hint, error.exit_code)
    if memory.lacking(error):
        return Fault("out of memory", "smaller parts: --part-bytes; or fewer at a time", 3)
    return Fault(f"internal error: {type(error).__name__}: {str(error)[:300]}", None, 3)


@lru_cache(4)
def _common(common: str) -> tuple[Work, str, str]:
    told = json.loads(common)
    computation = work_of(told["work"])
    if told["versions"] != (here := versions(computation.job.engine)):
        there = [f"{name} {told['versions'].get(name)}, here {here[name]}" for name in here]
        raise GradError(
            f"the versions on {platform.node()} differ: {'; '.join(there)}",
            hint="parts are made with equal versions everywhere, so that equal parts have equal bytes",
            exit_code=3,
        )
    return computation, told["folder"], told["base"]


def _made(common: str, told: dict[str, Any]) -> dict[str, Any]:
    computation, target, base = _common(common)
    part = part_of(told)
    with work.request():
        try:
            return make(computation, part, folder(target), base)
        except GradError as error:
            # The name that the user gave, wherever that is here.
            error.message = error.message.replace(os.path.join(base, part.source.path), part.source.path)
            raise
