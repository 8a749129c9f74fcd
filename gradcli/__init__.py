"""gradcli: exact derivatives of expressions, of any order, over any grid or file of points.

The shell door is `gradcli.cli`, the Python door `gradcli.tensor`: ``tensor`` and ``grad``, and every function of the
table as ``gradcli.erf(t)``. Importing the package costs nothing: what is asked for is loaded when it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcli.errors import GradError
    from gradcli.tensor import Tensor, grad, gradcheck, hessian, hvp, jacobian, jvp, tensor, vjp

__all__ = [
    "GradError", "Tensor", "__version__", "grad", "gradcheck", "hessian", "hvp", "jacobian", "jvp", "tensor", "vjp",
]  # fmt: skip
__version__ = "0.5.0"


def __getattr__(name: str) -> Any:
    if name == "GradError":
        from gradcli.errors import GradError

        return GradError
    from importlib import import_module, util

    # A room of the house is for the import system, all but the one whose name its function takes.
    if not name.startswith("_") and (name == "tensor" or util.find_spec(f"gradcli.{name}") is None):
        room = import_module("gradcli.tensor")
        globals().update({public: getattr(room, public) for public in __all__ if hasattr(room, public)})
        found = globals().get(name) or room.named(name)
        if found is not None:
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
