"""`meta_expressions.json`, the index that Ref-YouTube-VOS, Ref-DAVIS17 and MeViS share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mpgsam2.datasets.json_file import read_json_object
from mpgsam2.datasets.names import checked_name
from mpgsam2.datasets.video import Sentence, Video, plain_sentence
from mpgsam2.errors import InputError


def read_expressions(root: Path, file: str, objects: str) -> tuple[Video, ...]:
    """Return the videos of an index, in its order.

    Args:
        root: the data set's folder.
        file: the index, from the root on.
        objects: the entry of a sentence that tells which objects it names, "obj_id" or "anno_id".

    Raises:
        InputError: the file is missing or broken; the sentence tells where.
    """
    videos = read_json_object(root / file, file).get("videos")
    if not isinstance(videos, dict):
        raise InputError(f"“{file}” has no list of “videos”: download it again.")
    return tuple(_video(checked_name(name, "video", file), entry, file, objects) for name, entry in videos.items())


def _video(name: str, entry: Any, file: str, objects: str) -> Video:
    frames = entry.get("frames") if isinstance(entry, dict) else None
    expressions = entry.get("expressions") if isinstance(entry, dict) else None
    if not isinstance(frames, list) or not frames or not isinstance(expressions, dict):
        raise InputError(f"“{file}” does not tell the frames and expressions of the video “{name}”: download it again.")
    frames = tuple(checked_name(frame, "frame", file) for frame in frames)
    if len(set(frames)) < len(frames):
        raise InputError(f"“{file}” names a frame of the video “{name}” twice: download it again.")
    sentences = (
        _sentence(checked_name(key, "expression", file), value, file, name, objects)
        for key, value in expressions.items()
    )
    return Video(name, frames, tuple(sentences))


def _sentence(key: str, entry: Any, file: str, video: str, objects: str) -> Sentence:
    text = entry.get("exp") if isinstance(entry, dict) else None
    if not isinstance(text, str):
        raise InputError(f"“{file}” has no sentence as expression “{key}” of the video “{video}”: download it again.")
    try:
        return Sentence(key, plain_sentence(text), _numbers(entry, objects))
    except (OverflowError, TypeError, ValueError):
        raise InputError(
            f"“{file}” gives no numbers as “{objects}” of expression “{key}” of the video “{video}”: download it again."
        ) from None


def _numbers(entry: Mapping[str, Any], objects: str) -> tuple[int, ...]:
    """Return the one number, or several, that an entry holds under that name; Ref-YouTube-VOS writes one as text."""
    numbers = entry.get(objects, [])
    return tuple(int(number) for number in (numbers if isinstance(numbers, list) else [numbers]))
