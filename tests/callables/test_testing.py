"""gradcli.testing: claims as assertions of a test suite."""

from __future__ import annotations

import subprocess
import sys

import pytest
from command import environment


@pytest.mark.quick
def test_importing_it_loads_no_numpy() -> None:
    code = "import sys, gradcli.testing, gradcli.callables; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
