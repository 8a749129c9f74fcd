"""The process: what must be settled before anything heavy is imported."""

from __future__ import annotations

import gc
import os
import signal
import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    # An interrupt during the imports ends quietly, by the signal; whoever has files to clean up says so later.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # Expressions are graphs without cycles: the collector would walk millions of live nodes, again and again, in vain.
    gc.disable()
    # Nothing here multiplies matrices: without this NumPy's import spends half its time starting threads.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # What the interpreter itself cannot do, such as end a thread without memory, has no caller; what failed is told.
    # A function of C, which needs no memory of its own.
    sys.unraisablehook = callable
    if sys.stderr is None:
        # Closed: the next file opened would become it, and messages would land in a result.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    from gradcli import memory

    sys.meta_path.insert(0, memory.Room())
    try:
        from gradcli.cli import run
    except Exception as error:
        if not memory.lacking(error):
            raise
        os.write(2, b"gradcli: error: out of memory\n")
        os._exit(3)
    code = run(sys.argv[1:])
    # A thread may still be reading, and nobody waits for it: the interpreter would abort or hang, taken down under it.
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        code = code or 3
    except MemoryError:
        # Results are never held in these streams.
        pass
    os._exit(code)


if __name__ == "__main__":
    main()
