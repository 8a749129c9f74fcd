"""Where results go: names of what is open already, outputs that are inputs, and the file that takes another's place."""

from __future__ import annotations

import errno
import os
import pty
import resource
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import COMMAND, PATIENCE
from open_files import can_be_unnamed, sizes

from gradcli.cli import run as call
from gradcli.cli import stderr
from gradcli.storage import replacement

ROWS = "x\n1\n2\n"
TABLE = "x,f\n1.0,1.0\n"
ONE = ["eval", "x", "--at", "x=1", "--csv"]
MOST = 1 << 20
"""Bytes that a file may have: one that is read while it is written ends there, not when the disk is full."""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="descriptors with names, modes and owners are POSIX's")


@pytest.fixture(autouse=True)
def usual_permissions(empty_folder: Path) -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def bounded() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST, MOST))


def shell(line: str) -> tuple[int, str, str]:
    """A line for the shell, in which ``g`` is gradcli."""
    quoted = " ".join(f"'{word}'" for word in COMMAND)
    done = subprocess.run(
        ["bash", "-c", f"g() {{ {quoted} \"$@\"; }}\n{line}"],
        capture_output=True, text=True, timeout=PATIENCE, check=False, preexec_fn=bounded,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def left() -> list[str]:
    return sorted(os.listdir())


def need(path: str) -> None:
    if not os.path.lexists(path):
        pytest.skip(f"needs {path}")


# Names of what is open already.


ALIASES = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/proc/thread-self/fd/1", "/dev/fd/../fd/1", "/dev/fd/1/",
           "o.txt", "./o.txt", "link", "linked", "far", "hard"]  # fmt: skip


@pytest.mark.parametrize("sign", [">", ">>"])
@pytest.mark.parametrize("name", ALIASES)
def test_a_name_of_stdout_is_written_to(name: str, sign: str) -> None:
    need(name.rsplit("fd/", 1)[0] if name.startswith("/") else ".")
    target = Path("o.txt")
    target.write_text("old\n")
    Path("link").symlink_to("/dev/stdout")
    Path("linked").symlink_to("link")
    Path("far").symlink_to("o.txt")
    Path("hard").hardlink_to("o.txt")
    before, node = left(), target.stat().st_ino
    code, out, err = shell(f"(echo header; g eval x --at x=1 --csv -o {name}; echo $?) {sign} o.txt")
    assert (code, out, err) == (0, "", "")
    old = "old\n" if sign == ">>" else ""
    assert target.read_text() == f"{old}header\n{TABLE}0\n"
    assert left() == before and target.stat().st_ino == node


@pytest.mark.parametrize("name", ["/dev/stderr", "/dev/fd/2", "e.txt"])
def test_a_name_of_stderr_is_written_to(name: str) -> None:
    Path("e.txt").write_text("old\n")
    assert shell(f"(echo before >&2; g eval 'exp(x)' --at x=1000 --csv -o {name}; echo after >&2) 2>> e.txt")[0] == 0
    note = "gradcli: note: 1 non-finite value in f\n"
    assert Path("e.txt").read_text() == f"old\nbefore\nx,f\n1000.0,inf\n{note}after\n"


def test_another_descriptor_is_written_to() -> None:
    Path("o.txt").write_text("old\n")
    assert shell("(echo header >&5; g eval x --at x=1 --csv -o /dev/fd/5; echo trailer >&5) 5>> o.txt") == (0, "", "")
    assert Path("o.txt").read_text() == f"old\nheader\n{TABLE}trailer\n"


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="names of other processes' descriptors are Linux's")
@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("folder", ["fd", "task/{}/fd"])
def test_a_descriptor_of_another_process_is_written_to(folder: str, linked: bool) -> None:
    with open("log.csv", "a") as log, subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=log) as other:
        name = f"/proc/{other.pid}/{folder.format(other.pid)}/1"
        if linked:
            Path("link").symlink_to(name)
            name = "link"
        before = left()
        log.write("old\n")
        log.flush()
        assert shell(f"g eval x --at x=1 --csv -o {name}") == (0, "", "")
        assert shell(f"g eval x -i log.csv --csv -o {name}")[0] == 2
        assert shell(f"g eval x --at x=1 -o {name} --format npz")[0] == 0
        assert left() == before
        # Both write at one place in the file: what comes next stands after it.
        shared = f"/proc/$$/{folder.format('$$')}/1"
        assert shell(f"exec > both.txt; echo header; g eval x --at x=1 --csv -o {shared}; echo trailer")[0] == 0
        assert Path("both.txt").read_text() == f"header\n{TABLE}trailer\n"
        os.unlink("log.csv")
        assert shell(f"g eval x --at x=1 --csv -o {name}") == (0, "", "")
        assert "log.csv" not in left()
        data = Path(f"/proc/{other.pid}/fd/1").read_bytes()
        assert data.startswith(f"old\n{TABLE}PK".encode()) and data.endswith(TABLE.encode())


@pytest.mark.parametrize(
    "words", ["show x --as python", "explain x", "check x --claim 1", "check x --claim 1 --github"]
)
def test_every_command_writes_to_stdout_by_name(words: str) -> None:
    direct = shell(f"g {words}")
    assert direct[0] == 0
    Path("o.txt").write_text("old\n")
    form = "--format table" if words.startswith(("explain", "check")) else ""
    assert shell(f"g {words} {form} -o /dev/stdout >> o.txt") == (0, "", "")
    assert Path("o.txt").read_text() == f"old\n{direct[1]}"


def test_a_report_may_go_to_stdout() -> None:
    Path("o.txt").write_text("old\n")
    assert shell("g check x --claim 1 --junit /dev/stdout >> o.txt") == (0, "", "")
    assert Path("o.txt").read_text().startswith("old\n<?xml")
    code, _, err = shell("g check x --claim 1 --junit ./v.txt -o v.txt")
    assert code == 2 and "--junit needs a file of its own" in err


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1"])
def test_a_name_of_a_pipe(name: str) -> None:
    assert shell(f"g eval x --at x=1 --csv -o {name} | cat") == (0, TABLE, "")


def test_a_named_pipe_and_a_device_are_written_to() -> None:
    os.mkfifo("p")
    taken: list[str] = []
    reader = threading.Thread(target=lambda: taken.append(Path("p").read_text()))
    reader.start()
    assert shell("g eval x --at x=1 --csv -o p") == (0, "", "")
    reader.join(PATIENCE)
    assert taken == [TABLE] and stat.S_ISFIFO(os.stat("p").st_mode)
    assert shell("g eval x --at x=1 --csv -o /dev/null") == (0, "", "")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode) and left() == ["p"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-o /dev/fd/9 9>&-", "cannot write to /dev/fd/9: Bad file descriptor"),
        ("-o /dev/fd/0 0>&-", "cannot write to /dev/fd/0: Bad file descriptor"),
        ("-o /dev/stdin < in.csv", "cannot write to /dev/stdin: Bad file descriptor"),
        ("-o /dev/stdout >&-", "cannot write to stdout: it is closed"),
        ("-o /dev/fd/1 -i in.csv >&-", "cannot write to stdout: it is closed"),
    ],
)
def test_what_is_not_open(line: str, said: str) -> None:
    Path("in.csv").write_text(ROWS)
    at = "" if "-i " in line else "--at x=1"
    assert shell(f"g eval x {at} --csv {line}") == (3, "", f"gradcli: error: {said}\n")
    assert left() == ["in.csv"] and Path("in.csv").read_text() == ROWS


def test_stderr_closed_is_not_written_to() -> None:
    assert shell("g eval x --at x=1 --csv -o /dev/stderr 2>&-") == (3, "", "")


# Outputs that are inputs.


READ = {
    "-i in.csv --csv": "in.csv", "-i - --csv < in.csv": "stdin", "-i link --csv": "link", "-i hard --csv": "hard",
    "-i '*.csv' --csv": "in.csv", "-i other.txt --input-format csv -i in.csv --csv": "in.csv",
    "-i /dev/stdin --input-format csv --csv < in.csv": "/dev/stdin",
}  # fmt: skip


@pytest.mark.parametrize("sign", [">>", "-o /dev/stdout >>", "-o /dev/fd/1 >>", "-o in.csv >>", "-o /dev/fd/5 5>>"])
@pytest.mark.parametrize("words", READ)
def test_rows_that_are_read_are_not_written_to(words: str, sign: str) -> None:
    Path("in.csv").write_text(ROWS)
    Path("other.txt").write_text(ROWS)
    Path("link").symlink_to("in.csv")
    Path("hard").hardlink_to("in.csv")
    code, out, err = shell(f"g eval 'f = x + 1' {words} {sign} in.csv")
    assert (code, out) == (2, "")
    assert err.startswith(f"gradcli: error: {READ[words]}: this input is the output too\n")
    assert Path("in.csv").read_text() == ROWS


@pytest.mark.parametrize(
    "line",
    [
        "g diff -f model.txt >> model.txt",
        "g diff -f - < model.txt >> model.txt",
        "g show -f model.txt --as python >> model.txt",
        "g show -f model.txt -o /dev/fd/1 --format table >> model.txt",
        "g explain -f model.txt >> model.txt",
        "g check -f model.txt --claim 2*x >> model.txt",
        "g check 'x**2' --claims model.txt >> model.txt",
        "g check 'x**2' --claims - < model.txt >> model.txt",
        "g check 'x**2' --claims model.txt -o told.txt --github >> model.txt",
        "g check 'x**2' --claims model.txt --junit /dev/fd/5 5>> model.txt",
        "g diff -f model.txt --at x=1 -o /dev/stderr --csv 2>> model.txt",
    ],
)
def test_expressions_and_claims_that_are_read_are_not_written_to(line: str) -> None:
    Path("model.txt").write_text("2*x\n")
    code, out, err = shell(line)
    assert (code, out) == (2, "")
    if "2>>" not in line:
        assert "this input is the output too" in err and Path("model.txt").read_text() == "2*x\n"
    assert left() == ["model.txt"]


@pytest.mark.parametrize("text", ["v.npy", "y=v.npy", " y = ./v.npy"])
def test_a_cotangent_that_is_read_is_not_written_to(text: str) -> None:
    np.save("v.npy", np.ones(3))
    before = Path("v.npy").read_bytes()
    line = f"g grad 'y = x**2' --wrt x --grid x=1,2,3 --grad-outputs '{text}' --csv"
    assert shell(line)[0] == 0
    code, out, err = shell(f"{line} >> v.npy")
    assert (code, out) == (2, "") and "v.npy: this input is the output too" in err
    assert Path("v.npy").read_bytes() == before


@pytest.mark.parametrize(
    "line", ["-i in.csv -o in.csv", "-i - -o in.csv < in.csv", "-i link.csv -o link.csv", "-i in.csv -o link.csv"]
)
def test_an_input_may_be_replaced(line: str) -> None:
    Path("in.csv").write_text("x\n" + "1\n" * 100_000)
    Path("link.csv").symlink_to("in.csv")
    assert shell(f"g eval 'f = x + 1' {line}") == (0, "", "")
    assert Path("in.csv").read_text() == "x,f\n" + "1.0,2.0\n" * 100_000
    assert Path("link.csv").is_symlink() and left() == ["in.csv", "link.csv"]


def test_stdout_that_gets_nothing_may_be_an_input() -> None:
    Path("in.csv").write_text(ROWS)
    assert shell("g eval 'f = x' -i in.csv -o o.csv >> in.csv") == (0, "", "")


def test_a_terminal_may_be_both_ends() -> None:
    ours, theirs = pty.openpty()
    words = ["eval", "f = x + 1", "-i", "-", "--csv"]
    with subprocess.Popen([*COMMAND, *words], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        os.write(ours, b"x\n1\n")
        shown = b""
        while b"1.0,2.0" not in shown:
            shown += os.read(ours, 1000)
        os.write(ours, b"\x04")
        code, err = process.wait(PATIENCE), process.stderr.read() if process.stderr else b""
    os.close(ours)
    assert (code, err) == (0, b"")


# The file that takes another's place.


@pytest.fixture(params=[False, True], ids=["unnamed", "named"])
def named(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the file has a name while it is written."""
    if request.param:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    elif not can_be_unnamed(Path()):
        pytest.skip("every file has a name here")
    return bool(request.param)


def mode(path: str | Path) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.mark.parametrize("wanted", [0o600, 0o640, 0o664, 0o444 | 0o200, 0o777])
def test_the_mode_is_kept_and_never_wider(wanted: int, named: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("o.csv").write_text("old")
    os.chmod("o.csv", wanted)
    seen: list[int] = []
    made: list[int] = []

    def watch(name: str) -> None:
        real = getattr(os, name)

        def watched(*args: Any, **more: Any) -> Any:
            found = real(*args, **more)
            if name == "open" and args[1] & os.O_ACCMODE != os.O_RDONLY:
                made.append(found)
            # By descriptor: at any moment somebody else might open what has a name.
            for fd in made:
                try:
                    seen.append(stat.S_IMODE(os.fstat(fd).st_mode))
                except OSError:
                    made.remove(fd)
            return found

        monkeypatch.setattr(os, name, watched)

    for name in ("open", "write", "fchown", "fchmod", "fsync", "link"):
        watch(name)
    assert call([*ONE, "-o", "o.csv"]) == 0
    assert seen[0] == 0o600 and len(seen) > 4
    assert set(seen) <= {0o600, wanted}
    assert mode("o.csv") == wanted and Path("o.csv").read_text() == TABLE


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o027, 0o077])
def test_a_new_file_has_what_the_umask_leaves(mask: int, named: bool) -> None:
    os.umask(mask)
    assert call([*ONE, "-o", "o.csv"]) == 0
    assert mode("o.csv") == 0o666 & ~mask
    # And leaves it as it was.
    assert os.umask(0o022) == mask


def test_a_mode_changed_meanwhile_counts(named: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("o.csv").write_text("old")
    real = os.write

    def write(fd: int, data: bytes) -> int:
        os.chmod("o.csv", 0o600)
        return real(fd, data)

    monkeypatch.setattr(os, "write", write)
    assert call([*ONE, "-o", "o.csv"]) == 0
    assert mode("o.csv") == 0o600


def test_a_hard_link_is_cut() -> None:
    Path("o.csv").write_text("old")
    Path("hard").hardlink_to("o.csv")
    assert call([*ONE, "-o", "o.csv"]) == 0
    assert Path("hard").read_text() == "old" and Path("o.csv").read_text() == TABLE


root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")


@root
def test_owner_and_group_are_kept(named: bool) -> None:
    Path("o.csv").write_text("old")
    os.chown("o.csv", 65534, 65533)
    os.chmod("o.csv", 0o2751)
    assert call([*ONE, "-o", "o.csv"]) == 0
    found = os.stat("o.csv")
    assert (found.st_uid, found.st_gid, mode("o.csv")) == (65534, 65533, 0o2751)


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder that every user reaches and writes to; those of pytest are private."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        monkeypatch.chdir(folder)
        yield
        monkeypatch.undo()


DROPPED = """
import os, sys
from gradcli.cli import run
words = sys.argv[1:]
assert run([*words, "-o", "first.csv"]) == 0  # what is imported late is imported as root
os.setgroups([])
os.setgid(65533)
os.setuid(65534)
os._exit(run([*words, "-o", "o.csv"]))
"""


@root
@pytest.mark.parametrize(("before", "after"), [(0o660, 0o600), (0o664, 0o644), (0o6755, 0o755), (0o646, 0o646)])
def test_a_group_that_cannot_be_kept_gives_no_rights_to_another(before: int, after: int, shared: None) -> None:
    Path("o.csv").write_text("old")
    os.chown("o.csv", 65534, 0)
    os.chmod("o.csv", before)
    subprocess.run([sys.executable, "-c", DROPPED, *ONE], check=True, timeout=PATIENCE)
    found = os.stat("o.csv")
    assert (found.st_uid, found.st_gid, mode("o.csv")) == (65534, 65533, after)
    assert Path("o.csv").read_text() == TABLE


NOBODY = 0xFFFFFFFF


def acl(*entries: tuple[int, int, int]) -> bytes:
    """After acl(5): tag (1 owner, 2 a user, 4 group, 16 mask, 32 others), rights, id."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


LETS_IN = acl((1, 6, NOBODY), (2, 6, 1234), (4, 4, NOBODY), (16, 6, NOBODY), (32, 0, NOBODY))
"""The owner and one user may read and write, the group may read, others nothing."""


def give(path: str, name: str, value: bytes) -> None:
    if not hasattr(os, "setxattr"):
        pytest.skip("no extended attributes")
    try:
        os.setxattr(path, name, value)
    except OSError as e:
        pytest.skip(f"no {name} here: {e}")


def test_extended_attributes_are_kept(named: bool) -> None:
    Path("o.csv").write_text("old")
    give("o.csv", "user.source", b"a lab")
    give("o.csv", "system.posix_acl_access", LETS_IN)
    assert call([*ONE, "-o", "o.csv"]) == 0
    assert Path("o.csv").read_text() == TABLE
    assert os.getxattr("o.csv", "user.source") == b"a lab"
    assert os.getxattr("o.csv", "system.posix_acl_access") == LETS_IN
    assert mode("o.csv") == 0o660


@pytest.mark.parametrize("name", ["setxattr", "getxattr"])
def test_an_acl_that_cannot_be_kept_lets_nobody_in(name: str, named: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("o.csv").write_text("old")
    give("o.csv", "system.posix_acl_access", LETS_IN)

    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, name, refuse)
    assert call([*ONE, "-o", "o.csv"]) == 0
    assert "system.posix_acl_access" not in os.listxattr("o.csv") and mode("o.csv") == 0o600


def test_the_folder_decides_about_new_files(named: bool) -> None:
    """A default ACL takes the place of the umask."""
    give(".", "system.posix_acl_default", LETS_IN)
    Path("usual").touch()
    assert call([*ONE, "-o", "o.csv"]) == 0
    assert mode("o.csv") == mode("usual") == 0o660
    assert os.getxattr("o.csv", "system.posix_acl_access") == os.getxattr("usual", "system.posix_acl_access") == LETS_IN


def test_the_folder_lets_nobody_in_whom_the_target_does_not_know(named: bool) -> None:
    Path("o.csv").write_text("old")
    os.chmod("o.csv", 0o640)
    give(".", "system.posix_acl_default", LETS_IN)
    assert call([*ONE, "-o", "o.csv"]) == 0
    assert "system.posix_acl_access" not in os.listxattr("o.csv") and mode("o.csv") == 0o640


SLOW = ["diff", "sin(x)**3*exp(-x)", "--order", "3", "--grid", "x=0:1:3000000", "-o", "o.csv"]


def test_who_is_killed_leaves_nothing(tmp_path: Path) -> None:
    if not can_be_unnamed(tmp_path):
        pytest.skip("every file has a name here")
    for signum, bytes_out in [(signal.SIGKILL, 0), (signal.SIGKILL, 3_000_000), (signal.SIGABRT, 1)]:
        with subprocess.Popen([*COMMAND, *SLOW]) as process:
            while not any(size >= bytes_out for size in sizes(process.pid, tmp_path)):
                assert process.poll() is None
            process.send_signal(signum)
            assert process.wait(PATIENCE) == -signum
        assert left() == []


KILLED = """
import os, signal, sys
from gradcli.cli import run
if sys.argv[1] == "named":
    del os.O_TMPFILE
os.replace = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
run(sys.argv[2:])
"""


@pytest.mark.parametrize("way", ["unnamed", "named"])
def test_the_next_run_removes_what_a_dead_one_left(way: str) -> None:
    """Killed between its last two calls, or where every file has a name."""
    Path("o.csv").write_text("old")
    done = subprocess.run([sys.executable, "-c", KILLED, way, *ONE, "-o", "o.csv"], check=False, timeout=PATIENCE)
    assert done.returncode == -signal.SIGKILL
    (dead,) = [name for name in left() if name != "o.csv"]
    start, process, rest = dead.rsplit("-", 2)
    with subprocess.Popen(["sleep", str(PATIENCE)]) as alive:
        try:
            spared = [
                f"{start}-{alive.pid}-{rest}", f"{start}-{os.getpid()}-{rest}", f"{start}-1-{rest}",
                f"{start.replace('.gradcli-', '.gradcli-x')}-{process}-{rest}", f"{start}0-{process}-{rest}",
                f"{start}-0-{rest}", f"{start}-{process}-{rest}.csv", ".gradcli-0123456789ab.tmp",
            ]  # fmt: skip
            for name in spared:
                Path(name).touch()
            assert call([*ONE, "-o", "o.csv"]) == 0
        finally:
            alive.kill()
    assert left() == sorted(["o.csv", *spared])
    assert Path("o.csv").read_text() == TABLE


@pytest.mark.parametrize("number", [2, 22, 95])
def test_a_file_system_without_unnamed_files(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENOENT, EINVAL, EOPNOTSUPP: the file has a name meanwhile."""
    if not hasattr(os, "O_TMPFILE"):
        pytest.skip("every file has a name here")
    real, flags, names = os.open, [], []

    def opened(path: Any, flag: int, *args: Any, **more: Any) -> int:
        flags.append(flag)
        if flag & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(number, os.strerror(number))
        return real(path, flag, *args, **more)

    def synced(fd: int) -> None:
        names.append(left())

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "fsync", synced)
    assert call([*ONE, "-o", "o.csv"]) == 0
    assert any(flag & os.O_TMPFILE == os.O_TMPFILE for flag in flags)
    assert names[0][0].startswith(".gradcli-") and mode("o.csv") == 0o644
    assert left() == ["o.csv"] and Path("o.csv").read_text() == TABLE


def test_without_proc_the_file_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replacement, "_descriptor_path", lambda fd: f"/no/proc/{fd}")
    assert call([*ONE, "-o", "o.csv"]) == 0
    assert left() == ["o.csv"] and Path("o.csv").read_text() == TABLE


@pytest.mark.skipif(not hasattr(os, "fdatasync"), reason="the system has no such call")
@pytest.mark.parametrize("number", [0, errno.EIO])
def test_a_long_file_goes_to_the_disk_while_it_is_written(
    number: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A failure is told once by the system, to the call that waits: it is an error all the same."""
    written: list[int] = []

    def synced(fd: int) -> None:
        written.append(os.fstat(fd).st_size)
        if number:
            raise OSError(number, os.strerror(number))

    Path("o.csv").write_text("old")
    monkeypatch.setattr(replacement, "_MANY", 1000)
    monkeypatch.setattr(os, "fdatasync", synced)
    code = call(["eval", "x", "--grid", "x=0:1:100000", "-o", "o.csv"])
    assert left() == ["o.csv"]
    if number:
        assert code == 3 and os.strerror(number) in capfd.readouterr().err
        assert Path("o.csv").read_text() == "old"
    else:
        assert code == 0 and Path("o.csv").read_text().count("\n") == 100_001
        assert 0 < min(written) < Path("o.csv").stat().st_size


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_that_is_moved_takes_the_file_along(there: bool, tmp_path: Path) -> None:
    Path("m").mkdir()
    if there:
        Path("m/o.csv").write_text("old")
        os.chmod("m/o.csv", 0o640)
    words = ["eval", "f = x", "-i", "-", "-o", "m/o.csv"]
    with subprocess.Popen([*COMMAND, *words], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b"x\n1\n")
        process.stdin.flush()
        while not sizes(process.pid, tmp_path / "m"):
            assert process.poll() is None
        Path("m").rename("m2")
        process.stdin.close()
        assert process.wait(PATIENCE) == 0
    assert left() == ["m2"] and os.listdir("m2") == ["o.csv"]
    assert Path("m2/o.csv").read_text() == TABLE and mode("m2/o.csv") == (0o640 if there else 0o644)


def test_a_folder_that_is_removed_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    if not can_be_unnamed(Path()):
        pytest.skip("a folder with a file in it cannot be removed")
    Path("m").mkdir()
    real = os.fsync

    def synced(fd: int) -> None:
        os.rmdir("m")
        real(fd)

    monkeypatch.setattr(os, "fsync", synced)
    assert call([*ONE, "-o", "m/o.csv"]) == 3
    assert left() == []


@root
def test_a_folder_that_may_not_be_listed(shared: None) -> None:
    os.mkdir("m", 0o300)
    os.chown("m", 65534, 65533)
    script = DROPPED.replace('"o.csv"', '"m/o.csv"')
    subprocess.run([sys.executable, "-c", script, *ONE], check=True, timeout=PATIENCE)
    assert os.listdir("m") == ["o.csv"] and Path("m/o.csv").read_text() == TABLE


# What fails when the result is out.


@pytest.mark.parametrize("error", [MemoryError(), OSError(5, "Input/output error")])
@pytest.mark.parametrize("output", [["-o", "o.csv"], []])
def test_a_note_that_fails_takes_nothing_back(
    error: Exception, output: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Any) -> str:
        raise error

    monkeypatch.setattr(stderr, "nonfinite", fail)
    assert call(["eval", "exp(x)", "--at", "x=1000", "--csv", *output]) == 0
    out, err = capfd.readouterr()
    assert err.startswith("gradcli: note: after the result: ") and "gradcli: error" not in err
    assert (Path("o.csv").read_text() if output else out) == "x,f\n1000.0,inf\n"


@pytest.mark.parametrize(("claim", "code"), [("2*x", 0), ("3*x", 1)])
def test_the_answer_of_check_stays_what_it_is(claim: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real = replacement.Replacement.discard

    def fail(self: replacement.Replacement) -> None:
        real(self)
        raise MemoryError

    monkeypatch.setattr(replacement.Replacement, "discard", fail)
    assert call(["check", "x**2", "--claim", claim, "-o", "told.txt"]) == code
    assert "claim" in Path("told.txt").read_text()


def test_what_fails_before_the_last_output_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The report is in place, the verdicts are not."""
    monkeypatch.setattr("gradcli.cli.check_report.FORMS", {})
    assert call(["check", "x**2", "--claim", "2*x", "-o", "told.txt", "--junit", "report.xml"]) == 3
    assert left() == ["report.xml"]


def test_the_folder_may_not_be_synced(named: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync

    def synced(fd: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise MemoryError
        real(fd)

    monkeypatch.setattr(os, "fsync", synced)
    assert call([*ONE, "-o", "o.csv"]) == 0
    assert left() == ["o.csv"] and Path("o.csv").read_text() == TABLE


LAST = """
import os, sys
from _testcapi import set_nomemory
from gradcli.cli import run
words = sys.argv[1:]
sys.unraisablehook = lambda _: None  # as the process has it
run(words)

def ended(at):
    open("o.csv", "w").close()
    child = os.fork()
    if not child:
        set_nomemory(at, at + 1)
        os._exit(run(words))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code, os.path.getsize("o.csv") > 0

few, many = 1, 200000  # an allocation that is made, one that is not
while many - few > 1:
    middle = (few + many) // 2
    child = os.fork()
    if not child:
        set_nomemory(middle, middle + 1)
        code = run(words)
        # Still to come: all is done.
        try:
            for _ in range(middle + 1):
                bytearray(1)
        except MemoryError:
            os._exit(9)
        os._exit(code)
    done = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    few, many = (few, middle) if done else (middle, many)
for at in range(max(few - 600, 1), few + 20):
    print(*ended(at))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_no_allocation_takes_the_result_back() -> None:
    """Each of the last 600 fails: exit code 0 if and only if the file is there."""
    pytest.importorskip("_testcapi")
    words = ["eval", "log(x)", "--at", "x=0", "-o", "o.csv"]
    found = subprocess.run(
        [sys.executable, "-c", LAST, *words], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    ends = [line.split() for line in found.stdout.splitlines()]
    assert len(ends) > 500 and {whole for _, whole in ends} == {"True", "False"}
    # The interpreter may die where it cannot allocate.
    assert {(code, whole) for code, whole in ends} - {("0", "True"), ("3", "False")} <= {
        (str(-signum), whole) for signum in (signal.SIGSEGV, signal.SIGABRT) for whole in ("True", "False")
    }
