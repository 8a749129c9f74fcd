"""A process that makes parts: a line of JSON in, a line of JSON out, until its input ends.

The first line tells what all parts have in common. The input ends as well when the process that gave it dies, at
whatever moment, and then this one ends at once: nothing but whole parts is visible at any moment.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
from queue import SimpleQueue


def main() -> None:
    """Answer the lines of stdin on stdout."""
    # The process that started this one is interrupted as well, and ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    # What a library prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    lines: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    from gradcli.limits.memory import keep_freed
    from gradcli.parts.task import answered, warm

    keep_freed()
    common = lines.get().decode()
    warm(common)
    while True:
        answer = answered(common, json.loads(lines.get()))
        try:
            answers.write(json.dumps(answer).encode() + b"\n")
            answers.flush()
        except OSError:
            os._exit(3)


def _read(lines: SimpleQueue[bytes]) -> None:
    while line := sys.stdin.buffer.readline():
        lines.put(line)
    os._exit(0)
