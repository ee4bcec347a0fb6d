"""The folder of this process for all that visitors bring and runs make: gone when the process ends, however it ends.

It lies in the folder that Gradio would take, GRADIO_TEMP_DIR or the system's, and is from then on Gradio's own. A lock
on it lasts as long as the process: a folder whose lock is free was left by one that was killed, and the next process
that starts removes it. No other folder is touched, since other programs may share the place.
"""

from __future__ import annotations

import atexit
import fcntl
import importlib
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

from gradio.utils import get_upload_folder

_PREFIX = "mpgsam2-"
_LOCK = ".lock"

_before_leaving: list[Callable[[], None]] = []


@cache
def home() -> Path:
    """Return the folder, made when first asked for; what earlier processes left beside it is swept."""
    place = Path(get_upload_folder())
    place.mkdir(parents=True, exist_ok=True)
    _sweep(place)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place.resolve()))
    # Locked before it has its name, so that no other process takes the folder for one that was left.
    lock = (folder / "lock").open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    (folder / "lock").rename(folder / _LOCK)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    with suppress(ImportError):  # gradio[mcp] is installed, and has asked for the folder already
        mcp: Any = importlib.import_module("gradio.mcp")
        mcp.DEFAULT_TEMP_DIR = str(folder)
    atexit.register(_leave, folder, lock, os.getpid())
    _exit_on_signals()
    return folder


def before_leaving(do: Callable[[], None]) -> None:
    """Have something done when the process ends, before the folder is removed."""
    _before_leaving.append(do)


def _sweep(place: Path) -> None:
    """Remove the folders whose processes are gone."""
    for folder in place.glob(f"{_PREFIX}*/"):
        with suppress(OSError), (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # an OSError while its process lives
            shutil.rmtree(folder, ignore_errors=True)


def _leave(folder: Path, lock: BinaryIO, process: int) -> None:
    if os.getpid() != process:  # a fork, as ZeroGPU's workers are, leaves the folder to its parent
        return
    for do in _before_leaving:
        do()
    shutil.rmtree(folder, ignore_errors=True)
    lock.close()


def _exit_on_signals() -> None:
    """Let SIGTERM and SIGHUP end the process as Ctrl-C does, where nobody else has a say in them."""
    if threading.current_thread() is not threading.main_thread():
        return
    process = os.getpid()

    def end(number: int, _: FrameType | None) -> None:
        if os.getpid() != process:
            os._exit(128 + number)
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)
