"""Parts made by the workers of a Dask scheduler, all of them processes of this machine."""

import filecmp
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest
from command import COMMAND, PATIENCE, Shell, environment

from gradcli.errors import GradError
from gradcli.parts import cluster
from gradcli.parts.cluster import Cluster

pytest.importorskip("distributed")

EXPRESSION = "sin(x)*exp(-y**2) + log(1 + x**2*y**2)"
PRELOAD = Path(__file__).with_name("dask_preload.py")


class Dask:
    """A scheduler in a folder, and its workers."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder, self.file = folder, folder / "scheduler.json"
        self.variables = environment(CONTROL=str(folder), **variables)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._started("scheduler", "--host", "127.0.0.1", "--port", "0", "--idle-timeout", "300")

    def _started(self, *words: str, **variables: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", "dask", *words, "--no-dashboard", "--scheduler-file", str(self.file)]
        with (self.folder / f"{words[0]}.log").open("ab") as log:
            return subprocess.Popen(command, env=self.variables | variables, cwd=self.folder, stdout=log, stderr=log)

    def work(self, threads: int = 1, role: str = "") -> None:
        """Start a worker."""
        words = ["--nthreads", str(threads), "--no-nanny", "--death-timeout", "60"]
        words += ["--local-directory", str(self.folder / "scratch")]
        self.workers.append(self._started("worker", *words, "--preload", str(PRELOAD), ROLE=role))

    @property
    def address(self) -> str:
        # Dask writes the file in place.
        until(lambda: self.file.exists() and self.file.read_text().rstrip().endswith("}"))
        return str(json.loads(self.file.read_text())["address"])

    @property
    def living(self) -> int:
        return sum(worker.poll() is None for worker in self.workers)

    def order(self, name: str) -> Path:
        file = self.folder / name
        file.touch()
        return file

    def held(self) -> bool:
        return any(self.folder.glob("held-*"))

    def rest(self) -> None:
        """Leave nothing of a test to the next."""
        for name in ("hold", "die", "die-writing", "die-late", "old"):
            (self.folder / name).unlink(missing_ok=True)
        for file in self.folder.glob("held-*"):
            file.unlink(missing_ok=True)

    def stop(self) -> None:
        self.rest()
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()


def until(true: Callable[[], bool]) -> None:
    end = monotonic() + PATIENCE
    while not true():
        assert monotonic() < end, "waited too long"
        sleep(0.01)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    """A scheduler with two workers, one of which makes two parts at a time."""
    dask = Dask(tmp_path_factory.mktemp("two"))
    dask.work()
    dask.work(threads=2)
    yield dask
    dask.stop()


@pytest.fixture
def dask(two: Dask) -> Iterator[Dask]:
    """The two workers; those that a test has ended are replaced."""
    yield two
    two.rest()
    for _ in range(2 - two.living):
        two.work()


@pytest.fixture
def lonely(tmp_path: Path) -> Iterator[Dask]:
    """A scheduler of one's own, without workers, for which a task is a failure as soon as a worker dies of it."""
    folder = tmp_path / "dask"
    folder.mkdir()
    dask = Dask(folder, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
    yield dask
    dask.stop()


def source(name: str, first: int, rows: int) -> None:
    """A CSV file with numbered rows."""
    rng = np.random.default_rng(first)
    x, y = rng.uniform(-2, 2, (2, rows)).tolist()
    lines = [f"{first + k},{x[k]!r},{y[k]!r}\n" for k in range(rows)]
    Path(name).write_text("id,x,y\n" + "".join(lines))


@pytest.fixture
def sources(empty_folder: Path) -> Path:
    """Six files of 50 rows."""
    Path("in").mkdir()
    for k in range(6):
        source(f"in/{k}.csv", 50 * k, 50)
    return empty_folder


def words(output: str, *more: str) -> list[str]:
    return ["diff", EXPRESSION, "--order", "2", "--keep", "--input", "in/*.csv", "-o", output, *more]


def equal(one: str, other: str) -> bool:
    """Whether two folders hold the same names and bytes."""
    names = sorted(os.listdir(one))
    return names == sorted(os.listdir(other)) and not any(filecmp.cmpfiles(one, other, names, shallow=False)[1:])


def client(address: str, output: str, *more: str) -> subprocess.Popen[str]:
    command = [*COMMAND, *words(output, "--cluster", address, *more)]
    return subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def making(dask: Dask, process: subprocess.Popen[str]) -> None:
    """Wait until a worker holds a part of a client."""
    until(lambda: dask.held() or process.poll() is not None)
    assert process.poll() is None, process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def here(shell: Shell, *more: str) -> None:
    """The same parts, made by this process, in ``here/``."""
    assert shell(*words("here/", "-q", *more)) == (0, "", "")


@pytest.mark.quick
def test_parts_equal_those_of_one_process(dask: Dask, sources: Path, shell: Shell):
    here(shell, "--part-bytes", "1KB")
    code, out, err = shell(*words("out/", "--part-bytes", "1KB", "--cluster", dask.address))
    assert (code, out) == (0, ""), err
    assert "300 rows: 18 made, 0 stood" in err
    assert equal("here", "out") and logging.root.manager.disable == 0
    # A finished folder asks for no worker.
    before = {file.name: file.stat().st_mtime_ns for file in Path("out").iterdir()}
    code, _, err = shell(*words("out/", "--part-bytes", "1KB", "--cluster", "tcp://127.0.0.1:1"))
    assert code == 0 and "0 made, 18 stood" in err
    assert before == {file.name: file.stat().st_mtime_ns for file in Path("out").iterdir()}


@pytest.mark.quick
def test_shares_equal_the_whole(dask: Dask, sources: Path, shell: Shell):
    here(shell)
    for share in ("2/2", "1/2"):
        assert shell(*words("out/", "-q", "--part", share, "--cluster", dask.address)) == (0, "", "")
    assert equal("here", "out")


@pytest.mark.parametrize("when", ["die", "die-writing", "die-late"])
def test_a_worker_dies(dask: Dask, sources: Path, shell: Shell, when: str):
    """The scheduler gives its part to another one; nothing is lost, and no unfinished file is left."""
    here(shell)
    order = dask.order(when)
    assert shell(*words("out/", "-q", "--cluster", dask.address)) == (0, "", "")
    assert not order.exists()
    until(lambda: dask.living == 1)
    assert equal("here", "out")
    dask.workers = [worker for worker in dask.workers if worker.poll() is None]


def test_the_client_dies(dask: Dask, sources: Path, shell: Shell):
    """What is being made is made whole, and the rest is forgotten; the same command goes on."""
    here(shell)
    hold = dask.order("hold")
    process = client(dask.address, "out/")
    making(dask, process)
    process.kill()
    process.communicate()
    sleep(0.2)
    hold.unlink()
    until(lambda: any(Path("out").glob("part-*.json")))
    code, _, err = shell(*words("out/", "--cluster", dask.address))
    made = int(err.split(" made")[0].rsplit(" ", 1)[1])
    assert code == 0 and 0 < made < 6
    assert equal("here", "out")


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_client_at_once(dask: Dask, sources: Path, signum: int):
    dask.order("hold")
    process = client(dask.address, "out/")
    making(dask, process)
    process.send_signal(signum)
    assert ended(process) == (-signum, "", "")


def test_two_clients_at_once(dask: Dask, sources: Path, shell: Shell):
    here(shell)
    hold = dask.order("hold")
    both = [client(dask.address, "out/", "-q") for _ in range(2)]
    making(dask, both[0])
    sleep(0.2)
    hold.unlink()
    assert [ended(process) for process in both] == [(0, "", "")] * 2
    assert equal("here", "out")


@pytest.mark.quick
def test_rows_that_are_wrong_are_told(dask: Dask, sources: Path, shell: Shell):
    Path("in/3.csv").write_text("id,x,y\n1,2,3\n4,oops,6\n")
    code, out, err = shell(*words("out/", "--cluster", dask.address))
    assert (code, out) == (2, "")
    assert "1 of 6 parts could not be made: in/3.csv:3:3: 'oops' in column 'x' is not a number" in err
    assert len([*Path("out").glob("part-*.json")]) == 5 and not Path("out/manifest.json").exists()


def test_many_small_parts(dask: Dask, empty_folder: Path, shell: Shell):
    Path("in").mkdir()
    for k in range(100):
        Path(f"in/{k:03}.csv").write_text(f"id,x,y\n{k},1.5,2\n")
    code, _, err = shell(*words("out/", "--cluster", dask.address))
    assert code == 0 and "100 rows: 100 made" in err


def test_a_worker_that_dies_of_a_part(lonely: Dask, sources: Path, shell: Shell):
    """With --retries 0 the part is left out, and the others are made; the same command makes it."""
    lonely.work()
    lonely.work()
    lonely.order("die")
    code, _, err = shell(*words("out/", "--retries", "0", "--cluster", lonely.address))
    assert code == 3 and "the workers that made it ended" in err and "--part-bytes" in err
    # The scheduler blames whatever the worker had been given.
    stood = len([*Path("out").glob("part-*.json")])
    assert 3 < stood < 6 and f"{6 - stood} of 6 parts could not be made" in err
    lonely.work()
    lonely.order("die")
    code, _, err = shell(*words("out/", "--cluster", lonely.address))
    assert code == 0 and f"{6 - stood} made, {stood} stood" in err


def test_a_scheduler_without_workers(lonely: Dask):
    start = monotonic()
    with pytest.raises(GradError, match="has no workers") as caught:
        Cluster(lonely.address, "{}", patience=0.3)
    assert caught.value.exit_code == 3 and monotonic() - start < PATIENCE
    assert logging.root.manager.disable == 0


def test_workers_that_cannot_make_parts(lonely: Dask, sources: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch):
    """Those without gradcli and those with another version are told by their faults; all gone, the run ends."""
    lonely.work(role="bare")
    code, _, err = shell(*words("out/", "--cluster", lonely.address, "--retries", "1"))
    assert code == 3 and "6 of 6 parts could not be made" in err
    assert "a worker has no gradcli" in err and "install gradcli" in err
    lonely.workers[0].kill()
    lonely.work()
    lonely.order("old")
    code, _, err = shell(*words("out/", "--cluster", lonely.address, "--retries", "1"))
    assert code == 3 and "here 0.0.1" in err and "equal versions" in err
    lonely.rest()
    lonely.order("die")
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    code, _, err = shell(*words("out/", "--cluster", lonely.address))
    assert code == 3 and "has no workers" in err


def test_the_scheduler_dies(lonely: Dask, sources: Path):
    lonely.work()
    lonely.order("hold")
    process = client(lonely.address, "out/")
    making(lonely, process)
    lonely.scheduler.kill()
    code, out, err = ended(process)
    assert (code, out) == (3, "")
    lines = err.splitlines()
    assert len(lines) == 2 and "is gone" in lines[0] and "goes on" in lines[1]


@pytest.mark.quick
def test_no_scheduler(sources: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.2)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    for where in (address, "tcp://127.0.0.1", "tcp://127.0.0.1:x", "tls://127.0.0.1:1", "ucx://127.0.0.1:1"):
        code, out, err = shell(*words("out/", "--cluster", where))
        assert (code, out) == (3, "") and f"--cluster: the scheduler at {where} does not answer" in err, where
    assert logging.root.manager.disable == 0


@pytest.mark.quick
def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(GradError, match="needs the package distributed") as caught:
        Cluster("tcp://127.0.0.1:1", "{}")
    assert caught.value.hint == "pip install 'gradcli[cluster]'"
