"""The thread of runs: it waits for nobody, tells what is new, and leaves off when nobody listens."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import TypeVar

import pytest

from mpgsam2.demo import worker
from mpgsam2.demo.worker import Worker

T = TypeVar("T")


def run(coroutine: Coroutine[object, object, T]) -> T:
    """In a thread of its own: a browser of other tests may have left an event loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def told(generator: Generator[object]) -> list[object]:
    async def listen() -> list[object]:
        async with aclosing(Worker().steps(generator)) as steps:
            return [step async for step in steps if step is not None]

    return run(listen())


def test_each_kind_is_told_and_of_many_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "PAUSE", 60.0)
    heard = told(iter(["begun", *range(1000), "done"]))
    assert heard[0] == "begun" and heard[-2:] == [999, "done"]
    assert len(heard) <= 4  # the first of the numbers may have been told before the next was there


def test_who_listens_slowly_holds_nothing_up() -> None:
    made, heard = threading.Event(), []

    def steps() -> Generator[int]:
        yield from range(100)
        made.set()

    async def listen() -> None:
        async with aclosing(Worker().steps(steps())) as news:
            async for step in news:
                heard.append(step)
                assert await asyncio.to_thread(made.wait, 60)

    run(listen())
    assert heard[-1] == 99 and len(heard) < 100


def test_an_error_comes_after_what_went_before() -> None:
    def steps() -> Generator[str]:
        yield "begun"
        raise ValueError("broken")

    heard = []

    async def listen() -> None:
        async with aclosing(Worker().steps(steps())) as news:
            async for step in news:
                heard.append(step)

    with pytest.raises(ValueError, match="broken"):
        run(listen())
    assert heard == ["begun"]


def test_nothing_more_is_made_for_who_gave_up() -> None:
    made, go_on, closed = [], threading.Event(), threading.Event()

    def steps() -> Generator[int]:
        try:
            for number in range(1000):
                made.append(number)
                yield number
                assert go_on.wait(60)
        finally:
            closed.set()

    async def listen() -> None:
        thread, generator = Worker(), steps()
        async with aclosing(thread.steps(generator)) as news:
            assert await anext(news) == 0
        go_on.set()
        await asyncio.wrap_future(thread.submit(generator.close))

    run(listen())
    assert closed.is_set() and len(made) <= 2
