"""The thread in which runs work, so that the page answers at once and a run that is given up ends in its own time."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

TICK = 0.5
"""Seconds after which `steps` says that it still works, which is also how soon a closed tab is noticed."""


class Worker:
    """One thread that does what it is given, one after the other. It keeps no process from ending."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        threading.Thread(target=self._work, name="runs", daemon=True).start()

    def submit(self, task: Callable[[], T]) -> Future[T]:
        """Have a task done after all that were given before."""
        future: Future[T] = Future()
        self._tasks.put((future, task))
        return future

    async def steps(self, generator: Generator[T]) -> AsyncGenerator[T | None]:
        """What a generator yields, taken from it in the thread; None whenever it has said nothing for a `TICK`.

        It is not closed here: whoever gives up has `generator.close` done by the thread, after the step at work.

        Raises:
            Exception: whatever the generator raises.
        """
        context = contextvars.copy_context()  # whose request it is, which ZeroGPU asks for
        while True:
            future = asyncio.wrap_future(self.submit(lambda: context.run(_next, generator)))
            future.add_done_callback(lambda done: done.cancelled() or done.exception())  # heard, though given up
            while not (await asyncio.wait([future], timeout=TICK))[0]:
                yield None
            step = future.result()
            if step is None:
                return
            yield step[0]

    def _work(self) -> None:
        while True:
            future, task = self._tasks.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(task())
            except BaseException as error:  # also GeneratorExit and the like are the caller's to hear of
                future.set_exception(error)
            del future, task  # nothing of a run outlives it here


def _next(generator: Generator[T]) -> tuple[T] | None:
    """What a generator yields next; None at its end."""
    try:
        return (next(generator),)
    except StopIteration:
        return None
