"""Assignment to elements of a tensor, which only a leaf allows, and only until a computation has used it.

Layer: must not know operations or derivatives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.autograd.errors import BadIndex, Refused
from gradcli.autograd.tensor import Tensor
from gradcli.autograd.values import array_of
from gradcli.errors import BadValue


def assign(self: Tensor, index: Any, values: Any) -> None:
    """Assign to elements of a leaf, or of a view of one, that no computation has used yet; else RuntimeError.

    >>> x = tensor([1.0, 2.0])
    >>> x[0] = 5
    >>> x
    tensor([5., 2.], requires_grad=True)
    """
    leaf = self.value.base or self.value
    if leaf.used:
        which = f"tensor '{self.name}'" if self.name is not None else f"tensor of shape {self.shape}"
        raise Refused(
            f"one of the variables needed for gradient computation has been modified by an inplace operation: {which}",
            hint="only a leaf, or a view of one, may be assigned to, until it is first used; make a new tensor",
        )
    if isinstance(values, Tensor):
        if values.requires_grad:
            raise Refused(
                "a tensor that requires grad cannot be assigned: its graph would be lost",
                hint="assign values.detach()",
            )
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
