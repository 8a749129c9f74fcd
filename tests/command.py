"""gradcli as users run it: in a process of its own, or in this one through the door of the command line."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from checkout import INSTALLED

Shell = Callable[..., tuple[int, str, str]]
"""Runs the words of a command line in this process: (exit code, stdout, stderr)."""

COMMAND = [sys.executable, "-P", "-m", "gradcli"]
PATIENCE = 300
"""Seconds after which a process counts as hanging, on whatever machine."""


def environment(**more: str) -> dict[str, str]:
    """This process's variables without those that change what gradcli does; a process finds the package tested."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GRADCLI") and k not in ("NO_COLOR", "FORCE_COLOR")}
    return kept | {"PYTHONPATH": str(INSTALLED)} | more


def process(*words: str, check: bool = False, **more: Any) -> subprocess.CompletedProcess[Any]:
    """A command that has ended; its output is text unless told otherwise."""
    settings = {"env": environment(), "capture_output": True, "text": True, "timeout": PATIENCE}
    return subprocess.run([*COMMAND, *words], check=check, **(settings | more))
