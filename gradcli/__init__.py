"""gradcli: exact derivatives of expressions, of any order, over any grid or file of points.

In Python `function` makes a function of an expression, `frame` adds its values and derivatives to a data frame,
`check` compares claimed derivatives, and `propagate` gives results with their uncertainties; `tensor` and `grad` are
those of `torch.autograd`, and every function of the table is one of tensors, as ``gradcli.erf(t)``. The command line is
`gradcli.cli`. Names are loaded at first use (PEP 562), so that importing the package loads neither NumPy nor
the parser.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcli.autograd import Tensor, grad, gradcheck, hessian, hvp, jacobian, jvp, tensor, vjp
    from gradcli.callables.claims import check
    from gradcli.callables.frames import frame
    from gradcli.callables.function import Function, function
    from gradcli.callables.propagate import propagate
    from gradcli.errors import GradError

__all__ = [
    "Function", "GradError", "Tensor", "__version__", "check", "frame", "function", "grad", "gradcheck", "hessian",
    "hvp", "jacobian", "jvp", "propagate", "tensor", "vjp",
]  # fmt: skip
__version__ = "0.9.0"


_DOORS = {
    "GradError": "errors", "check": "callables.claims", "frame": "callables.frames",
    "Function": "callables.function", "function": "callables.function",
    "propagate": "callables.propagate",
}  # fmt: skip
"""Public names that are not those of tensors, with the files that hold them."""


def __getattr__(name: str) -> Any:
    from importlib import import_module, util

    if name in _DOORS:
        value = globals()[name] = getattr(import_module(f"gradcli.{_DOORS[name]}"), name)
        return value

    # A name of a module of this package is left to the import system, which asks here first.
    if not name.startswith("_") and (name in __all__ or util.find_spec(f"gradcli.{name}") is None):
        room = import_module("gradcli.autograd")
        globals().update({public: getattr(room, public) for public in __all__ if hasattr(room, public)})
        value = globals().get(name) or room.named(name)
        if value is not None:
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    from gradcli.functions import SPELLED

    return sorted({*__all__, *[row.name for row in SPELLED.values() if not row.internal]})


class _Moved(ModuleType):
    """The module ``gradcli.tensor``, where the tensors were before 0.6: gives the public names, with a warning."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        import warnings

        warnings.warn(f"import {name} from gradcli, not from gradcli.tensor", DeprecationWarning, stacklevel=2)
        return getattr(sys.modules["gradcli"], name)


sys.modules["gradcli.tensor"] = _Moved("gradcli.tensor")
