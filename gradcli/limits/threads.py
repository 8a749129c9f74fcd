"""Daemon threads whose death is detected: without memory a thread may die silently before its first statement.

``threading.Thread.start`` would wait for such a thread forever. A forked child has no copy of its parent's threads,
which is detected as well. No lock is held while a thread is started, so that a signal handler or a finalizer may start
threads at any moment.
"""

from __future__ import annotations

import _thread
import os
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from queue import Empty, Queue, SimpleQueue
from time import sleep
from typing import Any, TypeVar

_Result = TypeVar("_Result")
_Outcome = tuple[Any, BaseException | None]

_PATIENCE = 1.0
"""Seconds between checks that a thread is alive, while its result is awaited."""
_NAP = 0.001
"""Seconds between checks that the threads have ended."""


class ForkedError(Exception):
    """This process was forked from the one that started the thread, so the thread does not exist here."""


def begin(work: Callable[[], object]) -> Callable[[], bool]:
    """Start a daemon thread that calls ``work``; return a function that says whether the thread is alive.

    That function raises ForkedError in a forked child. ``work`` must handle its exceptions.
    """
    # The thread alone owns this object, and no frame that a traceback keeps alive, so it is freed when the thread ends.
    target = partial(work)
    alive = weakref.ref(target)
    _thread.start_new_thread(target, ())
    owner = os.getpid()

    def lives() -> bool:
        if os.getpid() != owner:
            raise ForkedError
        return alive() is not None

    return lives


def receive(queue: Queue[_Result] | SimpleQueue[_Result], alive: Callable[[], bool]) -> _Result:
    """Return the next item that a thread puts into ``queue``.

    Raise MemoryError if the thread died without putting one, and ForkedError in a forked child.
    """
    while True:
        living = alive()
        try:
            return queue.get(timeout=_PATIENCE)
        except Empty:
            if not living:
                raise MemoryError from None


def in_thread(work: Callable[[], _Result]) -> _Result:
    """Run ``work`` in a thread and return its result or raise its exception.

    The calling thread can meanwhile handle signals, which it could not inside a foreign function.
    """
    queue: SimpleQueue[_Outcome] = SimpleQueue()
    alive = begin(lambda: queue.put(_outcome(work)))
    with suppress(ForkedError):
        return _result(receive(queue, alive))  # type: ignore[no-any-return]
    return work()


def in_order(tasks: Iterator[Callable[[], _Result]], threads: int) -> Iterator[_Result]:
    """Run tasks on ``threads`` threads and yield their results in the order of ``tasks``. Raise the first error.

    All threads have ended when the generator ends. A child forked meanwhile may go on with the generator: it repeats
    the tasks whose results the threads had not yet delivered.
    """
    pending: SimpleQueue[tuple[Callable[[], _Result], SimpleQueue[_Outcome]] | None] = SimpleQueue()
    ahead: deque[tuple[Callable[[], _Result], SimpleQueue[_Outcome]]] = deque()
    workers: list[Callable[[], bool]] = []

    def work() -> None:
        while (entry := pending.get()) is not None:
            task, queue = entry
            queue.put(_outcome(task))

    def first() -> _Result:
        task, queue = ahead.popleft()
        with suppress(ForkedError):
            # Any of the threads may have taken this task, so the death of any one counts.
            return _result(receive(queue, lambda: all(alive() for alive in workers)))  # type: ignore[no-any-return]
        return task()

    try:
        for task in tasks:
            ahead.append((task, SimpleQueue()))
            pending.put(ahead[-1])
            if len(workers) < threads:
                workers.append(begin(work))
            # Bound the tasks in flight, so that results do not accumulate if the consumer is slow.
            if len(ahead) > 2 * threads:
                yield first()
        while ahead:
            yield first()
    finally:
        while not pending.empty():
            pending.get()
        for _ in workers:
            pending.put(None)
        with suppress(ForkedError):
            while any(alive() for alive in workers):
                sleep(_NAP)


def _outcome(work: Callable[[], Any]) -> _Outcome:
    try:
        return work(), None
    except BaseException as error:
        return None, error


def _result(outcome: _Outcome) -> Any:
    value, error = outcome
    if error is not None:
        raise error
    return value
