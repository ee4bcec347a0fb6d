"""Results that a visitor lets others see: kept for an hour under a name that nobody can guess."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Timer

from mpgsam2.demo.home import home
from mpgsam2.errors import InputError

LIFETIME = 3600.0
"""Seconds that a shared result is kept, whether or not its visitor stays."""

_RESULTS_PER_SESSION = 3  # that are shared at a time


@dataclass(frozen=True)
class Share:
    """A shared result.

    Attributes:
        token: what a link calls it by.
        folder: with the run's files.
        session: whose result it was.
        until: when it goes, in seconds since 1970.
    """

    token: str
    folder: Path
    session: str
    until: float

    @property
    def told(self) -> str:
        """Until when it is kept, as the page says it."""
        return time.strftime("%H:%M UTC", time.gmtime(self.until))


@dataclass
class Shares:
    """The shared results of all visitors."""

    _shares: dict[str, Share] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def add(self, session: str, folder: Path) -> Share:
        """Let others see a run's files.

        Raises:
            InputError: they are not there any more, or came with the page, whose examples everybody sees.
        """
        if folder.parent != home():
            raise InputError("This result came with the page: the link to the settings of its example shows it.")
        token = secrets.token_urlsafe(24)
        share = Share(token, home() / f"shared-{token}", session, time.time() + LIFETIME)
        try:
            shutil.copytree(folder, share.folder, copy_function=os.link)  # no byte is copied, and no run changes a file
        except OSError:
            shutil.rmtree(share.folder, ignore_errors=True)
            raise InputError("This result is not here any more: press Run to compute it again.") from None
        with self._lock:
            self._shares[token] = share
            of_session = [other for other in self._shares.values() if other.session == session]
            for other in of_session[:-_RESULTS_PER_SESSION]:
                self._remove(other)
            self._remove_old()
        timer = Timer(LIFETIME + 1, self.sweep)
        timer.daemon = True
        timer.start()
        return share

    def get(self, token: str) -> Share | None:
        """Return what a link names; None if there is no such result, or none any more."""
        with self._lock:
            self._remove_old()
            return self._shares.get(token)

    def sweep(self) -> None:
        """Delete what has been kept for an hour."""
        with self._lock:
            self._remove_old()

    def _remove_old(self) -> None:
        for share in [share for share in self._shares.values() if share.until <= time.time()]:
            self._remove(share)

    def _remove(self, share: Share) -> None:
        del self._shares[share.token]
        shutil.rmtree(share.folder, ignore_errors=True)
