"""The entry point of the process: signals, limits and streams are set up before any heavy import."""

from __future__ import annotations

import gc
import os
import signal
import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    # SIGINT during the imports ends the process without a traceback; `cli.output` installs its own handlers later.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # Expression graphs are acyclic, so reference counting frees them; the cycle collector would only rescan live nodes.
    gc.disable()
    # No matrix products are computed here; starting OpenBLAS threads would take half of NumPy's import time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Exceptions outside any call, such as a MemoryError while a thread ends, are not printed: the failed call reports
    # its own error. `callable` is written in C, so as a hook it allocates no memory.
    sys.unraisablehook = callable
    if sys.stderr is None:
        # Descriptor 2 is closed: the next file opened would get its number, and messages would be written into it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    from gradcli.limits import memory

    sys.meta_path.insert(0, memory.Room())
    try:
        from gradcli.cli import run
    except Exception as error:
        if not memory.lacking(error):
            raise
        os.write(2, b"gradcli: error: out of memory\n")
        os._exit(3)
    code = run(sys.argv[1:])
    # A daemon thread may still be blocked in read(); normal interpreter shutdown can hang or abort, so flush and leave
    # by os._exit.
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        code = code or 3
    except MemoryError:
        # No result is lost: results do not pass through these streams.
        pass
    os._exit(code)


if __name__ == "__main__":
    main()
