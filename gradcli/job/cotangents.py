"""Cotangents: the values of ``--grad-outputs``, one for each output, and the .npy files that they name.

A rule is an expression in the indices of the output's shape. A file holds one number per point of the output and is
read block by block. Nothing is ever unpickled.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from gradcli.calculus.derive import expand
from gradcli.caret import Source
from gradcli.errors import GradError
from gradcli.expr import Expr, variables
from gradcli.formats.npy_random import Stored, stored
from gradcli.job.at_grid_fill import INDICES, read_name
from gradcli.language import parse

OPTION = "--grad-outputs"
_NAMED = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|`[^`]+`)\s*=(?!=)(.*)", re.DOTALL)


class Rule(NamedTuple):
    """A cotangent as an expression in the indices of the output's shape, or a constant."""

    expression: Expr


class File(NamedTuple):
    """A cotangent as an array in a .npy file, read in parts."""

    path: str
    array: Stored


Cotangent = Rule | File


def read(texts: Sequence[str], outputs: Sequence[str]) -> dict[str, Cotangent]:
    """The cotangents by output, without those that are ones. Raises GradError, naming the option, if invalid."""
    cotangents: dict[str, Cotangent | None] = {}
    for text in texts:
        name, value = _split(text, outputs)
        if name in cotangents:
            raise GradError(f"{OPTION}: '{name}' is given twice")
        if name not in outputs:
            known = ", ".join(outputs[:10]) + (" ..." if len(outputs) > 10 else "")
            raise GradError(f"{OPTION}: '{name}' is not an output", hint=f"the outputs are {known}")
        cotangents[name] = _cotangent(name, value)
    return {name: cotangent for name, cotangent in cotangents.items() if cotangent is not None}


def files(texts: Sequence[str]) -> list[str]:
    """The paths of the .npy files named in the texts."""
    matches = [(text, _NAMED.fullmatch(text)) for text in texts]
    values = [(match[2] if match else text).strip() for text, match in matches]
    return [value for value in values if _is_file(value)]


def _is_file(value: str) -> bool:
    return value.lower().endswith(".npy")


def _split(text: str, outputs: Sequence[str]) -> tuple[str, str]:
    match = _NAMED.fullmatch(text)
    if match:
        return read_name(match[1], OPTION), match[2].strip()
    if len(outputs) > 1:
        raise GradError(f"{OPTION} needs OUTPUT=RULE or OUTPUT=FILE.npy where there are several, not '{text.strip()}'")
    return outputs[0], text.strip()


def _cotangent(name: str, value: str) -> Cotangent | None:
    if not value:
        raise GradError(f"{OPTION}: the cotangent of '{name}' is missing", hint=f"such as {name}=ones")
    if value == "ones":
        return None
    if _is_file(value):
        return File(value, _stored(value))
    source = Source(value)
    try:
        parsed = parse(source).pointwise("and a rule says what one of them is")
        if len(parsed.outputs) != 1 or parsed.outputs[0][0] is not None:
            raise GradError("one expression is needed")
        return Rule(expand([parsed.outputs[0][1]])[0])
    except GradError as e:
        hint = e.hint or "a cotangent is ones, a rule in the indices i, j ... of the output's shape, or a file FILE.npy"
        raise GradError(f"{OPTION}: {e.message}", hint=hint, span=e.span, source=e.source) from None


def _stored(path: str) -> Stored:
    try:
        return stored(path)
    except GradError as e:
        raise GradError(f"{OPTION}: {e.message}", exit_code=e.exit_code) from None


def check_indices(name: str, rule: Rule, shape: Sequence[int]) -> None:
    """Raises GradError if a rule has variables other than the indices of its output's shape."""
    known = INDICES[: len(shape)]
    for used in variables(rule.expression):
        if used not in known:
            have = f"its indices are {', '.join(known)}" if known else "it is a single number, which has no indices"
            raise GradError(f"{OPTION}: '{used}' in the cotangent of '{name}' is not an index; {have}")


def check_shape(name: str, file: File, shape: tuple[int, ...], batched: bool) -> None:
    """Raises GradError if the shape of a file, after the batch dimension if ``batched``, is not that of its output."""
    actual = tuple(file.array.shape)
    if batched:
        if actual[1:] != shape:
            raise GradError(
                f"with --is-grads-batched the first dimension of {file.path} is the batch: the rest of its shape, "
                f"{list(actual[1:])}, is not that of the output '{name}', {list(shape)}"
            )
    elif actual != shape:
        raise GradError(
            f"mismatch in shape: the cotangent of '{name}' in {file.path} has a shape of {list(actual)}, "
            f"and '{name}' has a shape of {list(shape)}"
        )


def batch_of(cotangents: dict[str, Cotangent], outputs: Sequence[str]) -> int:
    """The length of the batch. Raises GradError if a cotangent is not a file, or the lengths differ."""
    lengths: dict[str, int] = {}
    for name in outputs:
        cotangent = cotangents.get(name)
        if not isinstance(cotangent, File):
            raise GradError(f"--is-grads-batched: the cotangent of '{name}' must be a FILE.npy, batch first")
        if not cotangent.array.ndim:
            raise GradError(
                f"{OPTION}: {cotangent.path} is a single number, and its first dimension would be the batch"
            )
        lengths[name] = cotangent.array.shape[0]
    first = outputs[0]
    for name, length in lengths.items():
        if length != lengths[first]:
            raise GradError(
                "--is-grads-batched: the first dimension of every cotangent is the batch, and it is "
                f"{lengths[first]} for '{first}' but {length} for '{name}'"
            )
    if not lengths[first]:
        raise GradError("--is-grads-batched: the batch is empty")
    return lengths[first]
