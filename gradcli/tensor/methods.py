"""What can be asked of a tensor as a method, under NumPy's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcli.tensor.array import Tensor

Axis = int | Sequence[int] | None


class Methods:
    """The methods that are functions of `protocols`."""

    __slots__ = ()

    @property
    def T(self) -> Tensor:
        return self.transpose()

    @property
    def real(self) -> Tensor:
        return self._call("real")

    @property
    def imag(self) -> Tensor:
        return self._call("imag")

    def _call(self, name: str, *args: Any, **options: Any) -> Tensor:
        from gradcli.tensor import protocols

        found: Tensor = protocols.METHODS[name](self, *args, **options)
        return found

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return self._call("sum", axis, keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return self._call("mean", axis, keepdims)

    def prod(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return self._call("prod", axis, keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return self._call("max", axis=axis, keepdims=keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return self._call("min", axis=axis, keepdims=keepdims)

    def var(self, axis: Axis = None, keepdims: bool = False, ddof: float = 0) -> Tensor:
        return self._call("var", axis, keepdims, ddof)

    def std(self, axis: Axis = None, keepdims: bool = False, ddof: float = 0) -> Tensor:
        return self._call("std", axis, keepdims, ddof)

    def cumsum(self, axis: int | None = None) -> Tensor:
        return self._call("cumsum", axis)

    def reshape(self, *shape: Any) -> Tensor:
        return self._call("reshape", shape[0] if len(shape) == 1 else shape)

    def ravel(self) -> Tensor:
        return self._call("ravel")

    def transpose(self, *axes: Any) -> Tensor:
        return self._call("transpose", axes[0] if len(axes) == 1 else axes or None)

    def dot(self, other: Any) -> Tensor:
        return self._call("dot", other)

    def conj(self) -> Tensor:
        return self._call("conj")

    def flatten(self) -> Tensor:
        return self._call("ravel")

    def squeeze(self, axis: Axis = None) -> Tensor:
        return self._call("squeeze", axis)

    def clip(self, low: Any = None, high: Any = None) -> Tensor:
        return self._call("clip", low, high)
