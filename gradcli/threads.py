"""Threads whose death is noticed: where there is no memory one may end before its first line, and say nothing.

``threading.Thread.start`` would wait for such a thread for ever.
"""

from __future__ import annotations

import _thread
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from queue import Empty, Queue, SimpleQueue
from time import sleep
from typing import Any, TypeVar

_Made = TypeVar("_Made")
_Outcome = tuple[Any, BaseException | None]

_PATIENCE = 1.0
"""Seconds between looks at whether a thread is still at work."""
_NAP = 0.001
"""Seconds between looks at whether one has ended."""


def begin(work: Callable[[], object]) -> Callable[[], bool]:
    """Start a thread that nobody waits for at the end; what is returned tells whether it lives.

    ``work`` tells by itself what goes wrong in it.
    """
    # Held by the thread alone, and by no frame that an error may keep: it goes when the thread does.
    held = partial(work)
    alive = weakref.ref(held)
    _thread.start_new_thread(held, ())
    return lambda: alive() is not None


def taken(made: Queue[_Made] | SimpleQueue[_Made], alive: Callable[[], bool]) -> _Made:
    """The next that a thread puts. Raises MemoryError where it has died without a word."""
    while True:
        living = alive()
        try:
            return made.get(timeout=_PATIENCE)
        except Empty:
            if not living:
                raise MemoryError from None


def apart(work: Callable[[], _Made]) -> _Made:
    """What ``work`` returns or raises, done by a thread: the one that waits can still be told to end."""
    made: SimpleQueue[_Outcome] = SimpleQueue()
    return _result(taken(made, begin(lambda: made.put(_outcome(work)))))  # type: ignore[no-any-return]


def in_order(tasks: Iterator[Callable[[], _Made]], threads: int) -> Iterator[_Made]:
    """What tasks return, in their order, done by so many threads. The first error ends it; none is at work after."""
    given: SimpleQueue[tuple[Callable[[], _Made], SimpleQueue[_Outcome]] | None] = SimpleQueue()
    ahead: deque[SimpleQueue[_Outcome]] = deque()
    workers: list[Callable[[], bool]] = []

    def work() -> None:
        while (one := given.get()) is not None:
            task, made = one
            made.put(_outcome(task))

    def first() -> _Made:
        # It may lie with any of them.
        return _result(taken(ahead.popleft(), lambda: all(alive() for alive in workers)))  # type: ignore[no-any-return]

    try:
        for task in tasks:
            ahead.append(SimpleQueue())
            given.put((task, ahead[-1]))
            if len(workers) < threads:
                workers.append(begin(work))
            # Bounded, so that a slow reader does not make results pile up.
            if len(ahead) > 2 * threads:
                yield first()
        while ahead:
            yield first()
    finally:
        while not given.empty():
            given.get()
        for _ in workers:
            given.put(None)
        while any(alive() for alive in workers):
            sleep(_NAP)


def _outcome(work: Callable[[], Any]) -> _Outcome:
    try:
        return work(), None
    except BaseException as error:
        return None, error


def _result(outcome: _Outcome) -> Any:
    found, error = outcome
    if error is not None:
        raise error
    return found
