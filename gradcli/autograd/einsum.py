"""Sums of products in Einstein's notation (`np.einsum`) on tensors, computed by matrix products.

Each operand is first reduced to distinct subscripts: one that stands twice in it selects the diagonal, one that stands
nowhere else is summed. Two operands are then contracted by one product of stacks of matrices: subscripts of both that
are needed later number the stack, the others of both are summed. The order of the pairs is that of `np.einsum_path`.
All steps are operations on tensors with rules of their own, so that the result has derivatives of any order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import prod
from string import ascii_letters
from typing import Any

import numpy as np

from gradcli.autograd.operations import lift
from gradcli.autograd.rearrange import diagonals
from gradcli.autograd.reduction_ops import matmul
from gradcli.autograd.shape_ops import number, one_dtype, reshape, sum_, transpose
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import Shape
from gradcli.errors import BadType, BadValue

Label = str | int
"""A subscript: a letter or a non-negative integer; the axes of an ellipsis are -1, -2 ..., counted from the last."""
Term = tuple[Label, ...]
Operand = tuple[Tensor, Term]


def einsum(*operands: Any, optimize: Any = "greedy") -> Tensor:
    """The sum of products of the operands' elements, by subscripts that name their axes.

    ``operands``: a text such as ``"ij,jk->ik"`` and a tensor or array for each of its terms; or operands and lists of
    integers in turn, with a list for the result at the end. Without ``->`` the result has the subscripts that stand
    once, in order. An ellipsis stands for further axes, which broadcast; an axis of length 1 broadcasts, too.
    ``optimize``: the order of the pairs, as `np.einsum_path` takes it: "greedy", "optimal" or a path.

    The shape has the length of each subscript of the result, the unit is the product of the operands' units. Raises
    ValueError for subscripts that cannot be read or lengths that do not fit, and TypeError for operands that are no
    arrays of numbers.

    >>> a = tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=False)
    >>> np.einsum("ij,kj->ik", a, a)
    tensor([[ 5., 11.],
            [11., 25.]])
    >>> np.einsum("ii", a)
    tensor(5.)
    """
    tensors, terms, output = _read(operands)
    tensors = one_dtype([number(t) for t in tensors])
    lengths = _lengths(tensors, terms)
    for label in output:
        if label not in lengths:
            raise BadValue(f"einsum: the result has the subscript {label!r}, but no operand has it")
    if len(set(output)) < len(output):
        raise BadValue("einsum: the result has a subscript twice")
    simple = [_distinct(t, term, lengths) for t, term in zip(tensors, terms, strict=True)]
    count = Counter(label for _, term in simple for label in term)
    shared = {label for label in count if count[label] > 1}.union(output)
    simple = [_alone(t, term, shared) for t, term in simple]
    for positions in _path(simple, output, optimize):
        chosen = [simple[p] for p in positions]
        simple = [operand for p, operand in enumerate(simple) if p not in positions]
        result = chosen[0]
        for j, operand in enumerate(chosen[1:], 2):
            later = {label for _, term in (*simple, *chosen[j:]) for label in term}
            result = _pair(result, operand, later.union(output))
        simple.append(result)
    ((t, term),) = simple
    return _ordered(t, term, output)


# Notation.


def _read(operands: Sequence[Any]) -> tuple[list[Tensor], list[Term], Term]:
    """The operands, the subscripts of each of their axes, and those of the result."""
    written: list[list[Any]]
    if operands and isinstance(operands[0], str):
        text, *arguments = operands
        left, arrow, right = text.replace(" ", "").partition("->")
        written = [_letters(term) for term in left.split(",")]
        result = _letters(right) if arrow else None
    else:
        arguments = list(operands[: len(operands) // 2 * 2 : 2])
        written = [_numbers(term) for term in operands[1::2]]
        result = _numbers(operands[-1]) if len(operands) % 2 and len(operands) > 1 else None
    if not arguments or len(arguments) != len(written):
        raise BadValue(f"einsum: subscripts of {len(written)} operands, but {len(arguments)} operands")
    tensors = [lift(a) for a in arguments]
    terms = [_axes(items, t.shape) for items, t in zip(written, tensors, strict=True)]
    more = tuple(range(-max([sum(_in_ellipsis(label) for label in term) for term in terms]), 0))
    if result is None:
        stand = [label for term in terms for label in term if not _in_ellipsis(label)]
        return tensors, terms, (*more, *sorted([label for label in set(stand) if stand.count(label) == 1], key=_rank))
    if more and Ellipsis not in result:
        raise BadValue("einsum: the operands have an ellipsis, but the result has none")
    return tensors, terms, tuple([a for item in result for a in (more if item is Ellipsis else (item,))])


def _in_ellipsis(label: Label) -> bool:
    return isinstance(label, int) and label < 0


def _rank(label: Label) -> tuple[str, int]:
    return (label, 0) if isinstance(label, str) else ("", label)


def _letters(term: str) -> list[Any]:
    """The subscripts of a term of text; an ellipsis as Ellipsis."""
    head, dots, tail = term.partition("...")
    for character in head + tail:
        if character not in ascii_letters:
            raise BadValue(f"einsum: {character!r} is no subscript: they are letters, and once an ellipsis (...)")
    return [*head, *([Ellipsis] if dots else []), *tail]


def _numbers(term: Any) -> list[Any]:
    """The subscripts of a term given as a list of integers, at most once with Ellipsis."""
    if not isinstance(term, (list, tuple)):
        raise BadType(f"einsum: a text of subscripts, or a list of integers after each operand, not {term!r:.40}")
    items = [item if item is Ellipsis else _integer(item) for item in term]
    if items.count(Ellipsis) > 1:
        raise BadValue("einsum: an ellipsis stands twice among the subscripts of an operand")
    return items


def _integer(item: Any) -> int:
    if not isinstance(item, (int, np.integer)) or item < 0:
        raise BadValue(f"einsum: {item!r} is no subscript: they are integers from 0, and once Ellipsis")
    return int(item)


def _axes(items: list[Any], shape: Shape) -> Term:
    """A subscript for each axis of an operand."""
    named = len(items) - (Ellipsis in items)
    if named > len(shape) or (named < len(shape) and Ellipsis not in items):
        raise BadValue(f"einsum: {named} subscripts for an operand of shape {shape}")
    return tuple([a for item in items for a in (range(named - len(shape), 0) if item is Ellipsis else (item,))])


def _lengths(tensors: Sequence[Tensor], terms: Sequence[Term]) -> dict[Label, int]:
    """The length of each subscript. Raises BadValue if it has two lengths other than 1."""
    lengths: dict[Label, int] = {}
    for t, term in zip(tensors, terms, strict=True):
        own = dict(zip(term, t.shape, strict=True))
        for label, n in zip(term, t.shape, strict=True):
            if own[label] != n:
                raise BadValue(f"einsum: subscript {label!r} stands twice in an operand of shape {t.shape}")
            known = lengths.setdefault(label, n)
            if 1 not in (known, n) and known != n:
                name = "an axis of the ellipsis" if _in_ellipsis(label) else f"subscript {label!r}"
                raise BadValue(f"einsum: {name} has the lengths {known} and {n}")
            if known == 1:
                lengths[label] = n
    return lengths


# Operands by themselves.


def _distinct(x: Tensor, term: Term, lengths: dict[Label, int]) -> Operand:
    """An operand with each subscript once; those along which it broadcasts are left out."""
    # An axis of length 1 that broadcasts is selected by 0; the other operands repeat what is left.
    kept = [k for k, label in enumerate(term) if x.shape[k] == lengths[label]]
    x, term = reshape(x, [x.shape[k] for k in kept]), tuple([term[k] for k in kept])
    labels = tuple(dict.fromkeys(term))
    if len(labels) < len(term):
        x = diagonals(x, tuple([labels.index(label) for label in term]))
    return x, labels


def _alone(x: Tensor, term: Term, needed: set[Label]) -> Operand:
    """An operand summed over the subscripts that are not needed."""
    summed = tuple([k for k, label in enumerate(term) if label not in needed])
    return (sum_(x, summed), tuple([label for label in term if label in needed])) if summed else (x, term)


# Pairs of operands.


def _path(operands: Sequence[Operand], output: Term, optimize: Any) -> list[tuple[int, ...]]:
    """The positions of the operands of each step; its result is appended to those that are left."""
    if len(operands) < 3:
        return [tuple(range(len(operands)))]
    labels = list(dict.fromkeys(label for _, term in operands for label in term))
    if len(labels) > len(ascii_letters):
        return [tuple(range(len(operands)))]
    name = dict(zip(labels, ascii_letters, strict=False))
    text = ",".join("".join(name[label] for label in term) for _, term in operands)
    text += "->" + "".join(name[label] for label in output)
    shapes = [np.broadcast_to(0.0, t.shape) for t, _ in operands]
    wanted = "greedy" if optimize is None or isinstance(optimize, bool) else optimize
    try:
        path, _ = np.einsum_path(text, *shapes, optimize=wanted)
        steps = [tuple(step) for step in path[1:]]
    except (TypeError, ValueError, KeyError, RuntimeError) as e:
        raise BadValue(f"einsum: optimize={optimize!r:.80}: {e}") from None
    left = len(operands)
    for step in steps:
        if not step or len(set(step)) < len(step) or not all(0 <= p < left for p in step):
            raise BadValue(f"einsum: optimize={optimize!r:.80} is no path of {len(operands)} operands")
        left -= len(step) - 1
    return steps if left == 1 else [*steps, tuple(range(left))]


def _pair(first: Operand, second: Operand, later: set[Label]) -> Operand:
    """The product of two operands, summed over the subscripts of both that are not needed later."""
    (a, p), (b, q) = first, second
    stacked = [label for label in p if label in q and label in later]
    summed = [label for label in p if label in q and label not in later]
    left, right = [label for label in p if label not in q], [label for label in q if label not in p]
    a, b = _ordered(a, p, (*stacked, *left, *summed)), _ordered(b, q, (*stacked, *summed, *right))
    term = (*stacked, *left, *right)
    s, n = len(stacked), len(summed)
    stack, rows = a.shape[:s], a.shape[s : a.ndim - n]
    columns = b.shape[s + n :]
    if not summed:
        wide = reshape(a, (*stack, *rows, *[1] * len(right)))
        return wide * reshape(b, (*stack, *[1] * len(left), *columns)), term
    inner = prod(b.shape[s : s + n])
    depth = (prod(stack),) if stacked else ()
    product = matmul(reshape(a, (*depth, prod(rows), inner)), reshape(b, (*depth, inner, prod(columns))))
    return reshape(product, (*stack, *rows, *columns)), term


def _ordered(x: Tensor, term: Term, wanted: Term) -> Tensor:
    """The axes in the order of the subscripts ``wanted``."""
    return x if term == wanted else transpose(x, [term.index(label) for label in wanted])


FUNCTIONS: dict[Any, Any] = {np.einsum: einsum}
