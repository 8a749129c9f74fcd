"""Cotangents: the values of ``--grad-outputs``, one for each output, and the .npy files that they name.

A rule is an expression in the indices of the output's shape. A file holds one number per point of the output and is
read block by block. Nothing is ever unpickled.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gradcli.caret import Source
from gradcli.errors import GradError
from gradcli.expr import ONE, Expr, variables
from gradcli.formats.npy_random import Stored, stored
from gradcli.job.parse_at_grid_fill import INDICES, read_name, single

OPTION = "--grad-outputs"
_NAMED = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|`[^`]+`)\s*=(?!=)(.*)", re.DOTALL)


Cotangent = Expr | Stored
"""An expression in the indices of the output's shape, or an array in a .npy file, read in parts."""


def read(texts: Sequence[str], outputs: Sequence[str]) -> dict[str, Cotangent]:
    """The cotangent of each output, ones by default. Raises GradError, naming the option, if invalid."""
    cotangents: dict[str, Cotangent] = {}
    for text in texts:
        name, value = _split(text, outputs)
        if name in cotangents:
            raise GradError(f"{OPTION}: '{name}' is given twice")
        if name not in outputs:
            known = ", ".join(outputs[:10]) + (" ..." if len(outputs) > 10 else "")
            raise GradError(f"{OPTION}: '{name}' is not an output", hint=f"the outputs are {known}")
        cotangents[name] = _cotangent(name, value)
    return {name: cotangents.get(name, ONE) for name in outputs}


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


def _cotangent(name: str, value: str) -> Cotangent:
    if not value:
        raise GradError(f"{OPTION}: the cotangent of '{name}' is missing", hint=f"such as {name}=ones")
    if value == "ones":
        return ONE
    if _is_file(value):
        try:
            return stored(value)
        except GradError as e:
            raise GradError(f"{OPTION}: {e.message}", exit_code=e.exit_code) from None
    source = Source(value)
    try:
        return single(source, "and a rule says what one of them is")[1]
    except GradError as e:
        hint = e.hint or "a cotangent is ones, a rule in the indices i, j ... of the output's shape, or a file FILE.npy"
        raise GradError(f"{OPTION}: {e.message}", hint=hint, span=e.span, source=e.source) from None


def check(name: str, cotangent: Cotangent, shape: tuple[int, ...], batched: bool) -> None:
    """Raises GradError if a cotangent does not fit the shape of its output.

    A rule has no variables but the indices. An array has the same shape, behind the batch dimension if ``batched``.
    """
    if isinstance(cotangent, Stored):
        _check_shape(name, cotangent, shape, batched)
        return
    known = INDICES[: len(shape)]
    for used in variables(cotangent):
        if used not in known:
            have = f"its indices are {', '.join(known)}" if known else "it is a single number, which has no indices"
            raise GradError(f"{OPTION}: '{used}' in the cotangent of '{name}' is not an index; {have}")


def _check_shape(name: str, array: Stored, shape: tuple[int, ...], batched: bool) -> None:
    actual, path = array.shape, array.file.path
    if batched:
        if actual[1:] != shape:
            raise GradError(
                f"with --is-grads-batched the first dimension of {path} is the batch: the rest of its shape, "
                f"{list(actual[1:])}, is not that of the output '{name}', {list(shape)}"
            )
    elif actual != shape:
        raise GradError(
            f"mismatch in shape: the cotangent of '{name}' in {path} has a shape of {list(actual)}, "
            f"and '{name}' has a shape of {list(shape)}"
        )


def batch_of(cotangents: dict[str, Cotangent]) -> int:
    """The length of the batch. Raises GradError if a cotangent is not a file, or the lengths differ."""
    lengths: dict[str, int] = {}
    for name, cotangent in cotangents.items():
        if not isinstance(cotangent, Stored):
            raise GradError(f"--is-grads-batched: the cotangent of '{name}' must be a FILE.npy, batch first")
        if not cotangent.ndim:
            path = cotangent.file.path
            raise GradError(f"{OPTION}: {path} is a single number, and its first dimension would be the batch")
        lengths[name] = cotangent.shape[0]
    first = next(iter(lengths))
    for name, length in lengths.items():
        if length != lengths[first]:
            raise GradError(
                "--is-grads-batched: the first dimension of every cotangent is the batch, and it is "
                f"{lengths[first]} for '{first}' but {length} for '{name}'"
            )
    if not lengths[first]:
        raise GradError("--is-grads-batched: the batch is empty")
    return lengths[first]
