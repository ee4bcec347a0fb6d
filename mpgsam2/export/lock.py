"""One run at a time writes into a folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mpgsam2.errors import InputError

if sys.platform != "win32":  # where two runs into one folder are not noticed
    import fcntl

_NAME = ".mpgsam2.lock"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder for one run.

    The system itself lets go of the lock of a process that has died, so none is ever left behind to block.

    Raises:
        InputError: another run holds the folder, in this process or any other on this machine.
        OSError: the lock cannot be made there.
    """
    if sys.platform == "win32":
        yield
        return
    file = _locked(folder)
    try:
        yield
    finally:
        (folder / _NAME).unlink(missing_ok=True)
        fcntl.flock(file, fcntl.LOCK_UN)  # a process that was forked meanwhile has the file open, too
        os.close(file)


def _locked(folder: Path) -> int:
    """Return the descriptor of the folder's lock file."""
    while True:
        file = os.open(folder / _NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file).st_nlink:  # else the run that held it has just removed it
                return file
        except BlockingIOError:
            os.close(file)
            raise InputError(
                f"Another run is writing into “{folder.resolve().name}”: let it end first, or choose another folder."
            ) from None
        os.close(file)
