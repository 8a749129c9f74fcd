"""What must happen when things go wrong: every case of data/faults.jsonl as a real process.

"stdout" of a case is "empty" or words; what the words mean is said in CHECKS, by id.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from checkout import DATA
from command import COMMAND, PATIENCE, environment
from fault_files import FILES, ROWS
from open_files import sizes

CASES = [json.loads(line) for line in (DATA / "faults.jsonl").read_text("utf-8").splitlines()]


WORDS = {
    "F063": "(" * 20000 + "x" + ")" * 20000,
    "F064": "+".join(["x"] * 20000),
    "F065": "-" * 20000 + "x",
    "F066": "sin(" * 20000 + "x" + ")" * 20000,
}
"""Expressions too long to write down."""


def argv(case: dict[str, Any]) -> list[str]:
    words = [WORDS[case["id"]] if w.startswith("<") else w for w in case["argv"]]
    return [*COMMAND, *words]


def unspared() -> None:
    """A test run in the background ignores SIGINT; so would what it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(case: dict[str, Any], folder: Path, **more: Any) -> subprocess.Popen[bytes]:
    settings: dict[str, Any] = {
        "cwd": folder, "env": environment(), "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "preexec_fn": unspared,
    }  # fmt: skip
    return subprocess.Popen(argv(case), **(settings | more))


def code(process: subprocess.Popen[bytes]) -> int:
    """The exit code as a shell tells it."""
    found = process.wait(PATIENCE)
    return found if found >= 0 else 128 - found


def run(case: dict[str, Any], folder: Path, **more: Any) -> tuple[int, str, str]:
    process = start(case, folder, **more)
    try:
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    return code(process), (out or b"").decode(), err.decode()


def judge(case: dict[str, Any], found: int, out: str, err: str) -> None:
    exits = case["exit"] if isinstance(case["exit"], list) else [case["exit"]]
    assert found in exits, err
    if found or len(exits) == 1:
        if "stderr" in case:
            assert re.search(case["stderr"], err), err
        if case["stdout"] == "empty":
            assert out == ""
    if found not in (130, 141, 143):
        assert (found == 0) or err.startswith("gradcli: error: ")
    assert "Traceback" not in err


def columns(out: str) -> dict[str, list[float]]:
    """A table of rows, read back."""
    head, *rows = out.splitlines()
    return {
        n: [float(v) for v in c] for n, c in zip(head.split(), zip(*map(str.split, rows), strict=True), strict=True)
    }


def is_columns(**wanted: list[float]) -> Callable[[str], None]:
    def check(out: str) -> None:
        found = columns(out)
        assert {n: found[n] for n in wanted} == wanted

    return check


is_rows = is_columns(x=[1.5, -2.0], f=[1.5, -2.0], df_dx=[1.0, 1.0])
"""What comes of ``ROWS``."""


def has_names(*names: str) -> Callable[[str], None]:
    def check(out: str) -> None:
        assert out.split("\n", 1)[0].split() == list(names)

    return check


def is_text(text: str) -> Callable[[str], None]:
    def check(out: str) -> None:
        assert out == text

    return check


def is_round_trip(out: str) -> None:
    assert [float(v) for v in out.splitlines()[1].split(",")] == [0.1, 0.1 / 3, 1 / 3]


def has_no_escape(out: str) -> None:
    assert "\x1b" not in out
    is_columns(f=[1.0], df_dx=[1.0])(out)


def is_help(out: str) -> None:
    assert out.startswith("Examples:\n  gradcli diff ")
    assert len(re.findall(r"^  gradcli \w+ ", out, re.M)) >= 3
    assert "Usage: gradcli" in out


CHECKS: dict[str, Callable[[str], None]] = {
    "F027": has_names("x", "y", "dy_dx"),
    "F030": is_columns(f=[-9.0], df_dx=[-6.0]),
    "F032": is_columns(f=[512.0]),
    "F033": is_columns(f=[5.5]),
    "F049": is_columns(f=[2.0]),
    "F057": is_text("x,f,df_dx\n-1.5,-1.5,1.0\n"),
    "F063": is_columns(df_dx=[1.0]),
    "F064": is_columns(df_dx=[20000.0]),
    "F065": is_columns(f=[1.0], df_dx=[1.0]),
    "F067": is_columns(f=[55555.0], df_ddistance=[111110.0]),
    "F071": is_columns(d199f_dx199=[2.718281828459045], d200f_dx200=[2.718281828459045]),
    "F072": has_names("x", "f"),
    "F083": is_text("x  f  df_dx\n"),
    "F090": is_rows,
    "F091": is_rows,
    "F092": is_rows,
    "F116": is_columns(x=[2.0**53], f=[2.0**53], df_dx=[1.0]),
    "F122": is_rows,
    "F130": is_columns(x=[1.0, 0.5, 0.0]),
    "F133": is_text("f = x**2\ndf_dx = 2*x\n"),
    "F148": has_no_escape,
    "F149": is_round_trip,
    "F152": is_columns(f=[1.0]),
    "F153": is_columns(f=[-float("inf")], df_dx=[float("inf")]),
    "F157": is_help,
}
SPECIAL = ["F075", "F081", "F088", "F125", "F134", "F135", "F136", "F137", "F138", "F139", "F140", "F155"]
"""Cases with a test of their own below, since they need a broken stdin or stdout, a limit or a signal."""

PLAIN = [c for c in CASES if c["id"] not in SPECIAL]
READING = [c for c in PLAIN if "--input" in c["argv"]]


def case(number: str) -> dict[str, Any]:
    return next(c for c in CASES if c["id"] == number)


def test_no_case_is_passed_over() -> None:
    ids = [c["id"] for c in CASES]
    assert len(ids) == len(set(ids))
    assert {c["id"] for c in READING} == {*FILES, "F058", "F079", "F080"}
    assert set(CHECKS) == {c["id"] for c in PLAIN if c["stdout"] != "empty"}
    assert set(WORDS) == {c["id"] for c in CASES if c["argv"][1:] and c["argv"][1].startswith("<")}


def title(case: dict[str, Any]) -> str:
    return f"{case['id']}-{case['case']}"


@pytest.mark.parametrize("case", [c for c in PLAIN if c not in READING], ids=title)
def test_fault(case: dict[str, Any], tmp_path: Path) -> None:
    more: dict[str, Any] = {}
    if case["id"] == "F067":
        (tmp_path / "big.txt").write_text("+".join(["distance*distance"] * 55_555))
    elif case["id"] == "F148":
        more["env"] = environment() | {"NO_COLOR": "1", "FORCE_COLOR": "1"}
    elif case["id"] == "F152":
        more["env"] = {k: v for k, v in environment().items() if k in ("PATH", "PYTHONPATH")}
    elif case["id"] == "F153":
        more["env"] = environment() | {"PYTHONWARNINGS": "error"}
    found, out, err = run(case, tmp_path, **more)
    judge(case, found, out, err)
    if found == 0 and case["id"] in CHECKS:
        CHECKS[case["id"]](out)
    assert not (tmp_path / "PWNED").exists()
    assert [p.name for p in tmp_path.iterdir()] == (["big.txt"] if case["id"] == "F067" else [])


@pytest.mark.parametrize("case", READING, ids=title)
def test_fault_of_what_is_read(case: dict[str, Any], tmp_path: Path) -> None:
    name = case["argv"][case["argv"].index("--input") + 1]
    for content in FILES.get(case["id"], lambda: [None])():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        found, out, err = run(case, tmp_path)
        judge(case, found, out, err)
        if found == 0:
            CHECKS[case["id"]](out)
        assert [p.name for p in tmp_path.iterdir()] == ([] if content is None else [name])


def test_F057_a_name_that_is_kept(tmp_path: Path) -> None:
    """Quoted where RFC 4180 asks for it, else as it was."""
    (tmp_path / "f.csv").write_text("\"=cmd|'/c calc',A1\",-y,x\n=1+1,-1.5,2\n")
    keep = case("F057") | {"argv": [*case("F057")["argv"], "--keep"]}
    assert run(keep, tmp_path) == (0, "\"=cmd|'/c calc',A1\",-y,x,f,df_dx\n=1+1,-1.5,2,2.0,1.0\n", "")


def without_privileges() -> None:
    """Modes of files bind root as well once the rights to pass them over do not outlive the next exec."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.prctl(24, capability)  # PR_CAPBSET_DROP


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="root reads every file")
def test_F081_no_permission(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(ROWS)
    (tmp_path / "p.csv").chmod(0)
    judge(case("F081"), *run(case("F081"), tmp_path, preexec_fn=without_privileges))


@pytest.mark.parametrize("rows", [b"x\n\xff\n", b"x\n1\n\xff\n", b"\xff\n1\n"])
def test_F088_stdin_not_utf_8(rows: bytes, tmp_path: Path) -> None:
    (tmp_path / "rows").write_bytes(rows)
    with open(tmp_path / "rows", "rb") as stdin:
        judge(case("F088"), *run(case("F088"), tmp_path, stdin=stdin))


def test_F122_and_F123_zst(tmp_path: Path) -> None:
    packed = zstandard.compress(ROWS)
    for number, name, content in (("F122", "a.csv", packed), ("F123", "tr.csv", packed[:-1])):
        (tmp_path / f"{name}.zst").write_bytes(content)
        words = [word.replace(".gz", ".zst") for word in case(number)["argv"]]
        asked = case(number) | {"argv": words, "stderr": case(number).get("stderr", "^$").replace("gz", "zst")}
        found, out, err = run(asked, tmp_path)
        judge(asked, found, out, err)
        if found == 0:
            is_rows(out)


def test_F125_stdin_closed(tmp_path: Path) -> None:
    judge(case("F125"), *run(case("F125"), tmp_path, stdin=None, preexec_fn=lambda: os.close(0)))


def whole_lines(out: bytes) -> None:
    assert out.endswith(b"\n")
    width = len(out.split(b"\n", 1)[0].split())
    assert {len(line.split()) for line in out.splitlines()} == {width}


def test_F075_memory_stays_bounded(tmp_path: Path) -> None:
    def little_memory() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))

    process = start(case("F075"), tmp_path, preexec_fn=little_memory)
    assert process.stdout is not None
    assert process.stderr is not None
    read = 0
    # All of it is 5 GB and the first part tells: nothing piles up.
    while read < 100_000_000 and (data := process.stdout.read(1 << 20)):
        read += len(data)
    if read >= 100_000_000:
        process.stdout.close()
        assert code(process) == 141
        assert process.stderr.read() == b""
    else:
        judge(case("F075"), code(process), "", process.stderr.read().decode())
    process.stderr.close()


def test_F134_reader_leaves(tmp_path: Path) -> None:
    process = start(case("F134"), tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == b"x,f,df_dx\n"
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr as stream:
        judge(case("F134"), code(process), "first line", stream.read().decode())


def test_F135_reader_leaves_at_once(tmp_path: Path) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    found, out, err = run(case("F135"), tmp_path, stdout=writes)
    os.close(writes)
    assert found == 141
    judge(case("F135"), found, out, err)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_F136_disk_full(tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        judge(case("F136"), *run(case("F136"), tmp_path, stdout=full))


@pytest.mark.parametrize("words", [["diff", "x", "--at", "x=1"], ["--help"], ["--version"], ["functions"]])
def test_F137_stdout_closed(words: list[str], tmp_path: Path) -> None:
    closed = case("F137") | {"argv": words}
    judge(closed, *run(closed, tmp_path, stdout=None, preexec_fn=lambda: os.close(1)))


@pytest.mark.parametrize(("number", "signum"), [("F138", signal.SIGINT), ("F139", signal.SIGTERM)])
def test_signals_end_it_at_a_whole_line(number: str, signum: int, tmp_path: Path) -> None:
    process = start(case(number), tmp_path)
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        out = process.stdout.read(1_000_003)
        process.send_signal(signum)
        out += process.stdout.read()
        err = process.stderr.read()
    judge(case(number), code(process), "", err.decode())
    assert err == b""
    whole_lines(out)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_reader_that_stopped_does_not_keep_it_alive(signum: int, tmp_path: Path) -> None:
    process = start(case("F138"), tmp_path)
    assert process.stdout is not None
    process.stdout.read(10)
    process.send_signal(signum)
    assert code(process) == 128 + signum
    process.communicate()


@pytest.mark.parametrize("before", [None, "old\n"])
def test_F140_output_interrupted(before: str | None, tmp_path: Path) -> None:
    target = tmp_path / "o.csv"
    if before is not None:
        target.write_text(before)
    process = start(case("F140"), tmp_path)
    while not any(size > 100_000 for size in sizes(process.pid, tmp_path)):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    judge(case("F140"), code(process), out.decode(), err.decode())
    assert (target.read_text() if target.exists() else None) == before
    assert [p for p in tmp_path.iterdir() if p != target] == []


def test_F155_the_same_bytes_every_time(tmp_path: Path) -> None:
    found = set()
    for k in range(10):
        more = case("F155") | {"argv": [*case("F155")["argv"], "--threads", "4" if k % 2 else "1"]}
        exit_code, out, err = run(more, tmp_path, env=environment() | {"PYTHONHASHSEED": "random"})
        judge(more, exit_code, out, err)
        found.add(out)
    assert len(found) == 1
    assert len(found.pop().splitlines()) == 1001
