"""gradcli: exact derivatives of expressions, of any order, over any grid or file of points.

The shell door is `gradcli.cli`. Importing the package costs nothing: what is asked for is loaded when it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcli.errors import GradError

__all__ = ["GradError", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "GradError":
        from gradcli.errors import GradError

        return GradError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
