"""Ctrl-C, SIGTERM and SIGHUP end a run of the command line between two frames, so that its files are whole."""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Interrupted(BaseException):
    """A signal asks to end; not an error, so that no handler of errors takes it for one.

    Attributes:
        exit_code: 128 and the signal's number, as shells count.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


class Interruption:
    """Raises `Interrupted` at a signal: at once while nothing is written, or else when the writing is done.

    A second signal is heeded at once, wherever it comes.
    """

    def __init__(self) -> None:
        self._writing = False
        self._pending: int | None = None

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Heed the signals within the block; those that the process was started to ignore stay ignored."""
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        heeded = [number for number, handler in before.items() if handler != signal.SIG_IGN]
        for number in heeded:
            signal.signal(number, self._take)
        try:
            yield
        finally:
            for number in heeded:
                signal.signal(number, before[number])

    def between(self, answers: Generator[T]) -> Generator[T]:
        """Hand answers on; from each one on, and after the last or an interruption, the caller is writing."""
        with closing(answers):
            try:
                for answer in answers:
                    self._writing = True
                    yield answer
                    self._writing = False
                    if self._pending is not None:
                        raise Interrupted(self._pending)
            finally:
                self._writing = True

    def keep(self) -> None:
        """Let a signal wait, from now on, for `release`."""
        self._writing = True

    def release(self) -> None:
        """Heed a signal at once from now on, and so one that waits.

        Raises:
            Interrupted: one has come since `keep`.
        """
        self._writing = False
        if self._pending is not None:
            raise Interrupted(self._pending)

    def _take(self, number: int, _: FrameType | None) -> None:
        if not self._writing or self._pending is not None:
            raise Interrupted(number)
        self._pending = number
