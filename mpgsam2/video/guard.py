"""Looks at what strangers send in a process of its own, which may crash, hang or ask for all memory without harm."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from fractions import Fraction
from os import PathLike
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import IO, Any, cast

from mpgsam2.errors import InputError, Stopped
from mpgsam2.video.clip import Clip
from mpgsam2.video.containers import shown
from mpgsam2.video.limits import Limits
from mpgsam2.video.probe import Stretch

MAX_SECONDS = 300.0
"""Seconds that a look at a clip may take."""

MAX_SILENT_SECONDS = 30.0
"""Seconds in which a look must come on by a frame at least."""

MAX_BYTES = 2 << 30
"""Bytes of address space that a look may take, programs and libraries included."""

_COMMAND = [sys.executable, "-m", "mpgsam2.video.worker"]
_POLL_SECONDS = 0.1  # until a wish to stop is noticed
_ROOT = str(Path(__file__).parents[2])


class Failed(Exception):
    """The process ended without an answer; the text says how, to follow “The decoder …”."""


def look_over(path: str | PathLike[str], limits: Limits, stop: Event | None = None) -> Clip:
    """Do what `open_clip` does, in a process of its own.

    Args:
        path, limits: as for `open_clip`.
        stop: once it is set, the look is given up.

    Raises:
        InputError: as `open_clip`; or the decoder crashed, hung, or needed more than `MAX_BYTES`.
        Stopped: `stop` was set.
    """
    if not path:
        raise InputError("No clip was given: choose a video file or a folder of images.")
    path = Path(path).absolute()
    asked = {"task": "look", "path": str(path), "limits": asdict(limits)}
    try:
        found = ask(asked, seconds=MAX_SECONDS, silence=MAX_SILENT_SECONDS, stop=stop)
    except Failed as error:
        raise InputError(
            f"“{shown(path)}” cannot be used, because the decoder {error}: convert it to MP4 and try again."
        ) from None
    stretches = tuple(Stretch(*stretch) for stretch in found["stretches"])
    times = tuple(found["times"])
    return Clip(**{**found, "path": path, "fps": Fraction(found["fps"]), "times": times, "stretches": stretches})


def ask(asked: dict[str, Any], *, seconds: float, silence: float, stop: Event | None = None) -> Any:
    """Have a task of `worker` done in a process of its own.

    Args:
        asked: `task` and what it needs, as JSON can hold it.
        seconds: that it may take in all.
        silence: seconds that may pass without a sign of life.
        stop: once it is set, the process is ended.

    Returns:
        The task's answer.

    Raises:
        InputError: the task's own refusal.
        Failed: it crashed, hung, or needed too much memory.
        Stopped: `stop` was set.
    """
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # room for nothing but the decoder's own
    paths = os.pathsep.join(filter(None, [_ROOT, os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        _COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **one_thread, "PYTHONPATH": paths},
        start_new_session=True,  # so that what it may have started ends with it, and Ctrl-C is for Python alone
    )
    question, answers = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
    lines: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_read, args=(answers, lines), daemon=True).start()
    try:
        with suppress(BrokenPipeError), question:
            question.write(json.dumps({**asked, "memory": MAX_BYTES, "seconds": seconds}).encode())
        return _answer(lines, seconds, silence, stop)
    finally:
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.wait()


def _read(answers: IO[bytes], lines: SimpleQueue[bytes]) -> None:
    with answers:
        for line in answers:
            lines.put(line)
    lines.put(b"")


def _answer(lines: SimpleQueue[bytes], seconds: float, silence: float, stop: Event | None) -> Any:
    begun = heard = time.monotonic()
    while True:
        if stop is not None and stop.is_set():
            raise Stopped
        now = time.monotonic()
        if now - begun > seconds or now - heard > silence:
            raise Failed("does not come to an end with it")
        with suppress(Empty):
            line = lines.get(timeout=_POLL_SECONDS)
            if not line.endswith(b"\n"):
                raise Failed("broke down over it")
            answer, heard = json.loads(line), time.monotonic()
            if "refused" in answer:
                raise InputError(answer["refused"])
            if "full" in answer:
                raise Failed("needs too much memory for it")
            if "done" in answer:
                return answer["done"]
