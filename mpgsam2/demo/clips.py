"""Visitors' clips, each looked over once, in a process of its own; every later question is answered from memory."""

from __future__ import annotations

from collections import OrderedDict
from os import PathLike
from pathlib import Path
from threading import Event, Lock

from mpgsam2.errors import InputError, Stopped
from mpgsam2.video import Clip, Limits
from mpgsam2.video.guard import look_over

_MAX_CLIPS = 100  # the one that was asked for longest ago is forgotten first
_POLL_SECONDS = 0.1  # until a wish to stop is noticed

_Key = tuple[str, int, int, int, Limits]


class _Look:
    """What a look at one file found: a clip, or the sentence that refuses it."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.found: Clip | str | None = None


class LookedOver:
    """Clips by the files that they were when somebody first asked for them; two who ask at once share one look."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._looks: OrderedDict[_Key, _Look] = OrderedDict()

    def clip(self, path: str | PathLike[str] | None, limits: Limits, stop: Event | None = None) -> Clip:
        """Return the clip at a path.

        Raises:
            InputError: it cannot be read, or is beyond the limits.
            Stopped: `stop` was set before the clip had been looked over.
        """
        path = path or ""
        key = _key(path, limits)
        if key is None:
            return look_over(path, limits, stop)  # which says what is wrong
        with self._lock:
            look = self._looks.setdefault(key, _Look())
            self._looks.move_to_end(key)
            while len(self._looks) > _MAX_CLIPS:
                self._looks.popitem(last=False)
        while not look.lock.acquire(timeout=_POLL_SECONDS):
            if stop is not None and stop.is_set():
                raise Stopped
        try:
            if look.found is None:
                try:
                    look.found = look_over(path, limits, stop)
                except InputError as error:
                    look.found = str(error)
            if isinstance(look.found, str):
                raise InputError(look.found)
            return look.found
        finally:
            look.lock.release()


def _key(path: str | PathLike[str], limits: Limits) -> _Key | None:
    """Return what tells a file from any other and from what it was before it changed; None if there is no file."""
    try:
        path = Path(path).absolute()
        state = path.stat()
    except (OSError, ValueError):
        return None
    return (str(path), state.st_ino, state.st_size, state.st_mtime_ns, limits) if path.is_file() else None
