"""gradcli: exact derivatives of expressions, of any order, over any grid or file of points.

The shell door is `gradcli.cli`, the Python door `gradcli.autograd`: ``tensor`` and ``grad``, and every function of the
table as ``gradcli.erf(t)``. Importing the package costs nothing: what is asked for is loaded when it is.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcli.autograd import Tensor, grad, gradcheck, hessian, hvp, jacobian, jvp, tensor, vjp
    from gradcli.errors import GradError

__all__ = [
    "GradError", "Tensor", "__version__", "grad", "gradcheck", "hessian", "hvp", "jacobian", "jvp", "tensor", "vjp",
]  # fmt: skip
__version__ = "0.5.1"


def __getattr__(name: str) -> Any:
    if name == "GradError":
        from gradcli.errors import GradError

        return GradError
    from importlib import import_module, util

    # Files and folders of the package are for the import system.
    if not name.startswith("_") and (name in __all__ or util.find_spec(f"gradcli.{name}") is None):
        room = import_module("gradcli.autograd")
        globals().update({public: getattr(room, public) for public in __all__ if hasattr(room, public)})
        found = globals().get(name) or room.named(name)
        if found is not None:
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _Moved(ModuleType):
    """``from gradcli.tensor import ...``, as before 0.6, when the tensors stood there."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        import warnings

        warnings.warn(f"import {name} from gradcli, not from gradcli.tensor", DeprecationWarning, stacklevel=2)
        return getattr(sys.modules["gradcli"], name)


sys.modules["gradcli.tensor"] = _Moved("gradcli.tensor")
