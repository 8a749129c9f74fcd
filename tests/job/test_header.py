"""The header of a table that is read before its rows: of a pipe, which is opened once, no byte is lost."""

import os
import threading
from pathlib import Path

import pytest
from command import Shell

pytestmark = [pytest.mark.quick, pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")]


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["propagate", "2*L"], "L,u_L,f,u_f\n1.0,0.5,2.0,1.0\n2.0,0.25,4.0,0.5\n"),
        (["eval", "2L", "--natural", "-q"], "L,f\n1.0,2.0\n2.0,4.0\n"),
    ],
)
def test_a_pipe_is_read_once(words: list[str], out: str, shell: Shell, empty_folder: Path) -> None:
    os.mkfifo("rows")
    writer = threading.Thread(target=lambda: Path("rows").write_text("L,u_L\n1,0.5\n2,0.25\n"))
    writer.start()
    try:
        assert shell(*words, "--input", "rows", "--input-format", "csv", "--csv") == (0, out, "")
    finally:
        writer.join()
