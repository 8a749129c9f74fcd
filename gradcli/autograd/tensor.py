"""`Tensor`, an array with a node of the graph, and `tensor`, which makes one.

A tensor is a value and, if it requires a gradient, a node. Operators are functions of the table, bound in `methods`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.autograd.errors import Refused, lost_in_an_array
from gradcli.autograd.evaluate import evaluate
from gradcli.autograd.graph import Node
from gradcli.autograd.values import BOOL, F64, Array, Axis, Shape, Value, array_of, stored
from gradcli.errors import BadType


class Tensor:
    """An array that derivatives can be taken of, and with respect to; made by `tensor`, operators and functions.

    Operators and NumPy's functions apply to tensors, broadcast as on arrays and record the graph. Comparisons return
    tensors of bool. The dtype is float64, float32, complex128 or bool. A tensor owns its array: `numpy` returns a
    read-only view. Attributes and errors follow ``torch.Tensor`` in PyTorch's documentation; every error is a GradError
    and, by its kind, a RuntimeError, ValueError, TypeError or IndexError.

    >>> x = tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> y = (x * x.T).sum(axis=0)
    >>> y.shape, y.dtype, y.requires_grad, y.is_leaf
    ((2,), dtype('float64'), True, False)
    >>> y
    tensor([ 7., 22.], requires_grad=True)
    >>> x[0] > 1.5
    tensor([False,  True])
    """

    __slots__ = ("__weakref__", "name", "node", "value")
    __array_priority__ = 1000
    __hash__ = object.__hash__

    def __init__(self, value: Value, node: Node | None = None, name: str | None = None) -> None:
        if value.__class__ is not Value:
            raise BadType("a Tensor is made by tensor(...)")
        self.value, self.node, self.name = value, node, name

    # Properties.

    @property
    def shape(self) -> Shape:
        """The length of each axis."""
        return self.value.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.value.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.value.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements: float64, float32, complex128 or bool."""
        return self.value.dtype

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made the tensor."""
        return self.node is None or self.node.op is None

    @property
    def requires_grad(self) -> bool:
        """Whether gradients can be taken with respect to the tensor, or through it."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    def requires_grad_(self, wanted: bool = True) -> Tensor:
        """Set whether a leaf requires a gradient; return the tensor itself.

        Raises RuntimeError for a tensor that is no leaf, or is of truth values.

        >>> tensor(2.0, requires_grad=False).requires_grad_()
        tensor(2., requires_grad=True)
        """
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
        """A tensor of the same values without the graph; it shares their memory.

        >>> (2 * tensor([1.0, 2.0])).detach()
        tensor([2., 4.])
        """
        return Tensor(self.value)

    def __reduce__(self) -> Any:
        if not self.is_leaf:
            raise Refused("only leaf tensors can be copied or pickled", hint="take .detach() of it first")
        return tensor, (np.array(self._array()), self.requires_grad, self.name)

    # Conversion to numbers and arrays.

    def _array(self) -> Array:
        """The values as a read-only array, computed first if they are lazy."""
        if self.value.array is None:
            evaluate([self.value])
        array = np.asarray(self.value.array, dtype=self.dtype).view()
        array.flags.writeable = False
        return array

    def numpy(self) -> Array:
        """The values as a read-only array of the same shape and dtype; it shares memory with the tensor.

        A lazy tensor is computed first. The array keeps its values when the graph is freed. What is computed from it
        has no gradient: NumPy itself, which would take the values unasked, is refused (``np.asarray(x)``).

        >>> np.sin(tensor([0.0, 1.0])).numpy()
        array([0.        , 0.84147098])
        """
        return self._array()

    def item(self) -> float | complex | bool:
        """The element of a tensor of one element, as a Python number. Raises RuntimeError for any other size.

        >>> tensor([[2.5]]).item()
        2.5
        """
        if self.size != 1:
            raise Refused(f"a Tensor with {self.size} elements cannot be converted to Scalar")
        number: float | complex | bool = self._array().item()
        return number

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers; a number for a tensor without axes.

        >>> tensor([[1.0, 2.0]]).tolist()
        [[1.0, 2.0]]
        """
        return self._array().tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if self.node is not None:
            raise lost_in_an_array()
        return self._array().astype(dtype or self.dtype, copy=copy is None or copy)

    def __float__(self) -> float:
        number = self.item()
        if isinstance(number, complex):
            raise BadType("a complex number is no float", hint="take its real part: np.real(z)")
        return float(number)

    def __complex__(self) -> complex:
        return complex(self.item())

    def __int__(self) -> int:
        number = self.item()
        if isinstance(number, complex):
            raise BadType("a complex number is no integer", hint="take its real part: np.real(z)")
        return int(number)

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
        values = self._array()
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

    if TYPE_CHECKING:  # bound in `methods`
        T: Tensor
        mT: Tensor
        mH: Tensor
        real: Tensor
        imag: Tensor

        def __neg__(self) -> Tensor: ...
        def __add__(self, other: Any) -> Tensor: ...
        def __eq__(self, other: object) -> Tensor: ...  # type: ignore[override]
        def __ne__(self, other: object) -> Tensor: ...  # type: ignore[override]
        def __round__(self, digits: int | None = None) -> Tensor: ...

        __pos__ = __invert__ = __abs__ = __neg__
        __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __mod__ = __rmod__ = __add__
        __floordiv__ = __rfloordiv__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __add__
        __lt__ = __le__ = __gt__ = __ge__ = __and__ = __rand__ = __or__ = __ror__ = __add__

        def __getitem__(self, index: Any) -> Tensor: ...
        def __setitem__(self, index: Any, values: Any) -> None: ...
        def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor: ...
        def var(self, axis: Axis = None, keepdims: bool = False, ddof: float = 0) -> Tensor: ...
        def cumsum(self, axis: int | None = None) -> Tensor: ...
        def reshape(self, *shape: Any) -> Tensor: ...
        def ravel(self) -> Tensor: ...
        def transpose(self, *axes: Any) -> Tensor: ...
        def dot(self, other: Any) -> Tensor: ...

        mean = prod = max = min = sum
        std, flatten, conj = var, ravel, ravel

        def copy(self, order: str = "C") -> Tensor: ...
        def astype(self, dtype: Any, copy: bool = True) -> Tensor: ...
        def diagonal(self, *args: Any, **options: Any) -> Tensor: ...

        trace = repeat = swapaxes = take = cumprod = diagonal

        def squeeze(self, axis: Axis = None) -> Tensor: ...
        def clip(self, low: Any = None, high: Any = None) -> Tensor: ...
        def det(self) -> Tensor: ...
        def slogdet(self) -> Any: ...
        def pinverse(self, rcond: Any = None) -> Tensor: ...
        def cholesky(self, upper: bool = False) -> Tensor: ...
        def matrix_power(self, n: int) -> Tensor: ...

        logdet = inverse = det


def tensor(data: Any, requires_grad: bool = True, name: str | None = None) -> Tensor:
    """A new leaf tensor with a copy of ``data``: a number, nested lists of numbers, an array or a tensor.

    The shape is that of ``data``. float32, complex128 and bool are kept (truth values require no gradient), complex64
    becomes complex128 and any other dtype float64. ``name`` identifies the tensor in errors. Elements may be assigned
    to until the tensor is first used. Raises TypeError for anything that is no array of numbers. Unlike
    ``torch.tensor`` it requires a gradient by default.

    >>> tensor([1, 2, 3])
    tensor([1., 2., 3.], requires_grad=True)
    >>> tensor(np.ones(2, np.float32), requires_grad=False)
    tensor([1., 1.], dtype=float32)
    """
    value = stored(array_of(data._array() if isinstance(data, Tensor) else data))
    value.used = False
    leaf = Tensor(value, None, name)
    return leaf.requires_grad_() if requires_grad and value.dtype is not BOOL else leaf
