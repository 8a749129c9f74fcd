"""Runs whose processes are killed, at whatever moment: what is there is whole, and the same command goes on."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from checkout import INSTALLED
from command import COMMAND, PATIENCE, environment, process
from folders import MANIFEST, content, faults, made, names, parts, sources, whole

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found by /proc")

OUT = Path("out")
SIZES = [400] * 6
ROWS = sum(SIZES)
PARTS = 24
WORDS = ("diff", "sin(x)*exp(y/99)", "--order", "2", "--input", "in/*", "--keep", "-o", "out/", "--part-bytes", "2500")
LOCAL = (*WORDS, "--cluster", "local:2")


@pytest.fixture(autouse=True)
def place(empty_folder: Path) -> None:
    sources(Path("in"), SIZES)
    # A folder of the package's name, which is not what workers run.
    Path("gradcli").mkdir()
    Path("gradcli/__init__.py").write_text("raise SystemExit('another gradcli')")


def begun(*words: str, **more: Any) -> subprocess.Popen[str]:
    """A command that runs in a group of processes of its own."""
    settings: dict[str, Any] = {"env": environment(), "stdin": subprocess.DEVNULL, "start_new_session": True}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*COMMAND, *words], text=True, **(settings | pipes | more))


def ended(run: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code of a command, and its stderr."""
    _, err = run.communicate(timeout=PATIENCE)
    return run.returncode, err


def processes() -> Iterator[tuple[int, int, str]]:
    """The processes that run: number, number of the parent, command line."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if state not in "ZX":
                yield int(folder.name), int(parent), words


def workers(client: int) -> list[int]:
    return [number for number, parent, words in processes() if parent == client and "gradcli.parts.worker" in words]


def customized(text: str) -> dict[str, str]:
    """The variables by which every process of Python runs a text first."""
    Path("site").mkdir()
    Path("site/sitecustomize.py").write_text(text)
    return environment(PYTHONPATH=os.pathsep.join([str(Path("site").absolute()), environment()["PYTHONPATH"]]))


def until(condition: Callable[[], object], run: subprocess.Popen[str] | None = None) -> bool:
    """Wait for a condition; return whether it came before a command ended."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if run is not None and run.poll() is not None:
            return False
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.002)
    return True


def gone(numbers: list[int]) -> None:
    """Wait until no such process runs."""
    until(lambda: not {number for number, _, _ in processes()} & set(numbers))


def recorded() -> int:
    return len([*OUT.glob("part-*.json")])


def kill(number: int, signum: int = signal.SIGKILL) -> None:
    """Send a signal to a process, which may have ended."""
    with suppress(ProcessLookupError):
        os.kill(number, signum)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The parts of an undisturbed run: name and bytes."""
    folder = tmp_path_factory.mktemp("reference")
    sources(folder / "in", SIZES)
    process(*WORDS, check=True, cwd=folder)
    return {path.name: path.read_bytes() for path in parts(folder / "out")}


def check_whole(reference: dict[str, bytes]) -> None:
    whole(OUT, ROWS)
    assert {path.name: path.read_bytes() for path in parts(OUT)} == reference


@pytest.mark.quick
def test_a_worker_is_killed(reference: dict[str, bytes]):
    """Its part is made by another process, which takes its place."""
    run = begun(*LOCAL)
    assert until(lambda: recorded() >= 3, run)
    before = workers(run.pid)
    assert len(before) == 2
    kill(before[0])
    code, err = ended(run)
    assert (code, made(err)) == (0, (PARTS, 0))
    assert len(err.splitlines()) == 1
    gone(before)
    check_whole(reference)


@pytest.mark.quick
def test_the_client_is_killed(reference: dict[str, bytes]):
    """Its processes end at once, nothing that is not whole is to be seen, and what stands is not made again."""
    run = begun(*LOCAL)
    assert until(lambda: recorded() >= 3, run)
    others = workers(run.pid)
    kill(run.pid)
    assert ended(run)[0] == -signal.SIGKILL
    gone(others)
    assert faults(OUT) == []
    assert MANIFEST not in names(OUT)
    before = recorded()
    code, err = ended(begun(*LOCAL))
    assert (code, made(err)) == (0, (PARTS - before, before))
    check_whole(reference)


@pytest.mark.quick
@pytest.mark.parametrize("more", [(), ("--cluster", "local:2")], ids=["here", "local"])
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda signum: signum.name)
def test_a_signal_ends_all(signum: signal.Signals, more: tuple[str, ...]):
    """The run dies by the signal, its processes end before it, and no unfinished file stays.

    Here these have names, as where the file system knows no others.
    """
    run = begun(*WORDS, *more, env=customized("import os\ndel os.O_TMPFILE\n"))
    assert until(lambda: recorded() >= 2, run)
    others = workers(run.pid)
    # As by Ctrl-C, to all processes of the group.
    os.killpg(run.pid, signum)
    code, err = ended(run)
    assert (code, err) == (-signum, "")
    assert not {number for number, _, _ in processes()} & set(others)
    assert [name for name in names(OUT) if name.startswith(".")] == []
    assert faults(OUT) == []
    assert MANIFEST not in names(OUT)


def test_a_signal_while_workers_start():
    """Ctrl-C before the first process is ready: no process tells of it."""
    for pause in (0.0, 0.03, 0.06):
        run = begun(*LOCAL)
        until(lambda: workers(run.pid), run)  # noqa: B023
        time.sleep(pause)
        os.killpg(run.pid, signal.SIGINT)
        assert ended(run) == (-signal.SIGINT, "")


def test_who_stops_it_by_the_keyboard_is_told_that_nothing_is_lost():
    """On a terminal alone: a program that reads stderr learns it from the signal."""
    ours, theirs = os.openpty()
    run = begun(*WORDS, "--cluster", "local:2", stderr=theirs)
    os.close(theirs)
    assert until(recorded, run)
    os.killpg(run.pid, signal.SIGINT)
    run.communicate(timeout=PATIENCE)
    shown = os.read(ours, 4096).decode()
    os.close(ours)
    assert run.returncode == -signal.SIGINT
    assert "out/: the parts that are made stand, and the same command goes on" in " ".join(shown.split())


def test_a_worker_that_dies_by_each_part():
    """After its retries a part counts as failed; the end of the process is told, and what may help."""
    dying = customized(
        "import os, sys\n"
        "if 'gradcli.parts.worker' in ' '.join(sys.orig_argv):\n"
        "    os.fsync = lambda fd: os.kill(os.getpid(), 9)\n"
    )
    one = ("eval", "x + y", "--input", "in/00000.parquet", "-o", "out/", "--cluster", "local:2")
    code, err = ended(begun(*one, "--retries", "1", env=dying))
    assert code == 3
    assert "in/00000.parquet: the process that made it ended (SIGKILL)" in err
    assert "if memory ran out: fewer processes at a time, or smaller parts: --part-bytes" in err
    assert names(OUT) == ["plan.json"]


@pytest.mark.quick
def test_a_full_disk_of_one_worker(reference: dict[str, bytes]):
    """Exit code 3; what others have made stands; and the same command goes on when there is room."""
    # The first process to start has a disk with room for a part and a half.
    full = customized(
        "import os, sys\n"
        "if 'gradcli.parts.worker' in ' '.join(sys.orig_argv):\n"
        "    try:\n"
        "        os.close(os.open('first', os.O_CREAT | os.O_EXCL))\n"
        "        room, write = [20000], os.write\n"
        "        def full(fd, data):\n"
        "            room[0] -= len(data)\n"
        "            if room[0] < 0:\n"
        "                raise OSError(28, 'No space left on device')\n"
        "            return write(fd, data)\n"
        "        os.write = full\n"
        "    except FileExistsError:\n"
        "        pass\n"
    )
    code, err = ended(begun(*LOCAL, "--retries", "0", env=full))
    assert code == 3
    assert "No space left on device" in err
    assert "the other parts stand: the same command goes on" in err
    assert faults(OUT) == []
    assert MANIFEST not in names(OUT)
    assert not [name for name in names(OUT) if name.startswith(".")]
    before = recorded()
    code, err = ended(begun(*LOCAL))
    assert (code, made(err)) == (0, (PARTS - before, before))
    check_whole(reference)


@pytest.mark.quick
def test_two_clients_at_once(reference: dict[str, bytes]):
    """Both end well, and the folder is as if one had been there; so do shares that run at the same time."""
    runs = [begun(*WORDS), begun(*WORDS, "--cluster", "local:1")]
    assert [ended(run)[0] for run in runs] == [0, 0]
    check_whole(reference)
    before = content(OUT)
    for path in OUT.iterdir():
        path.unlink()
    runs = [begun(*WORDS, "--part", f"{k}/3") for k in (1, 2, 3)]
    assert [ended(run)[0] for run in runs] == [0, 0, 0]
    # Each looks for the others' parts when its own are there, so that the last one finds all.
    assert content(OUT) == before


def test_rows_of_stdin_are_refused():
    code, err = ended(begun("eval", "x", "--input", "-", "-o", "out/"))
    assert code == 2
    assert "--input -: a stream cannot be cut into parts nor read again" in err


def test_workers_run_the_package_that_started_them():
    """It may stand elsewhere than where Python looks for packages."""
    text = (
        f"import sys; sys.path.insert(0, {str(INSTALLED)!r}); from gradcli.cli import run; sys.exit(run(sys.argv[1:]))"
    )
    words = [sys.executable, "-P", "-c", text, "eval", "x", "--input", "in/00000.parquet", "-o", "out/", *LOCAL[-2:]]
    without = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    subprocess.run(words, check=True, env=without, stdin=subprocess.DEVNULL, timeout=PATIENCE)


def kills(moments: int, reference: dict[str, bytes]) -> None:
    """Begin a run over and over, in one folder, and kill a process of it at a moment that is drawn by lot.

    Each run has other results, of the same size, or some sources are touched, so that there is always something to
    make, beside parts that stand and over old ones. Every other run gives unfinished files a name.
    """
    named = customized("import os\ndel os.O_TMPFILE\n")
    lot, killed = random.Random(20261129), 0
    started = time.monotonic()
    process(*LOCAL, check=True)
    span = time.monotonic() - started
    for moment in range(moments):
        for path in lot.sample(sorted(Path("in").iterdir()), 3):
            os.utime(path, (moment, lot.randrange(10**6)))
        words = ["diff", lot.choice([WORDS[1], "cos(x)*exp(y/99)"]), *(LOCAL if moment % 4 else WORDS)[2:]]
        run = begun(*words, env=named if moment % 2 else environment())
        time.sleep(lot.uniform(0.15, 1) * span)
        others, whom = workers(run.pid), lot.choice(["client", "worker", "all"])
        if whom == "worker" and others:
            kill(lot.choice(others))
            code, _ = ended(run)
            assert code == 0
        else:
            with suppress(ProcessLookupError):
                (os.killpg if whom == "all" else os.kill)(run.pid, signal.SIGKILL)
            killed += ended(run)[0] != 0
            gone(others)
        assert faults(OUT) == []
        if MANIFEST in names(OUT):
            whole(OUT, ROWS)
    assert killed >= moments / 8
    assert ended(begun(*LOCAL))[0] == 0
    check_whole(reference)


@pytest.mark.quick
def test_kills_at_some_moments(reference: dict[str, bytes]):
    kills(8, reference)


@pytest.mark.long
def test_kills_at_many_moments(reference: dict[str, bytes]):
    kills(60, reference)
