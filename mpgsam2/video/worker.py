"""What `guard` has done in a process of its own: `python -m mpgsam2.video.worker`.

One JSON object comes in on standard input; lines of JSON go out: `{"seen": n}` now and then, as a sign of life, and at
last `{"done": …}`, `{"refused": sentence}` or `{"full": true}` where memory did not suffice. Nothing of PyTorch or
Gradio is imported.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from mpgsam2.errors import InputError
from mpgsam2.video.clip import open_clip
from mpgsam2.video.limits import Limits
from mpgsam2.video.probe import Stretch
from mpgsam2.video.sound_track import lay_under

_HEARTBEAT_SECONDS = 0.5


def main() -> None:
    """Do what standard input asks for."""
    with os.fdopen(os.dup(1), "w", encoding="ascii") as answers:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whatever a library may print
        asked = json.load(sys.stdin)
        _limit(asked["memory"], asked["seconds"])
        try:
            answer = {"done": _TASKS[asked["task"]](asked, _Life(answers))}
        except InputError as error:
            answer = {"refused": str(error)}
        except MemoryError:
            answer = {"full": True}
        _say(answers, answer)


def _look(asked: dict[str, Any], seen: Callable[[int], None]) -> dict[str, Any]:
    clip = open_clip(asked["path"], Limits(**asked["limits"]), seen=seen)
    return {**vars(clip), "path": None, "fps": str(clip.fps)}


def _sound(asked: dict[str, Any], seen: Callable[[int], None]) -> str:
    video, out, source = (Path(asked[name]) for name in ("video", "out", "source"))
    stretches = [Stretch(*stretch) for stretch in asked["stretches"]]
    return lay_under(video, out, source, stretches, asked["start"], asked["duration"])


_TASKS: dict[str, Callable[[dict[str, Any], Callable[[int], None]], Any]] = {"look": _look, "sound": _sound}


class _Life:
    """Tells every now and then how many frames were seen."""

    def __init__(self, answers: TextIO) -> None:
        self._answers = answers
        self._told_at = time.monotonic()

    def __call__(self, count: int) -> None:
        now = time.monotonic()
        if now - self._told_at >= _HEARTBEAT_SECONDS:
            self._told_at = now
            _say(self._answers, {"seen": count})


def _say(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _limit(memory: int, seconds: float) -> None:
    """Give no more memory, where the system can do that, and end with the time, whoever still waits."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.setitimer(signal.ITIMER_REAL, seconds)
    except (ImportError, AttributeError, ValueError, OSError):
        pass


if __name__ == "__main__":
    main()
