"""Tensor: an array with identity, and the graph of what was done to it.

A tensor is a value and, where it requires a gradient, a node. The node knows the operation, the values it was done to
and the nodes those came from, never another tensor: what the user lets go of is gone. Operators are the table's rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.autograd.errors import BadIndex, BadType, BadValue, Refused
from gradcli.autograd.evaluate import evaluate
from gradcli.autograd.graph import Node
from gradcli.autograd.values import BOOL, C128, F32, F64, Array, Axis, Shape, Value, settled


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

    if TYPE_CHECKING:  # bound to functions of the files above in `methods`
        T: Tensor
        real: Tensor
        imag: Tensor

        def __neg__(self) -> Tensor: ...
        def __pos__(self) -> Tensor: ...
        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __mod__(self, other: Any) -> Tensor: ...
        def __rmod__(self, other: Any) -> Tensor: ...
        def __floordiv__(self, other: Any) -> Tensor: ...
        def __rfloordiv__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __lt__(self, other: Any) -> Tensor: ...
        def __le__(self, other: Any) -> Tensor: ...
        def __gt__(self, other: Any) -> Tensor: ...
        def __ge__(self, other: Any) -> Tensor: ...
        def __eq__(self, other: object) -> Tensor: ...  # type: ignore[override]
        def __ne__(self, other: object) -> Tensor: ...  # type: ignore[override]
        def __and__(self, other: Any) -> Tensor: ...
        def __or__(self, other: Any) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __rand__(self, other: Any) -> Tensor: ...
        def __ror__(self, other: Any) -> Tensor: ...
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
