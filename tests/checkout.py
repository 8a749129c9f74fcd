"""Where the files of a checkout stand, and the package that is tested: the installed one, which may stand elsewhere."""

from pathlib import Path

import gradcli

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tests" / "data"
INSTALLED = Path(next(iter(gradcli.__path__))).parent
