"""The stages of a run, marked where they happen, and who is told of them: the benchmark, or nobody."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import TypeVar

T = TypeVar("T")

STAGES = ("read", "clip encoding", "image features", "tracking", "drawing", "writing")
"""What a run consists of; a stage may happen within another, as reading does within clip encoding."""

READING, ENCODING, FEATURES, TRACKING, DRAWING, WRITING = STAGES

Watcher = Callable[[str], AbstractContextManager[None]]
"""Gives the context in which a stage of that name then happens."""

_watcher: Watcher | None = None
_END = object()


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Let a run be in the stage of that name within this context, and in a function that it decorates."""
    if _watcher is None:
        yield
    else:
        with _watcher(name):
            yield


def in_stage(name: str, items: Generator[T]) -> Generator[T]:
    """Return the same items, each of them made in the stage of that name."""
    return each_within(lambda: stage(name), items)


def each_within(context: Callable[[], AbstractContextManager[None]], items: Generator[T]) -> Generator[T]:
    """Yield the same items, each of them made within a context of its own; closing this closes what makes them."""
    with closing(items):
        while True:
            with context():
                item = next(items, _END)
            if item is _END:
                return
            yield item  # type: ignore[misc]  # of all objects only `_END` is no item


@contextmanager
def watched_by(watcher: Watcher) -> Iterator[None]:
    """Tell the watcher, within this context, of every stage of every run, in whatever thread."""
    global _watcher
    before, _watcher = _watcher, watcher
    try:
        yield
    finally:
        _watcher = before
