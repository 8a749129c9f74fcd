"""What people typed and what their files held: each gets the right numbers, or an error that leads to them at once."""

import json
from pathlib import Path
from typing import Any

import pytest
from command import Shell, process

DATA = Path(__file__).parents[1] / "data" / "doors.jsonl"
CASES = [json.loads(line) for line in DATA.read_text("utf-8").splitlines()]


@pytest.mark.quick
@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_case_of_the_public(case: dict[str, Any], empty_folder: Path, shell: Shell) -> None:
    for name, text in case.get("files", {}).items():
        (empty_folder / name).write_bytes(text.encode())
    if "stdin" in case:
        done = process(*case["argv"], input=case["stdin"])
        code, out, err = done.returncode, done.stdout, done.stderr
    else:
        code, out, err = shell(*case["argv"])
    assert (code, out) == (case["exit"], case["stdout"])
    # The last line on stderr is the hint, or a note.
    assert case["says"] in err and bool(case["says"]) == bool(err)
