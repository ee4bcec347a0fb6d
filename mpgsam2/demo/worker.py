"""The thread in which runs work, so that the page answers at once and a run that is given up ends in its own time."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

TICK = 0.5
"""Seconds after which `steps` says that it still works, which is also how soon a closed tab is noticed."""

PAUSE = 0.3
"""Seconds between two steps of one kind."""


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
        """Yield what a generator yields, made in the thread however slowly it is read; None after a `TICK` of silence.

        Steps of one kind are told `PAUSE` after each other, the newest of those that came meanwhile: telling the page
        of one takes longer than many a frame. Whoever gives up has nothing more made after the step at work. The
        generator is not closed here: they have `generator.close` done by the thread.

        Raises:
            Exception: whatever the generator raises, after what it yielded before.
        """
        loop, news = asyncio.get_running_loop(), asyncio.Event()
        steps: deque[T] = deque()
        given_up = threading.Event()

        def make() -> None:
            while not given_up.is_set() and (step := _next(generator)):
                loop.call_soon_threadsafe(arrived, *step)

        def arrived(step: T) -> None:
            if steps and type(steps[-1]) is type(step):
                steps.pop()
            steps.append(step)
            news.set()

        def ended(making: asyncio.Future[None]) -> None:
            if not making.cancelled():
                making.exception()  # heard, though given up
            news.set()

        context = contextvars.copy_context()  # whose request it is, which ZeroGPU asks for
        making = asyncio.wrap_future(self.submit(lambda: context.run(make)))
        making.add_done_callback(ended)
        kind: type | None = None
        shown_at = 0.0
        try:
            while steps or not making.done():
                alike = len(steps) == 1 and type(steps[0]) is kind and not making.done()
                early = shown_at + PAUSE - loop.time() if alike else 0.0
                if steps and early <= 0:
                    kind, shown_at = type(steps[0]), loop.time()
                    yield steps.popleft()
                    continue
                news.clear()
                try:
                    await asyncio.wait_for(news.wait(), early if steps else TICK)
                except asyncio.TimeoutError:
                    if not steps:
                        yield None
            making.result()
        finally:
            given_up.set()

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
    """Return what a generator yields next; None at its end."""
    try:
        return (next(generator),)
    except StopIteration:
        return None
