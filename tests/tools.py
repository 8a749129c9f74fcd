"""Other programs that tests run: whether they can run here, which being on the PATH does not say."""

import functools
import shutil
import subprocess

import pytest

PROBES = {
    "julia": ["--startup-file=no", "-e", "using SpecialFunctions"], "mawk": ["-W", "version"], "dot": ["-V"],
    "busybox": ["awk", "BEGIN { exit exp(0) != 1 }"], "zsh": ["-c", ":"], "bash": ["-c", ":"], "grep": ["-V"],
}  # fmt: skip
"""What a program is asked whose answer to ``--version`` does not show that it works."""


@functools.cache
def lack(tool: str) -> str:
    """Why a program cannot be used, or nothing where it can."""
    if shutil.which(tool) is None:
        return f"{tool} is not here"
    asked = [tool, *PROBES.get(tool, ["--version"])]
    try:
        done = subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)
    except OSError as error:
        return f"{tool} does not run: {error.strerror}"
    return f"{tool} does not run: {' '.join(asked)} ended with {done.returncode}" if done.returncode else ""


def need(*tools: str) -> None:
    for reason in filter(None, map(lack, tools)):
        pytest.skip(reason)
