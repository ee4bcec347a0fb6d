"""Who works next: a line of few places, a fair order, and how long the wait may be."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from threading import Lock

from mpgsam2.errors import InputError

MOST_WAITING = 20
"""Visitors who may wait."""

PER_SESSION = 3
"""Places of one session, its run at work included."""

FULL = "Too many visitors are waiting already: please try again in a minute."

_NEWEST_WEIGHT = 0.3  # in the mean of the runs' times


@dataclass(eq=False)
class Ticket:
    """A place in the line, and then the slot.

    Attributes:
        session: whose it is.
        rank: the lowest is next.
        begun: when the work began, in seconds of the monotonic clock; 0 while it waits.
        left: seconds that the work may still take, None if nobody knows.
    """

    session: str
    rank: int
    begun: float = 0.0
    left: float | None = None


class RunQueue:
    """The queue before one slot.

    A session's second request counts as if it had come a full line later, its third two lines later: who asks twenty
    times lets others go first, and is not starved by them either.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[Ticket] = []
        self._working: Ticket | None = None
        self._arrivals = itertools.count()
        self._mean: float | None = None  # seconds of a run

    def join(self, session: str) -> Ticket:
        """Take the last place, or one in front of those who have others already.

        Raises:
            InputError: all places are taken, or the session has its share of them.
        """
        with self._lock:
            mine = [ticket for ticket in [*self._waiting, self._working] if ticket and ticket.session == session]
            if len(mine) >= PER_SESSION:
                raise InputError(f"You have {PER_SESSION} runs here already: wait for one of them to end, or stop it.")
            if len(self._waiting) >= MOST_WAITING:
                raise InputError(FULL)
            ticket = Ticket(session, next(self._arrivals) + MOST_WAITING * len(mine))
            self._waiting.append(ticket)
            self._waiting.sort(key=lambda ticket: ticket.rank)
            return ticket

    def begin(self, ticket: Ticket) -> bool:
        """Take the slot if it is free and nobody is before the ticket; whether it is the ticket's."""
        with self._lock:
            if self._working is None and self._waiting[0] is ticket:
                self._working = self._waiting.pop(0)
                ticket.begun = time.monotonic()
            return self._working is ticket

    def leave(self, ticket: Ticket) -> None:
        """Give up the place, or the slot when all work is done; from any thread."""
        with self._lock:
            if self._working is ticket:
                self._working = None
                seconds = time.monotonic() - ticket.begun
                self._mean = seconds if self._mean is None else self._mean + _NEWEST_WEIGHT * (seconds - self._mean)
            elif ticket in self._waiting:
                self._waiting.remove(ticket)

    def before(self, ticket: Ticket) -> int:
        """Return how many go first, the one at work included."""
        with self._lock:
            return (self._waiting.index(ticket) if ticket in self._waiting else 0) + (self._working is not None)

    def seconds(self, ticket: Ticket) -> float | None:
        """Return how long a ticket may still wait: what is left of the run at work, and a usual run for each one ahead.

        None as long as there is nothing to go by.
        """
        with self._lock:
            left: float | None = 0.0
            if self._working is not None:
                left = self._working.left
                if left is None and self._mean is not None:
                    left = max(0.0, self._mean - (time.monotonic() - self._working.begun))
            waiting = self._waiting.index(ticket) if ticket in self._waiting else 0
            if left is None or (waiting and self._mean is None):
                return None
            return left + waiting * (self._mean or 0.0)

    @property
    def crowded(self) -> bool:
        """Whether anybody waits."""
        with self._lock:
            return bool(self._waiting)

    @property
    def busy(self) -> bool:
        """Whether anybody works."""
        return self._working is not None
