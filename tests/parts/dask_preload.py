"""What a worker of the tests is made to do when it makes a part, by files in the folder CONTROL.

``hold``: it waits until the file is gone. ``die``, ``die-writing``, ``die-late``: it ends by SIGKILL before the part is
made, when half of its bytes are written, or after it; the file is removed first, so that one worker dies. ``old``: it
has other versions. With ROLE=bare it has no gradcli.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Any

from gradcli.parts import task
from gradcli.storage.folder import LocalFolder

CONTROL = Path(os.environ["CONTROL"])
PARENT = os.getppid()
MAKE, VERSIONS, WRITE = task.make, task.versions, LocalFolder.write


def die(name: str) -> None:
    try:
        (CONTROL / name).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def write(self: LocalFolder, name: str) -> Iterator[Callable[[bytes], None]]:
    with WRITE(self, name) as out:

        def put(data: bytes) -> None:
            out(data[: len(data) // 2])
            die("die-writing")
            out(data[len(data) // 2 :])

        yield put


def make(*words: Any) -> Any:
    held = CONTROL / f"held-{os.getpid()}"
    # Without the tests it ends.
    while (CONTROL / "hold").exists() and os.getppid() == PARENT:
        held.touch()
        sleep(0.01)
    held.unlink(missing_ok=True)
    die("die")
    record = MAKE(*words)
    die("die-late")
    return record


def versions(*words: str) -> dict[str, str | None]:
    told = VERSIONS(*words)
    return told | {"gradcli": "0.0.1"} if (CONTROL / "old").exists() else told


def dask_setup(worker: object) -> None:
    """Called by Dask when the worker starts."""
    task.make, task.versions, LocalFolder.write = make, versions, write  # type: ignore[method-assign, assignment]
    if os.environ.get("ROLE") == "bare":
        for name in [name for name in sys.modules if name.partition(".")[0] == "gradcli"]:
            del sys.modules[name]
        sys.modules["gradcli"] = None  # type: ignore[assignment]
