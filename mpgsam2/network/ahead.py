"""Work of small networks in several threads of one core each."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TypeVar

import torch

from mpgsam2.network.threads import one_thread

Item = TypeVar("Item")

Result = TypeVar("Result")

_nothing_ahead = False
_making = threading.local()  # `later`: what one of `two_at_once` has to do when its item's turn has come


def nothing_ahead() -> bool:
    """Return whether all is to be done in the thread of whoever asks."""
    return _nothing_ahead


@contextmanager
def in_one_thread() -> Iterator[None]:
    """Do all within this context in the thread of whoever asks, for those who count what a thread does."""
    global _nothing_ahead
    before, _nothing_ahead = _nothing_ahead, True
    try:
        yield
    finally:
        _nothing_ahead = before


def in_turn(action: Callable[[], None]) -> None:
    """Do something now, but what concerns an item of `two_at_once` when all before it have been handed on."""
    later = getattr(_making, "later", None)
    if later is None:
        action()
    else:
        later.append(action)


def ahead(items: Generator[Item], most: int) -> Generator[Item]:
    """Yield the items of a generator that computes with torch, made in another thread before they are asked for.

    Small operations keep one core busy at best, and torch lets go of the interpreter's lock in each of them: two
    threads of one core each are faster than one thread of two.

    Args:
        items: to be made, in inference mode and with one thread of torch's.
        most: how many are made before they are asked for.

    Yields:
        The items in their order. What making one raises is raised here.
    """

    def make() -> tuple[Item] | None:
        with torch.inference_mode(), one_thread():
            try:
                return (next(items),)
            except StopIteration:
                return None

    with closing(items), ThreadPoolExecutor(1, "ahead") as pool:
        coming = deque(pool.submit(make) for _ in range(most + 1))
        try:
            while item := coming.popleft().result():
                coming.append(pool.submit(make))
                yield item[0]
        finally:
            pool.shutdown(cancel_futures=True)


def two_at_once(function: Callable[[Item], Result], items: Iterable[Item]) -> Generator[Result]:
    """Yield what a function that computes with torch makes of each item, in their order, by two threads.

    Args:
        function: called in inference mode and with one thread of torch's.
        items: read here, at most two before they are needed.
    """

    def make(item: Item) -> tuple[Result, list[Callable[[], None]]]:
        _making.later = []
        with torch.inference_mode(), one_thread():
            return function(item), _making.later

    def handed_on(made: Future[tuple[Result, list[Callable[[], None]]]]) -> Result:
        result, later = made.result()
        for action in later:
            action()
        return result

    coming: deque[Future[tuple[Result, list[Callable[[], None]]]]] = deque()
    with ThreadPoolExecutor(2, "at once") as pool:
        for item in items:
            coming.append(pool.submit(make, item))
            if len(coming) > 2:
                yield handed_on(coming.popleft())
        while coming:
            yield handed_on(coming.popleft())
