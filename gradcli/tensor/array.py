"""Tensor: an array with identity, and the graph of what was done to it.

A tensor is a value and, where it requires a gradient, a node. The node knows the operation, the values it was done to
and the nodes those came from, never another tensor: what the user lets go of is gone. Operators are the table's rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.tensor import elementwise
from gradcli.tensor.elementwise import Elementwise
from gradcli.tensor.evaluate import evaluate
from gradcli.tensor.graph import Node
from gradcli.tensor.refusals import BadIndex, BadType, BadValue, Refused
from gradcli.tensor.values import BOOL, C128, F32, F64, Array, Axis, Operation, Shape, Value, derived, settled


class Tensor:
    """An array that derivatives can be taken of and by; made by ``tensor``, operators and functions.

    NumPy's functions and operators work on it and broadcast as on arrays. Comparisons give tensors of truth values.
    """

    __slots__ = ("__weakref__", "name", "node", "value")
    __array_priority__ = 1000
    __hash__ = object.__hash__

    def __init__(self, value: Value, node: Node | None = None, name: str | None = None) -> None:
        if value.__class__ is not Value:
            raise BadType("a Tensor is made by tensor(...)")
        self.value, self.node, self.name = value, node, name

    # What it is.

    @property
    def shape(self) -> Shape:
        return self.value.shape

    @property
    def ndim(self) -> int:
        return len(self.value.shape)

    @property
    def size(self) -> int:
        return self.value.size

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.value.dtype

    @property
    def is_leaf(self) -> bool:
        return self.node is None or self.node.op is None

    @property
    def requires_grad(self) -> bool:
        """Whether gradients can be taken with respect to it, or through it."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    def requires_grad_(self, wanted: bool = True) -> Tensor:
        """Set whether a leaf requires a gradient; return it."""
        if not self.is_leaf:
            raise Refused(
                "you can only change requires_grad flags of leaf variables", hint="take .detach() of it first"
            )
        if wanted and self.node is None:
            if self.dtype is BOOL:
                raise Refused("only Tensors of floating point and complex dtype can require gradients")
            self.node = Node(None, None, None, ())
        elif not wanted:
            self.node = None
        return self

    def detach(self) -> Tensor:
        """The same values, cut off from the graph."""
        return Tensor(self.value)

    def __reduce__(self) -> Any:
        if not self.is_leaf:
            raise Refused("only leaf tensors can be copied or pickled", hint="take .detach() of it first")
        return tensor, (np.array(self.numpy()), self.requires_grad, self.name)

    # Its numbers.

    def numpy(self) -> Array:
        """The values as an array that cannot be written to; it shares memory with the tensor."""
        if self.value.array is None:
            evaluate([self.value])
        found = np.asarray(self.value.array, dtype=self.dtype).view()
        found.flags.writeable = False
        return found

    def item(self) -> float | complex | bool:
        """The one number of a tensor of one element."""
        if self.size != 1:
            raise Refused(f"a Tensor with {self.size} elements cannot be converted to Scalar")
        found: float | complex | bool = self.numpy().item()
        return found

    def tolist(self) -> Any:
        return self.numpy().tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        found = self.numpy()
        return (
            np.array(found, dtype=dtype, copy=True)
            if copy or copy is None
            else found.astype(dtype or found.dtype, copy=False)
        )

    def __float__(self) -> float:
        found = self.item()
        if isinstance(found, complex):
            raise BadType("a complex number is no float", hint="take its real part: np.real(z)")
        return float(found)

    def __int__(self) -> int:
        return int(float(self))

    def __complex__(self) -> complex:
        return complex(self.item())

    def __bool__(self) -> bool:
        if self.size != 1:
            raise Refused(f"Boolean value of Tensor with {self.size} values is ambiguous", hint="use np.any or np.all")
        return bool(self.item())

    def __len__(self) -> int:
        if not self.shape:
            raise BadType("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape:
            raise BadType("iteration over a 0-d tensor")
        return iter([self[k] for k in range(self.shape[0])])

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and self.size == 1 else format(str(self), spec)

    def __repr__(self) -> str:
        values = self.numpy()
        body = np.array2string(values, separator=", ", prefix="tensor(") if values.size else str(values.tolist())
        notes = [body]
        if values.size == 0:
            notes.append(f"shape={self.shape}")
        if self.dtype not in (F64, BOOL):
            notes.append(f"dtype={self.dtype}")
        if self.name is not None:
            notes.append(f"name={self.name!r}")
        if self.requires_grad:
            notes.append("requires_grad=True")
        return f"tensor({', '.join(notes)})"

    # Writing to a leaf.

    def __setitem__(self, index: Any, values: Any) -> None:
        """Write to a leaf, or to a view of one, that no computation has used yet."""
        leaf = self.value.base or self.value
        if leaf.used:
            raise self._modified()
        if isinstance(values, Tensor):
            if values.requires_grad:
                raise Refused("a tensor that requires grad cannot be assigned: its graph would be lost",
                              hint="assign values.detach()")  # fmt: skip
            values = values.numpy()
        values = array_of(values)
        try:
            if isinstance(self.value.array, (float, bool)):
                box = np.array(self.value.array)
                box[index] = values
                self.value.array = box.item()
            else:
                self.value.array[index] = values
        except IndexError as e:
            raise BadIndex(str(e)) from None
        except (ValueError, TypeError) as e:
            raise BadValue(f"cannot assign: {e}") from None

    def _modified(self) -> Refused:
        which = f"tensor '{self.name}'" if self.name is not None else f"tensor of shape {self.shape}"
        return Refused(
            f"one of the variables needed for gradient computation has been modified by an inplace operation: {which}",
            hint="only a leaf, or a view of one, may be assigned to, until it is first used; make a new tensor",
        )

    # Operators.

    def __neg__(self) -> Tensor:
        return apply(_NEG, self)

    def __pos__(self) -> Tensor:
        return self

    def __add__(self, other: Any) -> Tensor:
        return binary(_ADD, self, other)

    def __radd__(self, other: Any) -> Tensor:
        return binary(_ADD, other, self)

    def __sub__(self, other: Any) -> Tensor:
        return binary(_SUB, self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return binary(_SUB, other, self)

    def __mul__(self, other: Any) -> Tensor:
        return binary(_MUL, self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return binary(_MUL, other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return binary(_DIV, self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return binary(_DIV, other, self)

    def __mod__(self, other: Any) -> Tensor:
        return binary(_MOD, self, other)

    def __rmod__(self, other: Any) -> Tensor:
        return binary(_MOD, other, self)

    def __floordiv__(self, other: Any) -> Tensor:
        return binary(_FLOORDIV, self, other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return binary(_FLOORDIV, other, self)

    def __pow__(self, other: Any) -> Tensor:
        return power(self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return binary(_POWER, other, self)

    def __lt__(self, other: Any) -> Tensor:
        return binary(_LT, self, other)

    def __le__(self, other: Any) -> Tensor:
        return binary(_LE, self, other)

    def __gt__(self, other: Any) -> Tensor:
        return binary(_GT, self, other)

    def __ge__(self, other: Any) -> Tensor:
        return binary(_GE, self, other)

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]
        return binary(_EQ, self, other)

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]
        return binary(_NE, self, other)

    def __and__(self, other: Any) -> Tensor:
        return logical(_AND, self, other)

    def __or__(self, other: Any) -> Tensor:
        return logical(_OR, self, other)

    def __invert__(self) -> Tensor:
        return logical(_NOT, self)

    __rand__, __ror__ = __and__, __or__

    if TYPE_CHECKING:  # bound to functions of the rooms above in `methods`
        T: Tensor
        real: Tensor
        imag: Tensor

        def __abs__(self) -> Tensor: ...
        def __round__(self, digits: int | None = None) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __rmatmul__(self, other: Any) -> Tensor: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor: ...
        def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor: ...
        def prod(self, axis: Axis = None, keepdims: bool = False) -> Tensor: ...
        def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor: ...
        def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor: ...
        def var(self, axis: Axis = None, keepdims: bool = False, ddof: float = 0) -> Tensor: ...
        def std(self, axis: Axis = None, keepdims: bool = False, ddof: float = 0) -> Tensor: ...
        def cumsum(self, axis: int | None = None) -> Tensor: ...
        def reshape(self, *shape: Any) -> Tensor: ...
        def ravel(self) -> Tensor: ...
        def flatten(self) -> Tensor: ...
        def transpose(self, *axes: Any) -> Tensor: ...
        def dot(self, other: Any) -> Tensor: ...
        def conj(self) -> Tensor: ...
        def squeeze(self, axis: Axis = None) -> Tensor: ...
        def clip(self, low: Any = None, high: Any = None) -> Tensor: ...


# Making tensors.


def tensor(data: Any, requires_grad: bool = True, name: str | None = None) -> Tensor:
    """A new tensor with a copy of ``data``: numbers, nested lists of them or an array.

    float32 and complex128 are kept, truth values too (they require no gradient), all else becomes float64. ``name`` is
    told in errors. Elements of it may be assigned to until it is first used. Raises TypeError for what is no array.
    """
    array = array_of(data.numpy() if isinstance(data, Tensor) else data)
    dtype = next(d for d in (BOOL, F32, F64, C128) if d == array.dtype)
    value = Value(array.shape, dtype, settled(array, dtype))
    value.used = False
    found = Tensor(value, None, name)
    return found.requires_grad_() if requires_grad and dtype is not BOOL else found


def array_of(data: Any) -> Array:
    """``data`` as a new array of one of the dtypes that tensors have. Raises BadType where it is none of numbers."""
    if isinstance(data, np.ma.MaskedArray):
        raise BadType("no array of numbers: some of a masked array may be missing", hint="give its .filled(...)")
    try:
        with np.errstate(all="ignore"):
            found = np.array(data)
    except (ValueError, TypeError, OverflowError) as e:
        raise BadType(f"no array of numbers: {e}") from None
    kind = found.dtype.kind
    if kind not in "biufc":
        what = f"its dtype is {found.dtype}" if isinstance(data, (np.ndarray, np.generic)) else type(data).__name__
        raise BadType(f"no array of numbers: {what}")
    dtype = BOOL if kind == "b" else C128 if kind == "c" else F32 if kind == "f" and found.itemsize == 4 else F64
    return found.astype(dtype, copy=False)


def lift(x: Any, like: Tensor | None = None) -> Tensor:
    """A tensor as it is, anything else as a constant. A Python number takes the dtype of ``like``."""
    if isinstance(x, Tensor):
        return x
    dtype = F64 if like is None else like.value.dtype
    if isinstance(x, (float, int)) and not isinstance(x, bool) and dtype is not BOOL:
        try:
            if dtype is F64:
                return Tensor(Value((), dtype, float(x)))
            with np.errstate(all="ignore"):
                return Tensor(Value((), dtype, np.asarray(x, dtype=dtype)))
        except OverflowError:
            raise BadValue(f"the number {str(x)[:20]}... is beyond the range of a double") from None
    if isinstance(x, (list, tuple)) and _holds_graph(x):
        raise BadType("a list of tensors that require grad is no operand", hint="join them: np.stack([...])")
    array = array_of(x)
    dtype = next(d for d in (BOOL, F32, F64, C128) if d == array.dtype)
    return Tensor(Value(array.shape, dtype, settled(array, dtype)))


def _holds_graph(items: Iterable[Any]) -> bool:
    return any(
        i.requires_grad if isinstance(i, Tensor) else isinstance(i, (list, tuple)) and _holds_graph(i) for i in items
    )


def record(op: Operation, tensors: Sequence[Tensor], shape: Shape, dtype: np.dtype[Any]) -> Tensor:
    """``op`` applied to tensors that fit it."""
    values = tuple([t.value for t in tensors])
    value = derived(op, values, shape, dtype)
    if dtype is BOOL or not any(t.node is not None for t in tensors):
        return Tensor(value)
    for v in values:
        (v.base or v).used = True
    return Tensor(value, Node(op, values, value, tuple([t.node for t in tensors])))


def apply(op: Elementwise, *tensors: Tensor) -> Tensor:
    """An elementwise operation on tensors that broadcast together."""
    values = tuple([t.value for t in tensors])
    for v in values:
        if v.array.__class__ is not float:
            tensors, shape, dtype = _fitted(op, tensors)
            values = tuple([t.value for t in tensors])
            value = derived(op, values, shape, BOOL if op.boolean else dtype)
            break
    else:
        # Single numbers, at the price of a call each.
        value = Value((), BOOL if op.boolean else F64, op.single()(*[v.array for v in values]))
    for t in tensors:
        if t.node is not None:
            return _connected(op, tensors, values, value)
    return Tensor(value)


def _connected(op: Elementwise, tensors: Sequence[Tensor], values: tuple[Value, ...], value: Value) -> Tensor:
    edges = tuple([t.node if live else None for t, live in zip(tensors, op.live, strict=True)])
    if not any(edges):
        return Tensor(value)
    for v in values:
        (v.base or v).used = True
    return Tensor(value, Node(op, values, value, edges))


def _fitted(op: Elementwise, tensors: Sequence[Tensor]) -> tuple[tuple[Tensor, ...], Shape, np.dtype[Any]]:
    """The arguments in one dtype, conditions apart, and the shape they broadcast to."""
    dtypes = {t.value.dtype for t, condition in zip(tensors, op.conditions, strict=True) if not condition}
    dtype = next((d for d in (C128, F64, F32) if d in dtypes), F64)
    if dtype is C128 and op.boolean and op.template.op not in ("eq", "ne"):
        raise BadType("complex numbers have no order", hint="compare their real parts or absolute values")
    fitted = tuple([cast(t, BOOL if c else dtype) for t, c in zip(tensors, op.conditions, strict=True)])
    shapes = {t.value.shape for t in fitted}
    return fitted, shapes.pop() if len(shapes) == 1 else broadcast(shapes), dtype


def broadcast(shapes: Iterable[Shape]) -> Shape:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = " and ".join(map(str, sorted(shapes)))
        raise BadValue(f"shapes {listed} do not broadcast together") from None


def binary(op: Elementwise, a: Any, b: Any) -> Tensor:
    """An operator of two arguments, one of which may be a number or an array; NotImplemented for anything else."""
    if a.__class__ is not Tensor:
        if not isinstance(a, _OPERANDS):
            return NotImplemented  # type: ignore[no-any-return]  # as operators say it
        a = lift(a, b)
    elif b.__class__ is not Tensor:
        if not isinstance(b, _OPERANDS):
            return NotImplemented  # type: ignore[no-any-return]
        b = lift(b, a)
    return apply(op, a, b)


_OPERANDS = (Tensor, int, float, complex, np.ndarray, np.generic, list, tuple)


def logical(op: Elementwise, *args: Any) -> Tensor:
    """An operator of truth values."""
    tensors = [lift(a) for a in args]
    if any(t.dtype is not BOOL for t in tensors):
        raise BadType("& | and ~ are of truth values", hint="compare first: (x > 0) & (x < 1)")
    return apply(op, *tensors)


def power(x: Tensor, exponent: Any) -> Tensor:
    """x**exponent; a Python number as the exponent is part of the operation."""
    if isinstance(exponent, (int, float)) and not isinstance(exponent, bool):
        return apply(elementwise.power(exponent if isinstance(exponent, int) else float(exponent)), lift(x))
    return binary(_POWER, x, exponent)


# Changing the dtype.


class Cast(Operation):
    """To another dtype; the cotangent goes back to the one it came from."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: np.dtype[Any]) -> None:
        super().__init__("cast", lambda x: _as(x, dtype))
        self.dtype = dtype

    def saves(self, ways: Sequence[int]) -> bool:
        return False

    def pull(self, k: int, g: Tensor, y: Tensor, args: Sequence[Tensor]) -> Tensor | None:
        return cast(g, args[k].dtype)


def _as(x: Any, dtype: np.dtype[Any]) -> Array:
    found = np.asarray(x)
    if found.dtype.kind == "c" and dtype.kind != "c":
        found = found.real
    return found != 0 if dtype is BOOL else found.astype(dtype)


_CASTS = {dtype: Cast(dtype) for dtype in (BOOL, F32, F64, C128)}


def cast(t: Tensor, dtype: np.dtype[Any]) -> Tensor:
    """The same numbers in another dtype; of complex ones the real parts."""
    if t.value.dtype is dtype:
        return t
    # Truth values of large arrays stay part of one program.
    if t.value.dtype is BOOL and dtype is F64:
        return apply(_WHERE, t, lift(1.0), lift(0.0))
    if dtype is BOOL and t.value.dtype is F64:
        return apply(_NE, t, lift(0.0))
    return record(_CASTS[dtype], (t,), t.shape, dtype)


_NEG, _NOT = elementwise.row("neg", 1), elementwise.row("not", 1)
_ADD, _SUB, _MUL, _DIV, _MOD, _POWER = (elementwise.row(n, 2) for n in ("add", "sub", "mul", "div", "mod", "power"))
_LT, _LE, _GT, _GE, _EQ, _NE = (elementwise.row(name, 2) for name in ("lt", "le", "gt", "ge", "eq", "ne"))
_FLOORDIV = elementwise.row("floordiv", 2)
_AND, _OR = elementwise.row("and", 2), elementwise.row("or", 2)
_WHERE = elementwise.row("where", 3)
