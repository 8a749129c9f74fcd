"""Threads whose death is noticed: where there is no memory one may end before its first line, and say nothing.

``threading.Thread.start`` would wait for such a thread for ever. A forked child has none of its parent's threads. No
lock is held on the way, so that a signal's handler or a finalizer may begin threads while others are begun.
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

_Made = TypeVar("_Made")
_Outcome = tuple[Any, BaseException | None]

_PATIENCE = 1.0
"""Seconds between looks at whether a thread is still at work."""
_NAP = 0.001
"""Seconds between looks at whether one has ended."""


class ForkedError(Exception):
    """This is a child forked from the process that began the thread: it is not here."""


def begin(work: Callable[[], object]) -> Callable[[], bool]:
    """Start a thread that nobody waits for at the end; what is returned tells whether it lives, or raises ForkedError.

    ``work`` tells by itself what goes wrong in it.
    """
    # Held by the thread alone, and by no frame that an error may keep: it goes when the thread does.
    held = partial(work)
    alive = weakref.ref(held)
    _thread.start_new_thread(held, ())
    owner = os.getpid()

    def lives() -> bool:
        if os.getpid() != owner:
            raise ForkedError
        return alive() is not None

    return lives


def taken(made: Queue[_Made] | SimpleQueue[_Made], alive: Callable[[], bool]) -> _Made:
    """The next that a thread puts. Raises MemoryError where it has died without a word, or ForkedError."""
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
    alive = begin(lambda: made.put(_outcome(work)))
    with suppress(ForkedError):
        return _result(taken(made, alive))  # type: ignore[no-any-return]
    return work()


def in_order(tasks: Iterator[Callable[[], _Made]], threads: int) -> Iterator[_Made]:
    """What tasks return, in their order, done by so many threads. The first error ends it; none is at work after.

    A child forked meanwhile may go on: it does again what the threads had not handed over.
    """
    given: SimpleQueue[tuple[Callable[[], _Made], SimpleQueue[_Outcome]] | None] = SimpleQueue()
    ahead: deque[tuple[Callable[[], _Made], SimpleQueue[_Outcome]]] = deque()
    workers: list[Callable[[], bool]] = []

    def work() -> None:
        while (one := given.get()) is not None:
            task, made = one
            made.put(_outcome(task))

    def first() -> _Made:
        task, made = ahead.popleft()
        with suppress(ForkedError):
            # It may lie with any of them.
            return _result(taken(made, lambda: all(alive() for alive in workers)))  # type: ignore[no-any-return]
        return task()

    try:
        for task in tasks:
            ahead.append((task, SimpleQueue()))
            given.put(ahead[-1])
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
        with suppress(ForkedError):
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
